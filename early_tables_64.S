/* SPDX-License-Identifier: MIT */
/*
 * early_tables_64.S - the tables that the entries in head_64.S use before C has
 * its own: the GDT, the IDT, and the page tables of the 32-bit entry.
 *
 * The page tables are not in the file. They lie at the end of the init_size bytes
 * that the setup header asks loaders for. GDT and IDT are in .data. linker.ld
 * places them and the early stack in an order that limits the harm of injected
 * NMIs, and explains this order.
 *
 * 32-bit code has the load bias in %ebp (see head_64.S): symbol(%ebp) is the
 * symbol in memory. The 32-bit exception handlers need the load bias, too, so 32-bit
 * code never changes %ebp.
 */
#include "linkage.h"
#include "setup.h"
#include "sev.h"
#include "x86.h"

	.section .head.text.early, "ax"
	.code32

/*
 * make_idt_32 - fills early_idt for 32-bit code and for the switch to 64-bit
 * code. In 32-bit code #VC goes to vc_32, NMI to nmi_32 and every other vector
 * to exception_32.
 *
 * In long mode the processor reads the same bytes as gates of 16 bytes (APM2
 * 4.8.4). make_idt_32 writes such a gate for NMI, #DF, #GP and #VC. Each takes the
 * place of the 32-bit gates of two other vectors, which 32-bit code never causes. NMI
 * and #VC thus have a handler in both modes. If the hypervisor injects another vector in
 * long mode, the processor finds a 32-bit gate and raises #GP or #DF, at which
 * exception_early stops the boot. At a #VC in long mode vc_early stops it.
 * In:       %ebp = load bias.
 * Out:      early_idt and early_idt_ptr, not loaded yet.
 * Clobbers: %eax, %ebx, %ecx, %edx, %edi, flags.
 * Mode:     32-bit.
 * Stack:    12 bytes.
 */
GLOBAL(make_idt_32)
FUNC(make_idt_32)
	leal	early_idt(%ebp), %edi
	movl	%edi, (early_idt_ptr + 2)(%ebp)
	movw	$(IDT_VECTORS * 16 - 1), early_idt_ptr(%ebp)
	leal	exception_32(%ebp), %eax
	movl	$IDT_VECTORS, %ecx
.Lgate:
	call	set_gate_32
	addl	$8, %edi
	decl	%ecx
	jnz	.Lgate

	leal	(early_idt + X86_TRAP_NMI * 8)(%ebp), %edi
	leal	nmi_32(%ebp), %eax
	call	set_gate_32
	leal	(early_idt + X86_TRAP_VC * 8)(%ebp), %edi
	leal	vc_32(%ebp), %eax
	call	set_gate_32

	leal	(early_idt + X86_TRAP_NMI * 16)(%ebp), %edi
	leal	nmi_64(%ebp), %eax
	call	set_long_gate
	leal	(early_idt + X86_TRAP_DF * 16)(%ebp), %edi
	leal	exception_early(%ebp), %eax
	call	set_long_gate
	leal	(early_idt + X86_TRAP_GP * 16)(%ebp), %edi
	call	set_long_gate
	leal	(early_idt + X86_TRAP_VC * 16)(%ebp), %edi
	leal	vc_early(%ebp), %eax
	jmp	set_long_gate
END_FUNC(make_idt_32)

/*
 * set_long_gate and set_gate_32 - write a 64-bit gate (APM2 4.8.4) or a 32-bit gate (APM2
 * 4.7.4), from 32-bit code. The half that makes the gate present is cleared first and written
 * last. Memory thus never holds a present gate with halves of two handlers, or with a handler
 * of 64-bit code and a 32-bit code segment. The hypervisor could put such a gate back later.
 * In:       %edi = the gate, 16 or 8 bytes; %eax = its handler, below 4 GiB.
 * Out:      a present interrupt gate with code segment BOOT_CS or KERNEL32_CS.
 * Clobbers: %ebx, %edx, flags.
 * Mode:     32-bit.
 * Stack:    the return address.
 */
