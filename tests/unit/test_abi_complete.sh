#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_abi.c compares the constants of sevemu's ABI headers with the stub's. Each
# constant must be in abi_pairs.h: paired with the stub's, or named as sevemu's own.
set -eu
# shellcheck source=tests/lib.sh
. tests/lib.sh
result_prefix=abi.

headers="sevemu/ghcb.h sevemu/svm.h"
pairs=tests/unit/abi_pairs.h
missing=

# shellcheck disable=SC2086 # two files
names=$(sed -nE 's/^#define[[:space:]]+((GHCB|SVM|IOIO|EVENT)_[A-Z0-9_]+)[[:space:]].*/\1/p' \
	$headers)
for name in $names; do
	grep -qw -- "$name" "$pairs" || missing="$missing $name"
done
if [ -n "$missing" ]; then
	fail complete "not in $pairs:$missing"
else
	pass complete "$(echo "$names" | wc -l)"
fi
exit "$failed"
