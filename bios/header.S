/* SPDX-License-Identifier: MIT */
/*
 * header.S - what loaders read, and the 16-bit entry.
 *
 * The first sectors of a bzImage: a PE/COFF header in the boot sector, the setup
 * header of boot protocol 2.15 (x86/boot.rst), and the code that a BIOS loader
 * starts in real mode. It builds the zero page from what the BIOS knows, switches
 * to protected mode and jumps to startup_32.
 *
 * Linked at 0: within the real-mode segment a symbol's value is its offset.
 * Every field that depends on the layout or on the payload is a linker symbol;
 * ld refuses one that does not fit.
 */
#include <asm/bootparam.h>

#include "linkage.h"
#include "pe.h"
#include "setup.h"
#include "x86.h"

	.section .setup.header, "ax"
	.code16

/*
 * The PE/COFF header (PE format, "COFF File Header" and on): to EFI firmware
 * this is an application for x86-64. Sections are as in linker.ld, an address
 * is an offset in the file, and nothing needs relocation, though relocations
 * are not said to be stripped: firmware would then insist on ImageBase.
 */
DATA(dos_header)
	.word	PE_DOS_MAGIC
	.org	PE_LINUX_MAGIC_OFFSET
	.long	LINUX_PE_MAGIC
	.long	pe_header		/* e_lfanew */
END_DATA(dos_header)

DATA(pe_header)
	.ascii	"PE\0\0"
	.word	PE_MACHINE_AMD64
	.word	(.Lsections_end - .Lsections) / PE_SECTION_SIZE
	.long	0			/* time stamp */
	.long	0			/* symbol table */
	.long	0
	.word	.Lsections - .Loptional
	.word	PE_CHARACTERISTICS

.Loptional:
	.word	PE_OPT_MAGIC_PE32PLUS
	.byte	0, 0			/* linker version */
	.long	pe_text_size
	.long	pe_data_size
	.long	pe_bss_size
	.long	efi_pe_entry		/* AddressOfEntryPoint */
	.long	startup_32		/* BaseOfCode */
	.quad	0			/* ImageBase */
	.long	PE_SECTION_ALIGNMENT
	.long	PE_FILE_ALIGNMENT
	.word	0, 0			/* operating system version */
	.word	LINUX_EFISTUB_MAJOR_VERSION, LINUX_EFISTUB_MINOR_VERSION
	.word	0, 0			/* subsystem version */
	.long	0
	.long	pe_image_size
	.long	setup_start		/* SizeOfHeaders */
	.long	0			/* checksum: the signer's */
	.word	PE_SUBSYSTEM_EFI_APPLICATION
	.word	PE_DLL_NX_COMPAT
	.quad	0, 0, 0, 0		/* stack and heap: firmware's */
	.long	0
	.long	(.Lsections - .Ldirectories) / PE_DIRECTORY_SIZE
.Ldirectories:
	/* Export, import, resource, exception; a signature's place; base
	 * relocations. All empty. */
	.quad	0, 0, 0, 0, 0, 0

.Lsections:
	.ascii	".setup\0\0"
	.long	pe_setup_size, setup_start
	.long	pe_setup_size, setup_start
	.long	0, 0
	.word	0, 0
	.long	PE_SCN_SETUP
	.ascii	".text\0\0\0"
	.long	pe_text_size, startup_32
	.long	pe_text_size, startup_32
	.long	0, 0
	.word	0, 0
	.long	PE_SCN_TEXT
	.ascii	".rodata\0"
	.long	pe_rodata_size, _rodata
	.long	pe_rodata_size, _rodata
	.long	0, 0
	.word	0, 0
	.long	PE_SCN_RODATA
	.ascii	".data\0\0\0"
	.long	pe_data_memory, _data	/* with .bss */
	.long	pe_data_size, _data
	.long	0, 0
	.word	0, 0
	.long	PE_SCN_DATA
	.ascii	".sbat\0\0\0"
	.long	pe_sbat_size, pe_sbat_address
	.long	pe_sbat_size, _sbat
	.long	0, 0
	.word	0, 0
	.long	PE_SCN_RODATA
