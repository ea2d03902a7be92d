#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Bad kernels, and output that cannot be written: mkpayload prints one line that says
# what is wrong, and leaves no file.
# Functions run as arguments of expect.
# shellcheck disable=SC2317

set -eu
# shellcheck source=tests/unit/mkpayload.sh
. tests/unit/mkpayload.sh

# refusal_problem KERNEL PATTERN [OPTION]...: mkpayload must refuse the kernel, with a
# reason that matches the pattern. Prints what is wrong, if anything.
refusal_problem() {
	kernel=$1
	pattern=$2
	shift 2
	mkdir out
	: >out/x.bin
	: >out/x.S
	status=0
	"$mkpayload" --level 1 -q "$@" -o out/x "$kernel" >stdout 2>stderr ||
		status=$?
	left=$(ls out)
	rm -r out
	if [ "$status" -ne 1 ]; then
		echo "exit status $status, $(head -c 300 stderr | tr '\n' '|')"
	elif [ -s stdout ]; then
		echo "prints to stdout"
	elif [ "$(wc -l <stderr)" -ne 1 ]; then
		echo "not one line: $(head -c 300 stderr | tr '\n' '|')"
	elif ! grep -q "^mkpayload: $kernel: .*$pattern" stderr; then
		echo "says: $(cat stderr)"
	elif [ -n "$left" ]; then
		echo "leaves $left"
	fi
}

# bad NAME PATTERN FILE [OPTION]...
bad() {
	name=$1
	pattern=$2
	kernel=$3
	shift 3
	problem=$(refusal_problem "$kernel" "$pattern" "$@")
	if [ -z "$problem" ]; then
		pass "bad/$name" "$(sed 's/^mkpayload: [^:]*: //' stderr)"
	else
		fail "bad/$name" "$problem"
	fi
}

# bad_elf NAME PATTERN [FIELD=VALUE]..., and the same for a bzImage.
bad_elf() {
	name=$1
	pattern=$2
	shift 2
	elf bad.elf "$@"
	bad "$name" "$pattern" bad.elf
}

bad_bzimage() {
	name=$1
	pattern=$2
	shift 2
	bzimage bad.bz "$@"
	bad "$name" "$pattern" bad.bz
}

# truncated NAME FILE SIZE STEP: mkpayload must refuse FILE cut to lengths below SIZE:
# each of the first and of the last 80, and every STEPth in between.
truncated() {
	name=$1
	file=$2
	size=$3
	step=$4
	count=0
	length=0
	problem=
	while [ "$length" -lt "$size" ] && [ -z "$problem" ]; do
		head -c "$length" "$file" >short
		problem=$(refusal_problem short \
			'\(truncated\|empty file\|not a kernel\)')
		count=$((count + 1))
		if [ "$length" -lt 80 ] || [ "$length" -ge $((size - 80)) ]; then
			length=$((length + 1))
		elif [ $((length + step)) -gt $((size - 80)) ]; then
			length=$((size - 80))
		else
			length=$((length + step))
		fi
	done
	if [ -z "$problem" ]; then
		pass "bad/$name" "$count lengths"
	else
		fail "bad/$name" "cut to $length or less bytes: $problem"
	fi
}

# ---- not a kernel ----
: >empty
echo 'This is a text.' >text
bad empty 'empty file$' empty
bad text 'not a kernel' text
bad missing 'No such file' missing
bad directory 'not a regular file$' .
bad_elf magic 'not a kernel' ei_mag0=0x7e

# ---- other formats ----

# A file that its own program has compressed: the message names this program.
for program in gzip xz zstd bzip2 lz4 lzop; do
	case $program in
	lzop) lzop -c good.elf >packed ;;
	*) $program -c <good.elf >packed ;;
	esac
	bad "packed-$program" \
		"not a kernel: compressed with $program: unpack it first, with $program -dc\$" \
		packed
done
xz --format=lzma -c <good.elf >packed
bad packed-lzma 'not a kernel: compressed with lzma: unpack it first, with xz -dc$' packed
lz4 -lc <good.elf >packed
bad packed-lz4-legacy 'not a kernel: compressed with lz4: unpack it first' packed

