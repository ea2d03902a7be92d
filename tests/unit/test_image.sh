#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The bytes of an image: each field of the setup header, at the offset that
# x86/boot.rst gives, and the layout that init_size promises, computed again.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

cloud=$O/kernels/cloud/vmlinuz
make_image tiny "$O/payload/tiny.elf"
make_image test "$O/payload/test.elf"
make_image cloud "$cloud" --level 1

# odd.bz is Debian's kernel with other values where Debian's are the defaults.
# patch OFFSET OCTAL-BYTES
patch() {
	printf '%b' "$2" |
		dd of="$dir/odd.bz" bs=1 seek=$(($1)) conv=notrunc status=none
}
cp "$cloud" "$dir/odd.bz"
patch 0x1f2 '\0000\0000' # root_flags: read and write
patch 0x1f8 '\0021\0103' # ram_size
patch 0x1fa '\0376\0377' # vid_mode: extended
patch 0x1fc '\0001\0010' # root_dev: 8:1
patch 0x235 '\0024'      # min_alignment
patch 0x238 '\0377\0017' # cmdline_size: 4095
make_image odd "$dir/odd.bz" --level 1

# differ NAME FILE: reads lines "offset size value name", and fails if a field of the
# file has another value.
differ() {
	: >"$dir/found"
	fields=0
	while read -r offset size value what; do
		fields=$((fields + 1))
		got=$(number "$((offset))" "$size" "$2")
		# shellcheck disable=SC2004 # an expression
		wanted=$(($value))
		[ "$got" = "$wanted" ] ||
			echo "$what is $got, not $wanted;" >>"$dir/found"
	done
	nothing "$1" "$dir/found" "$fields fields"
}

# ---- what is the same in every image

for name in tiny test cloud; do
	sects=$(number 0x1f1 1 "$dir/$name")
	prot=$(((sects + 1) * 512))
	# kexec can hand EFI's tables to Linux: XLF_EFI_KEXEC.
	xloadflags=0x6b
	[ "$name" != cloud ] || xloadflags=0x7b
	differ "header.$name" "$dir/$name" <<-END
		0x1f4 4 ($(wc -c <"$dir/$name")-$prot+15)/16 syssize
		0x1fe 2 0xaa55 boot_flag
		0x200 1 0xeb jump
		0x201 1 0x26c-0x202 jump's_reach
		0x202 4 0x53726448 header
		0x206 2 0x020f version
		0x208 4 0 realmode_swtch
		0x20c 2 0 start_sys_seg
		0x210 1 0 type_of_loader
		0x211 1 1 loadflags
		0x212 2 0 setup_move_size
		0x214 4 0x100000 code32_start
		0x218 4 0 ramdisk_image
		0x21c 4 0 ramdisk_size
		0x220 4 0 bootsect_kludge
		0x226 1 0 ext_loader_ver
		0x227 1 0 ext_loader_type
		0x228 4 0 cmd_line_ptr
		0x22c 4 0x7fffffff initrd_addr_max
		0x236 2 $xloadflags xloadflags
		0x23c 4 0 hardware_subarch
		0x240 8 0 hardware_subarch_data
		0x250 8 0 setup_data
	END

	# After the 16-bit part, in its segment, are the zero page, a buffer and the
	# stack.
	is "heap_end_ptr.$name" "$(number 0x224 2 "$dir/$name")" \
		"$((prot + 4096 + 4096 + 0x800 - 0x200))"
	is "sentinel.$name" "$(bytes 0x1ef 2 "$dir/$name")" ffff
	is "setup_sects.$name" "$((sects >= 4 && sects <= 64))" 1
done

# ---- what the payload decides

# carried KERNEL: the fields of a bzImage that the image must have as they are.
carried() {
	while read -r offset size what; do
		echo "$offset $size $(number "$((offset))" "$size" "$1") $what"
	done <"$dir/fields"
}
cat >"$dir/fields" <<-END
	0x1f2 2 root_flags
	0x1f8 2 ram_size
	0x1fa 2 vid_mode
	0x1fc 2 root_dev
	0x230 4 kernel_alignment
	0x234 1 relocatable_kernel
	0x235 1 min_alignment
	0x238 4 cmdline_size
	0x258 8 pref_address
END
carried "$cloud" >"$dir/carried"
differ carried_over.cloud "$dir/cloud" <"$dir/carried"
carried "$dir/odd.bz" >"$dir/carried"
differ carried_over.odd "$dir/odd" <"$dir/carried"
differ odd_values "$dir/odd" <<-END
	0x1f2 2 0 root_flags
	0x1f8 2 0x4311 ram_size
	0x1fa 2 0xfffe vid_mode
	0x1fc 2 0x0801 root_dev
	0x235 1 20 min_alignment
	0x238 4 4095 cmdline_size
