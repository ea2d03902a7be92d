# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite bootparams compares two zero pages that Debian's kernel finds: one was
# made by the kernel's own 16-bit stage, one by ours. Its cases are in
# tests/bootparams/cases.list. The zero pages of case X are $O/bootparams/X.stock and
# X.own, a byte a line.

# shellcheck source=tests/lib.sh
. tests/lib.sh

list=tests/bootparams/cases.list
QEMU=${QEMU:-qemu-system-x86_64}
out=$O/bootparams
zero_page_size=4096

cases()
{
	rows "$list" case | cut -f 1
}

# Makes the {disk}: it has a signature at 0x1b8 and the mark of a boot sector.
prepare()
{
	mkdir -p "$out"
	{
		head -c 440 /dev/zero
		printf '\022\064\126\170'
		head -c 66 /dev/zero
		printf '\125\252'
	} >"$out/disk"
	truncate -s 8M "$out/disk"
}

# dump KERNEL FILE: boots the kernel and writes its zero page to the file.
dump()
{
	# shellcheck disable=SC2086 # several arguments
	limited "$QEMU" -accel tcg -nodefaults -no-reboot -display none \
		-m 256M -serial "file:$2.console" -kernel "$1" \
		-initrd "$O/initramfs.cpio.gz" -append \
		"console=ttyS0 quiet no_timer_check zeropage=1 $cmdline" \
		$qemu </dev/null >"$2.qemu" 2>&1 || return 1
	tr -d '\r' <"$2.console" | sed -n 's/^zeropage: *//p' | tr -s ' ' '\n' \
		>"$2"
	[ "$(wc -l <"$2")" -eq "$zero_page_size" ]
}

# differences ALSO: the offsets at which the zero pages differ, without those of
# fields.list and those that the words of ALSO stand for.
differences()
{
	rows tests/bootparams/fields.list field >"$out/$test.fields"
	paste -d ' ' "$out/$test.stock" "$out/$test.own" |
		awk -v also="$1" -v fields="$out/$test.fields" '
		function hex(text,    i, n) {
			for (i = 3; i <= length(text); i++)
				n = n * 16 + index("0123456789abcdef",
					substr(text, i, 1)) - 1
			return n
		}
		BEGIN {
			while ((getline line <fields) > 0) {
				split(line, field, "\t")
				for (i = 0; i < field[2]; i++)
					may[hex(field[1]) + i] = 1
			}
			if (also ~ /cursor/)
				may[0] = may[1] = 1
			if (also ~ /lines/)
				may[14] = 1
		}
		$1 != $2 && !((NR - 1) in may) {
			printf "0x%03x: %s, stock %s; ", NR - 1, $2, $1
		}'
}

# byte OFFSET: a byte of our zero page, in hexadecimal.
byte()
{
	sed -n "$(($1 + 1))p" "$out/$test.own"
}

run_case()
{
	row "$list" case "$test" >"$out/$test.row"
	IFS=$tab read -r _ also qemu cmdline <"$out/$test.row"
	qemu=$(given "$qemu")
	while :; do
		case $qemu in
		*"{disk}"*) qemu="${qemu%%"{disk}"*}$out/disk${qemu#*"{disk}"}" ;;
		*) break ;;
		esac
	done
	cmdline=$(given "$cmdline")
	dump "$O/kernels/cloud/vmlinuz" "$out/$test.stock" ||
		die "the stock kernel does not print its zero page"
	dump "$O/boot/cloud.img" "$out/$test.own" ||
		die "our image does not print its zero page"
	differ=$(differences "$also")
	[ -z "$differ" ] || die "$differ"
	# The BIOS of QEMU's PC has APM 1.2, in BCD.
	[ "$(byte 0x41)$(byte 0x40)" = 0102 ] ||
		die "the APM version is $(byte 0x41)$(byte 0x40), not 0102"
	pass "$test"
}
