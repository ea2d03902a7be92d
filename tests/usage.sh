# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# usage.sh - sourced by each suite's run, at its top: --help prints what the
# comment there says, and how to get what the tests need.

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
		environment: O, the build directory; JOBS, how many tests at a time.
	END
	exit 0
	;;
esac