END

# version FILE: the string at which kernel_version points.
version() {
	at=$(($(number 0x20e 2 "$1") + 0x200))
	tail -c +$((at + 1)) "$1" | head -c 512 | tr '\0' '\n' | head -n 1
}
# The payload's own version text, or its file's name, and then the stub's version.
stub_version=$(cat VERSION)
is version.cloud "$(version "$dir/cloud")" "$(version "$cloud") (sevstub $stub_version)"
is version.tiny "$(version "$dir/tiny")" "tiny.elf (sevstub $stub_version)"
# The header's page, and a page for 16-bit code with the version string.
is version.setup_sects "$(number 0x1f1 1 "$dir/cloud")" 15
is version.mkimage "$(tools/mkimage --version)" "mkimage (sevstub) $stub_version"
is version.mkpayload "$("$O/mkpayload" --version)" "mkpayload (sevstub) $stub_version"

# The test kernel is linked at 16 MiB and has no relocations.
differ computed "$dir/test" <<-END
	0x1f2 2 1 root_flags
	0x1f8 2 0 ram_size
	0x1fa 2 0xffff vid_mode
	0x1fc 2 0 root_dev
	0x230 4 0x200000 kernel_alignment
	0x234 1 0 relocatable_kernel
	0x235 1 21 min_alignment
	0x238 4 2047 cmdline_size
	0x258 8 0x1000000 pref_address
END

if command -v file >/dev/null; then
	# `file` prints the upper half of syssize as swap_dev.
	what='Linux kernel x86 boot executable bzImage, version '
	is file "$(file -b "$dir/cloud" | sed 's/, swap_dev 0X[0-9A-F]*//')" \
		"$what$(version "$dir/cloud"), RO-rootFS, Normal VGA"
else
	skip file "file is not installed"
fi

# ---- entries and tables

for name in tiny cloud; do
	elf=$dir/$name.elf
	image=$dir/$name
	prot=$((($(number 0x1f1 1 "$image") + 1) * 512))
	start=$(symbol startup_32 "$elf")
	is "startup_32.$name" "$start" "$prot"
	is "startup_64.$name" "$(($(symbol startup_64 "$elf") - start))" 512
	# Both entries begin with cld; cli.
	is "entry_32.$name" "$(bytes "$prot" 2 "$image")" fcfa
	is "entry_64.$name" "$(bytes $((prot + 512)) 2 "$image")" fcfa

	# The 64-bit handover entry is 512 bytes after the field's value. It begins
	# with sub $8, %rsp; and $-16, %rsp.
	is "handover_offset.$name" "$(number 0x264 4 "$image")" \
		"$(($(symbol efi_handover_entry "$elf") - start - 512))"
	at=$((prot + 512 + $(number 0x264 4 "$image")))
	is "entry_handover.$name" "$(bytes "$at" 8 "$image")" 4883ec084883e4f0

	# "LToP", size, size_total, setup_type_max: SETUP_INDIRECT | SETUP_RNG_SEED
	at=$((prot + $(number 0x268 4 "$image")))
	is "kernel_info.$name" "$(bytes "$at" 16 "$image")" \
		4c546f50100000001000000009000080

	# The payload is a zstd frame, after the payload's header, which has its length.
	at=$((prot + $(number 0x248 4 "$image")))
	is "payload_offset.$name" "$(bytes "$at" 4 "$image")" 28b52ffd
	is "payload_header.$name" "$(bytes $((at - header_size)) 8 "$image")" \
		"$(printf 'sevstub\000' | od -An -tx1 | tr -d ' \n')"
	is "payload_length.$name" "$(number 0x24c 4 "$image")" \
		"$(number $((at - header_size + 0x48)) 8 "$image")"
	is "payload_inside.$name" \
		"$((at + $(number 0x24c 4 "$image") <= $(wc -c <"$image")))" 1
done

# ---- layout

