#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_boot_runner.sh - the runner of the boot tests, with a script in QEMU's
# place: every way in which a boot can go wrong must end in a FAIL line, and the
# list of cases must be read as it is meant.

set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
mkdir "$tmp/boot"
: >"$tmp/boot/img.img"

# The machine: its behaviour is the command line that it is given. Like QEMU it
# writes the console to the file behind -serial and obeys its monitor.
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
	$2)
		echo "PASS unit/boot-runner-$1"
		;;
	*)
		echo "FAIL unit/boot-runner-$1: got '$line'"
		failed=1
		;;
	esac
}

# boot NAME BEHAVIOUR EXPECT ALSO PATTERN: the line that the runner prints.
boot()
{
	echo "x | img | bios | 1M | - | no | $2 | $3 | $4" >"$tmp/list"
	status=0
	line=$(HANG=2 CASES=$tmp/list O=$tmp JOBS=1 QEMU=$tmp/qemu tests/boot/run) ||
		status=$?
	case $line in
	PASS*) [ "$status" -eq 0 ] || line="exit status $status: $line" ;;
	*) [ "$status" -ne 0 ] || line="exit status 0: $line" ;;
	esac
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

# list NAME PATTERN: what --list makes of stdin, each column after a comma.
list()
{
	cat >"$tmp/list"
	line=$(CASES=$tmp/list tests/boot/run --list 2>&1 | tr '\t\n' ',;')
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
list list-twice '*:2: a second case x;' <<'END'
x | img | bios | 1M | - | no | - | pass | -
x | img | bios | 2M | - | no | - | pass | -
END
list list-columns '*:1: not 9 columns but 8;' <<'END'
x | img | bios | 1M | - | no | - | pass
END
list list-outcome '*:1: a bad outcome: passes;' <<'END'
x | img | bios | 1M | - | no | - | passes | -
END

# An image that make did not make, and a pattern that matches nothing.
echo "x | none | bios | 1M | - | no | - | pass | -" >"$tmp/list"
line=$(CASES=$tmp/list O=$tmp QEMU=$tmp/qemu tests/boot/run) || :
result no-image 'FAIL boot/x: there is no *none.img*'
line=$(CASES=$tmp/list O=$tmp QEMU=$tmp/qemu tests/boot/run 'y*') || :
result no-case 'FAIL boot/run: no case matches y*'

exit "$failed"
