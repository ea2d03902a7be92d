# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite fuzz runs every fuzzer for FUZZ_CHECK_TIME seconds (6) from its corpus.
#
# A PASS line says how many inputs the fuzzer has tried, how many edges of the code
# they reach, and how large the corpus has become. New inputs stay in
# $O/fuzz/TARGET.corpus; the next run begins from them with FUZZ_KEEP=1, and removes
# them without. The input of a crash stays in $O/fuzz/TARGET.crash-*.
# tests/fuzz/corpora unpacks and minimises the corpora.

# shellcheck source=tests/lib.sh
. tests/lib.sh

time=${FUZZ_CHECK_TIME:-6}
# The search for leaks cannot work in the targets that put fences around memory.
export ASAN_OPTIONS=detect_leaks=0
# The largest input, in bytes. Larger ones find nothing new, and are slow.
MAX_LEN=4096
# What a fuzzer may take until libFuzzer's own limits end it: libFuzzer looks at the
# clock between inputs, and starts by running the whole corpus.
limit=$((2 * time + 2 * hang))
# shellcheck disable=SC2034 # tests/check reads it
case_limit=$((limit + hang))

cases()
{
	for source in tests/fuzz/fuzz_*.c; do
		basename "$source" .c | sed 's/^fuzz_//'
	done
}

# unpack TARGET: writes the corpus of the source tree to $O/fuzz/TARGET.seeds, a file
# for each input.
unpack()
{
	rm -rf "$O/fuzz/$1.seeds"
	mkdir -p "$O/fuzz/$1.seeds"
	"$O/fuzz/corpus" unpack "$O/fuzz/$1.seeds" <"tests/fuzz/$1.corpus" || return 1
	case $1 in
	mkpayload) kernels "$O/fuzz/$1.seeds" ;;
	esac
}

# kernels DIR: makes whole kernels of each kind and codec. They are too large for a
# corpus in the source tree.
kernels()
{
	mkelf=$O/unit/mkelf
	"$mkelf" elf "$1/plain"
	"$mkelf" elf "$1/bare" sections=0
	"$mkelf" elf "$1/linux" note=Linux
	"$mkelf" elf "$1/relocs3" \
		tail=0,0x80200010,0x80200008,0,0x80200020,0,0x8020511f,0x80205000
	"$mkelf" elf "$1/relocs2" tail=0,0x80200008,0,0x80205000
	for codec in gzip xz lz4 zstd bzip2 lzma lzo; do
		"$mkelf" bzimage "$1/$codec" "$1/plain" "$codec"
	done
}

# last_number NAME: the last number after NAME in libFuzzer's log, or 0.
last_number()
{
	grep -oE "$1: *[0-9]+" "$log" | tail -n 1 | grep -oE '[0-9]+$' || echo 0
}

run_case()
{
	found=$O/fuzz/$test.corpus
	log=$O/fuzz/$test.log
	dictionary=tests/fuzz/$test.dict

	[ -n "${FUZZ_KEEP:-}" ] || rm -rf "$found"
	mkdir -p "$found"
	# -timeout: the seconds after which one input counts as hung.
	set -- -max_total_time="$time" -timeout="$hang" -rss_limit_mb=1024 \
		-artifact_prefix="$O/fuzz/$test." -print_final_stats=1
	case $test in
	mkpayload) ;;
	*) set -- "$@" -max_len="$MAX_LEN" ;;
	esac
	[ ! -e "$dictionary" ] || set -- "$@" -dict="$dictionary"
	unpack "$test" || die "the corpus cannot be unpacked"
	status=0
	timeout -k 5 "$limit" "$O/fuzz/fuzz_$test" "$@" "$found" \
		"$O/fuzz/$test.seeds" >"$log" 2>&1 || status=$?

	runs=$(last_number stat::number_of_executed_units)
	if [ "$status" -ne 0 ]; then
		why=$(grep -m 1 -E 'ERROR: |runtime error|^fuzz: ' "$log" |
			cut -c 1-200)
		input=$(grep -oE "$test\.(crash|timeout|oom|leak)-[a-z0-9]+" "$log" |
			tail -n 1)
		die "${why:-exit status $status}; input ${input:+$O/fuzz/}${input:-unknown}, log $log"
	elif [ "$runs" -eq 0 ]; then
		die "no input was tried, log $log"
	fi
	pass "$test" "$runs inputs, $(last_number cov) edges, corpus $(last_number corp), $time s"
}
