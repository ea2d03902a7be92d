# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite lint checks the whole source tree: two compilers, the checkers for C and
# for shell scripts, the formatting, and the rules that no tool knows. A check whose
# tool is not installed is skipped.

# shellcheck source=tests/lib.sh
. tests/lib.sh

out=$O/lint
zstd=${ZSTD_SRC:-$O/zstd}
lz4=${LZ4_SRC:-$O/lz4}

# The longest first.
cases()
{
	printf '%s\n' tidy analyzer scan clang gcc cppcheck format headers shellcheck \
		words spdx reasons
}

prepare()
{
	mkdir -p "$out"
}

# Each check prints its findings, and fails if there are any.
run_case()
{
	case $test in
	gcc | clang) need "$test" ;;
	headers | analyzer) need gcc ;;
	cppcheck | shellcheck) need "$test" ;;
	tidy) need clang-tidy ;;
	scan) need scan-build ;;
	format) need clang-format ;;
	esac
	reason=
	"check_$test" || die "${reason:-$test has findings}"
	pass "$test"
}

# All files of the source tree, without build products and version control.
all_files()
{
	find . \( -path ./.git -o -path ./build \) -prune -o -type f -print |
		sed 's|^\./||' | grep -vE "^$(quoted "${O#"$PWD"/}")/" | sort
}

c_sources()
{
	all_files | grep '\.c$'
}

c_files()
{
	all_files | grep '\.[ch]$'
}

# The headers that stand alone. Those of unit tests and fuzzers need the stub's .c file
# that is included before them.
headers()
{
	all_files | grep '\.h$' | grep -vE '^tests/(unit|fuzz)/'
}

# By suffix or by first line: .ci/run is bash, everything else POSIX sh.
shell_scripts()
{
	all_files | while IFS= read -r file; do
		case $file in
		*.sh) echo "$file" ;;
		*)
			if head -n 1 "$file" | grep -aqE '^#!.*sh$'; then
				echo "$file"
			fi
			;;
		esac
	done
}

# build_with COMPILER: builds everything anew, with warnings as errors, and links an
# image, because the assertions of linker.ld must hold for both compilers.
build_with()
{
	build=$out/$1
	rm -rf "$build"
	mkdir -p "$build"
	make -s -j "$JOBS" O="$build" CC="$1" HOSTCC="$1" \
		ZSTD_SRC="$zstd" LZ4_SRC="$lz4" all payloads \
		"$build/boot/test.img" "$build/boot/corrupt" \
		>"$build.log" 2>&1 || {
		grep -E 'error|warning|\*\*\*' "$build.log"
		return 1
	}
}

check_gcc()
{
	reason="the build with gcc fails"
	build_with gcc
}

check_clang()
{
	reason="the build with clang fails"
	build_with clang
}

