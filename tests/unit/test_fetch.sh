#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_fetch.sh - tools/fetch-zstd, fetch-lz4, fetch-kernel and fetch-ovmf with scripts in the place
# of apt's programs: a download that fails, or has the wrong content, must leave no file
# that a build would use. And tools/mkinitramfs: the same input makes the same bytes.

set -eu
# shellcheck source=tests/lib.sh
. tests/lib.sh
result_prefix=fetch-

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin"

# The archive delivers the files of $tmp/archive if $tmp/delivers exists, to a machine
# whose sources name the release that is in it, if it is not empty.
echo 'deb http://archive.test/debian trixie main' >"$tmp/sources.list"
cat >"$tmp/bin/apt-config" <<END
#!/bin/sh
echo apt_list=$tmp/sources.list apt_parts=$tmp/none
END
cat >"$tmp/bin/apt-get" <<END
#!/bin/sh
conf=\$3
case "\$*" in
*update)
	lists=\$(sed -n 's/^Dir::State::Lists "\(.*\)";/\1/p' "\$conf")
	[ -e $tmp/reachable ] || exit 0
	[ ! -e $tmp/expired ] || grep -q '^Acquire::Check-Valid-Until "false";' "\$conf" || exit 0
	touch "\$lists/x_Packages" "\$lists/x_Sources"
	;;
