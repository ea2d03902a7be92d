# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite unit runs the programs $O/unit/test_*, which include the stub's .c files,
# and the scripts tests/unit/test_*.sh. Each program or script is a case, and prints
# the result lines of its tests.

# shellcheck source=tests/lib.sh
. tests/lib.sh

# The runner's limit ends a program that hangs.
# shellcheck disable=SC2034 # tests/check reads it
case_limit=$hang

# The longest first.
cases()
{
	for source in tests/unit/test_*.c tests/unit/test_*.sh; do
		source=${source##*/test_}
		echo "${source%.*}"
	done | awk '{
		print ($0 ~ /^(relocate_stock|run|images|mkpayload)$/ ? 1 : 2) "\t" $0
	}' | sort -s -n -k 1,1 | cut -f 2
}

run_case()
{
	if [ -e "tests/unit/test_$test.sh" ]; then
		exec sh "tests/unit/test_$test.sh"
	else
		exec "$O/unit/test_$test"
	fi
}
