#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Good kernels: mkpayload makes the same payload as other tools do (readelf, dd, xz,
# lz4, zstd), describes it in the header, and writes what the linker needs.
# Functions run as arguments of expect; a backslash may end a string.
# shellcheck disable=SC2317,SC1003

set -eu
# shellcheck source=tests/unit/mkpayload.sh
. tests/unit/mkpayload.sh

# number OFFSET SIZE FILE: an unsigned little-endian number.
number() {
	od -An -v "-tu$2" -j "$1" -N "$2" "$3" | tr -d ' \n'
}

# flatten ELF OUT: writes the ELF file's memory image, made by readelf and dd. Sets
# $link_addr, $file_size and $mem_size.
flatten() {
	readelf -lW "$1" | awk '$1 == "LOAD" { print $2, $4, $5, $6 }' |
		sort -k 2 >segments
	link_addr=$(($(awk 'NR == 1 { print $2 }' segments)))
	file_size=0
	mem_size=0
	rm -f "$2"
	while read -r offset paddr filesz memsz; do
		at=$((paddr - link_addr))
		mem_size=$((at + memsz))
		[ $((filesz)) -ne 0 ] || continue
		dd if="$1" of="$2" bs=1M iflag=skip_bytes,count_bytes \
			oflag=seek_bytes conv=notrunc status=none \
			skip=$((offset)) count=$((filesz)) seek=$((at))
		file_size=$((at + filesz))
	done <segments
}

# extract BZIMAGE PROGRAM OUT: writes the ELF file that is packed in the bzImage. The
# program is the codec's own.
extract() {
	setup=$((($(number 497 1 "$1") + 1) * 512))
	at=$((setup + $(number 584 4 "$1")))
	size=$(number 588 4 "$1")
	[ "$2" = gzip ] || size=$((size - 4))
	dd if="$1" of=stream bs=1M iflag=skip_bytes,count_bytes status=none \
		skip="$at" count="$size"
	"$2" -dc <stream >"$3"
}

# unpack PREFIX: writes the flat image and the relocations of PREFIX.bin to PREFIX.flat
# and PREFIX.relocs.
unpack() {
	plain_of "$1" >"$1.out"
	head -c "$(number 40 8 "$1.bin")" "$1.out" >"$1.flat"
	tail -c "+$(($(number 40 8 "$1.bin") + 1))" "$1.out" >"$1.relocs"
}

# header_is FILE FLAGS LINK ALIGN ENTRY FILE_SIZE MEM_SIZE RELOC_SIZE
header_is() {
	got="$(head -c 8 "$1" | tr '\0' .) $(number 8 4 "$1") \
$(number 12 4 "$1") $(number 16 8 "$1") $(number 24 8 "$1") \
$(number 32 8 "$1") $(number 40 8 "$1") $(number 48 8 "$1") \
$(number 56 8 "$1") $(number 72 8 "$1") $(number 96 8 "$1")"
	want="sevstub. 3 $2 $(($3)) $(($4)) $(($5)) $(($6)) $(($7)) $(($8)) \
$(($(wc -c <"$1") - header_size)) 1"
	echo "header: $got, expected: $want"
	[ "$got" = "$want" ]
}

# The low half of a file's XXH64, which zstd has as the checksum of its frame.
xxh64_low() {
	zstd -1 -qc --check "$1" >checksummed
	tail -c 4 checksummed | od -An -tx4 | tr -d ' \n'
}

# virtual_address_is FILE ADDRESS
virtual_address_is() {
	[ "$(od -An -tx8 -j 88 -N 8 "$1" | tr -d ' ')" = "$2" ]
}

digests_are_right() {
	tail -c +$((header_size + 1)) "$1" >digested
	[ "$(xxh64_low digested)" = \
		"$(od -An -tx4 -j 80 -N 4 "$1" | tr -d ' ')" ] || return 1
	head -c $((header_size - 8)) "$1" >digested
	[ "$(xxh64_low digested)" = \
		"$(od -An -tx4 -j $((header_size - 8)) -N 4 "$1" | tr -d ' ')" ]
}

# symbol NAME: the symbol's value in x.o. The symbol must be global, hidden and absolute.
symbol() {
	readelf -sW x.o | awk -v name="$1" '
		$8 == name && $5 == "GLOBAL" && $6 == "HIDDEN" && $7 == "ABS" {
			print $2
		}'
}