FUNC(set_long_gate)
	movl	$0, 8(%edi)
	movl	$0, 12(%edi)
	movl	$(BOOT_CS << 16), %ebx
	jmp	.Lwrite_gate
END_FUNC(set_long_gate)

FUNC(set_gate_32)
	movl	$(KERNEL32_CS << 16), %ebx
.Lwrite_gate:
	movl	$0, 4(%edi)
	movl	%eax, %edx
	movw	%ax, %bx
	movl	%ebx, 0(%edi)
	movw	$(GATE_INTERRUPT << 8), %dx
	movl	%edx, 4(%edi)
	ret
END_FUNC(set_gate_32)

	.code64

/*
 * set_gate_64 - writes a 64-bit gate, from 64-bit code (APM2 4.8.4). The bytes that make
 * the gate present are written last. Memory thus never holds a present gate with only a
 * part of the handler's address. The hypervisor could otherwise put such a gate back later.
 * In:       %rdi = the gate, 16 bytes; %rax = its handler. The gate's reserved
 *           bytes 12 to 15 must be 0 already.
 * Out:      a present interrupt gate with code segment BOOT_CS.
 * Clobbers: %rax, flags.
 * Mode:     64-bit.
 * Stack:    the return address.
 */
GLOBAL(set_gate_64)
FUNC(set_gate_64)
	movw	%ax, 0(%rdi)
	shrq	$16, %rax
	movw	%ax, 6(%rdi)
	shrq	$16, %rax
	movq	%rax, 8(%rdi)
	movl	$(GATE_INTERRUPT << 24 | BOOT_CS), 2(%rdi)
	ret
END_FUNC(set_gate_64)

	.code32

/*
 * place_early_tables - finds memory for the page tables of the 32-bit entry:
 * the last EARLY_TABLES_SIZE of the init_size bytes from the runtime start address
 * (boot.rst "init_size"). Until now the stub has used no memory but the image, and a loader
 * may have left no RAM after it. This function therefore checks that these bytes do
 * not overlap the image and are RAM by the E820 map.
 * In:       %ebp = load bias, %esi = zero page; find_sev has run.
 * Out:      %edi = the memory's address, a multiple of 4096. If the check fails,
 *           early_error.
 * Clobbers: %eax, %ebx, %ecx, %edx, flags.
 * Mode:     32-bit, paging off.
 * Stack:    8 bytes.
 */
GLOBAL(place_early_tables)
FUNC(place_early_tables)
	/*
	 * %edi = runtime start address (boot.rst "pref_address"): pref_address,
	 * or for a relocatable payload the load address rounded up to the
	 * payload's alignment, if that is higher.
	 */
	movl	$image_pref_address, %edi
	movl	$image_relocatable, %ecx
	jecxz	.Lruntime_start
	leal	_image(%ebp), %edx
	movl	%edx, %eax
	addl	$image_align_mask, %eax
	cmovc	%edx, %edi
	jc	.Lno_room
	andl	$image_align_bits, %eax
	cmpl	%edi, %eax
	cmova	%eax, %edi
.Lruntime_start:
	addl	$image_early_tables_offset, %edi
	jc	.Lno_tables
	movl	%edi, %edx
	addl	$EARLY_TABLES_SIZE, %edx	/* %edx = end */
	jc	.Lno_tables

	/* Refuse a load address at which the image and the tables overlap. */
	leal	image_file_end(%ebp), %eax
	cmpl	%eax, %edi
	jae	.Lin_ram
	leal	_image(%ebp), %eax
	cmpl	%edx, %eax
	jb	.Lno_tables

.Lin_ram:
	/*
	 * One of the zero page's E820 entries of type RAM must contain all of
	 * the tables, [%edi, %edx).
	 */
	movzbl	ZP_E820_ENTRIES(%esi), %ecx
	leal	ZP_E820_TABLE(%esi), %ebx
	cmpl	$E820_ZERO_PAGE_ENTRIES, %ecx
	jbe	.Lentries
	movl	$E820_ZERO_PAGE_ENTRIES, %ecx
.Lentries:
	jecxz	.Lno_tables