# holds NAME PATTERN AT BYTES...: a file of 64 KiB of zeros, with the bytes at that
# offset.
holds() {
	name=$1
	pattern=$2
	shift 2
	head -c 65536 /dev/zero >other
	while [ $# -gt 0 ]; do
		printf '%b' "$2" |
			dd of=other bs=1 seek="$(($1))" conv=notrunc status=none
		shift 2
	done
	bad "$name" "not a kernel: $pattern" other
}
holds other-nothing 'neither an ELF file nor a bzImage$' 0 ''
holds other-arm64 'an Image for arm64: name a kernel for x86-64$' 0 MZ 0x38 'ARM\0144'
holds other-riscv 'an Image for RISC-V: name' 0 MZ 0x30 'RISCV'
holds other-zboot 'an EFI zboot image: name' 0 MZ 4 zimg 24 gzip
holds other-zboot-where 'an EFI zboot image: name .*: 513 bytes at offset 4096, packed with xz??rs$' \
	0 MZ 4 zimg 8 '\0000\0020\0000\0000\0001\0002' 24 'xz\0177\0001rs'
holds other-uimage 'a uImage of U-Boot: name' 0 '\0047\0005\0031\0126'
holds other-fit 'a device tree, or a FIT image' 0 '\0320\0015\0376\0355'
holds other-android 'a boot image of Android: name' 0 'ANDROID!'
holds other-cpio 'a cpio archive, as an initrd is: name' 0 070701
holds other-deb 'an archive, such as a .deb' 0 '!<arch>\n'
holds other-tar 'a tar archive: name' 0x101 ustar
holds other-iso 'an ISO 9660 file system: name' 0x8001 CD001
holds other-qcow2 'a disk image (qcow2): name' 0 'QFI\0373'
holds other-payload 'a payload that mkpayload has made: name the kernel' 0 sevstub
# DOS header with the offset of the PE header, machine, number of sections, size of the
# optional header, and the second section's name.
holds other-efi 'an EFI application (PE machine 0x8664): name a bzImage or an ELF file$' \
	0 MZ 0x3c '\0200' 0x80 PE 0x84 '\0144\0206\002' 0x94 '\0360' 0x188 .text
holds other-uki 'a unified kernel image: take the kernel out of it, with objcopy -O binary -j .linux$' \
	0 MZ 0x3c '\0200' 0x80 PE 0x84 '\0144\0206\002' 0x94 '\0360' \
	0x188 .text 0x1b0 .linux
holds other-efi-far 'neither an ELF file nor a bzImage$' 0 MZ 0x3c '\0377\0377\0377\0377'
holds other-efi-cut 'an EFI application (PE machine 0x0): name' 0 MZ \
	0x3c '\0374\0377' 0xfffc PE

# ---- ELF header ----
bad_elf class 'wrong class.*EI_CLASS 1' ei_class=1
bad_elf big-endian 'wrong byte order.*EI_DATA 2' ei_data=2
bad_elf ident-version 'unknown ELF version' ei_version=2
bad_elf version 'unknown ELF version' e_version=0
bad_elf machine 'wrong machine.*e_machine 183' e_machine=183
bad_elf machine-i386 'wrong machine.*e_machine 3' e_machine=3
bad_elf relocatable-object 'not an executable (e_type 1)' e_type=1
bad_elf core-dump 'not an executable (e_type 4)' e_type=4
bad_elf pie 'position-independent executable' e_type=3
bad_elf interpreter 'a program with an interpreter (segment 2 is PT_INTERP): link' \
	e_type=3 p_type.2=3
bad_elf program 'not a kernel: a program for Linux, as its note NT_GNU_ABI_TAG says' \
	note=GNU:1:0,3,2,0
# A program that gcc makes, static as busybox is.
echo 'int main(void) { return 0; }' >main.c
"$CC" -static -o main main.c
bad static-program 'not a kernel: a program for Linux' main
bad_elf no-phdrs 'no PT_LOAD' e_phnum=0
bad_elf too-many-phdrs 'too many program headers' e_phnum=0xffff
bad_elf phentsize 'program headers of 32 bytes' e_phentsize=32
bad_elf phoff 'truncated: program headers at 0xffffffffffffffff' \
	e_phoff=0xffffffffffffffff
bad_elf shoff 'truncated: section headers at 0xfffffffffffffff8' \
	e_shoff=0xfffffffffffffff8
bad_elf shentsize 'section headers of 40 bytes' e_shentsize=40
bad_elf shnum 'too many sections' e_shnum=0
bad_elf section-outside 'truncated: section 2' sh_size.2=0x10000
bad_elf section-wraps 'truncated: section 2' sh_offset.2=0xfffffffffffffff0

# ---- segments ----
bad_elf no-load 'no PT_LOAD' p_type.0=6 p_type.1=6 p_type.2=6
bad_elf no-load-memory 'no PT_LOAD' p_memsz.0=0 p_filesz.0=0 p_memsz.1=0 \
	p_filesz.1=0 p_memsz.2=0 p_filesz.2=0
bad_elf segment-outside 'truncated: segment 2' p_filesz.2=0x10000
bad_elf segment-wraps 'truncated: segment 2' p_offset.2=0xfffffffffffffff0
bad_elf memsz 'segment 1: p_filesz 0x321 above p_memsz 0x320' p_memsz.1=0x320
bad_elf overlap 'segments 0 and 1 overlap at physical 0x201000' \
	p_paddr.1=0x201000
bad_elf overlap-memory 'segments 1 and 2 overlap at physical 0x205000' \
	p_memsz.1=0x2001
bad_elf overlap-same 'segments . and . overlap' p_paddr.1=0x200000
bad_elf virtual-paddr 'segment 0: p_paddr 0xffffffff80200000 is a virtual address, .*: give .* AT()' \
	p_paddr.0=0xffffffff80200000
bad_elf virtual-paddr-last 'segment 2: p_paddr 0xfffffffffffff000 is a virtual address' \
	p_paddr.2=0xfffffffffffff000
bad_elf overflow-paddr 'segment 2: overflow, .* at physical' \
	p_paddr.2=0xffffffffff000
bad_elf overflow-memsz 'segment 2: overflow, .* at physical' \
	p_memsz.2=0xffffffffffffffff
bad_elf overflow-52-bits 'segment 2: overflow, .* at physical' \
	p_paddr.2=0xfffffffffc000
bad_elf overflow-vaddr 'segment 2: overflow, .* at virtual' \
	p_vaddr.2=0xfffffffffffff000
bad_elf align-no-power 'segment 1: unaligned, p_align 0x1800' p_align.1=0x1800
bad_elf unaligned-vaddr 'segment 1: unaligned, p_vaddr' \
	p_vaddr.1=0xffffffff80203008
bad_elf unaligned-offset 'segment 1: unaligned, p_vaddr' p_align.1=0x400000
bad_elf unaligned-paddr 'segment 1: unaligned, p_paddr' p_paddr.1=0x203008
bad_elf unaligned-link 'linked at physical 0x1fe000, unaligned to 0x200000' \
	p_paddr.0=0x1fe000 p_align.1=0x200000 p_vaddr.1=0xffffffff80003000 \
	e_entry=0x1fe000
bad_elf low 'linked at physical 0xff000, below 1 MiB' p_paddr.0=0xff000
bad_elf over-2g-memory 'payload over 2 GiB (0x80000001 bytes of memory)' \
	p_memsz.2=0x7fffb001 p_vaddr.2=0x205000
bad_elf over-2g-gap 'payload over 2 GiB (0x80005000 bytes of memory)' \
	p_paddr.2=0x80200000
# The stub needs 1 MiB between the payload and 4 GiB.
bad_elf over-4g 'the payload needs 0xfff00000-0xfff0a[0-9a-f]*, but the stub needs 1 MiB above it and below 4 GiB: link' \
	p_paddr.0=0xfff00000 p_paddr.1=0xfff03000 p_paddr.2=0xfff05000 e_entry=0xfff00010
bad_elf over-4g-page 'the payload needs 0xffef7000-0xfff01[0-9a-f]*, but the stub needs' \
	p_paddr.0=0xffef7000 p_paddr.1=0xffefa000 p_paddr.2=0xffefc000 e_entry=0xffef7010
bad_elf over-4g-far 'but the stub needs 1 MiB' p_paddr.0=0x100000000 \
	p_paddr.1=0x100003000 p_paddr.2=0x100005000 e_entry=0x100000010
bad_elf over-2g-relocs 'payload over 2 GiB (0x80000004 bytes with its reloc' \
	p_align.2=1 p_memsz.2=0x123 p_paddr.2=0x801ffedd tail=0,0,0x80200000
bad_elf over-2g-file 'payload over 2 GiB (a file of' size=0x80000001

# ---- entry ----
bad_elf entry-below 'entry 0x1fffff is outside' e_entry=0x1fffff
bad_elf entry-behind 'entry 0x201733 is outside' e_entry=0x201733
bad_elf entry-gap 'entry 0x202000 is outside' e_entry=0x202000
bad_elf entry-bss 'entry 0x205123 is outside' e_entry=0x205123
bad_elf entry-virtual 'entry 0xffffffff80201733 is outside' \
	e_entry=0xffffffff80201733
bad_elf entry-zero 'entry 0 is outside .*: name it with ENTRY()' e_entry=0

# ---- data after the ELF file ----
bad_elf tail-garbage 'no relocation table' tail=0x12345678
bad_elf tail-one-list 'no relocation table' tail=0,0x80200000
bad_elf tail-four-lists 'no relocation table' tail=0,0,0,0,0x80200000
elf bad.elf tail=0,0,0x80200000
printf '\1' >>bad.elf
bad tail-odd 'no relocation table' bad.elf
bad_elf reloc-below 'relocation at 0xffffffff801ffffc is outside' \
	tail=0,0,0x801ffffc
bad_elf reloc-behind 'relocation at 0xffffffff80205120 is outside' \
	tail=0,0,0x80205120
bad_elf reloc64-behind 'relocation at 0xffffffff8020511c is outside' \
	tail=0,0x8020511c,0
bad_elf reloc-positive 'relocation at 0x200000 is outside' tail=0,0,0x200000
bad_elf reloc-twice 'two relocations overlap at offset 0x20' \
	tail=0,0,0x80200020,0x80200020
bad_elf reloc-overlap 'two relocations overlap at offset 0x17' \
	tail=0,0x80200017,0x80200010,0
bad_elf reloc-overlap-lists 'two relocations overlap at offset 0x23' \
	tail=0,0x80200010,0,0x80200023,0,0x80200020,0x80200100
bad_elf reloc-link 'linked at virtual 0xffffffff80100000, .* 0xffffffff80200000' \
	tail=0,0,0x80200000 p_vaddr.0=0xffffffff80100000

# ---- bzImage: setup header ----
bad_bzimage boot-flag 'not a kernel' gzip boot_flag=0
bad_bzimage header 'not a kernel' gzip header=0x53726447
bad_bzimage protocol 'boot protocol 2.07, needs 2.12 or later: Linux 3.8' gzip \
	version=0x207
bad_bzimage loaded-low 'not a bzImage: loaded low' gzip loadflags=0
bad_bzimage 32-bit 'not a 64-bit kernel.*2.15' gzip xloadflags=0
bad_bzimage protocol-last 'boot protocol 2.11, needs 2.12 or later: Linux 3.8' gzip \
	version=0x20b
bad_bzimage alignment 'kernel_alignment 0x180000 is no power' gzip \
	kernel_alignment=0x180000 min_alignment=12
bad_bzimage alignment-large 'kernel_alignment 0x80000000 is no power' gzip \
	kernel_alignment=0x80000000
bad_bzimage alignment-small 'kernel_alignment 0x800' gzip kernel_alignment=0x800
bad_bzimage alignment-zero 'kernel_alignment 0 ' gzip kernel_alignment=0
bad_bzimage min-alignment 'min_alignment 2^22' gzip min_alignment=22
bad_bzimage min-alignment-small 'min_alignment 2^11' gzip min_alignment=11
bad_bzimage min-alignment-shift 'min_alignment 2^76' gzip min_alignment=76
bad_bzimage pref-address 'pref_address 0x400000 differs' gzip \
	pref_address=0x400000
bad_bzimage link-unaligned 'linked at physical 0x200000, unaligned' gzip \
	kernel_alignment=0x400000
bad_bzimage syssize 'truncated: .*syssize 0xffffffff' gzip syssize=0xffffffff
bad_bzimage payload-offset 'payload_offset 0xfffffff0' gzip \
	payload_offset=0xfffffff0
bad_bzimage payload-length 'payload_length 0xffffffff' gzip \
	payload_length=0xffffffff
bad_bzimage payload-none 'no compressed kernel (payload_length 0): a program with Linux.s header, such as memtest86+' \
	gzip payload_length=0 syssize=0xffff
bad_bzimage payload-tiny 'truncated: a compressed payload of 7' gzip \
	payload_length=7
bad_bzimage version-outside 'version string at 0x600 is outside' gzip \
	kernel_version=0x400
bad_bzimage version-endless 'version string at 0x420 does not end' gzip \
	text="$(printf '%999s' x)"
bad_bzimage version-long 'version string at 0x420 does not end' gzip \
	setup_sects=4 syssize=16 payload_offset=0 payload_length=8 \
	text="$(printf '%512s' x)"
bad_bzimage version-text 'version string at 0x420 is not ASCII' gzip text='1.2\n'
bad_bzimage version-delete 'version string at 0x420 is not ASCII' gzip \
	text="$(printf '1.2\177')"

# ---- bzImage: payload ----
bad_bzimage codec-lha 'unknown codec.* 2d 6c 68 35' lha
bad_bzimage codec-raw 'unknown codec.* 7f 45 4c 46' raw
bad_bzimage codec-elsewhere 'unknown codec' gzip payload_offset=0x210
"$mkelf" bzimage bad.bz text zstd
bad payload-no-elf 'compressed kernel: not an ELF file' bad.bz
elf bad.elf e_machine=3
"$mkelf" bzimage bad.bz bad.elf lz4
bad payload-machine 'compressed kernel: wrong machine' bad.bz
# damaged CODEC NAME REASON [FIELD=VALUE]...
damaged() {
	codec=$1
	name=$2
	pattern=$3
	shift 3
	bad_bzimage "$codec-$name" "damaged $codec payload: $pattern\$" \
		"$codec" "$@"
}
size=$(wc -c <good.elf)
less=size_word=$((size - 1))
more=size_word=$((size + 1))
recorded='not of the size that is recorded after it'
damaged gzip flip 'incorrect data check' flip=5000
damaged gzip cut 'ends too early' cut=64
damaged gzip pad 'has bytes after its end' pad=8
damaged gzip size-less "$recorded" $less
damaged gzip size-more 'incorrect length check' $more
damaged xz flip damaged flip=5000
damaged xz cut 'is cut off, or larger than .*' cut=64
damaged xz pad 'has bytes after its end' pad=8
damaged xz size-less 'is cut off, or larger than .*' $less
damaged xz size-more "$recorded" $more
# lz4's legacy frame has no checksum, so the damage must be in a block's size.
damaged lz4 flip damaged flip=5
damaged lz4 cut 'ends too early' cut=64
damaged lz4 pad damaged pad=8
damaged lz4 pad-less 'ends too early' pad=2
damaged lz4 size-less damaged $less
damaged lz4 size-more "$recorded" $more
damaged zstd flip "Restored data doesn't match checksum" flip=5000
damaged zstd cut 'Src size is incorrect' cut=64
damaged zstd pad 'Src size is incorrect' pad=8
damaged zstd size-less 'Destination buffer is too small' $less
damaged zstd size-more "$recorded" $more
damaged bzip2 flip damaged flip=5000
damaged bzip2 flip-magic damaged flip=3
damaged bzip2 cut 'is cut off, or larger than .*' cut=64
damaged bzip2 pad 'has bytes after its end' pad=8
damaged bzip2 size-less 'is cut off, or larger than .*' $less
damaged bzip2 size-more "$recorded" $more
damaged lzma flip damaged flip=5
damaged lzma cut 'is cut off, or larger than .*' cut=64
damaged lzma pad 'has bytes after its end' pad=8
damaged lzma size-less 'is cut off, or larger than .*' $less
damaged lzma size-more "$recorded" $more
damaged lzo flip damaged flip=5000
damaged lzo cut damaged cut=64
damaged lzo size-less "$recorded" $less
damaged lzo size-more "$recorded" $more
# mkpayload without lzop: PATH is a directory that does not exist.
no_lzop() {
	bzimage lzo.bz lzo
	! PATH=/nowhere "$mkpayload" --level 1 -q -o x lzo.bz 2>stderr &&
		grep -q '^mkpayload: lzo.bz: cannot run lzop: No such file or directory: install it$' stderr
}
expect bad/lzo-no-program no_lzop
for codec in gzip xz lz4 zstd bzip2 lzma lzo; do
	bad_bzimage "$codec-size-2g" "over 2 GiB (2147483649 bytes before $codec)" \
		$codec size_word=0x80000001
	bad_bzimage "$codec-size-0" "payload of 0 bytes" $codec size_word=0
done

# ---- truncated anywhere ----
truncated truncated-elf good.elf "$(wc -c <good.elf)" 197
truncated truncated-bzimage good.bz "$(wc -c <good.bz)" 97
elf plain.elf sections=0
truncated truncated-elf-without-sections plain.elf $((0x4123)) 197

# ---- options ----
bad cmdline-long '2048 characters, the kernel takes 2047' good.elf \
	--cmdline "$(printf '%2048s' x)"
bzimage short.bz gzip cmdline_size=255
bad cmdline-long-bzimage '256 characters, the kernel takes 255' short.bz \
	--cmdline "$(printf '%256s' x)"
bad cmdline-control 'control character 0xa at position 3' good.elf \
	--cmdline "$(printf 'a b\nc')"
bad cmdline-delete 'control character 0x7f at position 0' good.elf \
	--cmdline "$(printf '\177')"

usage_is_refused() {
	status=0
	"$mkpayload" "$@" >stdout 2>stderr || status=$?
	[ "$status" -eq 2 ] && [ ! -s stdout ] && grep -q '^Usage:' stderr
}
expect bad/usage-nothing usage_is_refused
expect bad/usage-no-prefix usage_is_refused good.elf
expect bad/usage-two-kernels usage_is_refused -o x good.elf good.elf
expect bad/usage-option usage_is_refused --frobnicate -o x good.elf

# Payloads and images that mkpayload has made.
O=$O "$top/tools/mkimage" --level 1 -o own.img good.elf >own.log 2>&1
bad own-image 'is an image of sevstub already: name the kernel that it was made from$' \
	own.img

level_is_refused() {
	! "$mkpayload" --level "$1" -o x good.elf 2>stderr &&
		grep -q "^mkpayload: --level $1: $2\$" stderr
}
expect bad/level-0 level_is_refused 0 'must be a whole number from 1'
expect bad/level-23 level_is_refused 23 'must be from 1 to 22 for zstd'
expect bad/level-text level_is_refused 3x 'must be a whole number from 1'
# codec_is_refused REASON OPTION...
codec_is_refused() {
	reason=$1
	shift
	! "$mkpayload" "$@" -o x good.elf 2>stderr &&
		grep -q "^mkpayload: $reason\$" stderr
}
expect bad/codec codec_is_refused '--codec xz: must be zstd, lz4, none or auto' \
	--codec xz
expect bad/codec-level codec_is_refused '--level 13: must be from 1 to 12 for lz4' \
	--codec lz4 --level 13
expect bad/codec-none-level codec_is_refused \
	'--level 1: codec none has no levels: leave --level out' \
	--codec none --level 1
expect bad/codec-auto-level codec_is_refused \
	'--level 1: --codec auto chooses the level: leave --level out' \
	--codec auto --level 1
expect bad/codec-auto-filter codec_is_refused \
	'--filter no: --codec auto tries both: leave --filter out' \
	--codec auto --filter no
expect bad/filter codec_is_refused '--filter x: must be yes or no' --filter x
expect bad/launch codec_is_refused '--launch x: must be psp, hash or none' \
	--codec auto --launch x
expect bad/launch-codec codec_is_refused \
	'--launch psp: only --codec auto uses it: add that, or leave --launch out' \
	--launch psp

# ---- output that cannot be written ----

# output_is_refused REASON PREFIX [KERNEL]: mkpayload must fail, name the output in its
# message, and leave no file.
output_is_refused() {
	! "$mkpayload" --level 1 -q -o "$2" "${3:-good.elf}" 2>stderr ||
		return 1
	cat stderr
	[ "$(wc -l <stderr)" -eq 1 ] && grep -q "^mkpayload: $2.*$1" stderr &&
		[ -z "$(find . -path "./$2*" -type f)" ]
}
# A file may have 1.5 KiB. good.elf's PREFIX.bin is larger. With tiny.elf only PREFIX.S is
# larger.
disk_is_full() {
	mkdir -p full
	(
		trap '' XFSZ
		ulimit -f 3
		output_is_refused "$1: cannot write: File too large" full/x "$2"
	)
}
mkdir taken taken/x.S
elf tiny.elf p_filesz.0=0x100 p_type.1=0 p_type.2=0
expect bad/output-disk-full disk_is_full .bin good.elf
expect bad/output-disk-full-later disk_is_full .S tiny.elf
expect bad/output-no-directory output_is_refused 'No such file' nowhere/x
expect bad/output-is-directory output_is_refused 'Is a directory' taken/x
expect bad/output-no-name output_is_refused 'names a directory' ./

input_is_kept() {
	cp good.elf own.bin
	! "$mkpayload" --level 1 -q -o own own.bin 2>stderr &&
		grep -q 'own.bin is the input' stderr && cmp own.bin good.elf
}
expect bad/output-is-input input_is_kept

# ---- failures of libraries and of the system ----

# These tests use the plain build, because the sanitizers allow no preloaded library and
# no limit of address space.
fault_is_found() {
	mkdir -p faulty
	! LD_PRELOAD=$O/unit/mkpayload_faults.so FAULT=$1 \
		"$O/mkpayload" --level 1 -q -o faulty/x "$2" 2>stderr || return 1
	cat stderr
	[ "$(wc -l <stderr)" -eq 1 ] && grep -q "^mkpayload: $2: $3" stderr &&
		[ -z "$(ls faulty)" ]
}
expect bad/read-error fault_is_found read-error good.elf 'Input/output error$'
expect bad/read-end fault_is_found read-end good.elf 'truncated while it'
expect bad/zlib-start fault_is_found no-zlib good.bz \
	'damaged gzip payload: zlib does not start$'
bzimage bzip2.bz bzip2
bzimage lzma.bz lzma
expect bad/bzip2-start fault_is_found no-bzip2 bzip2.bz \
	'damaged bzip2 payload: libbz2 does not start$'
expect bad/lzma-start fault_is_found no-lzma lzma.bz \
	'damaged lzma payload: liblzma does not start$'
expect bad/compress-context fault_is_found no-context good.elf 'out of memory'
expect bad/compress fault_is_found compress good.elf 'zstd: Error (generic)$'
expect bad/compress-end fault_is_found unfinished good.elf \
	'zstd: frame does not fit into its bound$'

# mkpayload tries to unpack its frame in place; here with a margin of 1 byte. The frame
# of random.elf, one block that zstd cannot compress, does not even fit.
elf random.elf p_type.1=0 p_type.2=0
expect bad/proof-frame fault_is_found margin random.elf \
	'zstd: frame of .* bytes does not fit its margin of 1$'
expect bad/proof-margin fault_is_found margin good.elf \
	'zstd: Destination buffer is too small$'
expect bad/proof-output fault_is_found output good.elf \
	'zstd: decompression in place gives'
expect bad/proof-size fault_is_found output-size good.elf \
	'zstd: decompression in place gives'

memory_is_short() {
	elf far.elf p_paddr.2=0x70200000 || return 1
	(
		# shellcheck disable=SC3045 # dash and bash have it
		ulimit -v 1000000
		! "$O/mkpayload" --level 1 -q -o faulty/x far.elf 2>stderr
	) || return 1
	cat stderr
	grep -q '^mkpayload: far.elf: out of memory (1879048483 bytes)$' stderr
}
expect bad/memory memory_is_short

exit "$failed"