# header_compiles FILE: the header compiles alone, and twice in a row: freestanding if
# it is the stub's, hosted if it is a tool's. Its static functions may be unused here.
header_compiles()
{
	case $1 in
	tools/*) mode=-DSEVSTUB_HOSTED ;;
	*) mode=-ffreestanding ;;
	esac
	printf '#include "%s"\n#include "%s"\n' "$1" "$1" |
		gcc -std=gnu11 "$mode" -D_GNU_SOURCE -Wall -Wextra -Werror \
		-Wno-unused-function -fsyntax-only -I. -I"$(dirname "$1")" \
		-Iinclude -isystem /usr/include/efi \
		-isystem /usr/include/efi/x86_64 -DGNU_EFI_USE_MS_ABI -idirafter "$zstd/lib" -x c -
}

check_headers()
{
	reason="a header does not compile by itself"
	bad=0
	for file in $(headers); do
		header_compiles "$file" || bad=1
	done
	return "$bad"
}

check_cppcheck()
{
	# shellcheck disable=SC2046 # names without blanks
	cppcheck --quiet --std=c11 --platform=unix64 -j "$JOBS" \
		--enable=warning,performance,portability --inline-suppr \
		--suppressions-list=tests/lint/cppcheck.suppress \
		--template='{file}:{line}: {id}: {message}' \
		--error-exitcode=1 -I. -Iinclude $(c_sources) 2>&1
}

check_shellcheck()
{
	shell_scripts | xargs shellcheck -x
}

# The C files that are analysed: the stub, the host tools and sevemu. Almost all of
# unzstd.c is zstd's code. Tests are judged by what they find.
analysed()
{
	all_files | grep -E '^([a-z0-9_-]+|(lib|payload|efi|bios|tools)/[a-z-]+|sevemu/[a-z0-9_]+|tests/boot/corrupt|tests/fuzz/(corpus|replay))\.c$' |
		grep -v '^payload/unzstd\.c$'
}

# nothing_found FILE: prints the findings without the known ones, and fails if there
# are any.
nothing_found()
{
	tests/lint/analyze known <"$1" | grep . || return 0
	return 1
}

check_analyzer()
{
	reason="gcc -fanalyzer has findings"
	analysed | in_parallel tests/lint/analyze gcc >"$out/analyzer.log"
	nothing_found "$out/analyzer.log"
}

check_tidy()
{
	reason="clang-tidy has findings"
	analysed | in_parallel tests/lint/analyze tidy >"$out/tidy.log"
	nothing_found "$out/tidy.log"
}

# scan-build over what make builds. Findings in zstd's and lz4's code do not count.
check_scan()
{
	reason="scan-build has findings"
	rm -rf "$out/scan"
	scan-build --use-cc=gcc -o "$out/scan" --exclude "$zstd" \
		make -j "$JOBS" O="$out/scan" ZSTD_SRC="$zstd" \
		LZ4_SRC="$lz4" \
		stub "$out/scan/mkpayload" sevemu >"$out/scan.log" 2>&1 || {
		tail -n 3 "$out/scan.log"
		return 1
	}
	grep -E 'warning: .*\[[a-zA-Z]+\.[a-zA-Z.]+\]$' "$out/scan.log" |
		grep -vE "^($(quoted "$zstd")|$(quoted "$lz4"))/" \
		>"$out/scan.found" || :
	nothing_found "$out/scan.found"
}

# A suppressed finding needs a reason: on the same line, or in a comment right above it.
check_reasons()
{
	reason="a finding is suppressed without a reason"
	# shellcheck disable=SC2016 # awk's own $0
	all_files | xargs awk '
	FNR == 1 { above = "" }
	/shellcheck disable=[S]C/ && !/disable=[A-Z0-9,]+ # ./ &&
	above !~ /^[[:blank:]]*# [^!]/ ||
	/NOLINT[A-Z]*\(/ && !/NOLINT[A-Z]*\([a-z,-]+\): ./ ||
	/^[[:blank:]]*#pragma GCC diagnostic ignored/ &&
	above !~ /#pragma|#ifn?def|\*\// {
		print FILENAME ":" FNR ": " $0
		bad = 1
	}
	{ above = $0 }
	END { exit bad }'
}

check_format()
{
	reason="not formatted like the rest (see tests/lint/format)"
	c_files | xargs tests/lint/format
}

# The licence is within the first three lines, because #! may come first. Documents need
# no such line. Neither do VERSION, efi/sbat.csv and two files of debian/, of which programs read
# all bytes.
check_spdx()
{
	reason="a file does not name its licence"
	bad=0
	for file in $(all_files | grep -vE '^(LICENSE|VERSION|\.gitignore|efi/sbat\.csv|debian/changelog|debian/source/format)$|\.(md|svg)$'); do
		head -n 3 "$file" |
			grep -aq 'SPDX-License-Identifier: MIT' || {
			echo "$file: no SPDX-License-Identifier: MIT"
			bad=1
		}
	done
	return "$bad"
}

# no_match REASON PATTERN: no file of the source tree may match. Brackets in a pattern
# keep this file from matching it.
no_match()
{
	if all_files | xargs grep -InE -- "$2" /dev/null; then
		echo "^^ $1"
		return 1
	fi
}

check_words()
{
	reason="words that do not belong here"
	bad=0
	no_match "unfinished work belongs into the tracker" \
		'\b(T[O]DO|F[I]XME|X[X]X)\b' || bad=1
	no_match "archives' host names belong into the machine's configuration" \
		'https?:[/]/[^ /]*(debian|ubuntu|mirror|registry|pypi|npm)' || bad=1
	no_match "an absolute path of one machine" \
		'(^|[ "=])/(home|root|w[o]rk)/' || bad=1
	if c_files | xargs grep -nE '^([^"]*[[:blank:]])?//'; then
		echo "^^ comments in C are /* */"
		bad=1
	fi
	return "$bad"
}
