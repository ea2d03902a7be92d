#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_check.sh - tests/check itself: it must count right, and each way in which a
# suite or a case can go wrong must become a failure. Each test makes suites of its
# own. And tests/list.awk: what is a row, and what is an error.

set -eu
# shellcheck source=tests/lib.sh
. tests/lib.sh
result_prefix=check-

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# suite_with NAME CASE...: makes a suite of these cases. The commands of run_case come
# from stdin.
suite_with()
{
	name=$1
	shift
	mkdir -p "$tmp/$name"
	{
		echo '# The suite of a test.'
		printf 'cases()\n{\n'
		[ $# -eq 0 ] || printf '\techo %s\n' "$@"
		[ $# -gt 0 ] || printf '\t:\n'
		printf '}\nrun_case()\n{\n\t:\n'
		cat
		printf '}\n'
	} >"$tmp/$name/suite.sh"
}

# expect NAME STATUS CLOSING [TEXT] -- ARGUMENT...: check's exit status and last
# line for these arguments, and a line that contains TEXT.
expect()
{
	name=$1 want_status=$2 closing=$3 text=
	shift 3
	[ "$1" = -- ] || { text=$1; shift; }
	shift

	status=0
	O=${OUT:-$tmp/out} TESTS=$tmp sh tests/check "$@" >"$tmp/said" 2>&1 ||
		status=$?
	last=$(tail -n 1 "$tmp/said")
	if [ "$status" -ne "$want_status" ]; then
		fail "$name" "exit status $status: $last"
	elif [ "$last" != "$closing" ]; then
		fail "$name" "the last line is '$last'"
	elif ! grep -aqF -- "$text" "$tmp/said"; then
		fail "$name" "no line with '$text': $(head -n 3 "$tmp/said" | tr '\n' '|')"
	else
		pass "$name"
	fi
}

# lacks NAME TEXT: the last `expect` printed no such text.
lacks()
{
	if grep -aqF -- "$2" "$tmp/said"; then
		fail "$1" "there is a line with '$2'"
	else
		pass "$1"
	fi
}

suite_with good a b c <<'END'
	case $test in
	a) echo "PASS good/a" ;;
	b) echo "PASS good/b: 3 s"; echo "chatter" ;;
	c) echo "SKIP good/c: no such machine" ;;
	esac
END
suite_with bad a b <<'END'
	case $test in
	a) echo "PASS bad/a" ;;
	b) echo "evidence"; echo "more of it" >&2; echo "FAIL bad/b: 1 is not 2"; exit 1 ;;
	esac
END
suite_with silent a <<'END'
	exit 0
END
suite_with chatty a <<'END'
	echo "everything is fine, all tests PASS"
END
suite_with crash a b <<'END'
	[ "$test" = b ] || echo "PASS crash/a"
	echo "the reason" >&2
	kill -SEGV $$
END
suite_with stops a <<'END'
	echo "PASS stops/a"
	false
	echo "PASS stops/a.next"
END
suite_with liar a <<'END'
	echo "FAIL liar/a: broken"
END
suite_with garbage a <<'END'
	printf 'PASS garbage/a\nFAIL\n\377\376\000\nFAIL garbage/b\n'
END
suite_with foreign a <<'END'
	echo "PASS good/a"
END
suite_with unended a <<'END'
	printf 'PASS unended/a'
END
suite_with midline a <<'END'
	printf 'PASS mid'
	kill -KILL $$
END
suite_with hangs a b <<'END'
	[ "$test" = a ] || { echo "PASS hangs/b"; exit 0; }
	echo "PASS hangs/a.first"
	sleep 100
END
echo 'case_limit=1' >>"$tmp/hangs/suite.sh"
suite_with leaves a <<'END'
	sleep 100 &
	echo $! >"$O/left"
	echo "PASS leaves/a"
END
suite_with helpers a b c <<'END'
	. tests/lib.sh
	case $test in
	a) (pass "$test" "from a subshell") ; x=$(pass a.more) ;;
	b) need sh no-such-program ;;
	c) die "gave up" ;;
	esac
END
suite_with environment a <<'END'
	[ "$O" = "$TESTS/some where" ] && [ "$JOBS" -ge 1 ] && echo "PASS environment/a"
END
suite_with parallel a b <<'END'
	other=$(echo "$test" | tr ab ba)
	: >"$TESTS/parallel/$test.runs"
	while [ ! -e "$TESTS/parallel/$other.runs" ]; do
		sleep 0.1
	done
	echo "PASS parallel/$test"