.Lentry:
	cmpl	$E820_RAM, E820_ENTRY_TYPE(%ebx)
	jne	.Lnext_entry
	cmpl	$0, (E820_ENTRY_ADDR + 4)(%ebx)
	jne	.Lnext_entry
	movl	E820_ENTRY_ADDR(%ebx), %eax
	cmpl	%eax, %edi
	jb	.Lnext_entry
	addl	E820_ENTRY_LEN(%ebx), %eax
	jc	.Lplaced			/* ends above 4 GiB */
	cmpl	$0, (E820_ENTRY_LEN + 4)(%ebx)
	jne	.Lplaced
	cmpl	%edx, %eax
	jae	.Lplaced
.Lnext_entry:
	addl	$E820_ENTRY_SIZE, %ebx
	decl	%ecx
	jnz	.Lentry
.Lno_tables:
	subl	$image_early_tables_offset, %edi
.Lno_room:
	/*
	 * %edi = runtime start address. Write the numbers into the message: the
	 * bytes that the image needs, the runtime start address, and the longest
	 * E820 entry of RAM.
	 */
	movl	%edi, %eax
	leal	no_room_start(%ebp), %edi
	call	put_hex
	movl	$image_init_size, %eax
	leal	no_room_size(%ebp), %edi
	call	put_hex
	call	find_largest_ram
	leal	no_room_ram_start(%ebp), %edi
	call	put_hex
	movl	%edx, %eax
	leal	no_room_ram_end(%ebp), %edi
	call	put_hex
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_NO_ROOM), %eax
	movl	(sev_guest + SEV_GUEST_STATUS)(%ebp), %edx
	leal	no_room_message(%ebp), %esi
	jmp	early_error
.Lplaced:
	ret
END_FUNC(place_early_tables)

/*
 * find_largest_ram - finds the zero page's longest E820 entry of RAM that begins
 * below 4 GiB.
 * In:       %esi = zero page.
 * Out:      %eax = the entry's start, %edx = its end, 0xffffffff if the end is at
 *           4 GiB or above. Both are 0 if no entry of RAM begins below 4 GiB.
 * Clobbers: %ebx, %ecx, %edi, flags.
 * Mode:     32-bit.
 * Stack:    the return address.
 */
FUNC(find_largest_ram)
	xorl	%edx, %edx		/* %edx = the longest length so far */
	xorl	%edi, %edi		/* %edi = start of the longest entry */
	movl	$E820_ZERO_PAGE_ENTRIES, %ecx
	leal	ZP_E820_TABLE(%esi), %ebx
.Llarger:
	movl	$E820_ZERO_PAGE_ENTRIES, %eax
	subl	%ecx, %eax
	cmpb	%al, ZP_E820_ENTRIES(%esi)
	jbe	.Llargest
	cmpl	$E820_RAM, E820_ENTRY_TYPE(%ebx)
	jne	.Lnot_larger
	cmpl	$0, (E820_ENTRY_ADDR + 4)(%ebx)
	jne	.Lnot_larger
	movl	E820_ENTRY_LEN(%ebx), %eax
	cmpl	$0, (E820_ENTRY_LEN + 4)(%ebx)
	je	.Llength
	movl	$~0, %eax
.Llength:
	cmpl	%edx, %eax
	jbe	.Lnot_larger
	movl	%eax, %edx
	movl	E820_ENTRY_ADDR(%ebx), %edi
.Lnot_larger:
	addl	$E820_ENTRY_SIZE, %ebx
	loop	.Llarger
.Llargest:
	movl	%edi, %eax
	addl	%edi, %edx
	jnc	.Lends_below
	movl	$~0, %edx
.Lends_below:
	ret
END_FUNC(find_largest_ram)

/*
 * put_hex - writes a number as 8 hexadecimal digits.
 * In:       %eax = the number, %edi = where the digits go.
 * Out:      8 characters at %edi.
 * Clobbers: %ebx, %ecx, %edi, flags.
 * Mode:     32-bit.
 * Stack:    the return address.
 */
FUNC(put_hex)
	movl	$8, %ecx
.Ldigit:
	roll	$4, %eax
	movl	%eax, %ebx
	andl	$15, %ebx
	addl	$'0', %ebx
	cmpl	$'9', %ebx
	jbe	.Lput_digit
	addl	$('a' - '9' - 1), %ebx
