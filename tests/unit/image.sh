# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
#
# image.sh - what the tests of the linked image share. A script sources it at the top
# of the source tree. It makes $dir, a directory of the script's own.

# shellcheck source=tests/lib.sh
. tests/lib.sh
result_prefix=image.
CC=${CC:-gcc}
LD=${LD:-ld}
top=$(pwd)
case $O in
/*) ;;
*) O=$top/$O ;;
esac
export O CC LD

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# excerpt FILE: the first lines of the file as one line.
excerpt() {
	head -n 5 "$1" | tr -s ' \t\n' '   ' | cut -c 1-300
}

# nothing NAME FILE [INFO]: the test passes if FILE, which has the findings, is empty.
nothing() {
	if [ -s "$2" ]; then
		fail "$1" "$(excerpt "$2") ($(wc -l <"$2") in all)"
	else
		pass "$1" "${3-}"
	fi
}

# is NAME GOT WANTED: the test passes if both are the same.
is() {
	if [ "$2" = "$3" ]; then
		pass "$1" "$2"
	else
		fail "$1" "$2 instead of $3"
	fi
}

# number OFFSET SIZE FILE: an unsigned little-endian number.
number() {
	od -An -v "-tu$2" -j "$1" -N "$2" "$3" | tr -d ' \n'
}

# bytes OFFSET SIZE FILE: in hexadecimal, without blanks.
bytes() {
	od -An -v -tx1 -j "$1" -N "$2" "$3" | tr -d ' \n'
}

# symbol NAME ELF: the symbol's value, in decimal.
symbol() {
	value=$(nm "$2" | sed -n "s/ [a-zA-Z] $1\$//p")
	echo "$((0x$value))"
}

# make_image NAME KERNEL [OPTION...]: makes $dir/NAME, $dir/NAME.elf and $dir/NAME.log.
make_image() {
	name=$1 kernel=$2
	shift 2
	tools/mkimage "$@" --elf "$dir/$name.elf" -o "$dir/$name" "$kernel" \
		>"$dir/$name.log" 2>&1 || {
		fail "make.$name" "$(excerpt "$dir/$name.log")"
		exit 1
	}
}
