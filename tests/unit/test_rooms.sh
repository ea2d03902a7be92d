#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The stub's objects use each other's symbols as docs/architecture.md says: a room
# uses those below it, and against that order only what its second table names.
set -eu

O=${O:-build}
page=docs/architecture.md

[ -e lib/error.c ] || {
	echo "SKIP unit/rooms: the files are not in their rooms yet"
	exit 0
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# "room ORDER ROOM FILE" and "against ROOM ROOM SYMBOL", one a line.
awk -F' *[|] *' '
/^## / { inside = $0 ~ /Who may call whom/ }
!inside { next }
$2 ~ /^[0-9]+$/ {
	n = split($4, files, /[` ]+/)
	for (i = 1; i <= n; i++)
		if (files[i] != "")
			print "room", $2, $3, files[i]
}
$4 ~ /^`/ && $2 ~ /^[a-z0-9]+$/ && $2 !~ /^[0-9]+$/ {
	n = split($4, symbols, /[` ]+/)
	for (i = 1; i <= n; i++)
		if (symbols[i] != "")
			print "against", $2, $3, symbols[i]
}' "$page" >"$tmp/table"

# "defines FILE SYMBOL" and "uses FILE SYMBOL". An object that is not in the
# archive is left over from an older build.
ar t "$O/sevstub.a" >"$tmp/members"
find "$O/stub" -name '*.o' | sort | while read -r object; do
	grep -qxF "${object##*/}" "$tmp/members" || continue
	file=${object#"$O/stub/"}
	nm "$object" | awk -v file="${file%.o}" '
	NF == 3 && $2 ~ /^[A-Z]$/ { print "defines", file, $3 }
	NF == 2 && $1 == "U" { print "uses", file, $2 }'
done >"$tmp/symbols"

awk '
$1 == "room" { order[$4] = $2; room[$4] = $3 }
$1 == "against" { allowed[$2 " " $3 " " $4] = 1 }
$1 == "defines" { where[$3] = $2; files[$2] }
$1 == "uses" { users[++n] = $2; symbols[n] = $3; files[$2] }
END {
	for (file in files)
		if (!(file in room))
			print file " is in no room"
	for (file in room)
		if (!(file in files))
			print "there is no object of " file
	for (i = 1; i <= n; i++) {
		if (!(symbols[i] in where))
			continue
		from = users[i]
		to = where[symbols[i]]
		if (order[from] <= order[to])
			continue
		key = room[from] " " room[to] " " symbols[i]
		if (key in allowed)
			used[key] = 1
		else
			print from " uses " symbols[i] " of " to
	}
	for (key in allowed)
		if (!(key in used))
			print "not used any more: " key
}' "$tmp/table" "$tmp/symbols" | sort >"$tmp/wrong"

if [ -s "$tmp/wrong" ]; then
	cat "$tmp/wrong" >&2
	echo "FAIL unit/rooms: $page: $(head -n 1 "$tmp/wrong")"
	exit 1
fi
echo "PASS unit/rooms: $(grep -c '^uses' "$tmp/symbols") uses of symbols"