.Lput_digit:
	movb	%bl, (%edi)
	incl	%edi
	loop	.Ldigit
	ret
END_FUNC(put_hex)

/*
 * build_early_tables - fills page tables that map the lowest 4 GiB, each address
 * to itself: one PML4, one PDPT and four page directories with leaves of 2 MiB. In
 * an SEV guest each entry has the C-bit.
 *
 * The hypervisor can put old contents of an entry back. No entry may therefore ever have
 * been present with another C-bit, so the stub builds these tables once in a boot. It
 * reads the C-bit's position once, and keeps the C-bit in a register while it writes the
 * entries. If the position is wrong, the proof of the C-bit in startup_32 ends the boot.
 * From here to the end of the proof the stub takes no return address from the stack. The
 * hypervisor could put back an old return address that leads to find_sev, and the stub
 * would then build the tables a second time.
 * In:       %edi = EARLY_TABLES_SIZE bytes, from place_early_tables; %ebp = load
 *           bias; find_sev has run.
 * Out:      jumps to behind_early_tables, which is tables_built in startup_32. %edi is
 *           unchanged and is the value for CR3. If the C-bit is not in the range
 *           CBIT_MIN to CBIT_MAX, early_error.
 * Clobbers: %eax, %ebx, %ecx, %edx, flags.
 * Mode:     32-bit, paging off: in an SEV guest the tables are private.
 * Stack:    none.
 */
GLOBAL(build_early_tables)
FUNC(build_early_tables)
	/*
	 * STOS needs the direction flag clear. The POPF of check_cpuid has loaded the flags
	 * from memory, in which the hypervisor can have set this flag.
	 */
	cld
	xorl	%eax, %eax
	movl	$(EARLY_TABLES_SIZE / 4), %ecx
	rep stosl
	subl	$EARLY_TABLES_SIZE, %edi

	/* %edx = bits 63:32 of every page-table entry: the C-bit, or 0 */
	xorl	%edx, %edx
	testb	$SEV_STATUS_SEV, (sev_guest + SEV_GUEST_STATUS)(%ebp)
	jz	.Lno_cbit
	/*
	 * sev_guest.cbit, the number of the C-bit, is in memory, where the hypervisor can put an
	 * old 0 back. BTS below sets a bit of an entry's upper half, and takes its number
	 * modulo 32, so a 0 would set bit 32 of the entry. Load the number, and check it then.
	 */
	movl	(sev_guest + SEV_GUEST_CBIT)(%ebp), %ecx
	subl	$CBIT_MIN, %ecx
	cmpl	$(CBIT_MAX - CBIT_MIN), %ecx
	ja	.Lcbit_range
	btsl	%ecx, %edx
.Lno_cbit:

	leal	(4096 + EARLY_TABLE_FLAGS)(%edi), %eax
	/*
	 * Write the half of each entry that has the C-bit first, and the half that makes
	 * the entry present second. Memory thus never holds a present entry without the
	 * C-bit, which the hypervisor could put back later.
	 */
	movl	%edx, 4(%edi)
	movl	%eax, 0(%edi)

	movl	$EARLY_PMDS, %ecx
	leal	4096(%edi), %ebx
.Lpdpt_entry:
	addl	$4096, %eax
	movl	%edx, 4(%ebx)
	movl	%eax, 0(%ebx)
	addl	$8, %ebx
	decl	%ecx
	jnz	.Lpdpt_entry

	movl	$(EARLY_PMDS * PTRS_PER_TABLE), %ecx
	leal	8192(%edi), %ebx
	movl	$EARLY_LEAF_FLAGS, %eax
.Lpmd_entry:
	movl	%edx, 4(%ebx)
	movl	%eax, 0(%ebx)
	addl	$PMD_SIZE, %eax
	addl	$8, %ebx
	decl	%ecx
	jnz	.Lpmd_entry
	jmp	behind_early_tables
