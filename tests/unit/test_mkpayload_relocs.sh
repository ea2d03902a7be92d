#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Kernels with relocations of several kinds. Each is linked at two addresses.
# relocate.c must turn the payload of the first one into the second one. And kernels
# whose relocations mkpayload must refuse.
# Functions run as arguments of expect.
# shellcheck disable=SC2317

set -eu
# shellcheck source=tests/unit/mkpayload.sh
. tests/unit/mkpayload.sh

relocated=$O/unit/relocated
first=0x1000000
second=0x1234000
distance=0x234000

cat >kernel.c <<'END'
extern int weak __attribute__((weak));
int table[300];
int bss[7000];
void f(void) { bss[1]++; }
void g(void) { bss[2]++; }
void *const pointers[] = { table, &table[7], bss, f, g, &weak, &pointers };
char odd[3] = "ab";
struct __attribute__((packed)) { char c; void *p; } unaligned = { 1, bss + 3 };
void (*hook)(void) = g;
void _start(void)
{
	table[3] = (int)(unsigned long)pointers[table[1] & 3];
#ifndef PIE
	/* All sizes, and a number that looks like an address but is none. */
	asm volatile("movl $table + 4, %%eax; movq $bss, %%rbx\n\t"
		     "movabsq $hook, %%rcx; movl $NUMBER, %%eax"
		     ::: "eax", "rbx", "rcx");
#endif
	hook();
	for (;;)
		bss[(unsigned long)hook & 15] = unaligned.c;
}
END

# ELF headers and dynamic tables have addresses that nothing relocates. The headers are
# in no segment here, and the tables are at the end, where they are not compared.
cat >flat.ld <<'END'
PHDRS { text PT_LOAD; data PT_LOAD; dynamic PT_DYNAMIC; }
SECTIONS
{
	. = BASE;
	.text : { *(.text*) } :text
	.rodata : { *(.rodata*) } :text
	. = ALIGN(4096);
	.data : { *(.data*) } :data
	.got : { *(.got*) } :data
	tables = .;
	.rela.dyn : { *(.rela.*) } :data
	.relr.dyn : { *(.relr.*) } :data
	.dynamic : { *(.dynamic) } :data :dynamic
	.bss : { *(.bss*) *(COMMON) } :data
	/DISCARD/ : { *(.dynsym .dynstr .hash .gnu.hash .comment .note* .eh_frame) }
}
END

# link OUT BASE OPTION...: links a kernel at that address.
link() {
	out=$1
	base=$2
	shift 2
	# LLVM's linker does not know this option.
	calm=-Wl,--no-warn-rwx-segments
	case $* in
	*-fuse-ld=lld*) calm=-Wl,--build-id=none ;;
	esac
	"$CC" -w -O1 -ffreestanding -nostdlib -fno-stack-protector -mno-sse \
		-fcf-protection=none -fno-asynchronous-unwind-tables \
		-Wl,--build-id=none "$calm" \
		-Wl,--defsym,NUMBER=0x1000040 -Wl,--defsym,BASE="$base" \
		-o "$out" "$@"
}

make_payload() {
	"$mkpayload" --level 1 -q "$@"
}

# flags_of PREFIX: the header's flags; info_of PREFIX NAME: a line of --info.
info_of() {
	"$O/mkpayload" --info "$1.bin" | sed -n "s/^$2: //p"
}

# compared ELF: the number of bytes in front of the tables, which are compared.
compared() {
	start=$(readelf -lW "$1" 2>/dev/null | awk '$1 == "LOAD" { print $4; exit }')
	echo $((0x$(nm "$1" | sed -n 's/ . tables$//p') - start))
}

# moved OPTION...: links twice, relocates the first kernel, and compares.
moved() {
	link first.elf "$first" "$@" || return 1
	link second.elf "$second" "$@" || return 1
	make_payload -o first first.elf && make_payload -o second second.elf ||
		return 1
	plain_of second >second.out
	[ "$("$relocated" first.bin second.out moved.out)" = "$distance" ] ||
		return 1
	cmp -n "$(compared first.elf)" moved.out second.out &&
		info_of first kernel >info && cat info &&
		grep -q 'plain ELF, relocatable, identity-mapped' info
}