symbols_are() {
	while [ $# -gt 0 ]; do
		value=$(symbol "payload_$1")
		echo "payload_$1 is 0x$value, expected $2"
		[ -n "$value" ] && [ $((0x$value)) -eq $(($2)) ] || return 1
		shift 2
	done
}

# assembled PREFIX: makes x.o from PREFIX.S, in another directory than PREFIX.bin's.
assembled() {
	mkdir -p asm
	cp "$1.S" asm/x.S
	"$CC" -c -Wa,--fatal-warnings -Wa,--noexecstack -I "$(dirname "$1")" \
		-o x.o asm/x.S
}

section() {
	rm -f section.out
	objcopy -O binary --set-section-flags "$1=alloc,contents" -j "$1" \
		x.o section.out
	cat section.out
}

# string_is SECTION TEXT: the section is the text and a NUL.
string_is() {
	section "$1" >string.got
	printf '%s\0' "$2" >string.want
	cmp string.got string.want
}

# text_is SECTION TEXT, without a NUL.
text_is() {
	section "$1" >string.got
	printf '%s' "$2" >string.want
	cmp string.got string.want
}

make_payload() {
	"$mkpayload" --level 1 -q "$@"
}


# ---- good: ELF files ----

# flat_is_right ELF: x.bin holds ELF's segments.
flat_is_right() {
	flatten "$1" flat && unpack x && cmp flat x.flat
}
good_elf() {
	name=$1
	shift
	elf good2.elf "$@"
	make_payload -o x good2.elf || return 1
	expect "good/$name-image" flat_is_right good2.elf
}
# The header's flags: 1 Linux, 2 relocatable, 4 five-level paging.
good_elf plain
expect good/plain-header header_is x.bin 4 0x200000 0x1000 0x10 \
	0x5123 0xa000 0
expect good/plain-digests digests_are_right x.bin
good_elf order p_paddr.0=0x205000 p_paddr.2=0x200000 p_memsz.2=0x1000 \
	e_entry=0x205010
expect good/order-header header_is x.bin 4 0x200000 0x1000 0x5010 0x6733 0x6733 0
good_elf touching p_memsz.0=0x3000
good_elf without-sections sections=0
good_elf zero-padding tail=0,0,0
expect good/zero-padding-header header_is x.bin 4 0x200000 0x1000 0x10 \
	0x5123 0xa000 0
good_elf empty-segment p_filesz.1=0 p_memsz.1=0 p_paddr.1=0x200010
good_elf only-bss-last p_filesz.2=0
expect good/only-bss-header header_is x.bin 4 0x200000 0x1000 0x10 \
	0x3321 0xa000 0
# Segments and sections without bytes in the file may name any offset, as Unikraft's
# empty PT_TLS and a segment that only has .bss do.
good_elf empty-load p_filesz.2=0 p_offset.2=0x10000123
expect good/empty-load-header header_is x.bin 4 0x200000 0x1000 0x10 \
	0x3321 0xa000 0
good_elf empty-load-end p_filesz.2=0 p_offset.2=0xfffffffffffff000
good_elf empty-tls note=odd p_type.3=7 p_filesz.3=0 p_memsz.3=0 \
	p_offset.3=0xfffffffffffff000
good_elf empty-note note=odd p_filesz.3=0 p_memsz.3=0 p_offset.3=0x10000000
good_elf empty-dynamic note=odd p_type.3=2 p_filesz.3=0 p_offset.3=0x10000000
good_elf empty-section sh_size.1=0 sh_offset.1=0xfffffffffffff000
good_elf percpu-like p_vaddr.1=0
good_elf two-gib p_memsz.2=0x7fffb000 p_vaddr.2=0x205000
expect good/two-gib-header header_is x.bin 4 0x200000 0x1000 0x10 \
	0x5123 0x80000000 0
good_elf last-page p_vaddr.1=0xfffffffffffff000 p_memsz.1=0x1000

# The alignment is the largest p_align, and at least 4 KiB and at most 2 MiB.
good_elf align-small p_align.0=1 p_align.1=0 p_align.2=16
expect good/align-small-header header_is x.bin 4 0x200000 0x1000 0x10 \
	0x5123 0xa000 0
good_elf align-middle p_align.1=0x4000 p_vaddr.1=0xffffffff80203000
expect good/align-middle-header header_is x.bin 4 0x200000 0x4000 0x10 \
	0x5123 0xa000 0
good_elf align-large p_align.1=0x40000000 p_vaddr.1=0xffffffff80003000
expect good/align-large-header header_is x.bin 4 0x200000 0x200000 0x10 \
	0x5123 0xa000 0

# e_entry may be a physical or a virtual address, or could be both.
good_elf entry-virtual e_entry=0xffffffff80203001
expect good/entry-virtual-header header_is x.bin 4 0x200000 0x1000 0x3001 \
	0x5123 0xa000 0
good_elf entry-both p_vaddr.1=0x200000
expect good/entry-both-header header_is x.bin 4 0x200000 0x1000 0x3010 \
	0x5123 0xa000 0
good_elf entry-both-linux p_vaddr.1=0x200000 note=Linux
expect good/entry-both-linux-header header_is x.bin 1 0x200000 0x200000 0x10 \
	0x5123 0xa000 0

# mkpayload recognises Linux by its note or by its relocation table.
good_elf note-linux note=Linux
expect good/note-linux-header header_is x.bin 1 0x200000 0x200000 0x10 \
	0x5123 0xa000 0
good_elf note-cut note=Linux p_filesz.3=36
expect good/note-cut-header header_is x.bin 4 0x200000 0x1000 0x10 \
	0x5123 0xa000 0
good_elf note-xen note=Xen
expect good/note-xen-header header_is x.bin 4 0x200000 0x1000 0x10 \
	0x5123 0xa000 0

# A relocation table makes the kernel relocatable. mkpayload stores differences, in
# LEB128.
stored_relocs_are() {
	unpack x
	od -An -v -tx1 x.relocs | tr -d '\n' >relocs.got
	echo "stored:$(cat relocs.got), expected: $*"
	[ "$(cat relocs.got)" = " $*" ]
}
elf good2.elf tail=0,0x80200010,0x80200008,0,0x80200020,0,0x8020511f,0x80205000
make_payload -o x good2.elf
expect good/relocs-old-image flat_is_right good2.elf
expect good/relocs-old-header header_is x.bin 11 0x200000 0x200000 0x10 \
	0x5123 0xa000 11
expect good/relocs-old stored_relocs_are 02 08 00 01 20 02 80 a0 01 9b 02
elf good2.elf tail=0,0x80200008,0,0x80205000
make_payload -o x good2.elf
expect good/relocs-new-image flat_is_right good2.elf
expect good/relocs-new stored_relocs_are 01 08 00 01 80 a0 01
elf good2.elf tail=0,0,0x80200000,0x80200083,0x80204107 p_memsz.2=0x123
make_payload -o x good2.elf
expect good/relocs-last-memory header_is x.bin 11 0x200000 0x200000 0x10 \
	0x5123 0x5123 8
expect good/relocs-lengths stored_relocs_are 00 00 03 00 7f 80 81 01

# ---- kernels whose entry may not be Linux's ----

# warned WARNING ELF: mkpayload takes the ELF file, and warns of its entry.
warned() {
	make_payload -o x "$2" 2>stderr || return 1
	cat stderr
	[ "$(wc -l <stderr)" -eq 1 ] && [ -s x.bin ] &&
		grep -q "^mkpayload: $2: warning: $1: the stub enters 0x200010 in 64-bit mode with Linux's zero page in %rsi; a kernel that expects something else stops there without a message\$" stderr
}
# entry_is NAME WARNING [FIELD=VALUE]...: the same for a file of mkelf.
entry_is() {
	name=$1 warning=$2
	shift 2
	elf kind.elf "$@"
	expect "entry/$name" warned "$warning" kind.elf
}
# entry_is_ours NAME [FIELD=VALUE]...: no warning.
unwarned() {
	make_payload -o x "$1" 2>stderr && cat stderr && [ ! -s stderr ]
}
entry_is_ours() {
	name=$1
	shift
	elf kind.elf "$@"
	expect "entry/$name" unwarned kind.elf
}
m1='a Multiboot header makes e_entry a 32-bit entry'
m2='a Multiboot2 header makes e_entry a 32-bit entry'
# Magic, flags, checksum; with flag 16 also five addresses, the last one the entry.
entry_is multiboot "$m1" poke=0x1100:0x1badb002,3,0xe4524ffb
entry_is multiboot-last "$m1" sections=0 poke=0x1ff4:0x1badb002,3,0xe4524ffb
entry_is multiboot-address "$m1" \
	poke=0x1100:0x1badb002,0x10003,0xe4514ffb,0x200100,0x200000,0,0,0x200010
entry_is_ours multiboot-other \
	poke=0x1100:0x1badb002,0x10003,0xe4514ffb,0x200100,0x200000,0,0,0x200800
entry_is_ours multiboot-checksum poke=0x1100:0x1badb002,3,0xe4524ffc
entry_is_ours multiboot-late poke=0x3000:0x1badb002,3,0xe4524ffb
entry_is_ours multiboot-linux note=Linux tail=0,0,0x80200000 \
	poke=0x1100:0x1badb002,3,0xe4524ffb
# Magic, architecture, length, checksum, tags.
entry_is multiboot2 "$m2" poke=0x3000:0xe85250d6,0,24,0x17adaf12,0,8
entry_is multiboot2-address "$m2" \
	poke=0x3000:0xe85250d6,0,40,0x17adaf02,3,12,0x200010,0,0,8
entry_is_ours multiboot2-other \
	poke=0x3000:0xe85250d6,0,40,0x17adaf02,3,12,0x200800,0,0,8
entry_is_ours multiboot2-mips poke=0x3000:0xe85250d6,4,24,0x17adaf0e,0,8
entry_is multiboot2-bad-tag "$m2" poke=0x3000:0xe85250d6,0,24,0x17adaf12,3,64
entry_is pvh "a note of Xen makes e_entry PVH's 32-bit entry" \
	note=Xen:18:0x200010
entry_is pvh-64 "a note of Xen makes e_entry PVH's 32-bit entry" \
	note=Xen:18:0x200010,0
entry_is_ours pvh-other note=Xen:18:0x200800
entry_is_ours pvh-short note=Xen:18:
entry_is xen 'a note of Xen makes e_entry the entry of a paravirtual guest' \
	note=Xen:1:0x80200010,0xffffffff e_entry=0xffffffff80200010
entry_is freebsd 'EI_OSABI says that the file is for FreeBSD' ei_osabi=9
entry_is netbsd 'a note says that the file is for NetBSD' note=NetBSD:1:0
entry_is_ours standalone ei_osabi=255
entry_is_ours build-id note=GNU:3:0,1,2,3,4
entry_is_ours hurd note=GNU:1:1,0,0,0
"$CC" -c -o list.o -x assembler - <<'END'
	.globl _start
_start:	hlt
	.section __u_boot_list, "a"
	.long 1
END
"$CC" -static -no-pie -nostdlib -Wl,-z,max-page-size=4096,-z,noexecstack \
	-Wl,-Ttext=0x200010,--build-id=none -o list.elf list.o
expect entry/u-boot warned 'the file is U-Boot, which its own first stage starts' \
	list.elf

# A kernel that gcc and ld have made, compared with objcopy's output.
cat >kernel.c <<'END'
int data[300] = { 1, 2, 3 };
int bss[7000];
void _start(void) { data[1] = bss[2]; for (;;); }
END
"$CC" -w -O1 -static -no-pie -nostdlib -ffreestanding -Wl,-Ttext-segment=0x200000 \
	-Wl,--build-id=none -o kernel.elf kernel.c
linked_is_right() {
	make_payload -o x kernel.elf && flat_is_right kernel.elf || return 1
	objcopy -O binary kernel.elf objcopy.flat || return 1
	# objcopy copies sections only, so its output may begin after the ELF header.
	section_start=$(readelf -SW kernel.elf | sed 's/\[ *//' |
		awk '$8 ~ /A/ && $4 != 0 { print $4 }' | sort | head -n 1)
	tail -c "+$((0x$section_start - link_addr + 1))" x.flat >from.section
	cmp -n "$(wc -c <objcopy.flat)" from.section objcopy.flat &&
		[ $(($(number 48 8 x.bin) - $(number 40 8 x.bin))) -ge 28000 ]
}
expect good/linked linked_is_right

# ---- good: what goes into the link ----
bzimage fields.bz zstd root_flags=0x1234 ram_size=0x4321 vid_mode=0xffef \
	root_dev=0x0801 cmdline_size=511 min_alignment=16 xloadflags=0x71 \
	kernel_alignment=0x100000 relocatable_kernel=0 text='6.6 (you@there) "\'
# shellcheck disable=SC2016 # nothing is to be expanded
cmdline='console=ttyS0 a="b c" \n \0 %d ${x} $(y) /* ü'
make_payload --cmdline "$cmdline" -o x fields.bz
expect good/assembly assembled x
expect good/assembly-header header_is x.bin 5 0x200000 0x100000 0x10 \
	0x5123 0xa000 0
expect good/assembly-symbols symbols_are header_size "$header_size" link_addr 0x200000 align 0x100000 \
	min_align_shift 16 relocatable 0 out_size 0x5123 mem_size 0xa000 \
	margin "$(number 64 8 x.bin)" xloadflags 0x70 cmdline_size 511 \
	root_flags 0x1234 ram_size 0x4321 vid_mode 0xffef root_dev 0x0801
expect good/assembly-version text_is .setup.version '6.6 (you@there) "\'
expect good/assembly-cmdline string_is .rodata.cmdline "$cmdline"
payload_section_is() {
	section .payload | cmp - "$1" || return 1
	nm x.o >nm.out
	cat nm.out
	[ $((0x$(awk '$3 == "payload_end" { print $1 }' nm.out) -
	     0x$(awk '$3 == "payload_start" { print $1 }' nm.out))) -eq \
		"$(wc -c <"$1")" ]
}
expect good/assembly-payload payload_section_is x.bin

sections_are_read_only() {
	readelf -SW x.o | sed 's/\[ *//' >sections.out
	for s in .payload .setup.version .rodata.cmdline; do
		awk -v s="$s" '$2 == s && $8 == "A" { ok = 1 }
			END { exit !ok }' sections.out || return 1
	done
	awk '$2 == ".payload" && $NF == 16 { ok = 1 } END { exit !ok }' \
		sections.out && grep -q 'note.GNU-stack' sections.out
}
expect good/assembly-sections sections_are_read_only

# xloadflags allow five levels in the kernel's own boot stage, which is not part of the
# payload, but not in the kernel. The stub must enter the kernel with four levels.
bzimage la57.bz zstd xloadflags=0x21
make_payload -o x la57.bz
expect good/la57-boot-stage-only [ "$(number 12 4 x.bin)" = 3 ]
# Sizes of an image whose relocation table is longer than its memory.
elf good2.elf tail=0,0,0x80200000 p_memsz.2=0x123
make_payload -o x good2.elf
assembled x
expect good/assembly-out-size symbols_are out_size $((0x5123 + 4)) \
	mem_size $((0x5123 + 4)) relocatable 1 min_align_shift 21 \
	xloadflags 0 cmdline_size 2047 root_flags 1 ram_size 0 vid_mode 0xffff

mkdir 'odd "name\'
make_payload -o 'odd "name\/a "b\1' good.elf
expect good/assembly-odd-name assembled 'odd "name\/a "b\1'
expect good/assembly-odd-payload payload_section_is 'odd "name\/a "b\1.bin'

cp good.elf 'my kernel "ü"'
make_payload -o x 'my kernel "ü"'
assembled x
expect good/version-elf text_is .setup.version 'my_kernel_"__"'
long=$(printf '%0150d' 0)
cp good.elf "$long"
make_payload -o x "$long"
assembled x
expect good/version-long text_is .setup.version \
	"$(printf '%0120d' 0)"
expect good/cmdline-empty string_is .rodata.cmdline ''
longest=$(printf '%2047s' x)
make_payload -o x --cmdline "$longest" good.elf
assembled x
expect good/cmdline-longest string_is .rodata.cmdline "$longest"

# ---- good: bzImages, all codecs ----
make_payload -o plain good.elf
for codec in gzip xz lz4 zstd bzip2 lzma lzo; do
	bzimage good2.bz $codec
	make_payload -o x good2.bz
	expect "good/bzimage-$codec" cmp -i "$header_size" plain.bin x.bin
done
expect good/bzimage-header header_is x.bin 3 0x200000 0x200000 0x10 \
	0x5123 0xa000 0
bzimage good2.bz zstd setup_sects=2 kernel_version=0
make_payload -o x good2.bz
assembled x
expect good/bzimage-no-version text_is .setup.version 'good2.bz'
# The highest address that leaves the stub its 1 MiB below 4 GiB: the link accepts it.
elf high.elf p_paddr.0=0xffef6000 p_paddr.1=0xffef9000 p_paddr.2=0xffefb000 \
	e_entry=0xffef6010
expect good/below-4g "$top/tools/mkimage" --codec none -o high.img high.elf
cat good.bz good.elf >signed.bz
expect good/bzimage-signed make_payload -o x signed.bz

# ---- other codecs ----

# codec_is NUMBER DECODER OPTION...: the codec's own program unpacks the payload.
codec_is() {
	id=$1 decoder=$2
	shift 2
	"$mkpayload" -q -o c "$@" good.elf && assembled c || return 1
	tail -c +$((header_size + 1)) c.bin >stream
	case $decoder in
	unlz4) lz4 -dcq <stream >c.out ;;
	unstore) cat stream >c.out ;;
	esac
	plain_of plain | cmp - c.out || return 1
	[ "$(number 96 4 c.bin)" = "$id" ] || return 1
	# payload_decode is a jump to the decoder.
	objdump -dr x.o | grep -q "R_X86_64_P.*[[:space:]]$decoder"
}
expect codec/lz4 codec_is 2 unlz4 --codec lz4
expect codec/lz4-level codec_is 2 unlz4 --codec lz4 --level 3
expect codec/none codec_is 3 unstore --codec none