END
suite_with prepared a <<'END'
	echo "PASS prepared/a: $(cat "$O/prepared")"
END
cat >>"$tmp/prepared/suite.sh" <<'END'
prepare() { echo "is ready" >"$O/prepared"; }
finish() { echo "finished: $(cat)"; }
END
suite_with unprepared a <<'END'
	echo "PASS unprepared/a"
END
echo 'prepare() { echo "no disk"; return 1; }' >>"$tmp/unprepared/suite.sh"
suite_with empty </dev/null
suite_with twice a a </dev/null
suite_with named 'a/b' </dev/null
suite_with cannot a </dev/null
echo 'cases() { echo a; false; }' >>"$tmp/cannot/suite.sh"
suite_with listed a </dev/null
echo 'cases() { echo a; echo "list:3: not 2 values" >&2; }' >>"$tmp/listed/suite.sh"
mkdir "$tmp/broken"
echo 'cases( {' >"$tmp/broken/suite.sh"

expect good 0 "2 passed, 0 failed, 1 skipped" -- good
lacks no-chatter chatter

# Each case has its line in the list of times, and the suite has a line of its own.
if grep -qxE 'good: [0-9]+ s' "$tmp/said" &&
	[ "$(sed 's/^[0-9]* //' "$tmp/out/check/good/times" | sort | tr '\n' ' ')" = "a b c " ]; then
	pass times
else
	fail times "no seconds for the suite or for one of its cases"
fi
expect bad 1 "1 passed, 1 failed, 0 skipped" "  bad/b: 1 is not 2" -- bad
expect bad-evidence 1 "1 passed, 1 failed, 0 skipped" "evidence" -- bad
expect bad-stderr 1 "1 passed, 1 failed, 0 skipped" "more of it" -- bad
expect several 1 "5 passed, 1 failed, 2 skipped" -- good bad good
expect silence 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL silent/a: no result" -- silent
expect chatter 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL chatty/a: no result" -- chatty
expect crash 1 "1 passed, 1 failed, 0 skipped" \
	"FAIL crash/a: exit status 139, but no failed test, the reason" -- crash/a
expect crash-silent 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL crash/b: no result (exit status 139, the reason)" -- crash/b
expect stops 1 "1 passed, 1 failed, 0 skipped" \
	"FAIL stops/a: exit status 1, but" -- stops
expect liar 1 "0 passed, 1 failed, 0 skipped" "FAIL liar/a: broken" -- liar
expect garbage 1 "1 passed, 1 failed, 0 skipped" \
	"FAIL garbage/a: a result line without" -- garbage
expect foreign 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL foreign/a: a result line" -- foreign
expect unended 0 "1 passed, 0 failed, 0 skipped" -- unended
expect midline 1 "0 passed, 1 failed, 0 skipped" "FAIL midline/a: " -- midline
expect hangs 1 "2 passed, 1 failed, 0 skipped" \
	"FAIL hangs/a: does not end within 1 s" -- hangs
expect leaves 0 "1 passed, 0 failed, 0 skipped" -- leaves
# A process that was killed may stay as a zombie, which has no command line.
if grep -aq sleep "/proc/$(cat "$tmp/out/left")/cmdline" 2>/dev/null; then
	fail leaves-nothing "what the case has started still runs"
else
	pass leaves-nothing
fi
expect helpers 1 "2 passed, 1 failed, 1 skipped" "FAIL helpers/c: gave up" -- helpers
expect parallel 0 "2 passed, 0 failed, 0 skipped" -- parallel
expect prepared 0 "1 passed, 0 failed, 0 skipped" "PASS prepared/a: is ready" \
	-- prepared
expect finished 0 "1 passed, 0 failed, 0 skipped" "finished: a" -- prepared
expect unprepared 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL unprepared/run: what comes before the first case fails: no disk" \
	-- unprepared

# A runner that starts no case.
mkdir "$tmp/bin"
printf '#!/bin/sh\nexit 1\n' >"$tmp/bin/xargs"
chmod +x "$tmp/bin/xargs"
path=$PATH
PATH=$tmp/bin:$PATH
expect not-run 1 "0 passed, 3 failed, 0 skipped" "FAIL good/run: b was not run" -- good
PATH=$path

expect missing 1 "2 passed, 1 failed, 1 skipped" \
	"FAIL nowhere/run: there is no" -- nowhere good
