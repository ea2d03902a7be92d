#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_build_dir.sh - make clean and make distclean remove what a build made and
# nothing else, and make says at the start if it cannot write to its build
# directory.

# The function `check` calls the others by their names.
# shellcheck disable=SC2317

set -eu
# shellcheck source=tests/lib.sh
. tests/lib.sh
result_prefix=build_dir.

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"

# make_in DIR TARGET...: calls make as a user would and sets $status.
make_in()
{
	status=0
	build=$1
	shift
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s O="$build" "$@" \
		>"$tmp/said" 2>&1 || status=$?
}

# check NAME CONDITION...: the test passes if the command succeeds.
check()
{
	name=$1
	shift
	if "$@"; then
		pass "$name"
	else
		fail "$name" "status $status: $(head -n 1 "$tmp/said")"
	fi
}

# said STATUS WORDS: how the last make ended, and a part of its message.
said()
{
	[ "$status" -eq "$1" ] && grep -qF -e "$2" "$tmp/said"
}

# only NAMES: these files and directories are in the build directory.
only()
{
	[ "$(cd "$build" && find . -mindepth 1 -maxdepth 1 | sort | tr '\n' ' ')" = "$1" ]
}

# A build that needs no compiler.
initramfs=initramfs.cpio.gz

make_in "$tmp/fresh" "$tmp/fresh/$initramfs"
mkdir "$tmp/fresh/zstd" "$tmp/fresh/-odd"
make_in "$tmp/fresh" clean
check clean only './.made-by-make ./zstd '
make_in "$tmp/fresh" distclean
check distclean [ ! -e "$tmp/fresh" ]

for target in clean distclean; do
	rm -rf "$tmp/foreign"
	mkdir "$tmp/foreign"
	echo mine >"$tmp/foreign/letter"
	make_in "$tmp/foreign" "$target"
	check "foreign.$target" said 2 "'$tmp/foreign' has files that no build made"
	check "foreign.$target.kept" only './letter '
	make_in "$tmp/foreign" "$tmp/foreign/$initramfs"
	make_in "$tmp/foreign" "$target"
	check "built.$target" said 2 "'$tmp/foreign' has files that no build made"
	check "built.$target.kept" only "./$initramfs ./letter "
done

# The source tree's own folders.
make_in docs clean
check docs said 2 "'docs' has files that no build made"
check docs.kept [ -e docs/architecture.md ]

make_in "$tmp/none" clean
check none [ "$status" -eq 0 ]
make_in "$tmp/none" -n all
check dry [ ! -e "$tmp/none" ]
echo >"$tmp/file"
make_in "$tmp/file" "$tmp/file/x"
check file said 2 "'$tmp/file' is no directory"

# A build as root, then one as a user. Needs root, and a tree that the user can read.
mkdir "$tmp/root" "$tmp/root/stub"
: >"$tmp/root/.made-by-make"
chmod 777 "$tmp/root"
cat >"$tmp/as-user" <<-END
	setpriv --reuid=65534 --regid=65534 --clear-groups env -u MAKEFLAGS -u MAKELEVEL \\
		-u MFLAGS make -s O=$tmp/root "\$@"
END
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null ||
	! setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$PWD/Makefile"; then
	skip rights "this is not root, or another user cannot read this tree"
else
	for target in run all clean; do
		status=0
		sh "$tmp/as-user" "$target" >"$tmp/said" 2>&1 || status=$?
		check "rights.$target" said 2 \
			"'$tmp/root/stub' belongs to root, and nobody cannot write to it: as root, give"
		check "rights.$target.lines" [ "$(wc -l <"$tmp/said")" -le 2 ]
	done
fi
exit "$failed"
