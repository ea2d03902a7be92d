/* SPDX-License-Identifier: MIT */
/*
 * header.S - the headers that loaders and EFI firmware read, and the 16-bit entry.
 *
 * These are the first sectors of a bzImage: a PE/COFF header in the boot sector,
 * the setup header of boot protocol 2.15 (boot.rst "The Real-Mode Kernel
 * Header"), and the code that a BIOS loader starts in real mode. The code builds
 * the zero page from what the BIOS knows, switches to protected mode and jumps to
 * startup_32.
 *
 * This part is linked at 0, so a symbol's value is its offset in the real-mode
 * segment. Every header field that depends on the image's layout or on the payload
 * is a linker symbol, and ld fails if a value does not fit its field.
 */
#include <asm/bootparam.h>

#include "linkage.h"
#include "pe.h"
#include "setup.h"
#include "x86.h"

	.section .setup.header, "ax"
	.code16

/*
 * The MS-DOS and PE/COFF headers (PE Format, "COFF File Header"). They make the
 * image an EFI application for x86-64. The sections are those of linker.ld. Each
 * section's address (RVA) is its offset in the file, except .sbat's. The image
 * needs no relocation. It does not set IMAGE_FILE_RELOCS_STRIPPED, because
 * firmware would then load it at ImageBase only.
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
	.long	pe_entry		/* AddressOfEntryPoint */
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
	.long	0			/* CheckSum: the program that signs the image fills it in */
	.word	PE_SUBSYSTEM_EFI_APPLICATION
	.word	PE_DLL_NX_COMPAT
	.quad	0, 0, 0, 0		/* stack and heap: firmware decides */
	.long	0
	.long	(.Lsections - .Ldirectories) / PE_DIRECTORY_SIZE
.Ldirectories:
	/*
	 * Six data directories, all empty: export, import, resource, exception,
	 * certificates, base relocations. A program that signs the image for
	 * Secure Boot fills in the fifth, certificates.
	 */
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
	/*
	 * 0x200: the 16-bit entry, a short jump. Loaders compute the setup
	 * header's end from the jump's operand (boot.rst).
	 */
	.byte	0xeb, setup_header_end - .Ljump_end
