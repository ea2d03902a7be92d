# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# usage.sh - sourced by each suite's run, at its top: --help prints what the
# comment there says, and how to get what the tests need. And the end of a run
# for a name that no case has: silence would look like success. And the time after
# which a run counts as a hang.

case ${1:-} in
-h | --help)
	sed -nE '4,/^([^#]|$)/ { /^#.*shellcheck/d; s/^# ?//p; }' "$0"
	suite=$(basename "$(dirname "$0")")
	# Two are no part of `make check`.
	case $suite in
	coverage | bench)
		cat <<-END

			From the top of the source tree: \`make $suite\` builds what this needs and
			runs it. In the environment: O, the build directory.
		END
		exit 0
		;;
	esac
	cat <<-END

		From the top of the source tree: \`make check-deps-$suite\` builds what these
		tests need, \`make check-$suite\` does that and runs all of them. In the
		environment: O, the build directory; JOBS, how many tests at a time; HANG, the
	seconds after which a run counts as a hang.
	END
	exit 0
	;;
esac

# Seconds of wall time, whatever else the machine does. Only what hangs waits for
# their end, so there are many: what is slow has a budget of its own kind.
# shellcheck disable=SC2034 # read by the suites
hang=${HANG:-300}

# no_case NAME
no_case()
{
	echo "FAIL $(basename "$(dirname "$0")")/run: no case matches $1"
	exit 1
}

# takes_no_names [NAME]...: for a suite that can only run all of its cases.
takes_no_names()
{
	[ $# -eq 0 ] || no_case "$*: it takes no names"
}