.Lcbit_range:
	movl	$GHCB_MSR_TERM_STUB(SEVSTUB_TERM_CBIT_RANGE), %eax
	movl	(sev_guest + SEV_GUEST_STATUS)(%ebp), %edx
	leal	cbit_range_message(%ebp), %esi
	jmp	early_error
	/* BTS sets bit number (position - CBIT_MIN) of the upper half, which begins at bit 32. */
	.if CBIT_MIN != 32
	.error "build_early_tables: the C-bit is not in the upper half of an entry"
	.endif
END_FUNC(build_early_tables)

/*
 * place_early_tables writes the four numbers into this text. Paging is off, so the
 * text is writable.
 */
no_room_message:
	.ascii	"sevstub: not enough room: no RAM below 4 GiB for the page "
	.ascii	"tables that belong at the end of init_size: needed are 0x"
no_room_size:
	.ascii	"00000000 bytes from 0x"
no_room_start:
	.ascii	"00000000 on; the largest RAM there is 0x"
no_room_ram_start:
	.ascii	"00000000-0x"
no_room_ram_end:
	.asciz	"00000000\r\n"

/*
 * ---- Data. The sections .early.cbit_proof, .early.gdt and .early.idt must be in
 * this order. linker.ld places them and explains the order.
 */
	.section .early.cbit_proof, "aw", @progbits
/*
 * The operand of LIDT for early_idt: limit and base address. startup_32 or
 * startup_64 writes the base, because it depends on the load address, and then the
 * limit. In this order memory never holds the limit together with the old base, 0. If it
 * did, the hypervisor could put both back, and LIDT would load an IDT at address 0.
 */
	.balign	16
GLOBAL(early_idt_ptr)
DATA(early_idt_ptr)
	.word	0
	.quad	0
END_DATA(early_idt_ptr)

	.section .early.gdt, "aw", @progbits
	.balign 16
GLOBAL(gdt)
DATA(gdt)
	.quad	0
	.quad	GDT_CODE32		/* 0x08 KERNEL32_CS */
	.quad	GDT_CODE64		/* 0x10 BOOT_CS */
	.quad	GDT_DATA		/* 0x18 BOOT_DS */
	.quad	0, 0			/* 0x20 BOOT_TSS: idt_64.c fills it */
	.quad	0
	.quad	GDT_CODE64		/* 0x38 FIRMWARE_CS */
END_DATA(gdt)

	.if . - gdt != GDT_SIZE
	.error "GDT_SIZE is not the size of the GDT"
	.endif
/*
 * The operand of LGDT for gdt: limit and base address. startup_32 or startup_64 writes
 * the base and then the limit. Memory thus never holds the limit together with the old
 * base, 0, which the hypervisor could put back. The moved image uses moved_gdt_ptr,
 * because its copy of gdt_ptr has the address of the GDT in the image as it was loaded.
 */
GLOBAL(gdt_ptr)
DATA(gdt_ptr)
	.word	0
	.quad	0
END_DATA(gdt_ptr)

	.section .early.idt, "aw", @progbits
	.balign 16
/*
 * The IDT until idt_load_stage1(). make_idt_32 fills it at the 32-bit entry. At the
 * 64-bit entry startup_64 fills only two gates: that of NMI, which can come at any time, and
 * that of #VC, which CPUID raises in an SEV-ES guest. There any other exception is a triple
 * fault.
 */
GLOBAL(early_idt)
DATA(early_idt)
	.skip	IDT_VECTORS * 16
END_DATA(early_idt)

/*
 * ---- Sizes of setup.h as symbols, because linker.ld reserves the memory and
 * cannot read a C header.
 */
	.globl	early_stack_size, stack_size, page_table_pool_size
	.globl	early_tables_size, early_idt_size, moved_idt_size
	.set	early_stack_size, EARLY_STACK_SIZE
	.set	stack_size, STACK_SIZE
	.set	page_table_pool_size, PAGE_TABLE_POOL_SIZE
	.set	early_tables_size, EARLY_TABLES_SIZE
	.set	early_idt_size, IDT_VECTORS * 16
	/* struct idt */
	.set	moved_idt_size, 16 + IDT_VECTORS * 16

	.section .note.GNU-stack, "", @progbits
