#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_make.sh - what a user types at make: help names every target, each suite
# explains itself, and make hands variables to the shell as the user typed them.

set -eu
# shellcheck source=tests/lib.sh
. tests/lib.sh
result_prefix=make-

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fresh_make()
{
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make "$@"
}

fresh_make -s help >"$tmp/help"
sed -n 's/^SUITES := //p' Makefile | tr ' ' '\n' >"$tmp/suites"

missing=
for target in all image run debug check lint install uninstall clean distclean \
	help bench coverage fuzz soak mutants mutants-sevemu nae $(sed 's/^/check-/' "$tmp/suites"); do
	grep -q "^  make $target " "$tmp/help" || missing="$missing $target"
done
if [ -z "$missing" ]; then
	pass help
else
	fail help "does not name$missing"
fi

# The help of a suite runs no test, and says what to build before a run.
while IFS= read -r name; do
	tests/check --help "$name" >"$tmp/said" 2>&1 || :
	if grep -q "make check-deps-$name" "$tmp/said" &&
		! grep -qE '^(PASS|FAIL)' "$tmp/said" &&
		grep -q "^The suite $name " "$tmp/said" &&
		[ "$(wc -l <"$tmp/said")" -gt 5 ]; then
		pass "help-$name"
	else
		fail "help-$name" "$(head -n 1 "$tmp/said")"
	fi
done <"$tmp/suites"
for name in bench coverage; do
	"tests/$name/run" --help >"$tmp/said" 2>&1 || :
	if grep -q "make $name\`" "$tmp/said" && ! grep -q check- "$tmp/said"; then
		pass "help-$name"
	else
		fail "help-$name" "$(head -n 1 "$tmp/said")"
	fi
done

# A name that no case has is a failure: a run without cases must not pass.
while IFS= read -r name; do
	status=0
	O=$tmp/none JOBS=1 limited tests/check "$name/nameless" >"$tmp/said" 2>&1 ||
		status=$?
	if [ "$status" -eq 1 ] &&
		grep -qE "^FAIL $name/run: no case matches nameless" "$tmp/said"; then
		pass "no-case-$name"
	else
		fail "no-case-$name" "status $status: $(head -n 1 "$tmp/said")"
	fi
done <"$tmp/suites"

# --help prints the usage and does nothing else. Above all it installs nothing.
mkdir "$tmp/bin"
printf '#!/bin/sh\nexit 1\n' >"$tmp/bin/apt-get"
chmod +x "$tmp/bin/apt-get"
for program in tests/bench/run "sh tools/bootstrap"; do
	name=$(echo "help-${program##* }" | tr / -)
	# shellcheck disable=SC2086 # a command
	if PATH=$tmp/bin:$PATH limited $program --help >"$tmp/said" 2>&1 &&
		head -n 1 "$tmp/said" | grep -qE '^(run|bootstrap) .* - '; then
		pass "$name"
	else
		fail "$name" "$(head -n 1 "$tmp/said")"
	fi
done

# Each program prints its version and its summary.
for program in tools/mkimage tools/hook sevemu/sevemu "$O/mkpayload"; do
	name=${program##*/}
	version=$("$program" --version 2>&1) || version=
	[ "$name" != hook ] || version="hook (sevstub) $(cat VERSION)"
	short=$("$program" -h 2>&1 | head -n 1) || short=
	case $version/$short in
	"$name (sevstub) $(cat VERSION)/"[uU]"sage: "*"$name"*) pass "options-$name" ;;
	*) fail "options-$name" "'$version', '$short'" ;;
	esac
done

# refused NAME STATUS WORDS COMMAND...: the command ends with that status and words.
refused() {
	name=$1 wanted=$2 words=$3
	shift 3
	status=0
	"$@" >"$tmp/said" 2>&1 || status=$?
	if [ "$status" -eq "$wanted" ] && grep -qF -e "$words" "$tmp/said"; then
		pass "$name"
	else
		fail "$name" "status $status: $(head -n 1 "$tmp/said")"
	fi
}
refused bench-figure 1 'bench: no figure is called x: ' tests/bench/run x
refused bench-inputs 1 "bench: no $tmp/boot/cloud.img: make bench-deps first" \
	env O="$tmp" tests/bench/run bytes

# `make bench` fails if a row misses its target by more than so many percent.
tr , "$tab" >"$tmp/rows" <<-END
	one,bytes,11,20,0.550,at most 10 of ours
	two,bytes,10,20,0.500,at most 10 of ours
	three,M,56,100,0.562,at most 0.55
	four,M,56,100,0.560,at most 0.55
	five,M,56,-,-,at most 0.55
	six,ms,99,1,99.000,-
END
for wanted in "0 one three four five" "2 one three five"; do
	percent=${wanted%% *}
	missed=$(awk -v percent="$percent" -f tests/bench/missed.awk "$tmp/rows" |
		cut -d : -f 1 | tr '\n' ' ')
	if [ "$percent $missed" = "$wanted " ]; then
		pass "bench-missed-$percent"
	else
		fail "bench-missed-$percent" "$missed"
	fi
done

# A version of zstd that was not tried is refused at the start.
for version in 1.5.3 1.5.7 1.6.0; do
	mkdir -p "$tmp/zstd-$version/lib"
	echo "$version" | awk -F . '{
		print "#define ZSTD_VERSION_MAJOR    " $1
		print "#define ZSTD_VERSION_MINOR    " $2
		print "#define ZSTD_VERSION_RELEASE  " $3 }' >"$tmp/zstd-$version/lib/zstd.h"
	status=0
	fresh_make -s O="$tmp/zstd" ZSTD_SRC="$tmp/zstd-$version" \
		"$tmp/zstd-$version/.stamp" >"$tmp/said" 2>&1 || status=$?
	case $version-$status in
	1.5.7-0) pass "zstd-$version" ;;
	1.5.7-*) fail "zstd-$version" "$(head -n 1 "$tmp/said")" ;;
	*)
		if [ "$status" -eq 2 ] &&
			grep -q "zstd $version, which was not tried: give make" "$tmp/said"; then
			pass "zstd-$version"
		else
			fail "zstd-$version" "status $status: $(head -n 1 "$tmp/said")"
		fi
		;;
	esac
done

# `make -n` only prints the commands. CMDLINE and APPEND must be one word each, with
# their dollars and quotes.
odd="a\$b \$(c) \"d\" e'f"
wanted="'a\$b \$(c) \"d\" e'\\''f'"
fresh_make -n image KERNEL=x IMAGE=y CMDLINE="$odd" >"$tmp/image" 2>&1 || :
if grep -qF -- "--cmdline $wanted" "$tmp/image"; then
	pass cmdline
else
	fail cmdline "$(grep -e --cmdline "$tmp/image")"
fi
for target in run debug; do
	fresh_make -n "$target" APPEND="$odd" CMDLINE="$odd" >"$tmp/run" 2>&1 || :
	if grep -qF -- "APPEND=$wanted tools/$target" "$tmp/run" &&
		grep -qF -- "--cmdline $wanted" "$tmp/run"; then
		pass "append-$target"
	else
		fail "append-$target" "$(grep "tools/$target" "$tmp/run")"
	fi
done
exit "$failed"