.Lsections_end:
END_DATA(pe_header)

	.org	SETUP_SENTINEL
	.byte	0xff, 0xff

	.org	SETUP_HEADER
GLOBAL(setup_header)
setup_header:
	.byte	setup_sects
	.word	payload_root_flags
	.long	image_syssize
	.word	payload_ram_size
	.word	payload_vid_mode
	.word	payload_root_dev
	.word	BOOT_FLAG
	/* 0x200: the 16-bit entry. Loaders find the header's end by its reach. */
	.byte	0xeb, setup_header_end - .Ljump_end
.Ljump_end:
	.ascii	"HdrS"
	.word	BOOT_PROTOCOL
	.long	0			/* realmode_swtch */
	.word	0			/* start_sys_seg, obsolete */
	.word	payload_version_offset	/* kernel_version */
	.byte	0			/* type_of_loader: the loader's */
	.byte	LOADED_HIGH
	.word	0			/* setup_move_size, obsolete */
	.long	DEFAULT_LOAD_ADDR	/* code32_start */
	.long	0, 0			/* ramdisk: the loader's */
	.long	0			/* bootsect_kludge, obsolete */
	.word	setup_memory_end - HEAP_END_BIAS	/* heap_end_ptr */
	.byte	0, 0			/* extended loader type: the loader's */
	.long	0			/* cmd_line_ptr: the loader's */
	.long	INITRD_ADDR_MAX
	.long	payload_align
	.byte	payload_relocatable
	.byte	payload_min_align_shift
	/* Bits of its own of each; of LA57 the payload has to know. */
	.word	XLF_KERNEL_64 + XLF_CAN_BE_LOADED_ABOVE_4G + XLF_EFI_HANDOVER_64 + payload_xloadflags
	.long	payload_cmdline_size
	.long	0			/* hardware_subarch: a PC */
	.quad	0
	.long	payload_frame_offset
	.long	payload_frame_size
	.quad	0			/* setup_data: the loader's */
	.quad	payload_link_addr	/* pref_address */
	.long	image_init_size
	.long	efi_handover_offset
	.long	kernel_info_offset
setup_header_end:
	jmp	setup_entry
	.type	setup_header, @object
	.size	setup_header, setup_header_end - setup_header

	.section .setup.text, "ax"

/*
 * In:  real mode, %ds = the segment that the setup sectors were loaded to.
 * Out: does not return.
 * The memory behind the setup sectors, up to setup_memory_end, is ours
 * (boot.rst, "The memory map"): zero page, then stack.
 */
FUNC(setup_entry)
	cld
	cli
	movw	%ds, %ax
	movw	%ax, %es
	movw	%ax, %ss
	movl	$setup_memory_end, %esp
	sti

	call	make_zero_page
	call	enable_a20
	call	detect_memory
	calll	detect_hardware		/* C's returns are 32 bits wide */
	jmp	go_to_protected_mode
END_FUNC(setup_entry)

/* A clean zero page with our header in it, as the loader completed it. */
FUNC(make_zero_page)
	movw	$setup_zero_page, %di
	movw	$(ZERO_PAGE_SIZE / 4), %cx
	xorl	%eax, %eax
	rep stosl

	movw	$setup_header, %si
	movw	$(setup_zero_page + SETUP_HEADER), %di
	movw	$(setup_header_end - setup_header), %cx
	rep movsb
	ret
END_FUNC(make_zero_page)

/*
 * Without A20 every odd megabyte is the even one below it. Firmware has left
 * it on since the last century, so the test comes first.
 */