# A payload of several blocks of lz4.
elf large.elf p_memsz.1=0x1000 p_paddr.2=0x1a00000
lz4_blocks() {
	"$mkpayload" -q --codec lz4 -o l large.elf && unpack_lz4 || return 1
	flatten large.elf flat && cmp flat l.out &&
		"$mkpayload" --info l.bin >info && cat info &&
		grep -q 'codec: lz4' info
}
unpack_lz4() {
	tail -c +$((header_size + 1)) l.bin | lz4 -dcq >l.out
}
expect codec/lz4-blocks lz4_blocks

# auto_is HOW CODEC KERNEL [UNIT]: --codec auto chooses the codec, and prints why.
auto_is() {
	"$mkpayload" --codec auto --launch "$1" -o a "$3" 2>stderr ||
		return 1
	tail -n 1 stderr
	[ "$("$mkpayload" --info a.bin | sed -n 's/^codec: //p')" = "$2" ] &&
		tail -n 1 stderr | grep -qE "^mkpayload: launch $1, [0-9]+ ns a KiB and decoding: .*$2[^,]* ${4:-ms} \(chosen\)"
}
# A payload that zstd halves, and lz4 does not.
od -An -v -tx1 "$O/mkpayload" | tr -d ' ' | head -c 1000000 >hex
echo '.globl _start; _start: .incbin "hex"' >hex.S
"$CC" -static -no-pie -nostdlib -Wl,-Ttext-segment=0x200000 \
	-Wl,--build-id=none -o hex.elf hex.S