# moved_low OPTION...: the same of a kernel with 32-bit addresses, which keep it below 2 GiB.
moved_low() {
	moved "$@" && grep -q ', below 2 GiB' info
}

# moved_high OPTION...: the same of a kernel whose addresses have 64 bits.
moved_high() {
	moved "$@" && ! grep -q ', below 2 GiB' info
}

# A kernel with 32-bit addresses that is linked to end above 2 GiB cannot move.
kept_high() {
	# shellcheck disable=SC2016 # an address, not a variable
	echo 'void _start(void) { asm volatile("movl $_start, %eax"); for (;;); }' >high.c
	link high.elf 0x80000000 -mcmodel=large -fno-pic -no-pie -static -Wl,--emit-relocs \
		-Wl,-Ttext-segment=0x80000000 high.c &&
		make_payload -o high high.elf 2>said && info_of high kernel >info && cat info said &&
		grep -q 'linked to end above 0x7ffff000: it runs at its link address only' said &&
		! grep -q 'relocatable\|below' info
}

kept="-static -no-pie -Wl,--emit-relocs -T flat.ld kernel.c"
pie="-static-pie -fpie -DPIE -T flat.ld kernel.c"
# shellcheck disable=SC2086 # several arguments
{
	expect relocs/kept moved_low -fno-pic $kept
	expect relocs/kept-high kept_high
	expect relocs/kept-pic moved -fpic $kept
	expect relocs/kept-large moved -fno-pic -mcmodel=large $kept
	expect relocs/pie moved_high $pie
	expect relocs/pie-relr moved -Wl,-z,pack-relative-relocs $pie
}

# LLVM's linker lays out sections, symbols and relocations in its own way.
if command -v ld.lld >/dev/null; then
	# shellcheck disable=SC2086 # several arguments
	{
		expect relocs/lld-kept moved -fuse-ld=lld -fno-pic $kept
		expect relocs/lld-kept-large moved -fuse-ld=lld -fno-pic -mcmodel=large $kept
		expect relocs/lld-pie moved -fuse-ld=lld $pie
		expect relocs/lld-pie-relr moved -fuse-ld=lld -Wl,--pack-dyn-relocs=relr $pie
	}
else
	skip relocs/lld "there is no ld.lld"
fi

# Addresses that no relocation may change: of weak symbols that are not defined, and of
# absolute ones, at each size and by a weak alias.
cat >fixed.c <<'END'
extern char undefined[] __attribute__((weak)), absolute[], alias[] __attribute__((weak));
char here[16], near[16] __attribute__((weak));
void *const pointers[] = { undefined, undefined + 8, absolute, absolute + 8, alias,
	here, near, near + 8 };
#ifndef PIE
asm(".data; .long absolute, undefined, alias, here, near; .quad absolute, here; .text");
#endif
void _start(void)
{
	for (;;)
		*(void *const volatile *)pointers[here[0] & 7];
}
END
absolute="-Wl,--defsym,absolute=0x1000040 -Wl,--defsym,alias=absolute"
for linker in bfd lld; do
	command -v "ld.$linker" >/dev/null || continue
	# shellcheck disable=SC2086 # several arguments
	{
		expect "relocs/fixed-kept-$linker" moved "-fuse-ld=$linker" $absolute \
			-fno-pic ${kept%kernel.c} fixed.c
		expect "relocs/fixed-pie-$linker" moved "-fuse-ld=$linker" $absolute \
			${pie%kernel.c} fixed.c
	}
done

# mkpayload moves a PIE that is linked at 0 to 16 MiB. The payload is the same as that of
# a PIE which is linked there.
based() {
	# shellcheck disable=SC2086 # several arguments
	link zero.elf 0 "$@" $pie && link there.elf $first "$@" $pie &&
		make_payload -o zero zero.elf && make_payload -o there there.elf &&
		plain_of zero >zero.out &&
		plain_of there >there.out &&
		cmp -n "$(compared zero.elf)" zero.out there.out &&
		cmp -n 72 zero.bin there.bin && [ "$(info_of zero 'link address')" = $first ]
}
expect relocs/pie-at-0 based
expect relocs/pie-relr-at-0 based -Wl,-z,pack-relative-relocs