# init_size, from the three reasons that linker.ld gives for moving the image up.
for name in tiny test cloud; do
	elf=$dir/$name.elf
	image=$dir/$name
	start=$(symbol startup_32 "$elf")
	text=$(($(symbol _text "$elf") - start))
	prot=$((($(number 0x1f1 1 "$image") + 1) * 512))
	frame=$((prot + $(number 0x248 4 "$image")))
	comp_end=$((frame - prot + $(number 0x24c 4 "$image")))
	header=$((frame - header_size))
	out=$(($(number $((header + 0x28)) 8 "$image") +
		$(number $((header + 0x38)) 8 "$image")))
	mem=$(number $((header + 0x30)) 8 "$image")
	margin=$(number $((header + 0x40)) 8 "$image")
	loaded_end=$(($(symbol _edata "$elf") - start))
	[ "$mem" -ge "$out" ] || mem=$out

	move=0
	for room in $((out + margin - comp_end)) $((mem - text)) \
		$((loaded_end - text)); do
		[ "$room" -le "$move" ] || move=$room
	done
	move=$(((move + 4095) / 4096 * 4096))
	is "init_size.$name" "$(number 0x260 4 "$image")" \
		"$((move + $(symbol _end "$elf") - start))"

	stub=$(($(wc -c <"$image") - $(number 0x24c 4 "$image")))
	if [ "$stub" -le $((96 * 1024)) ]; then
		pass "stub_size.$name" "$stub bytes"
	else
		fail "stub_size.$name" "$stub bytes, more than 96 KiB"
	fi
done

# For --codec auto, tools/pack.c has the size of a stub with each decoder. The padding
# may be up to a page.
for codec in zstd lz4 none; do
	make_image "tiny-$codec" "$O/payload/tiny.elf" --codec "$codec"
	stub=$(($(wc -c <"$dir/tiny-$codec") - $(number 0x24c 4 "$dir/tiny-$codec")))
	known=$(sed -n "s/.*{ \"$codec\", \"[a-z0-9]*\", \([0-9]*\),.*/\1/p" \
		tools/pack.c)
	off=$((stub - ${known:-0}))
	if [ "${off#-}" -le 4096 ]; then
		pass "stub_known.$codec" "$known, and $stub bytes"
	else
		fail "stub_known.$codec" "$stub bytes, not ${known:-0}: tools/pack.c, codecs[]"
	fi
done

# ---- mkimage itself

is report "$(tail -n 1 "$dir/tiny.log" | sed "s|$dir/||")" "tiny: payload $(
	at=$(($(number 0x248 4 "$dir/tiny") + \
		($(number 0x1f1 1 "$dir/tiny") + 1) * 512 - header_size))
	size=$(number $((at + 0x28)) 8 "$dir/tiny")
	comp=$(number $((at + 0x48)) 8 "$dir/tiny")
	printf '%d, compressed %d, ratio %d.%02d, stub %d, init_size %d' \
		"$size" "$comp" $((size / comp)) $((size * 100 / comp % 100)) \
		$(($(wc -c <"$dir/tiny") - comp)) \
		"$(number 0x260 4 "$dir/tiny")"
)"

# refused NAME STATUS WORDS OPTION...: mkimage reports wrong use before it compresses
# anything.
refused() {
	name=$1 wanted=$2 words=$3
	shift 3
	status=0
	tools/mkimage "$@" >"$dir/refused.log" 2>&1 || status=$?
	if [ "$status" -eq "$wanted" ] &&
		[ "$(head -n 1 "$dir/refused.log")" = "mkimage: $words" ]; then
		pass "refused.$name"
	else
		fail "refused.$name" "status $status: $(excerpt "$dir/refused.log")"
	fi
}
refused directory 1 "$dir/no/x: cannot be written: $dir/no is no directory, or not writable" \
	-o "$dir/no/x" "$O/payload/tiny.elf"
refused option 2 "unknown option '--fast'" --fast x -o "$dir/x" kernel
refused last_option 2 "unknown option '--fast'" -o "$dir/x" --fast
refused no_value 2 "--codec needs a value" -o "$dir/x" --codec
refused no_kernel 2 "no kernel is named" -o "$dir/x"
refused no_image 2 "no image is named: -o IMAGE" kernel

# A failure leaves no image, and does not touch the image of an earlier run.
echo "not a kernel" >"$dir/bad"
cp "$dir/tiny" "$dir/kept"
for image in "$dir/none" "$dir/kept"; do
	if tools/mkimage -o "$image" "$dir/bad" >"$dir/bad.log" 2>&1; then
		fail no_image_of_nothing "success"
	fi
done
if [ -e "$dir/none" ] || [ -e "$dir/none.tmp" ]; then
	fail no_image_of_nothing "there is an image"
elif ! cmp -s "$dir/kept" "$dir/tiny"; then
	fail no_image_of_nothing "the earlier image was changed"
else
	pass no_image_of_nothing "$(tail -n 1 "$dir/bad.log" | sed "s|$dir/||g")"
fi

exit "$failed"
