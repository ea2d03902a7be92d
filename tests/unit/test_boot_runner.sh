#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_boot_runner.sh - the suite boot with a script in QEMU's place: each way in
# which a boot can go wrong must end in a FAIL line. And its list of cases: which cases
# a row stands for.

set -eu
# shellcheck source=tests/lib.sh
. tests/lib.sh
result_prefix=boot-runner-

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/boot"
: >"$tmp/boot/img.img"

# The machine does what its command line says. Like QEMU it writes the console to the
# file after -serial and obeys its monitor.
cat >"$tmp/qemu" <<'END'
#!/bin/sh
while [ $# -gt 0 ]; do
	case $1 in
	-append) behaviour=$2 ;;
	-serial) console=${2#file:} ;;
	esac
	shift
done
halted=1
monitor()
{
	while read -r command; do
		case $command in
		"info status") echo "VM status: ${stopped:-running}" ;;
		"info registers") echo "SMM=0 HLT=$halted" ;;
		quit) exit 0 ;;
		esac
	done
}
say()
{
	printf '%s\r\n' "$1" >>"$console"
}
case $behaviour in
silent) exit 33 ;;
pass) say "payload: passed"; exit 33 ;;
forgets) say "payload: passed"; exit 0 ;;
fails) say "payload: FAIL entry"; say "payload: failed, 1 errors"; exit 35 ;;
lies) say "payload: failed, 1 errors"; exit 33 ;;
userspace) say "userspace: reached"; exit 0 ;;
early) say "Linux version"; exit 0 ;;
hangs) say "Linux version"; sleep 60 ;;
stops) say "sevstub: corrupt payload: digest"; monitor ;;
spins) say "sevstub: corrupt payload: digest"; halted=0; monitor ;;
pauses) say "sevstub: corrupt payload: digest"; stopped=paused; monitor ;;
resets) say "sevstub: corrupt payload: digest"; exit 0 ;;
other) say "sevstub: something else"; monitor ;;
usage) echo "qemu: invalid option" >&2; exit 1 ;;
esac
END
chmod +x "$tmp/qemu"

# result NAME PATTERN: $line must match the shell pattern.
result()
{
	# shellcheck disable=SC2254 # a pattern is what it is
	case $line in
	$2) pass "$1" ;;
	*) fail "$1" "got '$line'" ;;
	esac
}

columns='[case] name | image | entry | memory | qemu | initrd | cmdline | expect | also'

# check CASE...: sets $line to the result line of the suite boot with $tmp/list, and
# to something else if the exit status does not fit.
check()
{
	status=0
	HANG=2 CASES=$tmp/list O=$tmp JOBS=1 QEMU=$tmp/qemu tests/check "$@" \
		>"$tmp/out" 2>&1 || status=$?
	line=$(grep -m 1 -E '^(PASS|FAIL|SKIP) ' "$tmp/out" || head -n 1 "$tmp/out")
	case $line in
	PASS*) [ "$status" -eq 0 ] || line="exit status $status: $line" ;;
	*) [ "$status" -ne 0 ] || line="exit status 0: $line" ;;
	esac
}

# boot NAME BEHAVIOUR EXPECT ALSO PATTERN: the result line must match the pattern.
boot()
{
	printf '%s\n' "$columns" \
		"x | img | bios | 1M | - | no | $2 | $3 | $4" >"$tmp/list"
	check boot
	result "$1" "$5"
}

boot pass pass pass - 'PASS boot/x: *'
boot pass-status forgets pass - 'FAIL boot/x: *status is 0 and not 33*'
boot pass-failed fails pass - 'FAIL boot/x: *payload: failed, 1 errors'
boot pass-text lies pass - "FAIL boot/x: no line*"
boot silence silent pass - 'FAIL boot/x: silence*'
boot userspace userspace userspace - 'PASS boot/x: *'
boot userspace-early early userspace - "FAIL boot/x: no line*Linux version"
boot timeout hangs userspace - 'FAIL boot/x: does not end within 2 s*version'
boot qemu-error usage userspace - 'FAIL boot/x: *invalid option*'
boot text stops text:^sevstub:.*digest - 'PASS boot/x: *'
boot ends early 'ends:^Linux v' - 'PASS boot/x: *'
boot ends-other early 'ends:^sevstub:' - 'FAIL boot/x: no line*version'
boot ends-not hangs 'ends:^Linux v' - 'FAIL boot/x: does not end within 2 s*'
boot text-spins spins text:^sevstub:.*digest - \
	'FAIL boot/x: the machine does not halt*'
boot text-paused pauses text:^sevstub:.*digest - 'FAIL boot/x: QEMU stopped*'
boot text-resets resets text:^sevstub:.*digest - 'FAIL boot/x: *was reset*'
boot text-other other text:^sevstub:.*digest - 'FAIL boot/x: not a word*'
boot also-there pass pass 'passed & pay' 'PASS boot/x: *'
boot also-missing pass pass 'passed & 16' "FAIL boot/x: '16' is not there*"
boot also-forbidden pass pass '!passed' "FAIL boot/x: 'passed' must not*"

# list NAME PATTERN: the cases that the suite makes of the rows on stdin, with a comma
# between columns.
list()
{
	{
		printf '%s\n' "$columns"
		cat
	} >"$tmp/list"
	line=$(CASES=$tmp/list sh -c '. tests/boot/suite.sh && expand' 2>&1 |
		tr '\t\n' ',;')
	result "$1" "$2"
}

list list-plain 'x,img,bios,1M,-cpu a,no,a b,pass,-;' <<'END'
# a comment

x | img | bios | 1M | -cpu a | no | a b | pass | -
END
list list-alternatives \
	'x-32-a,*,-cpu a,*;x-32-b,*;x-64-load=1-a,*,64+load=1,*;x-64-load=1-b,*;' \
	<<'END'
x | img | 32 64+load=1 | 1M | -cpu a / -cpu b | no | - | pass | -
END
list list-twice '*: a second case x;*' <<'END'
x | img | bios | 1M | - | no | - | pass | -
x | img | bios | 2M | - | no | - | pass | -
END
list list-columns '*:2: not 9 values but 8;' <<'END'
x | img | bios | 1M | - | no | - | pass
END
list list-outcome '*: a bad outcome: passes;' <<'END'
x | img | bios | 1M | - | no | - | passes | -
END

# An image that make did not make, and a pattern that matches nothing.
printf '%s\n' "$columns" "x | none | bios | 1M | - | no | - | pass | -" >"$tmp/list"
check boot
result no-image 'FAIL boot/x: there is no *none.img*'
check 'boot/y*'
result no-case 'FAIL boot/run: no case matches y*'

exit "$failed"
