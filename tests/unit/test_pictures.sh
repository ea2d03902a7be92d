#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_pictures.sh - the pictures in docs/: each one is well-formed and legible,
# what it names is in the source, memory.svg has the order and the sizes of a
# linked image, rooms.svg the calls of the objects, and the plots the numbers of
# the tables in docs/performance.md.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

drawn="vc memory entry entries emulator rooms trust"

# ---- Every picture.

# Each tag is closed, attributes are quoted, and an ampersand begins an entity.
if command -v perl >/dev/null; then
	for picture in docs/*.svg; do
		perl -0777 -ne '
			s/<\?.*?\?>|<!--.*?-->//gs;
			s/<!\[CDATA\[.*?\]\]>//gs;
			print "$ARGV: a bare ampersand\n" if /&(?!(#\d+|\w+);)/;
			my @open;
			while (/<(\/?)([\w:]+)((?:\s+[\w:-]+\s*=\s*(?:"[^"<]*"|\x27[^\x27<]*\x27))*)\s*(\/?)>|</g) {
				if (!defined $2) {
					print "$ARGV: no tag: " . substr($_, $-[0], 40) . "\n";
				} elsif ($1) {
					my $last = pop @open // "none";
					print "$ARGV: <$last> ends as $2\n" if $last ne $2;
				} elsif (!$4) {
					push @open, $2;
				}
			}
			print "$ARGV: <$_> does not end\n" for @open;' \
			"$picture"
	done >"$dir/malformed"
	nothing pictures.xml "$dir/malformed"
else
	echo "SKIP unit/image.pictures.xml: perl is not installed"
fi

# A picture has a background, because the page may be dark; a title and a
# description, which a screen reader reads; and no text below 12 pixels at a width
# of 800 pixels.
for picture in docs/*.svg; do
	name=$(basename "$picture")
	grep -q '<title' "$picture" || echo "$name: no title"
	grep -q '<desc' "$picture" || echo "$name: no description"
	grep -m 1 '<rect' "$picture" | grep -q 'fill="#ffffff"' ||
		echo "$name: no background"
	grep -qE '(viewBox="0 0 |width=")800[ "]' "$picture" ||
		echo "$name: not 800 pixels wide"
	grep -oE 'font-size[:=] ?"?[0-9.]+' "$picture" | tr -dc '0-9.\n' |
		awk -v name="$name" '$1 < 12 { print name ": text of " $1 " pixels" }'
done >"$dir/illegible"
nothing pictures.legible "$dir/illegible"

# ---- What they name.

words_of() {
	sed -n 's/.*<text[^>]*>\(.*\)<\/text>.*/\1/p' "docs/$1.svg"
}

# The source without its comments.
if command -v perl >/dev/null; then
	find . \( -path ./build -o -path ./tests \) -prune -o \( -name '*.[chS]' -o -name '*.ld' \) -print0 |
		xargs -0 perl -0777 -pe 's{/\*.*?\*/}{ }gs' >"$dir/source"
	for picture in $drawn; do
		# Functions, names of several words, and sections.
		words_of "$picture" | sed 's/[a-z0-9_-]*\.[cS]\b//g' |
			grep -oE '[A-Za-z_][A-Za-z0-9_]*\(\)|\b[a-z][a-z0-9]*(_[a-z0-9]+)+\b|(^|[ :])\.[a-z]+\b' |
			tr -d '() :' | sort -u |
			while read -r word; do
				grep -qE "(^|[^A-Za-z0-9_])$(echo "$word" |
					sed 's/\./\\./')([^A-Za-z0-9_]|\$)" \
					"$dir/source" ||
					echo "$picture.svg: $word"
			done
		# Files, in whatever room they are.
		words_of "$picture" | grep -oE '[a-z0-9_/-]+\.[cS]\b' |
			sort -u | while read -r file; do
				[ -e "$file" ] || [ -e "sevemu/$file" ] ||
					[ -e "bios/$file" ] ||
					echo "$picture.svg: $file"
			done
	done >"$dir/unknown"
	nothing pictures.names "$dir/unknown"
else
	echo "SKIP unit/image.pictures.names: perl is not installed"
fi

# ---- memory.svg: symbols of an image, in the order of the picture.

make_image pictures "$O/payload/tiny.elf"
sed -n '/<!-- moved -->/,/<!-- init_size -->/s/.*<text[^>]*class="m[^>]*>\([a-z_]*\)<.*/\1/p' \
	docs/memory.svg >"$dir/names"
grep -q . "$dir/names"
last=0
while read -r name; do
	at=$(symbol "$name" "$dir/pictures.elf")
	[ "$at" -gt "$last" ] || echo "$name is not behind the one before it"
	last=$at