.Ljump_end:
	.ascii	"HdrS"
	.word	BOOT_PROTOCOL
	.long	0			/* realmode_swtch */
	.word	0			/* start_sys_seg, obsolete */
	.word	payload_version_offset	/* kernel_version */
	.byte	0			/* type_of_loader: the loader fills it in */
	.byte	LOADED_HIGH
	.word	0			/* setup_move_size, obsolete */
	.long	DEFAULT_LOAD_ADDR	/* code32_start */
	.long	0, 0			/* ramdisk_image, ramdisk_size: the loader fills them in */
	.long	0			/* bootsect_kludge, obsolete */
	.word	setup_memory_end - HEAP_END_BIAS	/* heap_end_ptr */
	.byte	0, 0			/* ext_loader_ver, _type: the loader fills them in */
	.long	0			/* cmd_line_ptr: the loader fills it in */
	.long	INITRD_ADDR_MAX
	.long	payload_align
	.byte	payload_relocatable
	.byte	payload_min_align_shift
	/*
	 * xloadflags: what the stub supports, and the bits that the payload's own
	 * header had for five-level paging and EFI kexec.
	 */
	.word	XLF_KERNEL_64 + XLF_CAN_BE_LOADED_ABOVE_4G + XLF_EFI_HANDOVER_64 + payload_xloadflags
	.long	payload_cmdline_size
	.long	0			/* hardware_subarch: 0 is a PC */
	.quad	0
	.long	payload_frame_offset
	.long	payload_frame_size
	.quad	0			/* setup_data: the loader fills it in */
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
 * setup_entry - the 16-bit entry. The memory from the setup sectors up to
 * setup_memory_end belongs to the stub (boot.rst "Memory Layout of The Real-Mode
 * Code"): it holds the zero page, a buffer and the stack.
 * In:       %ds = the segment that the setup sectors are in.
 * Out:      does not return: go_to_protected_mode, or bios_halt.
 * Clobbers: everything.
 * Mode:     real mode.
 * Stack:    the loader's, then the last 2 KiB of the memory that ends at setup_memory_end.
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
	/* CALLL, because detect_hardware() is C: gcc -m16 returns with RETL. */
	calll	detect_hardware
	jmp	go_to_protected_mode
END_FUNC(setup_entry)

/*
 * make_zero_page - clears the zero page and copies the setup header into it,
 * including the fields that the loader has filled in.
 * In:       %ds = %es = the setup segment.
 * Out:      setup_zero_page.
 * Clobbers: %eax, %cx, %si, %di.
 * Mode:     real mode.
 * Stack:    the return address.
 */
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
 * enable_a20 - switches the address line A20 on. While A20 is off, an access to an
 * odd megabyte reaches the even megabyte below it. Most firmware leaves A20 on, so
 * enable_a20 tests A20 first. If A20 is off, it tries the BIOS, then port 0x92.
 * In:       %ds = the setup segment.
 * Out:      returns with A20 on; else a message and bios_halt.
 * Clobbers: %ax, %bx, %cx, %dx, %si, flags, and what the BIOS changes.
 * Mode:     real mode.
 * Stack:    8 bytes, and the BIOS's.
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
 * a20_is_on - writes changing values to the word at A20_TEST and compares it with
 * the word 1 MiB above. While A20 is off, both addresses reach the same word and
 * never differ. A20_TRIES writes give slow hardware time to switch A20 on.
 * In:       nothing.
 * Out:      ZF is clear if the words differ, which is to say that A20 is on.
 * Clobbers: %ax, %cx, %dx, flags.
 * Mode:     real mode.
 * Stack:    6 bytes.
 */
FUNC(a20_is_on)
	pushw	%ds
	pushw	%es
	xorw	%ax, %ax
	movw	%ax, %ds
	notw	%ax
	movw	%ax, %es
	movw	A20_TEST, %dx		/* %dx = the old value of the word at A20_TEST */
	movw	%dx, %ax
	movw	$A20_TRIES, %cx
.La20_try:
	incw	%ax
	movw	%ax, A20_TEST
	outb	%al, $PORT_DELAY
	cmpw	%es:(A20_TEST + 0x10), %ax
	loope	.La20_try
	movw	%dx, A20_TEST		/* MOV keeps ZF, the result that this function returns */
	popw	%es
	popw	%ds
	ret
END_FUNC(a20_is_on)

/*
 * detect_memory - reads the BIOS's memory map, INT 15h E820, into the zero page's
 * table of 128 entries. If the BIOS does not support E820, e820_entries stays 0,
 * and place_early_tables stops the boot with a message.
 * In:       %ds = %es = the setup segment; make_zero_page has run.
 * Out:      the zero page's e820_table and e820_entries.
 * Clobbers: %eax, %ebx, %ecx, %edx, %di, flags.
 * Mode:     real mode.
 * Stack:    the return address, and the BIOS's.
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
 * go_to_protected_mode - disables interrupts, NMIs and both interrupt
 * controllers, switches to protected mode and jumps to code32_start, which is
 * startup_32. A loader can have set two hooks (boot.rst "Advanced Boot Loader
 * Hooks"): a function in realmode_swtch, which is called here and must disable
 * interrupts and NMIs itself; and its own code in code32_start, which must jump to
 * startup_32 itself.
 * In:       %ds = %ss = the setup segment.
 * Out:      does not return. At code32_start: %esi = zero page, %edi =
 *           ENTRY_16_TAG, %ebp = %ebx = 0, a flat GDT, an empty IDT.
 * Clobbers: everything.
 * Mode:     real mode, then 32-bit protected mode, paging off.
 * Stack:    the setup stack.
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

	/* %ebx = linear address of the setup segment */
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
	/* The far jump loads CS; from here on instructions are 32-bit. */
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

/*
 * bios_print - prints a message by the BIOS's teletype service.
 * In:       %ds:%si = the message, a string.
 * Out:      returns.
 * Clobbers: %ax, %bx, %si, flags, and what the BIOS changes.
 * Mode:     real mode.
 * Stack:    the return address, and the BIOS's.
 */
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

/*
 * bios_halt - halts after an error that bios_print has reported.
 * In:       nothing.
 * Out:      does not return.
 * Clobbers: nothing.
 * Mode:     real mode.
 * Stack:    none.
 */
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
	/*
	 * Base address of the GDT, as an offset in the setup segment.
	 * go_to_protected_mode adds the segment's linear address.
	 */
	.long	setup_gdt
END_DATA(setup_gdt_ptr)

DATA(setup_idt_ptr)
	.word	0
	.long	0
END_DATA(setup_idt_ptr)

/*
 * The target of go_to_protected_mode's far jump. That function adds the setup
 * segment's linear address to the offset.
 */
.Lprotected_mode_ptr:
	.long	.Lprotected_mode
	.word	BOOT_CS

/*
 * The last part of the string at kernel_version. linker.ld puts it after the
 * payload's own version text, payload_version, which mkpayload writes without a
 * NUL.
 */
	.section .setup.stub_version, "a", @progbits
	.ascii	" (sevstub "
	.ascii	SEVSTUB_VERSION
	.asciz	")"

/*
 * SBAT: data by which the boot loader shim finds out whether the image was revoked.
 * Distributions append a line of their own.
 */
	.section .sbat, "a", @progbits
	.incbin	"efi/sbat.csv"

	.section .note.GNU-stack, "", @progbits
