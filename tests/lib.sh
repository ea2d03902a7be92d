# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib.sh - what the test scripts share: result lines, the time limit, the lists of
# cases, sevemu's reports and budgets. Each tests/SUITE/suite.sh and each script of
# the unit tests sources it, at the top of the source tree.

O=${O:-build}
JOBS=${JOBS:-$(nproc)}
export O JOBS

# Seconds of wall time after which a guest or a program counts as hung. Only what
# hangs waits that long, so the default suits a busy machine. A limit that judges
# slowness is not a hang: such a budget has a name of its own, and counts
# instructions or processor time.
hang=${HANG:-300}

# Seconds after which tests/check kills a case, whatever the case is doing. A suite
# whose cases may take longer sets another value.
# shellcheck disable=SC2034 # tests/check reads it
case_limit=$((12 * hang))

# A tab, for IFS: what `rows` prints between values.
# shellcheck disable=SC2034 # the suites use it
tab=$(printf '\t')

# The bytes of struct payload_header (include/payload.h).
# shellcheck disable=SC2034 # scripts that read payloads use it
header_size=400

# ---- Result lines.

# tests/check sets the name of the suite and of the case. A script of the unit
# tests gives its results names that begin with $result_prefix.
suite=${suite:-unit}
test=${test:-}
result_prefix=
failed=0

# Result lines go to descriptor 3, so that they reach the runner from $(...) too.
exec 3>&1

# pass NAME [INFO]
pass()
{
	printf 'PASS %s/%s%s%s\n' "$suite" "$result_prefix" "$1" "${2:+: $2}" >&3
}

# fail NAME REASON: the script goes on, and $failed is its exit status.
fail()
{
	printf 'FAIL %s/%s%s: %s\n' "$suite" "$result_prefix" "$1" "${2:-no reason given}" >&3
	# shellcheck disable=SC2034 # the scripts of the unit tests read it
	failed=1
}

# skip NAME REASON: what the test needs is not on this machine.
skip()
{
	printf 'SKIP %s/%s%s: %s\n' "$suite" "$result_prefix" "$1" "$2" >&3
}

# die REASON: the case in hand fails and ends.
die()
{
	fail "$test" "$1"
	exit 1
}

# need TOOL...: skips the case in hand and ends it if a program is not installed.
need()
{
	for tool; do
		command -v "$tool" >/dev/null || {
			skip "$test" "there is no $tool"
			exit 0
		}
	done
}

# need_files FILE...: skips the case and ends it if a file could not be fetched.
need_files()
{
	for file; do
		[ -r "$file" ] || {
			skip "$test" "there is no $file, which Debian's archive has no more, or make check-deps-$suite was not run"
			exit 0
		}
	done
}

# ---- Running things.

# limited COMMAND...: runs a program that must end within $hang seconds. The exit
# status is 124, or 137, if it does not.
limited()
{
	timeout --foreground -k 5 "$hang" "$@"
}

# in_parallel COMMAND...: runs the command once for each line of stdin, which is
# its last argument; $JOBS of them run at a time. The lines have no blanks.
in_parallel()
{
	xargs -P "$JOBS" -n 1 "$@"
}

# quoted TEXT: an extended regular expression that matches the text, and nothing else. A
# path may have any character.
quoted()
{
	printf '%s' "$1" | sed 's/[].[*^$\\+?(){}|]/\\&/g'
}

# usage_of FILE: prints the comment at the top of a script.
usage_of()
{
	sed -nE '3,/^([^#]|$)/ { /^# shellcheck/d; s/^# ?//p; }' "$1" | sed '/./,$!d'
}

# ---- Lists.

# rows FILE [SECTION]: the rows of a list, in the format that list.awk explains.
rows()
{
	awk -v section="${2:-}" -f tests/list.awk "$1"
}

# row FILE SECTION NAME: the row whose first value is NAME.
row()
{
	rows "$1" "$2" | awk -F '\t' -v name="$3" '$1 == name'
}

# given VALUE: the value of a list's column, and nothing for "-".
given()
{
	[ "$1" = - ] || printf '%s' "$1"
}

# ---- sevemu's reports.

# figures REPORT: a line PATH=VALUE for each value of the report, which must be
# exactly one JSON object. PATH is the names on the way to the value, joined by
# dots. An object that is empty becomes `PATH=`.
figures()
{
	jq -rs 'if length == 1 and (.[0] | type) == "object" then .[0]
		else error("not exactly one JSON object") end |
		paths(type != "object" or length == 0) as $path |
		getpath($path) as $value |
		($path | map(tostring) | join(".")) + "=" +
		(if ($value | type) == "object" then "" else $value | tostring end)' \
		"$1"
}

# figure FIGURES PATH: one value of what `figures` has printed into a file, or
# nothing if there is no such value.
figure()
{
	sed -n "s/^$2=//p" "$1"
}

# check_figures FIGURES CHECKS: the case in hand fails unless all checks hold,
# which are words between blanks:
#
#	PATH=VALUE	the value at PATH is VALUE
#	PATH		there is a value at PATH
#	!PATH		there is none
#	PATH<=BUDGET	the value keeps within a budget of tests/bench/budgets
check_figures()
{
	for check in $2; do
		path=${check%%[<=]*}
		case $check in
		!*)
			! grep -q "^${path#!}[.=]" "$1" ||
				die "report: ${path#!} is '$(figure "$1" "${path#!}")', and must not be there"
			;;
		*'<='*)
			at_most "report: $path" "$(figure "$1" "$path")" "${check#*<=}"
			;;
		*=*)
			grep -qxF -- "$check" "$1" ||
				die "report: $path is '$(figure "$1" "$path")', not '${check#*=}'"
			;;
		*)
			grep -q "^${path}[.=]" "$1" ||
				die "report: $path is not there"
			;;
		esac
	done
}

# budget NAME: a value of tests/bench/budgets.
budget()
{
	row tests/bench/budgets budget "$1" | cut -f 2
}

# at_most WHAT VALUE BUDGET [PERCENT]: the case in hand fails if the value is more
# than PERCENT (0) above the budget.
at_most()
{
	allowed=$(budget "$3")
	[ -n "$2" ] || die "$1: not measured"
	[ -n "$allowed" ] || die "tests/bench/budgets has no $3"
	[ $(($2 * 100)) -le $((allowed * (100 + ${4:-0}))) ] ||
		die "$1: $2, the budget $3 is $allowed"
}

# ---- What a container may lack.

# need_overcommit: skips the case in hand and ends it if the system reserves all memory
# that a process maps. A machine with 64 GiB then does not start, although it touches
# little of its memory.
need_overcommit()
{
	if [ "$(cat /proc/sys/vm/overcommit_memory 2>/dev/null)" = 2 ]; then
		skip "$test" "/proc/sys/vm/overcommit_memory is 2: no machine with 64 GiB"
		exit 0
	fi
}

# has_terminal: `script` can make a pseudo-terminal here. A container without devpts
# has no /dev/ptmx.
has_terminal()
{
	command -v script >/dev/null &&
		script -qec true /dev/null >/dev/null 2>&1 </dev/null
}
