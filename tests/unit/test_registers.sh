#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Values that must stay in registers between a comparison and their use
# (registers.list), in the assembler text that gcc and clang make of the stub's C files. The
# text comes from the stub's own commands with -S instead of an assembler. registers.awk
# looks at it. Both are tried on code that keeps such values on the stack.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh
result_prefix=registers.

list=tests/unit/registers.list
awk -f tests/list.awk "$list" >"$dir/rows"
sources=$(find . -maxdepth 1 -name '*.c'; find lib payload efi -name '*.c')

# The files that are looked at: those with regions, and all that ask for an answer.
answers=$(awk -F '\t' '$1 == "answer" { print $2 "\\(" }' "$dir/rows" | paste -sd '|')
# shellcheck disable=SC2086 # several files
files=$({ cut -f 3 "$dir/rows" | grep '\.c$'
	grep -lE "$answers|HOLD\(|RELEASE\(" $sources | sed 's,^\./,,'
} | sort -u)

# Each name in the source has a row for its file.
for file in $files; do
	grep -oE '\b(HOLD|RELEASE)\([a-z0-9_]+' "$file" |
		sed "s,.*(\(.*\),\1	$file," || :
done | sort -u >"$dir/names"
awk -F '\t' 'FNR == NR { row[$2 "\t" $3] = 1; next } !($0 in row)' \
	"$dir/rows" "$dir/names" >"$dir/found"
nothing names "$dir/found" "$(wc -l <"$dir/names") names"

# findings ROWS FILE TEXT
findings() {
	awk -v rows="$1" -v file="$2" -f tests/unit/registers.awk "$3"
}

# text COMPILER: makes the assembler text of $files, in $texts/NAME.o.
text() {
	texts=$O/registers/$1/stub
	objects=
	for file in $files; do
		objects="$objects $texts/${file%.c}.o"
	done
	# shellcheck disable=SC2086 # several files
	make -s O="$O/registers/$1" CC="$1" \
		OPT="${OPT:--O2} -S -Wno-unused-command-line-argument" \
		ZSTD_SRC="${ZSTD_SRC:-$O/zstd}" LZ4_SRC="${LZ4_SRC:-$O/lz4}" \
		$objects >"$dir/log" 2>&1
}

# The text is that of the code which is linked.
same_code() {
	for file in $files; do
		"$CC" -c -x assembler -o "$dir/again.o" "$texts/${file%.c}.o"
		for object in "$dir/again.o" "$O/stub/${file%.c}.o"; do
			objdump -dr --no-show-raw-insn "$object" | sed 1,3d
		done >"$dir/both"
		awk '{ line[NR] = $0 } END {
			for (i = 1; i <= NR / 2; i++)
				if (line[i] != line[i + NR / 2])
					exit 1
			exit NR % 2 || NR == 0
		}' "$dir/both" || echo "$file"
	done
}

# What must be reported: each function is a region of its own name, or asks for an answer.
cat >"$dir/bad.c" <<'C'
#include "types.h"
#define LOSE_REGISTERS() asm volatile("" : : : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", \
	"rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory")
extern u64 table[], other(void), ask(void), fill(u64 *);
void good(u64 i) { HOLD(good, i); if (i < 8) { table[i] = 1; RELEASE(good); } }
void spilled(u64 i)
{ HOLD(spilled, i); if (i < 8) { LOSE_REGISTERS(); table[i] = 1; RELEASE(spilled); } }
void compared(u64 i)
{ HOLD(compared, i); LOSE_REGISTERS(); if (i < 8) { table[1] = 1; RELEASE(compared); } }
void calling(u64 i)
{ HOLD(calling, i); if (i < 8) { other(); table[i] = 1; RELEASE(calling); } }
void bypassed(u64 i, u64 how)
{ if (how < 8) HOLD(bypassed, i); table[i] = 1; RELEASE(bypassed); }
void behind(void) { u64 i = ask(); LOSE_REGISTERS(); table[i] = 1; RELEASE(behind); }
u64 entered(u64 i) { LOSE_REGISTERS(); return table[i]; }
void indirect(u64 i)
{ u64 copy[4]; fill(copy); HOLD(indirect, i); table[copy[i & 3]] = i; RELEASE(indirect); }
void pushed(u64 i)
{ HOLD(pushed, i); asm("pushq $8; popq %0" : "=r"(i)); table[i] = 1; RELEASE(pushed); }
u64 saving(u64 i) { other(); return i; }
void limited(u64 i, u64 limit)
{ other(); HOLD(limited, i); if (i < limit) { table[i] = 1; RELEASE(limited); } }
void granted(u64 i, u64 limit)
{ other(); HOLD(granted, i); if (i < limit) { table[i] = 1; RELEASE(granted); } }
void constant(void)
{ u64 limit = 8; asm("" : "+r"(limit)); for (;;) { u64 i = other(); HOLD(constant, i);
	if (i >= limit) return; table[i] = 1; RELEASE(constant); } }