expect codec/auto-psp auto_is psp zstd hex.elf
expect codec/auto-hash auto_is hash lz4 hex.elf us
# With a payload of 4 KiB no codec saves as much as its decoder takes in the image.
elf small.elf p_filesz.0=0x1000 p_memsz.0=0x1000 p_type.1=0 p_type.2=0
expect codec/auto-small auto_is psp none small.elf
expect codec/auto-small-hash auto_is hash none small.elf us
auto_default() {
	"$mkpayload" -q --codec auto -o b good.elf &&
		"$mkpayload" --codec auto --launch psp -q -o a good.elf &&
		cmp a.bin b.bin
}
expect codec/auto-default auto_default

# ---- filters ----

# Calls of one function from many places, with a varying distance between them; a table
# as the linker makes Linux's .orc_unwind_ip; ascending numbers and random ones in
# .rodata.
awk 'BEGIN {
	srand(3)
	print "\t.text\n\t.globl _start\n_start:\n\tret"
	for (i = 0; i < 3000; i++) {
		printf "\tcall _start\nl%d:\n", i
		for (n = int(rand() * 9); n; n--)
			printf "\t.byte 0x48, 0x89, %d\n", 192 + int(rand() * 64)
	}
	print "\t.section .orc_unwind_ip, \"a\""
	for (i = 0; i < 3000; i++)
		printf "\t.long l%d - .\n", i
	print "\t.section .rodata, \"a\"\n\t.balign 8"
	for (i = 0; i < 3000; i++)
		printf "\t.long %d\n", sum += int(rand() * 200)
	for (i = 0; i < 3000; i++)
		printf "\t.long %d\n", int(rand() * 2 ^ 30)
}' >calls.S
"$CC" -static -no-pie -nostdlib -Wl,-Ttext-segment=0x200000 -Wl,--build-id=none \
	-o calls.elf calls.S