done <"$dir/names" >"$dir/order"
nothing pictures.memory "$dir/order" "$(wc -l <"$dir/names") symbols"

# size BYTES FROM TO WORDS: there are BYTES between the symbols FROM and TO, and
# the picture says so in WORDS.
size() {
	bytes=$(($(symbol "$3" "$dir/pictures.elf") -
		$(symbol "$2" "$dir/pictures.elf")))
	[ "$bytes" -eq "$1" ] || echo "$2: $bytes bytes, not $1"
	grep -qF ">$4<" docs/memory.svg || echo "$2: not $4 in the picture"
}
{
	size $((64 * 4096)) page_table_pool page_table_pool_end "64 tables of 4 KiB"
	size $((6 * 4096)) early_tables _end "6 tables of 4 KiB"
	size $((16384 + 4096)) stack_guard stack_end "16 KiB"
	size 2048 double_fault_stack double_fault_stack_end "2 KiB, for #DF"
} >"$dir/sizes"
nothing pictures.sizes "$dir/sizes"

# ---- rooms.svg: the calls between rooms are the arrows, and there are no more.

# Of the objects those that have a source here: others are zstd's, or left over.
objects=$(cd "$O/stub" && find . -name '*.o' | sed 's/^..//' |
	while read -r object; do
		[ ! -e "$top/${object%.o}.c" ] && [ ! -e "$top/${object%.o}.S" ] ||
			echo "$object"
	done)
for object in $objects; do
	nm --defined-only -g "$O/stub/$object" |
		awk -v o="$object" '{ print "at", $3, o }'
	readelf -rW "$O/stub/$object" |
		awk -v o="$object" '$3 ~ /PLT32/ { print "call", o, $5 }'
done >"$dir/calls"
# Every room may call lib, and report an error.
awk '
function room(object) {
	if (object ~ /\//) {
		sub(/\/.*/, "", object)
		return object
	}
	if (object == "head_64.o")
		return "head_64.S"
	return object ~ /^(misc|loaded)\.o$/ ? "misc.c" : "machine"
}
$1 == "at" { at[$2] = $3; next }
{ from[++count] = $2; to[count] = $3 }
END {
	for (i = 1; i <= count; i++) {
		if (!(to[i] in at) || to[i] ~ /^(error|stop)$/)
			continue
		a = room(from[i])
		b = room(at[to[i]])
		if (a != b && b != "lib")
			print a, b
	}
}' "$dir/calls" | sort -u >"$dir/called"
grep -o 'data-calls="[^"]*"' docs/rooms.svg |
	sed 's/data-calls="//; s/"$//' | tr ';' '\n' | sort -u >"$dir/arrows"
diff "$dir/called" "$dir/arrows" | grep '^[<>]' |
	sed 's/^</not in rooms.svg:/; s/^>/called by nothing:/' >"$dir/calls.wrong" || :
nothing pictures.rooms "$dir/calls.wrong" "$(wc -l <"$dir/arrows") arrows"

for object in $objects; do
	case $object in
	*/*) named=${object%%/*}/ ;;
	*) named=${object%.o} ;;
	esac
	grep -qE "[> ]$named(\.[cS])?[ <]" docs/rooms.svg || echo "$named"
done | sort -u >"$dir/homeless"
nothing pictures.files "$dir/homeless"

# ---- The plots.

# Our figure of each row that plot.awk leaves must be in the plot, and so must the row's
# target in words. The plot of growth shows one target for all rows.
for plot in docs/bench-*.svg; do
	name=$(basename "$plot" .svg)
	name=${name#bench-}
	awk -v figure="$name" -f tests/bench/page.awk docs/performance.md >"$dir/$name.rows"
	[ -s "$dir/$name.rows" ] || echo "docs/performance.md has no table for $plot"
	tr -d ',' <"$plot" >"$dir/plot"
	awk -f tests/bench/plot.awk "$dir/$name.rows" | cut -f 3,6 |
		while IFS='	' read -r number target; do
			grep -qF ">$number<" "$dir/plot" || echo "$plot: no $number"
			case $name$target in
			growth* | *-) continue ;;
			*' of ours') target=${target% of ours} ;;
			*) target="$target of " ;;
			esac
			grep -qE ">target: $target(<|[^0-9.]|$)" "$dir/plot" ||
				echo "$plot: no target: $target"
		done
done >"$dir/stale"
[ ! -s "$dir/stale" ] || echo "(tests/bench/publish --plots)" >>"$dir/stale"
nothing pictures.plots "$dir/stale"

exit "$failed"