void copied(u64 i, u64 limit)
{ other(); limit++; asm volatile("" : "+r"(limit)); HOLD(copied, i);
  if (i < limit) { table[i] = 1; RELEASE(copied); } }
void after_ask(u64 i) { u64 is = ask(); table[i] = is; RELEASE(after_ask); }
void endless(u64 i) { HOLD(endless, i); table[i] = 1; }
void answer_good(void) { if (ask()) other(); }
void answer_spilled(void) { u64 is = ask(); LOSE_REGISTERS(); if (is) other(); }
void answer_kept(void) { u64 is = ask(); other(); if (is) other(); }
C
{
	printf 'answer\task\t-\n'
	for name in good spilled compared calling bypassed indirect pushed endless lost \
		limited constant copied; do
		printf 'region\t%s\tbad.c\tmark\tmark\t-\t-\t-\n' "$name"
	done
	printf 'region\tgranted\tbad.c\tmark\tmark\t-\tlimit\t-\n'
	printf 'region\tbehind\tbad.c\tbehind:ask@behind\tmark\t-\t-\t-\n'
	printf 'region\tafter_ask\tbad.c\tbehind:ask@after_ask\tmark\t-\t-\t-\n'
	printf 'region\tentered\tbad.c\tentry:entered\tret\t-\t-\t-\n'
	printf 'region\tsaving\tbad.c\tentry:saving\tsaves-nothing\t-\t-\t-\n'
} >"$dir/bad.rows"
bad="spilled compared calling bypassed indirect pushed endless lost behind entered saving \
limited constant copied after_ask"

# scan COMPILER: the compiler's text of bad.c has these findings and no others.
scan() {
	"$1" -std=gnu11 -O2 -ffreestanding -fno-stack-protector -Iinclude -S \
		-o "$dir/bad.s" "$dir/bad.c"
	findings "$dir/bad.rows" bad.c "$dir/bad.s" >"$dir/found"
	for name in $bad; do
		grep -qE "^bad\.c[:0-9]*: $name: " "$dir/found" || echo "not $name"
	done
	for name in answer_spilled answer_kept; do
		grep -qE "answer of ask .*\($name\)" "$dir/found" || echo "not $name"
	done
	grep -E ': (good|granted): |answer_good' "$dir/found" || :
}

for compiler in $(printf '%s\n' "$CC" clang | sort -u); do
	short=$(basename "$compiler")
	if ! command -v "$compiler" >/dev/null; then
		skip "$short" "there is no $compiler"
		continue
	fi
	scan "$compiler" >"$dir/missed"
	nothing "$short.scan" "$dir/missed"
	if ! text "$compiler"; then
		fail "$short" "$(tail -n 1 "$dir/log")"
		continue
	fi
	for file in $files; do
		findings "$dir/rows" "$file" "$texts/${file%.c}.o"
	done >"$dir/found"
	nothing "$short" "$dir/found" "$(grep -c '^region' "$dir/rows") regions"
	if [ "$compiler" = "$CC" ]; then
		same_code >"$dir/found"
		nothing "$short.same_code" "$dir/found"
	fi
done

exit "$failed"
