#!/bin/sh
# SPDX-License-Identifier: MIT
#
# docs/messages.md has a row for each message that the stub can print and for
# each termination code, and no row for one that does not exist any more.
set -eu

page=docs/messages.md
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

# verdict NAME WORDS: fails if $tmp/wrong has a line.
verdict()
{
	if [ -s "$tmp/wrong" ]; then
		echo "FAIL unit/messages.$1: $2: $(head -n 1 "$tmp/wrong")"
		status=1
	else
		echo "PASS unit/messages.$1: $(wc -l <"$tmp/printed")"
	fi
}

for source in ./*.c ./*.S lib/*.c payload/*.c efi/*.c bios/*.c bios/*.S; do
	awk -f tests/unit/messages.awk "$source"
done | sort -u >"$tmp/printed"
# What stands between backquotes in a row's first column. They are not a shell's:
# shellcheck disable=SC2016
sed -nE 's/^\| `([^`]*)` \|.*/\1/p' "$page" | sort -u >"$tmp/rows"

comm -23 "$tmp/printed" "$tmp/rows" >"$tmp/wrong"
verdict have_rows "$page has no row"
comm -13 "$tmp/printed" "$tmp/rows" >"$tmp/wrong"
verdict exist "no source prints what $page describes"

sed -nE 's/^#define (SEVSTUB_TERM_[A-Z_]+)[[:space:]]+([0-9]+).*/\2 \1/p' \
	include/sev.h | grep -v ' SEVSTUB_TERM_REASONS$' | sort >"$tmp/printed"
# shellcheck disable=SC2016 # nor are these
sed -nE 's/^\| ([0-9]+) \| `(SEVSTUB_TERM_[A-Z_]+)` \|.*/\1 \2/p' "$page" |
	sort >"$tmp/rows"
[ -s "$tmp/printed" ]
comm -3 "$tmp/printed" "$tmp/rows" >"$tmp/wrong"
verdict codes "include/sev.h and $page differ"
exit "$status"
