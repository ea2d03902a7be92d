#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_bootstrap.sh - what tools/bootstrap says on a system without apt-get: what is
# needed for the target, under the names of other systems, and what to give make.

set -eu
# shellcheck source=tests/lib.sh
. tests/lib.sh
result_prefix=bootstrap.

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

mkdir "$tmp/bin"
for tool in sh dirname cat awk sed nproc id; do
	ln -s "$(command -v "$tool")" "$tmp/bin/"
done
printf '#!/bin/sh\necho "made: $*"\n' >"$tmp/bin/make"
chmod +x "$tmp/bin/make"

# advice TARGET: runs bootstrap without apt-get; $count is the number of packages.
advice()
{
	PATH=$tmp/bin sh tools/bootstrap "$1" >"$tmp/said" 2>&1 || :
	count=$(awk '/^Debian/ { on = 1; next } /^The build also/ { on = 0 } on' "$tmp/said" |
		wc -l)
}

# check NAME COMMAND...: the test passes if the command succeeds.
check()
{
	name=$1
	shift
	if "$@"; then
		pass "$name"
	else
		fail "$name" "$(head -n 3 "$tmp/said" | tr '\n' ' ')"
	fi
}

needed=$(sh tools/bootstrap --packages | awk '$1 == "run"' | wc -l)
advice run
check run [ "$count" -eq "$needed" ]
check names [ "$(awk '$1 == "libbz2-dev" { print $2, $3, $4 }' "$tmp/said")" = \
	'bzip2-devel libbz2-devel bzip2' ]
check complete [ "$(awk '/^Debian/ { on = 1; next } /^The build also/ { on = 0 }
	on && $2 == "-"' "$tmp/said" | wc -l)" -eq 0 ]
check hint grep -q 'make ZSTD_SRC=.* LZ4_SRC=.* KERNEL=.* run' "$tmp/said"
check made grep -q '^made: -j .* run$' "$tmp/said"
advice debug
check debug [ "$count" -eq $((needed + 1)) ]

# The scripts that fetch sources give the hint, too.
for script in fetch-zstd fetch-lz4; do
	PATH=$tmp/bin sh "tools/$script" "$tmp/out" >"$tmp/said" 2>&1 || :
	check "$script" grep -q 'no apt-get on this system: unpack .* and give make [A-Z0-9]*_SRC=' \
		"$tmp/said"
done
exit "$failed"
