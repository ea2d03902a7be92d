# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# image.sh - sourced by suites that boot images and have to know what is in them.

# number FILE OFFSET SIZE: little endian
number()
{
	od -An -v -tu"$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# symbol ELF NAME: its value; the image is linked at the offsets that it has in
# its file.
symbol()
{
	echo $((0x$(nm "$1" | sed -n "s/ [a-zA-Z] $2\$//p")))
}

# payload_header IMAGE: where it is (include/payload.h), right in front of what
# the setup header calls the payload (boot.rst). Fails if there is none.
payload_header()
{
	header=$((($(number "$1" 497 1) + 1) * 512 + $(number "$1" 584 4) - 112))
	[ "$(dd if="$1" bs=1 skip="$header" count=7 2>/dev/null)" = sevstub ] &&
		echo "$header"
}

# initrd_fact FILE: what the test kernel compares with what it is handed
# (tests/payload/USAGE.md).
initrd_fact()
{
	# shellcheck disable=SC2046 # two numbers and a name
	set -- $(cksum "$1")
	echo "t.initrd=$1,$2"
}
