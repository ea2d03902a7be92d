#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every ASSERT in linker.ld: each test links an ordinary image and one thing that is
# wrong. The link must fail with the assertion's message.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

"$O/mkpayload" -q --level 1 -o "$dir/payload" "$O/payload/tiny.elf"
cd "$dir"
"$CC" -c -o payload.o payload.S
: >proven
script=$top/linker.ld

# link ARGUMENT...: links as tools/mkimage does. `-u wrong` keeps the symbol `wrong` from
# --gc-sections.
link() {
	"$LD" -m elf_x86_64 -static --no-dynamic-linker -nostdlib \
		-z noexecstack -z norelro --no-warn-rwx-segments \
		--gc-sections --orphan-handling=error --build-id=none \
		-T "$script" -o image.elf "$@" \
		--whole-archive "$O/sevstub.a"
}

# fails NAME MESSAGE LINK-ARGUMENT...: the link must fail with that message.
fails() {
	name=$1 message=$2
	shift 2
	echo "$message" >>proven
	if link "$@" >log 2>&1; then
		fail "link.$name" "the link succeeds"
	elif ! grep -qF -- "$message" log; then
		fail "link.$name" "$(excerpt log) instead of $message"
	else
		pass "link.$name" "$message"
	fi
}

# object NAME: assembles stdin to NAME.o.
object() {
	"$CC" -c -x assembler -o "$1.o" - 2>log || cat log >&2
}

if link payload.o >log 2>&1; then
	pass link.good
else
	fail link.good "$(excerpt log)"
fi

# ---- places

object setup_text <<-'END'
	.section .setup.text, "ax"
	.globl wrong
	wrong: .skip 0x7800, 0x90
END
fails setup_segment "the 16-bit part is too large for its segment" \
	payload.o setup_text.o -u wrong
object setup_sects <<-'END'
	.section .setup.text, "ax"
	.globl wrong
	wrong: .skip 0x8400, 0x90
END
fails setup_sects "setup_sects must be 4 to 64" payload.o setup_sects.o \
	-u wrong

object first <<-'END'
	.section .setup.header, "ax"
	.byte 0
END
fails setup_header "the setup header must be at 0x1f1" first.o payload.o

fails startup_32 "startup_32 must be the first byte of .head" \
	payload.o --defsym startup_32=setup_end+0x10

fails startup_64 "startup_64 must be at startup_32 + 0x200" \
	payload.o --defsym startup_64=startup_32+0x210

fails trampoline "the trampoline is larger than its place in struct la57_page" \
	payload.o --defsym la57_code_end=la57_code+0x101

for symbol in cbit_proof no_idt early_idt_ptr; do
	fails "early_order.$symbol" "an early stack that runs over must meet" \
		payload.o --defsym "$symbol=early_stack"
done
fails early_idt "early_idt must be between the GDT and the early stack" \
	payload.o --defsym early_idt=early_stack-0x210
fails early_gdt "early_idt must be between the GDT and the early stack" \
	payload.o --defsym gdt=early_stack

object large <<-'END'
	.section .rodata.large, "a"
	.globl wrong
	wrong: .skip 40000, 1
END
fails size "the image less the payload is larger than 100 KiB" \
	payload.o large.o -u wrong

# A payload at the end of the lowest 4 GiB, which the 32-bit entry could not reach.
sed 's/payload_link_addr, 0x.*/payload_link_addr, 0xfff80000/' payload.S >high.S
"$CC" -c -o high.o high.S
fails below_4g "payload and stub do not fit below 4 GiB" high.o

sed 's/\.rodata : ALIGN(4096)/.rodata ALIGN(4096) + 2048 :/' "$top/linker.ld" >shared.ld
script=$dir/shared.ld
fails shared_page "sections with different rights share a page" payload.o
for symbol in moved_gdt_ptr moved_idt; do
	sed "s/$symbol = \.;/$symbol = early_stack;/" "$top/linker.ld" >copied.ld
	script=$dir/copied.ld
	fails "moved_tables.$symbol" "startup_64 would copy addresses of the loaded image" \
		payload.o
done
sed '/\*(\.bss\.double_fault_stack)/d' "$top/linker.ld" >unguarded.ld
script=$dir/unguarded.ld
fails double_fault_stack "double_fault_stack is not right above its guard page" \
	payload.o
script=$top/linker.ld

# ---- what needs a dynamic loader, which the stub has not

object got <<-'END'
	.section .text.wrong, "ax"
	.globl wrong
	wrong: pushq elsewhere@GOTPCREL(%rip)
	.data
	.globl elsewhere
	elsewhere: .quad 0
END
fails got "the global offset table is not empty" payload.o got.o -u wrong

# A function that a dynamic loader would choose: a PLT entry and a relocation.
object ifunc <<-'END'
	.section .text.wrong, "ax"
	.globl wrong
	wrong: call chosen
	.globl chosen
	.type chosen, @gnu_indirect_function
	chosen: ret
END
fails plt "the procedure linkage table is not empty" payload.o ifunc.o -u wrong
fails rela "there are run-time relocations" payload.o ifunc.o -u wrong

# A table of pointers, as a compiler lays it out for -fpie.
object pointers <<-'END'
	.section .data.rel.ro.wrong, "aw"
	.globl wrong
	wrong: .quad wrong
END
fails data_rel "there is data with absolute addresses in it" payload.o \
	pointers.o -u wrong

object got_plt <<-'END'
	.section .got.plt, "awR"
	.quad 0
END
fails got_plt "the GOT's PLT part is not empty" payload.o got_plt.o

object dynamic <<-'END'
	.section .dynamic, "awR"
	.quad 0
END
fails dynamic "there is a dynamic section" payload.o dynamic.o

# ---- errors of ld itself

object orphan <<-'END'
	.section .elsewhere, "awR"
	.quad 0
END
fails orphan "unplaced orphan section" payload.o orphan.o

sed 's/payload_min_align_shift, 0x.*/payload_min_align_shift, 0x100/' \
	payload.S >wide.S
"$CC" -c -o wide.o wide.S
fails field_width "relocation truncated to fit" wide.o

object undefined <<-'END'
	.section .text.wrong, "ax"
	.globl wrong
	wrong: jmp nowhere
END
fails undefined "undefined reference to" payload.o undefined.o -u wrong

# ---- each ASSERT has a test

sed -n 's/^ASSERT(.*, "\(.*\)")$/\1/p' "$top/linker.ld" >asserts
: >missing
while read -r message; do
	while read -r start; do
		case $message in
		"$start"*) continue 2 ;;
		esac
	done <proven
	echo "$message;" >>missing
done <asserts
nothing link.all_asserts missing "$(grep -c . asserts) asserts"

exit "$failed"
