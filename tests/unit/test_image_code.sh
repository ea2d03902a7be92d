#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The machine code of a linked image and of its objects: only registers that
# an exception handler saves, XMM registers in the decoders, nothing below the
# stack pointer, no relocation that somebody would have to apply, and each
# privileged instruction only in the file that the house plan gives it to. Every scan is tried on code that is
# wrong as well.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

objects=$O/stub
all_objects=$(find "$objects" -name "*.o" | sort)
make_image tiny "$O/payload/tiny.elf"
elf=$dir/tiny.elf

# disassemble FILE [OBJDUMP-OPTION...]
disassemble() {
	objdump -d --no-show-raw-insn "$@" | grep -E '^ *[0-9a-f]+:|^[0-9a-f]+ <'
}

# .head holds data, 32-bit and 64-bit code, so it is disassembled by function.
# Everything in .text is 64-bit code.
head_functions() {
	readelf -sW "$elf" | awk -v head="$(readelf -SW "$elf" |
		sed -n 's/^ *\[ *\([0-9]*\)\] \.head .*/\1/p')" \
		'$4 == "FUNC" && $7 == head { print $8 }'
}
for function in $(head_functions); do
	case $function in
	startup_64 | enter_startup_64 | truncated_64 | misplaced_64 | set_gate_64)
		disassemble "$elf" --disassemble="$function"
		;;
	*) disassemble "$elf" -m i386 --disassemble="$function" ;;
	esac
done >"$dir/code"
disassemble "$elf" -j .text >>"$dir/code"

# What must be reported.
cat >"$dir/bad.c" <<'C'
#include <stdint.h>
double scaled(double x) { return x * 3; }
long double longer(long double x) { return x * 3; }
int leaf(int i) { volatile int v[8]; v[0] = i; v[7] = 3; return v[i & 7]; }
__attribute__((optimize("no-omit-frame-pointer")))
int framed(int i) { volatile int v[8]; v[0] = i; v[7] = 3; return v[i & 7]; }
uint64_t canary(void) { uint64_t x; asm("mov %%fs:0x28, %0" : "=r"(x)); return x; }
void trap(void) { __builtin_trap(); }
uint64_t tick(void) { return __builtin_ia32_rdtsc(); }
void identify(void) { asm volatile("cpuid" ::: "rax", "rbx", "rcx", "rdx"); }
extern int far_away, further;
int *absolute(int i) { static int *const p[] = { &far_away, &further }; return p[i]; }
int *through_got(void) { return &far_away; }
uint64_t pushed(void) { uint64_t x; asm("push $0x10; pop %0" : "=r"(x)); return x; }
C
"$CC" -O2 -fpic -c -o "$dir/bad.o" "$dir/bad.c"
disassemble "$dir/bad.o" >"$dir/bad.code"

# seen NAME SCAN TEXT...: the scan reports each of these on the bad code.
seen() {
	name=$1 scan=$2
	shift 2
	$scan "$dir/bad.code" >"$dir/found"
	missed=
	for text in "$@"; do
		grep -qF -- "$text" "$dir/found" || missed="$missed $text"
	done
	if [ -n "$missed" ]; then
		fail "$name" "the scan does not see$missed"
	else
		pass "$name"
	fi
}

# ---- registers

scan_registers() {
	grep -E '%[xyz]?mm[0-9]|%st|	(f[a-rt-z]|fs[a-z]|emms|ldmxcsr|stmxcsr|v[a-l])' \
		"$1" || :
}

scan_segments() {
	grep -E '%[fg]s' "$1" |
		grep -vE '	mov +%e?[a-d]x,%[fg]s$' || :
}

scan_unknown() {
	grep -E '\(bad\)|	ud[012]|	int1|	\.byte' "$1" || :
}

# The decoders and unfilter() may use XMM registers, because no exception handler calls
# them. The digest may not use XMM registers, because the stub also computes it while
# firmware runs, and firmware expects some of these registers to be preserved.
decoders=$(nm "$objects/payload/unzstd.o" "$objects/payload/unlz4.o" "$objects/payload/unfilter.o" |
	sed -n 's/.* [Tt] //p' | grep -vxE 'xxh64|XXH64_finalize' | tr '\n' ' ')
# shellcheck disable=SC2086 # several files
is code.decoders "$(nm -A -u $all_objects |
	sed -nE 's,.*/([^/]*)\.o: +U (unzstd.*|unlz4|unfilter|xxh64)$,\1,p' |
	sort -u | tr '\n' ' ')" "kaslr misc payload-check "

