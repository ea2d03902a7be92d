# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Who calls whom among the stub's objects, by their symbols: only rooms that the
# table in docs/architecture.md allows, and no circle but the one that it names. A
# wrong call is reported with its files and symbols.
#
# The test runs on the real objects, then on made-up edges, because a test of a
# wall must be seen to fail.
set -eu

O=${O:-build}
page=docs/architecture.md
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# The page's section: a line "ROOM|FILES|ROOMS" for each row of the table, and the
# files of the circle, one a line.
list=$tmp/list
sed -n '/^## Who may call whom/,/^##* Walls/p' "$page" >"$tmp/section"
# shellcheck disable=SC2016 # the backquotes are those of the page
sed -nE 's/^\| ([a-z]+) \| (`[^|]*`) \| ([a-z ]*) \|$/\1|\2|\3/p' "$tmp/section" |
	tr -d '`' >"$list"
sed -nE 's/^Between files there is no circle but one[^:]*: ([^.]*)\..*/\1/p' \
	"$tmp/section" | tr -d '`' | tr ' ' '\n' >"$tmp/circle"

result() {
	if [ -s "$2" ]; then
		echo "FAIL unit/rooms.$1: $(head -n 3 "$2" | tr '\n' ';')"
		failed=1
	else
		echo "PASS unit/rooms.$1${3:+: $3}"
	fi
}

# edges DIRECTORY: a line "caller callee symbols..." for each pair of objects.
edges() {
	find "$1" -name '*.o' | sort | while read -r object; do
		file=${object#"$1"/}
		file=${file%.o}
		# An object of an older build, whose source is gone.
		[ -e "$file.c" ] || [ -e "$file.S" ] || continue
		nm "$object" | awk -v file="$file" '{ print file, $(NF - 1), $NF }'
	done | awk '
	$2 == "U" { users[$3] = users[$3] " " $1 }
	$2 ~ /^[A-TV-Z]$/ { definer[$3] = $1 }
	END {
		for (symbol in users) {
			count = split(users[symbol], user, " ")
			for (i = 1; i <= count; i++)
				if ((symbol in definer) && definer[symbol] != user[i])
					names[user[i] " " definer[symbol]] = \
						names[user[i] " " definer[symbol]] " " symbol
		}
		for (pair in names)
			print pair names[pair]
	}' | sort
}

# judge EDGES: the edges that the table forbids, one a line, with a reason.
judge() {
	awk '
	function room_of(file,	i) {
		for (i = 1; i <= rooms; i++)
			if (file ~ pattern[i])
				return name[i]
		return ""
	}
	FILENAME == list {
		split($0, column, "|")
		files = column[2]
		gsub(/\*/, "[^/]*", files)
		gsub(/[ \t]+/, "|", files)
		name[++rooms] = column[1]
		pattern[rooms] = "^(" files ")$"
		count = split(column[3], callee, /[ \t]+/)
		for (i = 1; i <= count; i++)
			may[column[1], callee[i]] = 1
		next
	}
	{
		from = room_of($1)
		to = room_of($2)
		if (from == "" || to == "")
			print (from == "" ? $1 : $2) ": it is in no room"
		else if (from != to && !((from, to) in may))
			print $1 " calls " $2 " (" $3 "), but " from " may not call " to
	}' list="$list" "$list" "$1" | sort -u
}

# circles EDGES: files that call each other in a circle, but for the known one.
# Its files count as one.
circles() {
	awk 'FILENAME == circle { known[$1] = 1; next }
	{
		from = ($1 in known) ? "circle" : $1
		to = ($2 in known) ? "circle" : $2
		if (from != to)
			print from, to
	}' circle="$tmp/circle" "$tmp/circle" "$1" |
		tsort 2>&1 >/dev/null | sed -n 's/^tsort: //; /^[^-]/p' |
		grep -v 'input contains a loop' | tr '\n' ' '
}

edges "$O/stub" >"$tmp/edges"
judge "$tmp/edges" >"$tmp/found"
result calls "$tmp/found" "$(wc -l <"$tmp/edges") pairs of files"
circles "$tmp/edges" >"$tmp/found"
result circles "$tmp/found"

# An object that no list names, a call upwards, a circle: each must be noticed.
# expect NAME EDGE...
expect() {
	test=$1 command=$2
	shift 2
	{
		cat "$tmp/edges"
		printf '%s\n' "$@"
	} >"$tmp/bad"
	"$command" "$tmp/bad" >"$tmp/found"
	if [ -s "$tmp/found" ]; then
		echo "PASS unit/rooms.$test"
	else
		echo "FAIL unit/rooms.$test: not noticed: $*"
		failed=1
	fi
}
expect unknown-file judge "surprise lib/string memcpy"
expect call-upwards judge "lib/cmdline misc extract_kernel"
expect new-circle circles "lib/string lib/cmdline parse_u64"
exit "$failed"