*)
	[ -e $tmp/delivers ] &&
		grep -q " \$(cat $tmp/delivers)" "\${conf%/conf}"/parts/* ||
		{ echo "E: no such package"; exit 100; }
	cp $tmp/archive/* .
	;;
esac
END
cat >"$tmp/bin/apt-cache" <<'END'
#!/bin/sh
echo "Depends: linux-image-9-test (= 1.0)"
echo "Size: 1048576"
END
chmod +x "$tmp/bin"/*

# expect NAME STATUS PATTERN COMMAND...: the exit status, and a shell pattern for the
# last line on stderr.
expect()
{
	name=$1 want=$2 pattern=$3
	shift 3
	status=0
	PATH=$tmp/bin:$PATH "$@" >/dev/null 2>"$tmp/err" || status=$?
	line=$(tail -n 1 "$tmp/err")
	# shellcheck disable=SC2254 # a pattern is what it is
	case $line in
	$pattern) matches=yes ;;
	*) matches=no ;;
	esac
	if [ "$status" -ne "$want" ] || [ "$matches" = no ]; then
		fail "$name" "exit status $status, '$line'"
	else
		pass "$name"
	fi
}

# absent NAME FILE...: the test passes if none of these files exists.
absent()
{
	name=$1
	shift
	for file in "$@"; do
		[ -e "$file" ] || continue
		fail "$name" "there is a $file"
		return
	done
	pass "$name"
}

mkdir "$tmp/archive"
tarball='libzstd_1.5.4+dfsg2.orig.tar.xz'

expect zstd-unreachable 1 'fetch-zstd: *cannot be reached*ZSTD_SRC=*' \
	sh tools/fetch-zstd "$tmp/zstd"
expect kernel-unreachable 1 'fetch-kernel: *cannot be reached*vmlinuz*' \
	sh tools/fetch-kernel cloud "$tmp/kernel"
touch "$tmp/reachable"
expect zstd-failing 1 'fetch-zstd: *no such package*ZSTD_SRC=*' \
	sh tools/fetch-zstd "$tmp/zstd"
expect kernel-failing 1 'fetch-kernel: *no such package*' \
	sh tools/fetch-kernel cloud "$tmp/kernel"
touch "$tmp/delivers"
mkdir -p "$tmp/tree/zstd/lib"
touch "$tmp/tree/zstd/lib/zstd.h"
tar -C "$tmp/tree" -cJf "$tmp/archive/$tarball" zstd
expect zstd-other-content 1 'fetch-zstd: *pinned digest*ZSTD_SRC=*' \
	sh tools/fetch-zstd "$tmp/zstd"
# A later release has another version: the pinned one comes from Debian 12.
echo trixie >"$tmp/delivers"
expect zstd-own-release 1 'fetch-zstd: *pinned digest*' sh tools/fetch-zstd "$tmp/zstd"
echo bookworm >"$tmp/delivers"
expect zstd-from-debian-12 1 'fetch-zstd: *pinned digest*' sh tools/fetch-zstd "$tmp/zstd"
echo sid >"$tmp/delivers"
expect zstd-in-no-release 1 'fetch-zstd: *no such package; bookworm: no such package*ZSTD_SRC=*' \
	sh tools/fetch-zstd "$tmp/zstd"
: >"$tmp/delivers"
rm "$tmp/archive"/*
echo "not a package" >"$tmp/archive/linux-image-9-test.deb"
expect kernel-no-package 1 'fetch-kernel: no kernel in linux-image-9-test=1.0*' \
	sh tools/fetch-kernel generic "$tmp/kernel"
absent nothing-left "$tmp/zstd" "$tmp/zstd.new" "$tmp/kernel/vmlinuz"
# Packages of the right name with other files in them.
mkdir -p "$tmp/package/DEBIAN" "$tmp/package/boot" "$tmp/package/usr/share/ovmf"
printf '%s\n' 'Package: x' 'Version: 1' 'Architecture: all' 'Maintainer: x <x@x.test>' \
	'Description: x' >"$tmp/package/DEBIAN/control"
for file in boot/vmlinuz-1 usr/share/ovmf/OVMF.fd usr/share/ovmf/OVMF.amdsev.fd; do
	echo x >"$tmp/package/$file"
done
rm "$tmp/archive"/*
dpkg-deb -b "$tmp/package" "$tmp/archive/x.deb" >/dev/null
echo sid >"$tmp/delivers"
expect kernel-other-content 1 'fetch-kernel: *pinned digest*vmlinuz*' \
	sh tools/fetch-kernel sid "$tmp/kernel"
# An index that has expired is good enough for what is pinned, and for nothing else.
touch "$tmp/expired"
expect kernel-expired 1 'fetch-kernel: *pinned digest*vmlinuz*' \
	sh tools/fetch-kernel sid "$tmp/kernel"
expect kernel-expired-not-pinned 1 'fetch-kernel: *cannot be reached*' \
	sh tools/fetch-kernel cloud "$tmp/kernel"
rm "$tmp/expired"
expect kernel-pinned-gone 1 'fetch-kernel: cannot fetch linux-image-6.12*no such package*' \
	sh tools/fetch-kernel trixie "$tmp/kernel"
expect ovmf-other-content 1 'fetch-ovmf: *pinned digest*OVMF.fd*' \
	sh tools/fetch-ovmf "$tmp/ovmf"
echo bookworm >"$tmp/delivers"
expect ovmf-gone 1 'fetch-ovmf: cannot fetch ovmf-generic*no such package*' \
	sh tools/fetch-ovmf "$tmp/ovmf"
absent no-pinned-left "$tmp/kernel/vmlinuz" "$tmp/ovmf/OVMF.fd"
# make goes on without what the archive has no more.
expect make-without-pinned 0 'fetch-ovmf: *' make -s fetch-snp O="$tmp/build"
absent no-made-left "$tmp/build/kernels/sid/vmlinuz" "$tmp/build/ovmf/OVMF.fd"
expect kernel-flavour 1 "fetch-kernel: unknown flavour 'x'*" \
	sh tools/fetch-kernel x "$tmp/kernel"

# With the stamp of the pinned version the script does nothing, and asks no archive.
rm "$tmp/reachable"
mkdir "$tmp/zstd"
grep -oE '[0-9a-f]{64}' tools/fetch-zstd >"$tmp/zstd/.stamp"
expect zstd-there-already 0 '' sh tools/fetch-zstd "$tmp/zstd"
mkdir "$tmp/lz4"
grep -oE '[0-9a-f]{64}' tools/fetch-lz4 >"$tmp/lz4/.stamp"
expect lz4-there-already 0 '' sh tools/fetch-lz4 "$tmp/lz4"
echo 0000 >"$tmp/lz4/.stamp"
expect lz4-other-version 1 '*cannot be reached*LZ4_SRC=*' \
	sh tools/fetch-lz4 "$tmp/lz4"
echo 0000 >"$tmp/zstd/.stamp"
expect zstd-other-version 1 '*cannot be reached*' sh tools/fetch-zstd "$tmp/zstd"

sh tools/mkinitramfs "$tmp/one"
touch "$tmp/later"
sleep 1
(umask 077 && sh tools/mkinitramfs "$tmp/two")
if cmp -s "$tmp/one" "$tmp/two"; then
	pass initramfs-same
else
	fail initramfs-same "two runs made different files"
fi

exit "$failed"
