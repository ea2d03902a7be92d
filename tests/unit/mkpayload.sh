# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
#
# mkpayload.sh - what the tests of mkpayload share. A script sources it at the top of
# the source tree. The current directory is then one of the script's own, with
# good.elf and good.bz in it. $mkpayload is the build with sanitizers.

# shellcheck source=tests/lib.sh
. tests/lib.sh
result_prefix=mkpayload/
CC=${CC:-gcc}
top=$(pwd)
case $O in
/*) ;;
*) O=$top/$O ;;
esac
mkpayload=$O/unit/mkpayload-asan
mkelf=$O/unit/mkelf

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit

for tool in "$mkpayload" "$mkelf" "$O/mkpayload" \
	"$O/unit/mkpayload_faults.so"; do
	if [ ! -e "$tool" ]; then
		fail tools "there is no $tool: make check-deps-unit makes it"
		exit 1
	fi
done
for tool in "$CC" readelf objcopy objdump nm od awk dd cmp gzip xz lz4 zstd lzop; do
	if ! command -v "$tool" >/dev/null; then
		fail tools "$tool is not installed"
		exit 1
	fi
done

# expect NAME COMMAND...: the test passes if the command succeeds.
expect() {
	name=$1
	shift
	if "$@" >expect.log 2>&1; then
		pass "$name"
	else
		fail "$name" "$(head -c 300 expect.log | tr '\n' '|')"
	fi
}

# plain_of PREFIX: the flat image and the relocations in PREFIX.bin, which is packed with
# zstd.
plain_of() {
	tail -c +$((header_size + 1)) "$1.bin" | zstd -dcq |
		"$O/unit/unfiltered" "$1.bin"
}

elf() {
	"$mkelf" elf "$@"
}

# bzimage OUT CODEC [FIELD=VALUE]...: makes a bzImage with good.elf in it.
bzimage() {
	out=$1
	shift
	"$mkelf" bzimage "$out" good.elf "$@"
}

elf good.elf
bzimage good.bz gzip
