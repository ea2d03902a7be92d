# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
#
# What the tests of mkpayload share. Read in at the top of the tree; goes on in
# a directory of its own, with good.elf and good.bz in it. The sanitized build
# runs everything but what is said to be otherwise.

O=${O:-build}
CC=${CC:-gcc}
top=$(pwd)
case $O in
/*) ;;
*) O=$top/$O ;;
esac
mkpayload=$O/unit/mkpayload-asan
mkelf=$O/unit/mkelf
failed=0

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit

for tool in "$mkpayload" "$mkelf" "$O/mkpayload" \
	"$O/unit/mkpayload_faults.so"; do
	if [ ! -e "$tool" ]; then
		echo "FAIL unit/mkpayload: $tool is not there"
		exit 1
	fi
done
for tool in "$CC" readelf objcopy objdump nm od awk dd cmp gzip xz lz4 zstd lzop script; do
	if ! command -v "$tool" >/dev/null; then
		echo "FAIL unit/mkpayload: $tool is not installed"
		exit 1
	fi
done

pass() {
	echo "PASS unit/mkpayload/$1${2:+: $2}"
}

fail() {
	echo "FAIL unit/mkpayload/$1: $2"
	failed=1
}

# expect NAME COMMAND...: the command succeeds.
expect() {
	name=$1
	shift
	if "$@" >expect.log 2>&1; then
		pass "$name"
	else
		fail "$name" "$(head -c 300 expect.log | tr '\n' '|')"
	fi
}

elf() {
	"$mkelf" elf "$@"
}

# bzimage OUT CODEC [FIELD=VALUE]...: with good.elf in it.
bzimage() {
	out=$1
	shift
	"$mkelf" bzimage "$out" good.elf "$@"
}

elf good.elf
bzimage good.bz gzip
