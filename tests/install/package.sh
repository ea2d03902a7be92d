# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# package.sh - the cases of the suite install that are about the Debian package. suite.sh
# reads this file, and has the variables $top, $prefix, $stage and $tmp.

# && and || are the flow of many checks here. suite.sh assigns the variables.
# shellcheck disable=SC2015,SC2154

# lint_package FILE: lintian has nothing to say about the .dsc or .changes file. Tags with
# a reason are in debian/*lintian-overrides.
lint_package()
{
	LC_ALL=C.UTF-8 lintian --allow-root --suppress-tags bad-distribution-in-changes-file \
		-EIL +pedantic "$1" >"$tmp/lintian" 2>&1 || :
	grep -v '^running with root' "$tmp/lintian" || return 0
	return 1
}

# make_dist: makes the source package in $tmp/dist, from sources that are there already.
make_dist()
{
	need dpkg-source dpkg-parsechangelog xz
	in_tree dist DIST="$tmp/dist" >"$tmp/dist.log" 2>&1 || {
		tail -n 3 "$tmp/dist.log"
		return 1
	}
}

# The source package has the tree and the decoders' sources, and no file of a build.
do_package_source()
{
	make_dist || return 1
	source=$tmp/dist/sevstub-$(cat "$top/VERSION")
	[ -r "$source/zstd/lib/decompress/zstd_decompress.c" ] &&
		[ -r "$source/lz4/lib/lz4.c" ] && [ -r "$source/debian/control" ] &&
		[ ! -e "$source/build" ] || return 1
	! tar -tf "$tmp"/dist/*.orig.tar.xz | grep -E '/(debian|build|zstd|lz4)/' || return 1
	need lintian
	lint_package "$tmp"/dist/*.dsc
}

# Each installed file is in exactly one package, and each line of debian/*.install names
# an installed file.
do_package_files()
{
	(cd "$stage" && find . ! -type d | sed 's,^\./,,') | sort >"$tmp/installed"
	for list in "$top"/debian/*.install; do
		name=$(basename "$list" .install)
		grep -qx "Package: $name" "$top/debian/control" || echo "no package $name"
		sed "/^#/d; s,\$, $name," "$list"
	done >"$tmp/lists"
	awk 'NR == FNR { at[++lines] = $1; package[lines] = $2; next }
	{
		found = ""
		for (i = 1; i <= lines; i++)
			if ($0 == at[i] || index($0, at[i] "/") == 1) {
				found = found " " package[i]
				used[i] = 1
			}
		if (split(found, names, " ") != 1)
			print $0 ": in" (found == "" ? " no package" : found)
	}
	END {
		for (i = 1; i <= lines; i++)
			if (!used[i])
				print package[i] ".install: no file " at[i]
	}' "$tmp/lists" "$tmp/installed" >"$tmp/wrong"
	cat "$tmp/wrong"
	[ ! -s "$tmp/wrong" ] && [ -s "$tmp/installed" ]
}

# Debian's programs can read changelog and control, the version is the tree's, and each
# test of debian/tests/control is a program.
do_package_control()
{
	need dpkg-parsechangelog dpkg-checkbuilddeps
	cd "$top" || return 1
	version=$(dpkg-parsechangelog -S Version 2>"$tmp/err") && [ ! -s "$tmp/err" ] || {
		cat "$tmp/err"
		return 1
	}
	[ "${version%-*}" = "$(cat VERSION)" ] || {
		echo "debian/changelog: $version, VERSION: $(cat VERSION)"
		return 1
	}
	# Packages that are missing are status 1, a file that cannot be parsed is another one.
	status=0
	dpkg-checkbuilddeps 2>"$tmp/err" || status=$?
	[ "$status" -le 1 ] || {
		cat "$tmp/err"
		return 1
	}
	tests=$(sed -n 's/^Tests: *//p' debian/tests/control)
	[ -n "$tests" ] || return 1
	for name in $tests; do
		[ -x "debian/tests/$name" ] || {
			echo "debian/tests/$name is no program"
			return 1
		}
	done
}

# sevemu without sevstub, as in the Debian package of this name: it needs the files in bin
# and in share/sevemu only.
do_sevemu_alone()
{
	mkdir -p "$tmp/alone/bin" "$tmp/alone/share" &&
		cp "$prefix/bin/sevemu" "$prefix/bin/sevemu-run" "$tmp/alone/bin" &&
		cp -R "$prefix/share/sevemu" "$tmp/alone/share" || return 1
	version=$(cat "$top/VERSION")
	[ "$("$tmp/alone/bin/sevemu" --version)" = "sevemu (sevstub) $version" ] &&
		[ "$("$tmp/alone/bin/sevemu-run" --version)" = "sevemu-run (sevstub) $version" ] &&
		limited "$tmp/alone/bin/sevemu" --sev off --kernel "$O/boot/test.img" \
			--append earlyprintk=ttyS0 >"$tmp/log" &&
		grep -q '^sevstub: entering the payload' "$tmp/log"
}

# Two runs of `make dist` pack the same bytes. Then the whole build, lintian on its
# results, and the tests of debian/tests with the files of the packages, which are unpacked
# and not installed.
do_package_build()
{
	need dpkg-buildpackage dh
	make_dist || return 1
	sha256sum "$tmp"/dist/*.orig*.tar.xz >"$tmp/sums" || return 1
	make_dist || return 1
	sha256sum --quiet -c "$tmp/sums" || return 1
	version=$(cat "$top/VERSION")
	(cd "$tmp/dist/sevstub-$version" &&
		env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u O -u JOBS \
			dpkg-buildpackage -us -uc) >"$tmp/build.log" 2>&1 || {
		tail -n 3 "$tmp/build.log"
		return 1
	}
	! command -v lintian >/dev/null || lint_package "$tmp"/dist/*.changes || return 1
	for package in sevemu sevstub sevstub-doc; do
		dpkg-deb -x "$tmp/dist/${package}_$version"-*.deb "$tmp/root" || return 1
	done
	rm -rf "$tmp/dist/sevstub-$version"
	mkdir "$tmp/boot"
	cp "$O/kernels/cloud/vmlinuz" "$tmp/boot/vmlinuz-1-cloud-amd64"
	for name in hello linux; do
		sed "s,/usr/share/doc,$tmp/root&,; s,SEVSTUB=/usr,SEVSTUB=$tmp/root/usr,
			s,/boot,$tmp/boot," "$top/debian/tests/$name" >"$tmp/$name"
		mkdir "$tmp/$name.dir"
		AUTOPKGTEST_TMP=$tmp/$name.dir PATH=$tmp/root/usr/bin:$PATH \
			env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u O sh "$tmp/$name" \
			>"$tmp/$name.log" 2>&1 || {
			tail -n 3 "$tmp/$name.log"
			return 1
		}
	done
}