# without NAMES FILE: the code but for these functions.
without() {
	awk -v names="$1" '
	BEGIN {
		split(names, list, " ")
		for (i in list)
			skip["<" list[i] ">:"] = 1
	}
	/^[0-9a-f]+ </ { skipping = $2 in skip }
	!skipping' "$2"
}

# An SEV-ES guest must not pass a constant, such as the length of a copy, by PUSH and POP. The
# hypervisor could exchange it on the stack in between. The decoder of zstd may, because no page
# is shared while it runs, and so may the files that the Makefile calls SMALLEST_C.
# scan_pushed FILE: the instructions of the code in FILE that push a constant.
scan_pushed() {
	grep -E '\bpush[a-z]* +\$' "$1" || :
}

smallest=$(sed -n 's/^SMALLEST_C := //p' Makefile)
for file in *.c lib/*.c payload/*.c efi/memory.c; do
	case " payload/unzstd.c $smallest " in
	*" $file "*) ;;
	*) disassemble "$objects/${file%.c}.o" ;;
	esac
done >"$dir/constants"
scan_pushed "$dir/constants" >"$dir/found"
nothing code.pushed "$dir/found" "$(grep -c : "$dir/constants") instructions"
# shellcheck disable=SC2016 # an operand of assembler text
seen code.pushed_scan scan_pushed '$0x10'

# ident_map_64.c keeps a number in XMM15 until the decoders run. Two functions of the file write
# it, and la57_toggle() saves it in XMM7 outside of long mode.
# writers: the functions of stdin's code that write XMM15.
writers() {
	awk '
	/^[0-9a-f]+ </ { name = $2 }
	/,%xmm15/ && !seen[name]++ { gsub(/[<>:]/, "", name); print name }'
}

lines=$(grep -c : "$dir/code")
without "$decoders" "$dir/code" >"$dir/others"
is code.xmm15 "$(writers <"$dir/others" | sort | tr '\n' ' ')" "extend ident_map_init la57_toggle "
scan_registers "$dir/others" |
	grep -vE '	movq +(%xmm15,%r[a-z0-9]+|%r[a-z0-9]+,%xmm15)$' |
	grep -vE '	movdqa +(%xmm15,%xmm7|%xmm7,%xmm15)$' >"$dir/found" || :
nothing code.registers "$dir/found" "$lines instructions"
seen code.registers_scan scan_registers mulsd fmul
grep -vE '%xmm' "$dir/code" >"$dir/rest"
scan_registers "$dir/rest" >"$dir/found"
nothing code.registers_decoders "$dir/found"

scan_segments "$dir/code" >"$dir/found"
nothing code.segments "$dir/found"
seen code.segments_scan scan_segments '%fs:0x28'

# No trap that a compiler made of undefined behaviour, no data.
scan_unknown "$dir/code" >"$dir/found"
nothing code.no_traps "$dir/found"
seen code.no_traps_scan scan_unknown ud2

# ---- below the stack pointer

scan_red_zone() {
	awk -f tests/unit/red_zone.awk "$1"
}

scan_red_zone "$dir/code" >"$dir/found"
nothing code.red_zone "$dir/found"
seen code.red_zone_scan scan_red_zone leaf: framed:

# ---- registers on the stack

# What a request of the console sends is in registers from its comparison on. The functions
# that run until VMGEXIT must not save their caller's registers, because the hypervisor could
# put old contents of the stack back.
scan_saved() {
	grep -E '	push +%r(b[xp]|1[2-5])|	mov +%r(b[xp]|1[2-5]),.*\(%rsp' "$1" || :
}

for function in ghcb_begin ghcb_exchange ghcb_end send_page memcpy memset; do
	disassemble "$elf" --disassemble="$function"
done >"$dir/exchange"
is code.exchange "$(grep -c ' <.*>:$' "$dir/exchange")" 7 # with behind_vmgexit
scan_saved "$dir/exchange" >"$dir/found"
nothing code.exchange_saves_nothing "$dir/found"
cat >"$dir/bad.S" <<'S'
	push	%r12
	mov	%rbp, 8(%rsp)
S
"$CC" -c -o "$dir/bad_saved.o" "$dir/bad.S"
disassemble "$dir/bad_saved.o" >"$dir/saved"
is code.exchange_scan "$(scan_saved "$dir/saved" | wc -l)" 2

# ---- far pointers on the stack

# Two pushes leave memory in which CS is written and the address is not. The hypervisor could
# put this memory back before LRET, and the guest would go on at address 0, which a loader can
# have filled. Once the stub's own page tables are loaded, address 0 is not mapped.
# scan_far FILE: the pushes among the four instructions before each far return.
scan_far() {
	awk '
	/	lret/ {
		for (i = NR - 4; i < NR; i++)
			if (line[i] ~ /	push/)
				print line[i]
	}
	{ line[NR] = $0 }' "$1"
}

disassemble "$elf" -m i386 --disassemble=startup_32 >"$dir/entries"
disassemble "$elf" --disassemble=startup_64 >>"$dir/entries"
is code.far_returns "$(grep -c '	lret' "$dir/entries")" 3
scan_far "$dir/entries" >"$dir/found"
nothing code.far_pointers "$dir/found"
cat >"$dir/bad.S" <<'S'
	pushq	$0x10
	leaq	0x1000(%rip), %rax
	pushq	%rax
	lretq
S
"$CC" -c -o "$dir/bad_far.o" "$dir/bad.S"
disassemble "$dir/bad_far.o" >"$dir/far"
is code.far_scan "$(scan_far "$dir/far" | wc -l)" 2

# ---- KASLR's random number

# A number of RDRAND must stay in registers until kaslr_virtual() has computed the payload's
# address with it, because the hypervisor could put old contents of memory back. Prints what
# stores to memory on the way, or calls a function.
scan_random() {
	awk '
	/^[0-9a-f]+ </ { name = $2; on = 0 }
	/	rdrand / { on = 1; next }
	/	call .*<draw>/ && name == "<kaslr_virtual>:" { on = 2; next }
	{ sub(/ +#.*/, "") }
	on == 2 && /	call / { print name, $0 }
	on && /	(call|jmp|ret)/ { on = 0 }
	on && (/	push +%/ || (/,[-0-9a-fx]*\([^()]*\)$/ && !/	(cmp|test)/)) { print name, $0 }' "$1"
}

