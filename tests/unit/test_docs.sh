#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The documents lead somewhere: each relative link names a file that exists, and
# each link to a heading names one that the page has. README.md stays short.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

# headings PAGE: the anchors that a repository's web pages make of them.
headings()
{
	awk '/^```/ { code = !code } !code && /^#+ / {
		sub(/^#+ /, "")
		$0 = tolower($0)
		gsub(/[^a-z0-9 _-]/, "")
		gsub(/ /, "-")
		print
	}' "$1"
}

# links PAGE: what its links and pictures point to, code left out.
# shellcheck disable=SC2016 # the backquotes are the page's, not a shell's
links()
{
	awk '/^```/ { code = !code } !code && !/^    /' "$1" |
		sed 's/`[^`]*`//g' | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//' |
		grep -vE '^[a-z]+:' || :
}

pages=$(find . -name '*.md' ! -path './build/*' ! -path "./${O:-build}/*" \
	! -path './.git/*' | sort)
count=0
for page in $pages; do
	links "$page" >"$tmp/links"
	count=$((count + $(wc -l <"$tmp/links")))
	while read -r link; do
		file=$(dirname "$page")/${link%%#*}
		[ -n "${link%%#*}" ] || file=$page
		if [ ! -e "$file" ]; then
			echo "$page: there is no $link"
		elif [ "$link" != "${link#*#}" ] &&
			! headings "$file" | grep -qxF -e "${link#*#}"; then
			echo "$page: no heading of $link"
		fi
	done <"$tmp/links"
done >"$tmp/wrong"
if [ -s "$tmp/wrong" ]; then
	cat "$tmp/wrong" >&2
	echo "FAIL unit/docs.links: $(head -n 1 "$tmp/wrong")"
	status=1
else
	echo "PASS unit/docs.links: $count"
fi

lines=$(wc -l <README.md)
if [ "$lines" -gt 150 ]; then
	echo "FAIL unit/docs.readme: $lines lines, at most 150"
	status=1
else
	echo "PASS unit/docs.readme: $lines lines"
fi
exit "$status"