FUNC(enable_a20)
	call	a20_is_on
	jne	.La20_on

	movw	$BIOS_A20_ON, %ax
	int	$BIOS_SYSTEM
	call	a20_is_on
	jne	.La20_on

	inb	$PORT_SYSTEM_A, %al
	orb	$SYSTEM_A_A20, %al
	andb	$~SYSTEM_A_RESET, %al
	outb	%al, $PORT_SYSTEM_A
	call	a20_is_on
	jne	.La20_on

	movw	$a20_message, %si
	call	bios_print
	jmp	bios_halt
.La20_on:
	ret
END_FUNC(enable_a20)

DATA(a20_message)
	.asciz	"sevstub: A20: the address line cannot be switched on\r\n"
END_DATA(a20_message)

/*
 * Writes to a word at 0:A20_TEST and compares the same offset 1 MiB above.
 * Out: ZF clear if they differ: A20 is on. A slow gate gets some time.
 */
FUNC(a20_is_on)
	pushw	%ds
	pushw	%es
	xorw	%ax, %ax
	movw	%ax, %ds
	notw	%ax
	movw	%ax, %es
	movw	A20_TEST, %dx		/* to be put back */
	movw	%dx, %ax
	movw	$A20_TRIES, %cx
.La20_try:
	incw	%ax
	movw	%ax, A20_TEST
	outb	%al, $PORT_DELAY
	cmpw	%es:(A20_TEST + 0x10), %ax
	loope	.La20_try
	movw	%dx, A20_TEST		/* MOV leaves the flags alone */
	popw	%es
	popw	%ds
	ret
END_FUNC(a20_is_on)

/*
 * INT 15h, E820: straight into the zero page's table, which holds 128 entries.
 * Without an answer the count stays 0 and the stub stops with a message.
 */
FUNC(detect_memory)
	movw	$(setup_zero_page + ZP_E820_TABLE), %di
	xorl	%ebx, %ebx
.Le820_next:
	movl	$BIOS_E820, %eax
	movl	$E820_SMAP, %edx
	movl	$E820_ENTRY_SIZE, %ecx
	int	$BIOS_SYSTEM
	jc	.Le820_done
	cmpl	$E820_SMAP, %eax
	jne	.Le820_done
	incb	setup_zero_page + ZP_E820_ENTRIES
	addw	$E820_ENTRY_SIZE, %di
	cmpb	$E820_ZERO_PAGE_ENTRIES, setup_zero_page + ZP_E820_ENTRIES
	jae	.Le820_done
	testl	%ebx, %ebx
	jnz	.Le820_next
.Le820_done:
	ret
END_FUNC(detect_memory)

/*
 * The way of C's, setup.c, to an interrupt of the BIOS.
 * In:  %al = vector, %edx = struct bios_regs, which is loaded and stored.
 * A BIOS may lose %ds, %es and the direction flag.
 */
GLOBAL(bios_call)
FUNC(bios_call)
	movb	%al, .Lvector
	pushal
	movw	%dx, %si
	subw	$BIOS_REGS_GENERAL, %sp
	movw	%sp, %di
	movw	$(BIOS_REGS_GENERAL / 2), %cx
	rep movsw
	popal
	.byte	0xcd			/* int */
.Lvector:
	.byte	0
	pushfl
	pushal
	cld
	pushw	%ss
	popw	%ds
	pushw	%ss
	popw	%es
	movw	%sp, %si
	movw	%sp, %bp
	movw	(BIOS_REGS_SIZE + 20)(%bp), %di	/* %edx of the first pushal */
	movw	$(BIOS_REGS_SIZE / 2), %cx
	rep movsw
	addw	$BIOS_REGS_SIZE, %sp
	popal
	retl
END_FUNC(bios_call)

/* In: %eax = an address below 1 MiB. Out: %al = the byte there. */
GLOBAL(bios_peek)
FUNC(bios_peek)
	movl	%eax, %edx
	shrl	$4, %edx
	movw	%dx, %fs
	andl	$0xf, %eax
	movb	%fs:(%eax), %al
	retl