for function in draw kaslr_pick kaslr_virtual; do
	disassemble "$elf" --disassemble="$function"
done >"$dir/random"
is code.random_is_drawn "$(grep -c '	rdrand ' "$dir/random")" 1
scan_random "$dir/random" >"$dir/found"
nothing code.random_in_registers "$dir/found"
cat >"$dir/bad.S" <<'S'
	.type	draw, @function
draw:
	rdrand	%rax
	mov	%rax, 8(%rip)
	push	%rax
	ret
	.type	kaslr_virtual, @function
kaslr_virtual:
	call	draw
	mov	%rax, 8(%rsp,%rbp)
	call	draw2
	ret
	.type	draw2, @function
draw2:
	ret
S
"$CC" -c -o "$dir/bad_random.o" "$dir/bad.S"
disassemble "$dir/bad_random.o" >"$dir/random"
is code.random_scan "$(scan_random "$dir/random" | wc -l)" 4

# ---- who may do what

# Instructions that have an effect beyond registers and memory.
special() {
	awk '
	/^ *[0-9a-f]+:/ {
		name = $2 ~ /^(rep|repz|repnz|lock|cs|data16|addr32)$/ ? $3 : $2
		if (name ~ /^(cpuid|rd(tsc|tscp|pmc|msr|rand|seed|pid)|wrmsr)$/ ||
		    name ~ /^(x[gs]etbv|(in|out)[bwl]?|(in|out)s[bwl]|hlt)$/ ||
		    name ~ /^(cli|sti|std|popf|[ls][gi]dt|[ls]ldt|ltr|str)/ ||
		    name ~ /^(inv|wbinvd|wbnoinvd|clflush|clwb|clac|stac)/ ||
		    name ~ /^(syscall|sysenter|sysret|sysexit|int$|int3|iret)/ ||
		    name ~ /^(vm|monitor|mwait|swapgs|lmsw|smsw|clts)/ ||
		    name ~ /^(pvalidate|rmp|tdcall|pconfig|enqcmd|prefetchw)/)
			print name
		if ($0 ~ /%(cr|dr|db)[0-9]/)
			print "control-register"
	}' "$1" | sort -u | tr '\n' ' '
}

