# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# image.sh - reads numbers and symbols in images. Suites that boot images source it.

# number FILE OFFSET SIZE: a little-endian number, in decimal.
number()
{
	od -An -v -tu"$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# symbol ELF NAME: the symbol's value, which is its offset in the image's file.
symbol()
{
	echo $((0x$(nm "$1" | sed -n "s/ [a-zA-Z] $2\$//p")))
}

# payload_header IMAGE: the offset of the payload's header (include/payload.h). It is
# right in front of what the setup header calls the payload (boot.rst "payload_offset").
# Fails if the image has no such header.
payload_header()
{
	# shellcheck disable=SC2154 # tests/lib.sh sets it
	header=$((($(number "$1" 497 1) + 1) * 512 + $(number "$1" 584 4) - header_size))
	[ "$(dd if="$1" bs=1 skip="$header" count=7 2>/dev/null)" = sevstub ] &&
		echo "$header"
}

# initrd_fact FILE: the word of the command line by which the test kernel checks the
# initrd that it is handed (tests/payload/USAGE.md).
initrd_fact()
{
	# shellcheck disable=SC2046 # two numbers and a name
	set -- $(cksum "$1")
	echo "t.initrd=$1,$2"
}
