/* SPDX-License-Identifier: MIT */
/*
 * firmware.S - the test guest as a firmware image for sevemu's option --mode ovmf, so
 * that cases can examine a machine with a ROM. It starts at the reset vector, enters
 * 32-bit protected mode, copies the guest and the command line to RAM, and jumps to the
 * guest's 32-bit entry.
 *
 * The guest does not run in the ROM. Before long mode all accesses are private, but
 * later the guest maps the ROM without the C-bit, and would then read its own data as
 * ciphertext. The image begins with the command line, which the program
 * sevemu/tests/suite.sh writes there.
 */
#define ROM_SIZE		0x30000
#define ROM_BASE		(0x100000000 - ROM_SIZE)
#define CMDLINE_SIZE		0x100
#define SETUP_SIZE		0x400
#define SELECTOR_CODE32		0x08
#define SELECTOR_DATA		0x18
#define CR0_PE			1
#define CR0_MP			2
/* Address of the zero page. The command line lies after the zero page. */
#define BOOT_PARAMS		0x10000
#define BOOT_PARAMS_SIZE	0x1000
/* Address of the secrets page. The CPUID page lies after it. */
#define SECRETS			0x3a000
#define SECTION_ZERO		1
#define SECTION_SECRETS		2
#define SECTION_CPUID		3
#define HDR_CMD_LINE_PTR	0x228
/*
 * Addresses at which the launch puts the launch secret and the table of kernel hashes.
 * cases_machine.c has the same numbers.
 */
#define LAUNCH_SECRET		0x3c000
#define LAUNCH_SECRET_SIZE	0x400
#define KERNEL_HASHES		0x3c400
#define KERNEL_HASHES_SIZE	0x400

	.section .rom, "ax"
rom:
	.org	CMDLINE_SIZE
image:
	.incbin	GUEST_IMAGE, SETUP_SIZE
image_end:

	/*
	 * OVMF's SEV metadata, which say what a launch as SEV-SNP guest validates besides
	 * the image: zeroed RAM for zero page, command line and guest, then the secrets
	 * page and the CPUID page.
	 */
	.org	ROM_SIZE - 0x200
metadata:
	.ascii	"ASEV"
	.long	metadata_end - metadata, 1, 4
	.long	BOOT_PARAMS, 0x2000, SECTION_ZERO
	.long	GUEST_BASE, 0x200000, SECTION_ZERO
	.long	SECRETS, 0x1000, SECTION_SECRETS
	.long	SECRETS + 0x1000, 0x1000, SECTION_CPUID
metadata_end:

	.org	ROM_SIZE - 0x180
	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x08: 32-bit code */
	.quad	0
	.quad	0x00cf93000000ffff	/* 0x18: data */
gdt_end:
msw_mp:
	.word	CR0_MP
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	ROM_BASE + (gdt - rom)

	.code16
start:
	cli
	cld
	lgdtl	%cs:(gdt_pointer - rom) - (ROM_SIZE - 0x10000)
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	/*
	 * Test that LMSW reads its operand from a 16-bit address. The operand has the bit MP
	 * set, so LMSW must set CR0.MP. If CR0.MP stays clear, halt. The guest's cases then
	 * never run, and the suite fails.
	 */
	movw	$(msw_mp - rom - (ROM_SIZE - 0x10000) - 2), %bx
	movw	$1, %si
	lmsw	%cs:1(%bx,%si)
	movl	%cr0, %edx
	testb	$CR0_MP, %dl
	jz	no_lmsw
	movl	%eax, %cr0
	ljmpl	$SELECTOR_CODE32, $(ROM_BASE + (flat - rom))
	.code32
flat:
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$(ROM_BASE + (image - rom)), %esi
	movl	$GUEST_BASE, %edi
	movl	$(image_end - image), %ecx
	rep movsb
	movl	$BOOT_PARAMS, %edi
	movl	$BOOT_PARAMS_SIZE, %ecx
	xorl	%eax, %eax
	rep stosb
	movl	%edi, BOOT_PARAMS + HDR_CMD_LINE_PTR
	movl	$ROM_BASE, %esi
	movl	$CMDLINE_SIZE, %ecx
	rep movsb
	movl	$BOOT_PARAMS, %esi
	movl	$GUEST_BASE, %eax
	jmp	*%eax

	.code16
no_lmsw:
	hlt
	jmp	no_lmsw

	/*
	 * The table of GUIDs near the image's end, in OVMF's format. sevemu reads it
	 * backwards. An entry is its data, its length and its GUID. The last entry, the
	 * footer, has the length of the whole table.
	 */
	.org	ROM_SIZE - 0x20 - 92
	.long	LAUNCH_SECRET, LAUNCH_SECRET_SIZE
	.word	26
	.byte	0x61, 0xb3, 0x2e, 0x4c, 0x9b, 0x7d, 0xc3, 0x4c
	.byte	0x80, 0x81, 0x12, 0x7c, 0x90, 0xd3, 0xd2, 0x94
	.long	KERNEL_HASHES, KERNEL_HASHES_SIZE
	.word	26
	.byte	0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b
	.byte	0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54
	.long	ROM_SIZE - (metadata - rom)
	.word	22
	.byte	0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47
	.byte	0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc
	.word	92
	.byte	0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45
	.byte	0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d

	.org	ROM_SIZE - 0x10
	jmp	start
	.org	ROM_SIZE
	.section .note.GNU-stack, "", @progbits