# The same file without section headers, and without what follows the segments: e_shoff,
# e_shnum and e_shstrndx are 0.
head -c "$(readelf -lW calls.elf | awk '$1 == "LOAD" { print $2, $5 }' |
	while read -r offset filesz; do echo $((offset + filesz)); done |
	sort -n | tail -n 1)" calls.elf >bare.elf
for field in 40,8 60,4; do
	dd if=/dev/zero of=bare.elf bs=1 seek="${field%,*}" count="${field#*,}" \
		conv=notrunc status=none
done

# filtered ELF WANTED...: the payload has these filters, and the program "unfiltered"
# makes the ELF file's memory image of it.
filtered() {
	make_payload -o f "$1" && "$mkpayload" --info f.bin >info || return 1
	cat info
	flatten "$1" flat && plain_of f | cmp - flat || return 1
	shift
	for wanted; do
		grep -qE "^filter: [0-9]+ bytes at 0x[0-9a-f]+, $wanted" info ||
			return 1
	done
	[ "$(grep -c '^filter: ' info)" = $# ]
}
expect filter/sections filtered calls.elf 'branches$' \
	'relative, entries of 4 bytes, columns 0x1$' \
	'ascending, entries of 4 bytes, columns 0x1$'
# Without names the table is found because its numbers ascend, either way.
expect filter/no-sections filtered bare.elf 'branches$' \
	'(relative|ascending), entries of 4 bytes, columns 0x1$' \
	'ascending, entries of 4 bytes, columns 0x1$'
unfiltered_is_larger() {
	make_payload -o n --filter no calls.elf && make_payload -o f calls.elf &&
		"$mkpayload" --info n.bin >info && ! grep '^filter: ' info &&
		[ "$(wc -c <n.bin)" -gt "$(wc -c <f.bin)" ] &&
		plain_of n >n.out && plain_of f | cmp - n.out
}
expect filter/no unfiltered_is_larger
# lz4 and none have no filters, unless the user wants them.
filter_by_codec() {
	for codec in lz4 none; do
		"$mkpayload" -q --codec "$codec" -o d calls.elf &&
			"$mkpayload" -q --codec "$codec" --filter yes -o y calls.elf ||
			return 1
		! "$mkpayload" --info d.bin | grep '^filter: ' &&
			"$mkpayload" --info y.bin | grep '^filter: ' || return 1
	done
}
expect filter/by-codec filter_by_codec
auto_tries_filters() {
	"$mkpayload" --codec auto -o a calls.elf 2>stderr && cat stderr &&
		tail -n 1 stderr | grep -qE 'zstd -12 filtered [0-9]+ bytes [0-9.]+ [um]s[ ,]' &&
		tail -n 1 stderr | grep -qE 'lz4 -12 filtered [0-9]+ bytes' &&
		tail -n 1 stderr | grep -qE 'filtered [0-9]+ bytes [0-9.]+ [um]s \(chosen\)' &&
		tail -n 1 stderr | grep -qE '; chosen because [0-9.]+ [um]s for the launch and [0-9.]+ [um]s for the decoder are least$'
}
expect filter/auto auto_tries_filters

# ---- progress and information ----
progress_is() {
	"$mkpayload" --level 1 -o x good.elf 2>stderr || return 1
	cat stderr
	[ "$(cat stderr)" = "mkpayload: compressing 20771 bytes, zstd -1" ]
}
expect good/progress progress_is
terminal_is_same() {
	cp x.bin before.bin
	TERM=dumb script -qec "$mkpayload --level 1 -o x good.elf" \
		/dev/null >tty.out </dev/null || return 1
	cat tty.out
	grep -q 'compressing 20771 bytes, zstd -1: 100%' tty.out &&
		cmp x.bin before.bin
}
if has_terminal; then
	expect good/progress-terminal terminal_is_same
else
	skip good/progress-terminal "script cannot make a pseudo-terminal here"
fi
silent() {
	"$mkpayload" --level 1 -q -o x good.elf >stdout 2>stderr &&
		[ ! -s stdout ] && [ ! -s stderr ]
}
expect good/quiet silent

info_is() {
	make_payload -o x fields.bz && "$mkpayload" --info x.bin >info || return 1
	cat info
	cat >info.want <<-END
		kernel: Linux, five-level paging
		link address: 0x200000
		virtual address: 0xffffffff80200000
		alignment: 0x100000
		entry offset: 0x10
		payload size: 20771
		memory size: 40960
		relocation size: 0
		codec: zstd
		compressed size: $(($(wc -c <x.bin) - header_size))
		margin: $(number 64 8 x.bin)
		digest: $(od -An -tx8 -j 80 -N 8 x.bin | tr -d ' ')
	END
	cmp info info.want
}
expect good/info info_is
info_needs_room() {
	! "$mkpayload" --info x.bin >/dev/full 2>stderr &&
		grep -q '^mkpayload: x.bin: cannot print: No space left' stderr
}
expect bad/info-output info_needs_room

# ---- report ----

report_is() {
	LD=${LD:-ld} "$top/tools/mkimage" --cmdline '' -o image good.elf >log ||
		return 1
	printf 'an initrd' >initrd
	"$mkpayload" --report image --initrd initrd --cmdline quiet >report ||
		return 1
	cat report
	total=$(wc -c <image)
	payload=$(number $((0x24c)) 4 image)
	setup=$((($(number $((0x1f1)) 1 image) + 1) * 512))
	sum=$(sha256sum <image | cut -d ' ' -f 1)
	grep -q "^setup: $setup bytes" report &&
		grep -q "^payload: $payload bytes" report &&
		grep -q "^stub: $((total - payload - setup)) bytes" report &&
		grep -q "^image: $total bytes" report &&
		grep -q "^codec: zstd, 20771 bytes unpacked" report &&
		grep -q "^memory: $(number $((0x260)) 4 image) bytes (init_size), " report &&
		grep -q "^launch: $((total * 250 / 1024 / 1000)) ms" report &&
		grep -q "^sha256 of image: $sum\$" report &&
		grep -q "^sha256 of kernel: $sum\$" report &&
		grep -q "^sha256 of initrd: $(sha256sum <initrd |
			cut -d ' ' -f 1)\$" report &&
		grep -q "^sha256 of cmdline: $(printf 'quiet\0' | sha256sum |
			cut -d ' ' -f 1)\$" report
}
expect report/all report_is
# Without initrd and command line the digests are those of nothing and of a NUL, because
# QEMU's table has no empty entries.
report_defaults() {
	"$mkpayload" --report image >report || return 1
	cat report
	grep -q "^sha256 of initrd: $(sha256sum </dev/null | cut -d ' ' -f 1)\$" \
		report &&
		grep -q "^sha256 of cmdline: $(printf '\0' | sha256sum |
			cut -d ' ' -f 1)\$" report
}
expect report/defaults report_defaults
# The list of sections has each section's size, and what a filter saves.
report_sections() {
	LD=${LD:-ld} "$top/tools/mkimage" -o calls.img calls.elf >log 2>&1 &&
		"$mkpayload" --report calls.img --kernel calls.elf >report || return 1
	cat report
	grep '^section ' report | while read -r _ name bytes _ before _ after _; do
		size=$((0x$(readelf -SW calls.elf | awk -v name="${name%:}" \
			'{ for (i = 1; i < NF; i++) if ($i == name) print $(i + 4) }')))
		[ "$bytes" -eq "$size" ] && [ "$before" -gt "$after" ] || return 1
	done && [ "$(grep -c '^section ' report)" = 3 ] &&
		grep -qE '^section \.orc_unwind_ip: 12000 bytes, [0-9]+ compressed, [0-9]+ with filters$' report
}
expect report/sections report_sections
# report_refuses PATTERN FILE OPTION...
report_refuses() {
	pattern=$1
	shift
	! "$mkpayload" --report "$@" >stdout 2>stderr || return 1
	cat stderr
	[ "$(wc -l <stderr)" -eq 1 ] && grep -q "^mkpayload: $pattern" stderr
}
# A changed bit of the compressed bytes, and one of the payload's header.
damaged() {
	cp image "$1"
	byte=$(number "$2" 1 "$1")
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\$(printf %o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
payload_at=$((($(number $((0x1f1)) 1 image) + 1) * 512 + $(number $((0x248)) 4 image)))
damaged flipped $((payload_at + 100))
damaged header $((payload_at - 80))
expect report/flipped report_refuses "flipped: damaged: the payload's compressed bytes have digest 0x" flipped
expect report/header report_refuses "header: damaged: the payload's header fields have digest 0x" header
expect report/no-image report_refuses 'good.elf: not a bzImage: --report needs' good.elf
expect report/other-image report_refuses 'good.bz: not made by mkimage: no payload header' good.bz
cp image cut
truncate -s 4096 cut
expect report/cut-image report_refuses 'cut: truncated: 4096 bytes, must be [0-9]* (' cut
# The last byte is padding, so that the digests would not show that it is missing.
head -c "$(($(wc -c <image) - 1))" image >cut-by-1
expect report/cut-by-1 report_refuses 'cut-by-1: truncated: [0-9]* bytes, must be [0-9]* (' cut-by-1
expect report/no-initrd report_refuses 'nowhere: No such file' image \
	--initrd nowhere

# A kernel of the same size, one byte of whose code differs.
cp calls.elf changed.elf
byte_at=$((0x$(readelf -SW calls.elf | awk '{ for (i = 1; i < NF; i++) if ($i == ".text") print $(i + 3) }')))
printf '\220' | dd of=changed.elf bs=1 seek="$byte_at" conv=notrunc status=none
expect report/changed-kernel report_refuses 'changed.elf: not the kernel in the image: the [0-9]* bytes differ' \
	calls.img --kernel changed.elf
# belongs_to_report OPTION: the option is refused in words, with and without a kernel.
belongs_to_report() {
	for kernel in "" good.elf; do
		# shellcheck disable=SC2086 # a name or nothing
		! "$mkpayload" -q -o x "$1" good.elf $kernel >stdout 2>stderr || return 1
		cat stderr
		[ "$(wc -l <stderr)" -eq 1 ] &&
			grep -q "^mkpayload: $1: this option belongs to --report" stderr || return 1
	done
}
expect report/kernel-alone belongs_to_report --kernel
expect report/initrd-alone belongs_to_report --initrd
expect report/other-kernel report_refuses 'calls.elf: not the kernel in the image: [0-9]* bytes and 0 of relocations, must be 20771 and 0' \
	image --kernel calls.elf

# bad_info NAME PATTERN COMMAND...: after the command has spoilt bad.bin, --info must
# refuse it.
bad_info() {
	name=$1
	pattern=$2
	shift 2
	cp x.bin bad.bin
	"$@"
	if ! "$mkpayload" --info bad.bin >stdout 2>stderr &&
		[ ! -s stdout ] && [ "$(wc -l <stderr)" -eq 1 ] &&
		grep -q "^mkpayload: bad.bin: .*$pattern" stderr; then
		pass "bad/info-$name"
	else
		fail "bad/info-$name" "$(cat stdout stderr)"
	fi
}
poke() {
	printf '%b' "$2" | dd of=bad.bin bs=1 seek="$1" conv=notrunc status=none
}
bad_info magic 'wrong magic' poke 0 X
bad_info version 'payload version 1' poke 8 '\0001'
bad_info field "header's digest differs" poke 20 '\0001'
bad_info stream "compressed bytes' digest differs" poke 5000 '\0001\0002\0003\0004'
bad_info short 'damaged: .* compressed bytes, must be' truncate -s -1 bad.bin
bad_info long 'damaged: .* compressed bytes, must be' truncate -s +1 bad.bin
bad_info truncated 'truncated: 111 bytes' truncate -s 111 bad.bin

# ---- deterministic ----
same_in_two_directories() {
	mkdir -p here there/deep
	cp good.bz here/k
	cp good.bz there/deep/k
	touch -d 2001-01-01 there/deep/k
	(cd here && "$O/mkpayload" -q -o x k)
	"$O/mkpayload" -q -o there/deep/x there/deep/k
	cmp here/x.bin there/deep/x.bin && cmp here/x.S there/deep/x.S
}
expect good/deterministic same_in_two_directories

# ---- Debian's kernels ----

# expected_relocs FILE OFFSET LINK-ADDRESS: prints the counts and the offsets of the
# three lists of Linux 6.1's relocation table.
expected_relocs() {
	tail -c "+$(($2 + 1))" "$1" | od -An -v -td4 -w4 |
		awk -v link="$3" '
		$1 == 0 { list++; next }
		{ count[list]++; offset[n++] = $1 + 2147483648 - link }
		END {
			for (i = 1; i <= 3; i++)
				print count[i] + 0
			for (i = 0; i < n; i++)
				print offset[i]
		}'
}

# stored_relocs FILE: prints the same from a table as mkpayload stores it.
stored_relocs() {
	od -An -v -tu1 -w1 "$1" | awk '
		{ number += $1 % 128 * 128 ^ bytes++ }
		$1 >= 128 { next }
		left == 0 { count[++list] = left = number; end = 0 }
		left > 0 && started {
			offset[n++] = end + number
			end += number + (list == 1 ? 8 : 4)
			left--
		}
		{ started = left > 0; number = bytes = 0 }
		END {
			for (i = 1; i <= 3; i++)
				print count[i]
			for (i = 0; i < n; i++)
				print offset[i]
		}'
}

# elf_end FILE: the offset after the section headers, which come last.
elf_end() {
	echo $(($(number 40 8 "$1") + 64 * $(number 60 2 "$1")))
}

kernel_relocs_are_right() {
	expected_relocs vmlinux "$(elf_end vmlinux)" "$link_addr" >relocs.want
	stored_relocs k.relocs >relocs.got
	wc -l relocs.want
	cmp relocs.want relocs.got
}

kernel_flat_is_right() {
	flatten vmlinux flat && unpack k && cmp flat k.flat
}

for flavour in cloud:lz4 generic:xz; do
	codec=${flavour#*:}
	flavour=${flavour%:*}
	vmlinuz=$O/kernels/$flavour/vmlinuz
	if [ ! -e "$vmlinuz" ]; then
		fail "linux-$flavour" "$vmlinuz is not there"
		continue
	fi
	extract "$vmlinuz" "$codec" vmlinux
	expect "linux-$flavour/run" make_payload -o k "$vmlinuz"
	expect "linux-$flavour/image" kernel_flat_is_right
	expect "linux-$flavour/header" header_is k.bin 15 0x1000000 0x200000 0 \
		"$file_size" "$mem_size" "$(wc -c <k.relocs)"
	expect "linux-$flavour/relocs" kernel_relocs_are_right
	expect "linux-$flavour/virtual-address" virtual_address_is k.bin \
		ffffffff81000000
	expect "linux-$flavour/digests" digests_are_right k.bin

	assembled k
	expect "linux-$flavour/symbols" symbols_are min_align_shift 21 \
		relocatable 1 xloadflags 0x70 \
		out_size $((file_size + $(wc -c <k.relocs))) \
		cmdline_size "$(number 568 4 "$vmlinuz")" \
		root_flags "$(number 498 2 "$vmlinuz")" \
		root_dev "$(number 508 2 "$vmlinuz")"
	version=$(tail -c "+$(($(number 526 2 "$vmlinuz") + 513))" "$vmlinuz" |
		head -c 400 | tr '\0' '\n' | head -n 1)
	expect "linux-$flavour/version" text_is .setup.version "$version"

	# The same kernel outside of its bzImage, with and without its relocation table.
	make_payload -o bare vmlinux
	expect "linux-$flavour/vmlinux" cmp -i "$header_size" k.bin bare.bin
	expect "linux-$flavour/vmlinux-header" header_is bare.bin 11 0x1000000 \
		0x200000 0 "$file_size" "$mem_size" "$(wc -c <k.relocs)"
	truncate -s "$(elf_end vmlinux)" vmlinux
	make_payload -o bare vmlinux
	expect "linux-$flavour/stripped-header" header_is bare.bin 1 0x1000000 \
		0x200000 0 "$file_size" "$mem_size" 0
done

exit "$failed"
