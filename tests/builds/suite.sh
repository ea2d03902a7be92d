# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite builds builds the stub in each way of tests/builds/builds.list, and boots
# each build by the cases of the suites boot and sev that the list names. The build X
# is $O/builds/X.

# shellcheck source=tests/lib.sh
. tests/lib.sh

list=tests/builds/builds.list

cases()
{
	rows "$list" build | cut -f 1
}

# build COMPILER OPT: builds into $dir. All builds share the host tools' compiler.
build()
{
	mkdir -p "$dir"
	make -s -j "$JOBS" O="$dir" CC="$1" HOSTCC=gcc OPT="$2" \
		ZSTD_SRC="${ZSTD_SRC:-$O/zstd}" LZ4_SRC="${LZ4_SRC:-$O/lz4}" \
		all "$dir/boot/test.img" "$dir/payload/loader.bin" \
		>"$dir/log" 2>&1 || {
		grep -E 'error|warning|\*\*\*' "$dir/log"
		return 1
	}
	cp "$O/initramfs.cpio.gz" "$dir/"
}

# Passes on result lines of other suites, under names of this one.
as_ours()
{
	sed -nE "s,^(PASS|FAIL|SKIP) ([a-z]+)/,\1 builds/$test.\2.,p"
}

run_case()
{
	IFS=$tab read -r _ compiler opt boot sev <<-END
		$(row "$list" build "$test")
	END
	dir=$O/builds/$test
	need "$compiler"
	build "$compiler" "$opt" || die "it does not build, see $dir/log"
	pass "$test" "$(size "$dir/boot/test.elf" |
		awk 'NR == 2 { print $1 " bytes of code" }')"

	# Patterns must reach tests/check as they are.
	set -f
	set --
	for name in $boot; do
		set -- "$@" "boot/$name"
	done
	for name in $sev; do
		set -- "$@" "sev/$name"
	done
	O=$dir tests/check "$@" | as_ours
}