expect no-cases 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL empty/run: it has no cases" -- empty
expect two-of-a-name 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL twice/run: two cases are called a" -- twice
expect bad-name 1 "0 passed, 1 failed, 0 skipped" "FAIL named/run: " -- named
expect cannot-list 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL cannot/run: it does not list its cases" -- cannot
expect bad-list 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL listed/run: it does not list its cases: list:3: not 2 values" -- listed
expect broken 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL broken/run: it does not list its cases" -- broken
expect nothing-asked 1 \
	"usage: check SUITE[/PATTERN]... | --list SUITE[/PATTERN]... | --help [SUITE]" --

expect pattern 0 "1 passed, 0 failed, 1 skipped" -- 'good/[bc]'
expect patterns 0 "1 passed, 0 failed, 1 skipped" -- good/c good/b
expect result-of-case 0 "1 passed, 0 failed, 0 skipped" -- good/a.first
expect no-match 1 "0 passed, 1 failed, 0 skipped" \
	"FAIL good/run: no case matches x*" -- good/a 'good/x*'
expect list 0 "good/c" "good/a" -- --list good
expect help-suite 0 "\`tests/check good/PATTERN\` runs some; \`tests/check --help\` has the rest." \
	"The suite of a test." -- --help good
OUT="$tmp/some where" expect environment 0 "1 passed, 0 failed, 0 skipped" \
	-- environment

# ---- Lists.

# list NAME SECTION PATTERN: what `rows` makes of stdin, a comma for a tab and a
# semicolon for a newline, must match the shell pattern.
list()
{
	cat >"$tmp/list"
	got=$(rows "$tmp/list" "$2" 2>&1 | tr '\t\n' ',;')
	# shellcheck disable=SC2254 # a pattern
	case $got in
	$3) pass "list-$1" ;;
	*) fail "list-$1" "got '$got'" ;;
	esac
}

list rows "" 'k,a b,c|d,-;k,e,f,g;l,h;' <<'END'
# comment
[k] one | two | three

a b  |  c|d | -
e | f | g
[l] one
h
END
list section l 'h;i;' <<'END'
[k] one | two
a | b
[l] one
h
[k] one | two
c | d
[l] one
i
END
list continued k 'a,b c d;e,f;' <<'END'
[k] one | two
a |
	b c
# in between
    d
e | f
END
list columns k '*:2: not 2 values but 3;' <<'END'
[k] one | two
a | b | c
END
list empty-value k '*:2: not 3 values but 2;' <<'END'
[k] one | two | three
a | | c
END
list no-section k '*:1: a row above the first *' <<'END'
a | b
END
list nothing-to-continue k '*:2: there is no row to continue;*' <<'END'
[k] one
  a
END

# ---- sevemu's reports.

# report NAME STATUS TEXT CHECKS: the checks on the report on stdin pass or fail, with
# that reason.
report()
{
	cat >"$tmp/report"
	status=0
	(
		suite=x test=y
		figures "$tmp/report" >"$tmp/figures" 2>&1 ||
			die "$(tail -n 1 "$tmp/figures")"
		check_figures "$tmp/figures" "$4"
	) 3>"$tmp/said" || status=$?
	if [ "$status" -eq "$2" ] && grep -qF -- "$3" "$tmp/said"; then
		pass "report-$1"
	elif [ "$status" -eq "$2" ] && [ -z "$3" ]; then
		pass "report-$1"
	else
		fail "report-$1" "status $status, said '$(cat "$tmp/said")'"
	fi
}

json='{"a":1,"b":{"c":"x","d":null},"e":{}}'
report holds 0 "" "a=1 b.c=x b.d=null e= b !b.x !f console-kib" 3>&1 <<END
{"a":1,"b":{"c":"x","d":null},"e":{},"console-kib":7}
END
report other-value 1 "a is '1', not '2'" "a=2" <<END
$json
END
report is-there 1 "b is '', and must not be there" "!b" <<END
$json
END
report is-not-there 1 "f is not there" "f" <<END
$json
END
report budget 1 "the budget console-kib is" "n<=console-kib" <<'END'
{"n":100000}
END
report two-objects 1 "not exactly one JSON object" "a" <<END
$json $json
END
report no-object 1 "not exactly one JSON object" "a" <<'END'
[1]
END
report cut-short 1 "parse error" "a" <<'END'
{"a":1
END

exit "$failed"
