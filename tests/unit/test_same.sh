#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The same input makes the same image, bit for bit: from two copies of the source tree,
# one with the build directory inside and one with it elsewhere, and by any path of the
# kernel.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

zstd=$(realpath "${ZSTD_SRC:-$O/zstd}")
kernel=$O/payload/tiny.elf
one=$dir/one
two="$dir/another/place"

# build TREE ARGUMENT...: runs make without the arguments of an outer make.
build() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		make -C "$@" >"$dir/build.log" 2>&1 ||
		{ fail same.build "$(tail -n 3 "$dir/build.log" | tr '\n' ' ')"
		exit 1; }
}

for tree in "$one" "$two"; do
	mkdir -p "$tree"
	cp -r Makefile VERSION linker.ld ./*.c ./*.S ./*.h include lib payload efi bios tools "$tree"
	mkdir -p "$tree/sevemu/tests"
	cp -r sevemu/*.mk sevemu/sevemu "$tree/sevemu"
	cp sevemu/tests/*.mk "$tree/sevemu/tests"
done
mkdir -p "$one/out" "$dir/elsewhere"
cp -r "$zstd" "$one/out/zstd"
cp -r "$zstd" "$dir/elsewhere/source"
build "$one" -j2 O=out ZSTD_SRC=out/zstd stub out/mkpayload
build "$two" -j1 O="$dir/elsewhere" ZSTD_SRC="$dir/elsewhere/source" \
	stub "$dir/elsewhere/mkpayload"

# image OUT O MKIMAGE KERNEL: makes an image.
image() {
	O=$2 "$3" --cmdline "console=ttyS0" -o "$1" "$4" >"$dir/log" 2>&1 ||
		{ fail same.image "$(excerpt "$dir/log")"; exit 1; }
}

# same NAME: $dir/next, which was made last, is the same as $dir/first.
same() {
	if cmp "$dir/first" "$dir/next" >"$dir/log" 2>&1; then
		pass "same.$1" "$(wc -c <"$dir/first") bytes"
	else
		fail "same.$1" "$(excerpt "$dir/log")"
	fi
}

image "$dir/first" "$one/out" "$one/tools/mkimage" "$kernel"
image "$dir/next" "$dir/elsewhere" "$two/tools/mkimage" "$kernel"
same two_builds

# Tree, build directory, output and kernel by relative paths.
mkdir "$dir/kernels"
cp "$kernel" "$dir/kernels/tiny.elf"
touch -d '2001-02-03' "$dir/kernels/tiny.elf"
cd "$dir/kernels"
image ../next ../one/out ../one/tools/mkimage tiny.elf
same relative_paths
cd "$dir"
image next elsewhere another/place/tools/mkimage ./kernels/../kernels/tiny.elf
same other_paths

# The language, the time zone and the mode of new files do not change the image.
umask 077
export LC_ALL=C.UTF-8 TZ=Pacific/Kiritimati
image "$dir/next" "$one/out" "$one/tools/mkimage" "$kernel"
same other_environment

# The comparison notices differences: another command line makes another image.
O=$one/out "$one/tools/mkimage" --cmdline "console=ttyS1" -o "$dir/next" \
	"$kernel" >"$dir/log" 2>&1
if cmp -s "$dir/first" "$dir/next"; then
	fail same.differs "another command line, the same image"
else
	pass same.differs
fi

exit "$failed"