# May be narrowed without ado, but widened only with the house plan.
allowed() {
	case $1 in
	misc) echo "control-register cpuid rdmsr wrmsr" ;;
	kaslr) echo "cpuid rdrand rdtsc" ;;
	entry) echo "cli" ;; # after ExitBootServices
	handover_64) echo "hlt int3" ;; # int3: between functions
	idt_64) echo "lidt ltr" ;;
	exception) echo "control-register" ;;
	la57) echo "control-register cpuid" ;;
	# cli, hlt: it halts if a page table is not its own; rdmsr: EFER.NXE
	ident_map_64) echo "clflush cli control-register hlt invlpg rdmsr" ;;
	sev-es) echo "cli control-register cpuid hlt rdmsr vmgexit wrmsr" ;;
	sev-snp) echo "control-register pvalidate rdmsr rmpadjust vmgexit wrmsr" ;;
	sev-cpuid | sev-vc) echo "rdmsr" ;;
	console) echo "in out outsb" ;;
	idt_handlers_64) echo "int3 iretq" ;; # int3: between functions
	esac
}

# Both must take the address bits out of the rights of a page. A compiler could find out that
# their callers pass no such bits, and leave this out (PTE_ADDR_MASK of include/x86.h).
for name in fill_private fill_device; do
	objdump -d --no-show-raw-insn --disassemble="$name" "$objects/ident_map_64.o" \
		>"$dir/object.code"
	if grep -q 'movabs.*0xfff0000000000f' "$dir/object.code"; then
		pass "code.mask.$name"
	else
		fail "code.mask.$name" "no mask without the address bits"
	fi
done

: >"$dir/found"
count=0
for object in $all_objects; do
	name=$(basename "$object" .o)
	case $name in
	header | bios_call | head_64 | sev-head_64 | early_tables_64 | la57_trampoline)
		continue ;; # the machine's modes
	esac
	count=$((count + 1))
	machine=i386:x86-64
	[ "$name" != setup ] || machine=i8086
	disassemble "$object" -m "$machine" >"$dir/object.code"
	for instruction in $(special "$dir/object.code"); do
		case " $(allowed "$name") " in
		*" $instruction "*) ;;
		*) echo "$name.o: $instruction" >>"$dir/found" ;;
		esac
	done
done
nothing code.instructions "$dir/found" "$count objects"
seen code.instructions_scan special cpuid rdtsc

# The decoder above all: each CPUID in it would be an exit.
for name in unzstd huf_decompress_amd64; do
	disassemble "$objects/payload/$name.o" >"$dir/object.code"
	special "$dir/object.code" >"$dir/found"
	nothing "code.decoder.$name" "$dir/found" \
		"$(grep -c : "$dir/object.code") instructions"
done

# ---- relocations

# What the link cannot resolve relative to the instruction: GOT, absolute.
scan_relocations() {
	readelf -rW "$1" | awk '
	/^Relocation section/ {
		section = $3
		gsub(/\047|\.rela/, "", section)
	}
	/R_X86_64_/ && section !~ /^\.debug_/ &&
	$3 !~ /^R_X86_64_(PC32|PLT32|NONE)$/ {
		print section ": " $3 " " $5
	}'
}

# The entries' parts may use a link address where the load bias is added to it:
# as the displacement of %ebp, %rbp or %rbx. They may subtract one, which gives
# the bias, and may use numbers that ld computes. Prints any other instruction.
scan_head_relocations() {
	objdump -dr --no-show-raw-insn -m i386 "$1" | awk '
	/R_X86_64_/ {
		if ($2 !~ /^R_X86_64_(PC32|PLT32)$/ &&
		    !($2 ~ /^R_X86_64_32S?$/ &&
		      (code ~ /0x0\(%eb[px]\)/ || code ~ /\tsubl? +\$0x0,%eb[px]$/ ||
		       $3 ~ /^(image|payload)_/)))
			print $2 " " $3 " in" code
		next
	}
	{ code = $0; sub(/^[^\t]*/, "", code) }'
	scan_relocations "$1" | grep -v '^\.head\.text' || :
}

: >"$dir/found"
for object in $all_objects; do
	case $(basename "$object") in
	setup.o) ;; # real mode: an address is an offset
	header.o | bios_call.o)
		# linked at 0 and full of fields that ld computes
		scan_relocations "$object" | grep -v '^\.setup' || :
		;;
	head_64.o | sev-head_64.o | early_tables_64.o)
		scan_head_relocations "$object"
		;;
	*) scan_relocations "$object" ;;
	esac | sed "s/^/$(basename "$object")/" >>"$dir/found"
done
nothing code.relocations "$dir/found"

scan_relocations "$dir/bad.o" >"$dir/found"
if grep -q GOTPCREL "$dir/found" && grep -q 'R_X86_64_64 far_away' "$dir/found"; then
	pass code.relocations_scan
else
	fail code.relocations_scan "does not see $(excerpt "$dir/found")"
fi

cat >"$dir/bad.S" <<'S'
	.section .head.text, "ax"
	.code32
	movl	$far_away, %eax
	movl	further, %ecx
	leal	further(%esi), %edx