# ---- relocations that mkpayload refuses ----

# number OFFSET SIZE FILE: an unsigned little-endian number.
number() {
	od -An -v "-tu$2" -j "$1" -N "$2" "$3" | tr -d ' \n'
}

# spoilt NAME PATTERN ELF {OFFSET BYTES}...: mkpayload must refuse the ELF file with other
# bytes at these offsets.
spoilt() {
	name=$1 pattern=$2
	cp "$3" bad.elf
	shift 3
	while [ $# -gt 0 ]; do
		printf '%b' "$2" |
			dd of=bad.elf bs=1 seek="$(($1))" conv=notrunc status=none
		shift 2
	done
	if make_payload -o bad bad.elf 2>stderr; then
		fail "relocs/bad-$name" "is taken"
	elif ! grep -q "^mkpayload: bad.elf: $pattern" stderr; then
		fail "relocs/bad-$name" "says: $(cat stderr)"
	else
		pass "relocs/bad-$name" "$(sed 's/^mkpayload: bad.elf: //' stderr)"
	fi
}

# offset_of ELF SECTION: the section's offset in the file.
offset_of() {
	echo $((0x$(readelf -SW "$1" 2>/dev/null | sed 's/\[ *//' |
		awk -v name="$2" '$2 == name { print $5 }')))
}

# shellcheck disable=SC2086 # several arguments
link kept.elf $first -fno-pic $kept
at=$(offset_of kept.elf .rela.text)
spoilt kept-type 'relocation of type 37 at 0x1000002 cannot' kept.elf \
	$((at + 8)) '\045'
spoilt kept-type-16 'relocation of type 12 at 0x1000002 cannot' kept.elf \
	$((at + 8)) '\014'
spoilt kept-offset 'relocation at 0x1f00002 is outside its section' kept.elf \
	$((at + 2)) '\0360\001'
spoilt kept-symbol 'relocation for symbol 65535, but there are 19 symbols' kept.elf \
	$((at + 12)) '\0377\0377'
spoilt kept-twice 'two relocations overlap at offset 0x5' kept.elf \
	$((at + 8)) '\012' $((at + 24)) '\005' $((at + 32)) '\012'
sections=$(number 40 8 kept.elf)
text=$(readelf -SW kept.elf 2>/dev/null | sed 's/\[ *//' |
	awk '$2 == ".rela.text" { print $1 + 0 }')
spoilt kept-segment 'relocations for section .*, which lies in no segment' \
	kept.elf $((sections + 64 + 16)) '\0\0\0\0\1'
spoilt kept-symbols 'relocation for symbol .*, but there are .* symbols' kept.elf \
	$((sections + 64 * text + 40)) '\001'

# An entry of the global offset table that ld cannot avoid.
echo 'void slot(void) { asm volatile("pushq table@GOTPCREL(%rip)"); }' |
	cat kernel.c - >got.c
link got.elf $first -static -no-pie -fpic -Wl,--emit-relocs -T flat.ld got.c
spoilt kept-got 'relocation of type 9 at .* cannot be done .*: compile with -fno-pic' got.elf \
	0 '\0177'
# LLVM's linker keeps relocations for the table that it has made unnecessary.
if command -v ld.lld >/dev/null; then
	# shellcheck disable=SC2086 # several arguments
	link lld.elf $first -fuse-ld=lld -fpic $kept
	spoilt kept-got-lld 'relocation of type 42 at .*: compile with -fno-pic, or link a static PIE' \
		lld.elf 0 '\0177'
fi

# shellcheck disable=SC2086 # several arguments
link pie.elf 0 $pie
at=$(offset_of pie.elf .rela.dyn)
spoilt pie-type 'relocation of type 6 at 0x.* cannot be done' pie.elf \
	$((at + 8)) '\006'
spoilt pie-offset 'relocation at 0x.* is outside the payload' pie.elf \
	$((at + 4)) '\001'
spoilt pie-bss 'relocation at 0x.* is outside the payload' pie.elf \
	"$at" '\000\0060'
spoilt pie-twice 'two relocations overlap' pie.elf $((at + 24)) \
	"$(od -An -v -to1 -j "$at" -N 8 pie.elf | sed 's/ /\\0/g')"
at=$(offset_of pie.elf .dynamic)
spoilt pie-library 'not a kernel: needs a shared library' pie.elf "$at" '\001'
spoilt pie-soname 'not a kernel: a shared library' pie.elf "$at" '\016'
spoilt pie-rel 'relocations without addends (DT_REL), .*: link with' pie.elf "$at" '\021'
spoilt pie-jmprel 'calls through a procedure linkage table (DT_JMPREL), .* link with' pie.elf "$at" '\027'
rela=$(readelf -dW pie.elf 2>/dev/null | sed -n '/Tag/,$p' | grep -n '(RELA) ' |
	cut -d : -f 1)
rela=$((at + (rela - 2) * 16))
spoilt pie-table 'dynamic relocations, .* are in no segment' pie.elf \
	$((rela + 8 + 3)) '\001'
spoilt pie-table-size 'dynamic relocations, .* are in no segment' pie.elf \
	$((rela + 24 + 2)) '\001'
spoilt pie-endless 'the dynamic section has no DT_NULL in its' pie.elf \
	$((64 + 2 * 56 + 32)) '\060\000'

# A kernel without the note of Linux that has absolute page tables stays where it is
# linked.
fixed() {
	sed 's/note PT_NOTE/note PT_NULL/' linux.ld >fixed.ld
	link fixed.elf 0x1000000 -static -no-pie -fno-pic -Wl,--emit-relocs \
		-T fixed.ld linux.c && make_payload -o fixed fixed.elf ||
		return 1
	[ "$(info_of fixed kernel)" = 'plain ELF, five-level paging' ] &&
		[ "$(info_of fixed 'relocation size')" = 0 ]
}

# ---- Linux ----

# A kernel with the kinds of references that Linux 6.1 has: per-CPU data linked at 0,
# notes, and a symbol that is absolute for ld.
cat >linux.c <<'END'
__attribute__((section(".percpu"))) long counter = 1, *address = &counter + 8;
__attribute__((section(".percpu"))) void *kernel_address = &kernel_address;
extern long init_counter;
/* Linux 6.12 finds instructions to patch by distances in sections runtime_*. */
asm(".section runtime_x, \"a\"; .long value - ., value - .; .previous");
long value = 2;
__attribute__((section(".note.a"), aligned(4))) const struct {
	unsigned int namesz, descsz, type;
	char name[8];
	void *desc;
} note = { 6, 8, 1, "Linux", &value };
void *const pointers[] = { &value, &counter, &init_counter };
void _start(void)
{
	asm volatile("incq %gs:counter(%rip); movq $counter, %rax\n\t"
		     "movq $value, %rcx; leaq init_counter(%rip), %rdx\n\t"
		     "leaq value(%rip), %rdx");
	for (;;)
		;
}
END
cat >linux.ld <<'END'
PHDRS { text PT_LOAD; percpu PT_LOAD; data PT_LOAD; note PT_NOTE; }
SECTIONS
{
	. = 0xffffffff80000000 + BASE;
	.text : AT(BASE) { *(.text*) } :text
	runtime_x : AT(ADDR(runtime_x) - 0xffffffff80000000) { *(runtime_x) } :text
	.rodata : AT(ADDR(.rodata) - 0xffffffff80000000) { *(.rodata*) } :text
	.notes : AT(ADDR(.notes) - 0xffffffff80000000) { *(.note.a) } :text :note
	load = ALIGN(4096);
	.percpu 0 : AT(load - 0xffffffff80000000) { *(.percpu) } :percpu
	. = load + 4096;
	.data : AT(ADDR(.data) - 0xffffffff80000000) { *(.data*) } :data
	init_counter = ABSOLUTE(counter + load);
	/DISCARD/ : { *(.comment .note* .eh_frame) }
}
END
# Only the address in the note is not relocated.
linux_moved() {
	set -- -static -no-pie -fno-pic -Wl,--emit-relocs -T linux.ld linux.c
	link first.elf 0x1000000 "$@" && link second.elf 0x1200000 "$@" ||
		return 1
	make_payload -o first first.elf && make_payload -o second second.elf ||
		return 1
	info_of first kernel >info && cat info
	plain_of second >second.out
	[ "$("$relocated" first.bin second.out moved.out)" = 0x200000 ] ||
		return 1
	cmp -l moved.out second.out >differ 2>&1 || :
	cat differ
	at=$((0x$(nm first.elf | sed -n 's/ . note$//p' | tail -c 7) + 26))
	[ "$(awk '/EOF/ { next } { print $1 - 1 }' differ)" = "$at" ] ||
		return 1
	grep -q 'Linux, relocatable, KASLR' info
}
expect relocs/linux linux_moved

# Linux's build may blank a kept relocation. All of it is 0 then, also the place.
blank_is_taken() {
	cp first.elf blank.elf
	head -c 24 /dev/zero | dd of=blank.elf bs=1 conv=notrunc status=none \
		seek="$(offset_of first.elf .relaruntime_x)" || return 1
	make_payload -o blank blank.elf && cmp first.bin blank.bin
}
expect relocs/linux-blank blank_is_taken
# Blank relocations for a section that is not loaded say nothing, either.
blank_is_ignored() {
	link stray.elf 0x1000000 -static -no-pie -fno-pic -Wl,--emit-relocs \
		-T stray.ld linux.c || return 1
	head -c 48 /dev/zero | dd of=stray.elf bs=1 conv=notrunc status=none \
		seek="$(offset_of stray.elf .relaruntime_x)" || return 1
	make_payload -o stray stray.elf && info_of stray kernel | grep KASLR
}
sed '/runtime_x/d
	s|/DISCARD/|runtime_x 0x80000 : { *(runtime_x) } :NONE\n\t/DISCARD/|' linux.ld >stray.ld
expect relocs/linux-blank-stray blank_is_ignored

# warned ELF KERNEL PATTERN: mkpayload takes ELF as KERNEL, which --info prints,
# without relocations, and warns.
warned() {
	make_payload -o warned "$1" 2>stderr || return 1
	info_of warned kernel >info
	cat stderr info
	[ "$(cat info)" = "$2" ] && [ "$(wc -l <stderr)" -eq 1 ] &&
		[ "$(info_of warned 'relocation size')" = 0 ] &&
		grep -q "^mkpayload: $1: warning: $3: it runs at its link address, without KASLR: use the bzImage of the same build\$" stderr
}
# Linux's build keeps .relaruntime_* in vmlinux, and removes all others (6.12).
objcopy --remove-section='.rela.*' first.elf stripped.elf
expect relocs/linux-stripped warned stripped.elf Linux \
	'Linux without the relocations of .text, only with .relaruntime_x and 0 more'
objcopy --remove-section='.rela*' first.elf bare.elf
expect relocs/linux-bare warned bare.elf Linux 'Linux without relocations'
# A part of the relocations that would move something, but not the code.
objcopy --remove-section='.rela.text' first.elf part.elf
expect relocs/linux-part warned part.elf Linux \
	'Linux without the relocations of .text, only with .rela[^ ]* and [1-9] more'
# Code without absolute addresses, and nothing else that moves.
cat >still.c <<'END'
__attribute__((section(".note.a"), aligned(4))) const struct {
	unsigned int namesz, descsz, type;
	char name[8];
} note = { 6, 0, 1, "Linux" };
extern long value;
asm(".data; value: .quad 2; .text");
void _start(void) { value++; for (;;); }
END
link still.elf 0x1000000 -static -no-pie -fpie -Wl,--emit-relocs -T linux.ld \
	-Wl,--defsym,counter=0 still.c
expect relocs/linux-still warned still.elf Linux \
	'Linux whose relocations move nothing, .rela.text and 0 more'
expect relocs/fixed fixed

exit "$failed"
