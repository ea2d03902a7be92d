# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite payload shows that the test kernel passes what is right and notices what
# is wrong. Its cases are in tests/payload/cases.list; the log of case X is
# $O/payload/log/X.

# shellcheck source=tests/lib.sh
. tests/lib.sh

list=tests/payload/cases.list
logs=$O/payload/log

cases()
{
	rows "$list" case | cut -f 1
}

# addresses ELF: sed commands that replace the {names} of addresses in the list.
# loader/image.c shows what the loader puts after the kernel.
addresses()
{
	readelf -SW "$1" |
		sed -nE 's/^ *\[ *[0-9]+\] \.([a-z]+) +[A-Z]+ +0*([0-9a-f]+) [0-9a-f]+ 0*([0-9a-f]+) .*/\1 0x\2 0x\3/p' |
		while read -r section start size; do
			# Addresses of virt.elf are too large for the shell.
			[ ${#start} -lt 18 ] || continue
			echo "s/{$section}/$start/g"
			printf 's/{%s_end}/0x%x/g\n' "$section" $((start + size))
			[ "$section" = bss ] || continue
			tramp=$(((start + size + 4095) / 4096 * 4096))
			printf 's/{tramp}/0x%x/g\n' "$tramp"
			printf 's/{stack_top}/0x%x/g\n' $((tramp + 6 * 4096))
		done
}

# Makes an initrd of more than one page, and $logs/.KERNEL.sed for each kernel.
prepare()
{
	rm -rf "$logs"
	mkdir -p "$logs"
	dd if="$O/payload/noise.bin" of="$logs/.initrd" bs=10001 count=1 2>/dev/null
	initrd=$(cksum <"$logs/.initrd")
	rows "$list" case | cut -f 2 | sort -u | while read -r kernel; do
		{
			addresses "$O/payload/$kernel.elf"
			echo "s/{initrd}/t.initrd=${initrd% *},${initrd#* }/"
		} >"$logs/.$kernel.sed"
	done
}

run_case()
{
	kernel=$(row "$list" case "$test" | cut -f 2)
	row "$list" case "$test" | sed -f "$logs/.$kernel.sed" >"$logs/.$test.row"
	IFS=$tab read -r _ _ loader options expect <"$logs/.$test.row"
	rm "$logs/.$test.row"
	log=$logs/$test

	set --
	case $test in
	*initrd*) set -- -initrd "$logs/.initrd" ;;
	esac
	status=0
	limited qemu-system-x86_64 -accel tcg -cpu max -m 256M -nodefaults \
		-display none -no-reboot -serial "file:$log.raw" \
		-device isa-debug-exit,iobase=0xf4,iosize=4 \
		-kernel "$O/payload/loader.bin" \
		-device "loader,file=$O/payload/$kernel.elf,addr=0x8000000,force-raw=on" \
		-append "entry=direct $(given "$loader") -- $(given "$options")" "$@" ||
		status=$?
	tr -d '\r' <"$log.raw" >"$log"
	rm "$log.raw"

	if [ "$expect" = pass ]; then
		[ "$status" -eq 33 ] ||
			die "QEMU's exit status is $status, not 33; see $log"
		grep -q '^payload: passed$' "$log" ||
			die "the kernel does not say that it passed; see $log"
	else
		check_failures
	fi
	pass "$test"
}

# Each failure that the kernel reports must match the expectation, and each
# alternative of it must match some failure.
check_failures()
{
	printf '%s\n' "$expect" | tr '|' '\n' >"$log.expect"
	while read -r regex; do
		grep -qE "^payload: FAIL .*$regex" "$log" ||
			die "no failure matches '$regex'; see $log"
	done <"$log.expect"
	rm "$log.expect"
	others=$(grep '^payload: FAIL' "$log" | grep -vE "($expect)" || :)
	[ -z "$others" ] || die "the kernel reports another failure: $others; see $log"
	[ "$status" -eq 35 ] || die "QEMU's exit status is $status, not 35; see $log"
}