S
"$CC" -c -o "$dir/bad_head.o" "$dir/bad.S"
scan_head_relocations "$dir/bad_head.o" >"$dir/found"
is code.head_relocations_scan "$(grep -cE 'far_away|further' "$dir/found")" 3

readelf -rW "$elf" | grep R_X86_64 >"$dir/found" || :
nothing code.no_relocations_left "$dir/found"
nm "$elf" | grep -E ' [UuWwVviI] |_GLOBAL_OFFSET_TABLE_' >"$dir/found" || :
nothing code.no_open_symbols "$dir/found"

# ---- the first page tables

# build_early_tables must write the half of an entry with the C-bit, %edx, before the
# half that makes the entry present, %eax. Prints a store of %eax without the other right
# before it.
half_entries() {
	objdump -d --no-show-raw-insn -m i386 "$1" | awk '
	/^[0-9a-f]+ <.*>:$/ { inside = /<build_early_tables>/ }
	inside && /\tmov +%eax,(0x0)?\(%e[bd][ix]\)/ {
		to = $0
		sub(/.*\(/, "(", to)
		if (index(last, "%edx,0x4" to) == 0)
			print $0
		stores++
	}
	inside { last = $0 }
	END { if (stores != 3) print stores + 0 " stores, not 3" }'
}
half_entries "$objects/early_tables_64.o" >"$dir/found"
nothing code.early_tables_order "$dir/found"

cat >"$dir/bad.S" <<'S'
	.text
	.code32
build_early_tables:
	movl	%eax, 0(%edi)
	movl	%edx, 4(%edi)
	movl	%edx, 4(%ebx)
	movl	%eax, 0(%ebx)
	movl	%edx, 4(%edi)
	movl	%eax, 0(%ebx)
S
"$CC" -c -o "$dir/bad_tables.o" "$dir/bad.S"
half_entries "$dir/bad_tables.o" >"$dir/found"
is code.early_tables_order_scan "$(wc -l <"$dir/found")" 2

# From the first store to a page table to the end of the C-bit's proof the 32-bit code must
# take nothing from the stack that it has pushed: an old return address leads to find_sev.
# Prints each such instruction in the functions that run there. Of startup_32 that is from
# tables_built on. It may push and pop EBX, which it does outside of SEV only.
returns() {
	objdump -d --no-show-raw-insn -m i386 "$@" | awk '
	/^[0-9a-f]+ <.*>:$/ {
		inside = /<(build_early_tables|write_cbit_proof|tables_built|proof_written)>/
		seen += inside
	}
	inside && /\t(call|ret|iret|enter|leave|push|pop|int)/ && !/\t(push|pop) +%ebx$/ {
		print $0
	}
	inside && /\tlret/ { far++ }
	END { if (seen != 4 || far != 1) print seen + 0 " places and " far + 0 " LRET, not 4 and 1" }'
}
returns "$objects/early_tables_64.o" "$objects/sev-head_64.o" "$objects/head_64.o" \
	>"$dir/found"
nothing code.early_tables_return "$dir/found"

cat >"$dir/bad.S" <<'S'
	.text
	.code32
build_early_tables:
	pushl	%edi
	popl	%edi
	ret
write_cbit_proof:
	pushl	%ebx
	popl	%ebx
	jmp	find_sev
tables_built:
	call	write_cbit_proof
proof_written:
	lretl
other:
	ret
S
"$CC" -c -o "$dir/bad_return.o" "$dir/bad.S"
returns "$dir/bad_return.o" >"$dir/found"
is code.early_tables_return_scan "$(wc -l <"$dir/found")" 4

# ---- before .bss

# place_image() and all that it calls run before .bss is cleared. The page for
# the GHCB is taken later.
: >"$dir/found"
for name in misc lib/boot_params lib/cmdline lib/console-option lib/console lib/e820 lib/error \
	lib/string exception sev-es sev-cpuid sev-vc insn; do
	size -A "$objects/$name.o" | awk -v name="$name" '
		$1 ~ /^\.bss|COMMON/ && $1 != ".bss.ghcb_page" && $2 {
			print name ".o: " $0
		}' >>"$dir/found"
done
nothing code.before_bss "$dir/found"

# Real-mode code has no .bss at all, and linker.ld a place for text only.
size -A "$objects/bios/setup.o" | awk '$1 ~ /^\.(data|bss)|COMMON/ && $2' >"$dir/found"
nothing code.setup_data "$dir/found"

exit "$failed"