END_FUNC(bios_peek)

/*
 * Interrupts off at the processor and at both interrupt controllers, and the
 * loader's hook instead where it has one (boot.rst, "Advanced boot loader
 * hooks"). Then a flat 32-bit GDT, no IDT, CR0.PE, and on at code32_start with
 * %esi = zero page, %ebp, %ebx = 0, and %edi saying where we come from; a hook
 * there keeps it.
 */
FUNC(go_to_protected_mode)
	cmpl	$0, setup_header + HDR_REALMODE_SWTCH
	jz	.Lno_hook
	lcallw	*(setup_header + HDR_REALMODE_SWTCH)
	jmp	.Lhook_done
.Lno_hook:
	cli
	movb	$CMOS_NMI_OFF, %al
	outb	%al, $PORT_CMOS
	outb	%al, $PORT_DELAY
.Lhook_done:
	movb	$0xff, %al
	outb	%al, $PORT_PIC2_MASK
	outb	%al, $PORT_DELAY
	movb	$~PIC_CASCADE, %al
	outb	%al, $PORT_PIC1_MASK
	outb	%al, $PORT_DELAY

	/* %ebx = linear address of the segment */
	xorl	%ebx, %ebx
	movw	%ds, %bx
	shll	$4, %ebx
	addl	%ebx, setup_gdt_ptr + 2
	addl	%ebx, .Lprotected_mode_ptr
	leal	setup_zero_page(%ebx), %esi
	movl	setup_header + HDR_CODE32_START, %ecx

	lidtw	setup_idt_ptr
	lgdtl	setup_gdt_ptr
	movl	%cr0, %eax
	orb	$X86_CR0_PE, %al
	movl	%eax, %cr0
	/* Reloads CS and drops what was prefetched in real mode. */
	ljmpl	*.Lprotected_mode_ptr

	.code32
.Lprotected_mode:
	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	leal	setup_memory_end(%ebx), %esp
	xorl	%ebp, %ebp
	movl	$ENTRY_16_TAG, %edi
	xorl	%ebx, %ebx
	jmp	*%ecx
END_FUNC(go_to_protected_mode)
	.code16

/* In: %ds:%si = text with a NUL behind it. */
FUNC(bios_print)
	lodsb
	testb	%al, %al
	jz	.Lprinted
	movw	$VIDEO_WHITE, %bx
	movb	$BIOS_TELETYPE, %ah
	int	$BIOS_VIDEO
	jmp	bios_print
.Lprinted:
	ret
END_FUNC(bios_print)

FUNC(bios_halt)
	cli
	hlt
	jmp	bios_halt
END_FUNC(bios_halt)

	.section .setup.data, "aw"
	.balign 8
DATA(setup_gdt)
	.quad	0, 0
	.quad	GDT_CODE32		/* 0x10 BOOT_CS */
	.quad	GDT_DATA		/* 0x18 BOOT_DS */
END_DATA(setup_gdt)

DATA(setup_gdt_ptr)
	.word	. - setup_gdt - 1
	.long	setup_gdt		/* the segment's address is added */
END_DATA(setup_gdt_ptr)

DATA(setup_idt_ptr)
	.word	0
	.long	0
END_DATA(setup_idt_ptr)

.Lprotected_mode_ptr:
	.long	.Lprotected_mode	/* the segment's address is added */
	.word	BOOT_CS

/*
 * The end of the image's version string: linker.ld puts it behind the payload's
 * own version text, which mkpayload writes without a NUL (payload_version).
 */
	.section .setup.stub_version, "a", @progbits
	.ascii	" (sevstub "
	.ascii	SEVSTUB_VERSION
	.asciz	")"

/* Revocation data for shim; distributions append a line of their own. */
	.section .sbat, "a", @progbits
	.incbin	"efi/sbat.csv"

	.section .note.GNU-stack, "", @progbits
