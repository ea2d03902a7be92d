#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Relocation, compared with Linux's own boot stage: gdb stops Debian's bzImage, with KASLR,
# at the payload's entry. The payload in memory must be byte for byte what relocate.c
# makes of mkpayload's payload with the same offset.
#
# A breakpoint is at each place where the payload's entry can be: the payload begins at a
# multiple of 2 MiB. The test compares the bytes of all PT_LOAD segments. In the gaps
# between segments the boot stage leaves parts of the ELF file, which nothing reads.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

memory=256			# MiB
slot=2				# MiB

for tool in gdb qemu-system-x86_64 lz4 xz; do
	if ! command -v "$tool" >/dev/null; then
		skip relocate_stock "$tool is not installed"
		exit 0
	fi
done

qemu=
trap 'kill $qemu 2>/dev/null || :; rm -rf "$dir"' EXIT
# read_kernel CODEC: unpacks $kernel, and reads the facts of its ELF file.
read_kernel() {
	"$O/mkpayload" -q --level 1 -o "$dir/payload" "$kernel"
	"$O/mkpayload" --info "$dir/payload.bin" >"$dir/info"
	size=$(sed -n 's/^payload size: //p' "$dir/info")
	entry=$(sed -n 's/^entry offset: //p' "$dir/info")
	sects=$(number 0x1f1 1 "$kernel")
	at=$(((sects + 1) * 512 + $(number 0x248 4 "$kernel")))
	tail -c "+$((at + 1))" "$kernel" |
		head -c "$(($(number 0x24c 4 "$kernel") - 4))" |
		"$1" -dcq >"$dir/vmlinux"
	readelf -lW "$dir/vmlinux" |
		awk '$1 == "LOAD" { print $4, $5, $2 }' >"$dir/segments"
	read -r _ _ first <"$dir/segments"
	code=$(od -An -tu8 -j "$((first + entry))" -N 8 "$dir/vmlinux" | tr -d ' ')
}

# gdb goes on if a breakpoint was in the boot stage's own code.
write_gdb() {
	echo 'set architecture i386:x86-64'
	echo 'set confirm off'
	echo "target remote $dir/socket"
	mib=16
	while [ "$mib" -lt "$memory" ]; do
		echo "hbreak *$((mib * 1048576 + entry))"
		mib=$((mib + slot))
	done
	cat <<-GDB
		continue
		while *(unsigned long *)\$rip != $code
		continue
		end
		printf "stopped at 0x%lx\n", \$rip
		eval "monitor pmemsave 0x%lx $size \"$dir/dump\"", \$rip - $entry
	GDB
}

# boot: writes the payload's memory to $dir/dump.
boot() {
	rm -f "$dir/socket" "$dir/dump"
	qemu-system-x86_64 -accel tcg -m "$memory" -nodefaults -display none \
		-no-reboot -S -gdb "unix:$dir/socket,server=on,wait=off" \
		-kernel "$kernel" -append quiet >"$dir/qemu.log" 2>&1 &
	qemu=$!
	tries=$((hang * 10))
	while [ ! -S "$dir/socket" ] && kill -0 "$qemu" 2>/dev/null &&
		[ "$tries" -gt 0 ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
	limited gdb -q -batch -x "$dir/gdb" >"$dir/gdb.log" 2>&1 || :
	kill $qemu 2>/dev/null || :
	wait $qemu 2>/dev/null || :
	qemu=
	stopped=$(sed -n 's/^stopped at //p' "$dir/gdb.log")
	[ -n "$stopped" ] && [ -s "$dir/dump" ]
}

# boot_moved: boots until the payload is not where it was linked, up to three times,
# because KASLR may choose that place. Prints what is wrong, if anything.
boot_moved() {
	for _ in 1 2 3; do
		if ! boot; then
			echo "no stop at an entry: $(tail -n 3 "$dir/gdb.log")"
			return
		fi
		distance=$("$O/unit/relocated" "$dir/payload.bin" "$dir/dump" \
			"$dir/relocated" 2>&1) || {
			echo "$distance"
			return
		}
		[ "$distance" = 0x0 ] || return 0
	done
	echo "three boots without an offset: is KASLR off?"
}

for flavour in cloud:lz4 generic:xz; do
	kernel=$O/kernels/${flavour%:*}/vmlinuz
	read_kernel "${flavour#*:}"
	write_gdb >"$dir/gdb"
	boot_moved >"$dir/found"
	total=0
	base=
	while [ ! -s "$dir/found" ] && read -r paddr filesz _; do
		: "${base:=$((paddr))}"
		total=$((total + filesz))
		cmp -i "$((paddr - base))" -n "$((filesz))" "$dir/relocated" \
			"$dir/dump" >>"$dir/found" 2>&1 || :
	done <"$dir/segments"
	nothing "relocate_stock.${flavour%:*}" "$dir/found" \
		"$total bytes at $stopped, moved by $distance"
done

exit "$failed"
