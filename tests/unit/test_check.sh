#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_check.sh - tests/check itself: it must count right, and no way in which
# a suite can go wrong may look like success. Each case is a suite of its own,
# made here.

set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# suite NAME: its run comes from stdin.
suite()
{
	mkdir -p "$tmp/$1"
	{ echo '#!/bin/sh'; cat; } >"$tmp/$1/run"
	chmod +x "$tmp/$1/run"
}

# expect NAME STATUS CLOSING [TEXT] -- SUITE...: check's exit status and last
# line for these suites, and a line that contains TEXT.
expect()
{
	name=$1 want_status=$2 closing=$3 text=
	shift 3
	[ "$1" = -- ] || { text=$1; shift; }
	shift

	status=0
	TESTS=$tmp sh tests/check "$@" >"$tmp/out" 2>&1 || status=$?
	last=$(tail -n 1 "$tmp/out")
	if [ "$status" -ne "$want_status" ]; then
		echo "FAIL unit/check-$name: exit status $status"
	elif [ "$last" != "$closing" ]; then
		echo "FAIL unit/check-$name: the last line is '$last'"
	elif ! grep -qF -- "$text" "$tmp/out"; then
		echo "FAIL unit/check-$name: no line with '$text'"
	else
		echo "PASS unit/check-$name"
		return
	fi
	failed=1
}

suite good <<'END'
echo "PASS good/a"
echo "PASS good/b: 3 s"
echo "SKIP good/c: no such machine"
END
suite bad <<'END'
echo "PASS bad/a"
echo "FAIL bad/b: 1 is not 2"
exit 1
END
suite silent <<'END'
exit 0
END
suite chatty <<'END'
echo "everything is fine, all tests PASS"
END
suite crash <<'END'
echo "PASS crash/a"
kill -SEGV $$
END
suite liar <<'END'
echo "FAIL liar/a: broken"
END
suite garbage <<'END'
printf 'PASS garbage/a\nFAIL\n\377\376\000\nFAIL garbage/b\n'
END
suite unended <<'END'
printf 'PASS unended/a'
END
suite environment <<'END'
[ "$O" = "some where" ] && [ "$JOBS" -ge 1 ] && echo "PASS environment/a"
END
suite noexec </dev/null
chmod -x "$tmp/noexec/run"

expect good 0 "2 passed, 0 failed, 1 skipped" -- good
expect bad 1 "1 passed, 1 failed, 0 skipped" "  bad/b: 1 is not 2" -- bad
expect several 1 "5 passed, 1 failed, 2 skipped" -- good bad good
expect silence 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL silent/run: no result" -- silent
expect chatter 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL chatty/run: no result" -- chatty
expect crash 1 "1 passed, 1 failed, 0 skipped" \
	"FAIL crash/run: exit status 139" -- crash
expect liar 1 "0 passed, 2 failed, 0 skipped" \
	"FAIL liar/run: exit status 0" -- liar
expect garbage 1 "1 passed, 1 failed, 0 skipped" \
	"FAIL garbage/run: a result line without" -- garbage
expect unended 0 "1 passed, 0 failed, 0 skipped" -- unended
expect missing 1 "2 passed, 1 failed, 1 skipped" \
	"FAIL nowhere/run: there is no" -- nowhere good
expect not-executable 1 "0 passed, 1 failed, 0 skipped" -- noexec
expect nothing-asked 1 "usage: check SUITE..." --

O="some where" expect environment 0 "1 passed, 0 failed, 0 skipped" \
	-- environment

exit "$failed"
