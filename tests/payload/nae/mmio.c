/* SPDX-License-Identifier: MIT */
/*
 * mmio.c - test cases for each instruction that the stub emulates on a device. Each
 * instruction runs twice: on RAM, where the processor executes it, and on a frame
 * buffer, where the stub's #VC handler emulates it. A frame buffer is a device that
 * behaves like memory, so registers and memory must be the same after both.
 */
#include "nae.h"

/* Registers and bits of PCI configuration space (PCI 3.0 6.1). */
#define PCI_DEVICES		32
#define PCI_COMMAND		0x04
#define PCI_COMMAND_MEMORY	0x2
#define PCI_CLASS		0x08
#define PCI_CLASS_DISPLAY	0x03
#define PCI_BAR0		0x10
#define PCI_BAR_FLAGS		0xfU
#define PCI_BAR_IO		0x1
/*
 * The address for a frame buffer to which firmware has given no address. It lies above
 * RAM and below the I/O APIC.
 */
#define SPARE_ADDRESS		0xe0000000

#define MSR_APIC_BASE		0x0000001b
#define APIC_BASE_X2APIC	(_AC(1, UL) << 10)
#define APIC_VERSION		0x30
#define APIC_TPR		0x80

#define WINDOW			256UL
#define MIDDLE			128UL

static u8 ram[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
extern u8 code_page[PAGE_SIZE];
static u8 *device;		/* frame buffer that find_device() has found, or NULL */
static bool have_apic;		/* true if mmio_init() has mapped the local APIC */

/* Returns the device number of a display adapter on PCI bus 0, or 0 if it has none. */
static u32 find_display(void)
{
	for (u32 i = 0; i < PCI_DEVICES; i++) {
		pci_select(i, PCI_CLASS);
		if (in32(PCI_DATA) >> 24 == PCI_CLASS_DISPLAY)
			return i;
	}
	return 0;
}

/*
 * Sets the variable `device` to the address of the display adapter's frame
 * buffer. If firmware has given the frame buffer no address, gives it one. Maps
 * the frame buffer. Needs port I/O, which does not work yet when mmio_init()
 * runs, so the first test case calls this function.
 */
static void find_device(void)
{
	static bool done;
	u32 display, bar;

	if (done)
		return;
	done = true;
	display = find_display();
	if (!display)
		return;
	pci_select(display, PCI_BAR0);
	bar = in32(PCI_DATA);
	if (bar & PCI_BAR_IO)
		return;
	if (!(bar & ~PCI_BAR_FLAGS)) {
		bar = SPARE_ADDRESS;
		out32(PCI_DATA, bar);
	}
	bar &= ~PCI_BAR_FLAGS;
	pci_select(display, PCI_COMMAND);
	out16(PCI_DATA, in16(PCI_DATA) | PCI_COMMAND_MEMORY);
	if (ident_map_device(bar, PAGE_SIZE) == 0)
		device = (u8 *)(u64)bar;
}

void mmio_init(void)
{
	/*
	 * The function moffs() writes instructions to code_page and executes them, so
	 * the page must be writable and executable.
	 */
	if (ident_map_range((u64)code_page, (u64)code_page + PAGE_SIZE,
			    MAP_WRITE | MAP_EXEC))
		error("page tables", "the code page");
	have_apic = ident_map_device(APIC_BASE, PAGE_SIZE) == 0;
}

/* ---- Comparison of RAM and device ---- */

/*
 * Reads and writes a device by MOV. For a volatile variable the compiler may also choose
 * an instruction that computes with memory, which the stub does not emulate.
 */
static u64 load(const u8 *memory, u64 word)
{
	u64 value;

	asm volatile("movq %1, %0" : "=r"(value) : "m"(((const u64 *)memory)[word]));
	return value;
}

static void store(u8 *memory, u64 word, u64 value)
{
	asm volatile("movq %1, %0" : "=m"(((u64 *)memory)[word]) : "r"(value));
}

static void fill(u8 *memory)
{
	for (u64 i = 0; i < WINDOW / sizeof(u64); i++)
		store(memory, i, 0x8091a2b3c4d5e6f7 + i * 0x0102030405060708);
}

/*
 * Flags of subject.addresses: the register holds an address in the memory that the
 * instruction accesses, RAM or device.
 */
#define IN_RBX		(1U << INSN_RBX)
#define IN_RSI		(1U << INSN_RSI)
#define IN_RDI		(1U << INSN_RDI)

struct subject {
	const char *insn;	/* instruction's text in insns.S; NULL ends a table */
	/*
	 * Bits IN_*: the registers that the test loads with the address of the
	 * instruction's operand in memory, RAM or device.
	 */
	u32 addresses;
	u64 rcx;		/* value of RCX before the instruction */
	u64 r10;		/* value of R10 before the instruction */
	u64 rflags;		/* bits of RFLAGS to set before the instruction */
};

/*
 * Sets the registers before the instruction of @subject. Registers with an address
 * point to the middle of @memory, which is RAM or the device.
 */
static void set_up(const struct subject *subject, const u8 *memory)
{
	prepare();
	for (u32 i = 0; i < INSN_REGS; i++)
		if (subject->addresses & 1U << i)
			before.r[i] = (u64)memory + MIDDLE;
	before.r[INSN_RCX] = subject->rcx;
	before.r[INSN_R10] = subject->r10;
	before.rflags |= subject->rflags;
}

/*
 * Compares registers and memory after the instruction on the device with those after
 * the same instruction on RAM (@on_ram). Registers with an address must differ by the
 * distance between device and RAM.
 */
static void compare(const struct subject *subject, const struct regs *on_ram)
{
	u64 distance = (u64)device - (u64)ram;

	want = *on_ram;
	for (u32 i = 0; i < INSN_REGS; i++)
		if (subject->addresses & 1U << i)
			want.r[i] += distance;
	check_regs(subject->insn);
	for (u64 i = 0; i < WINDOW / sizeof(u64); i++) {
		u64 a = load(ram, i), b = load(device, i);

		if (a != b)
			complain("%s: memory at 0x%lx is %lx, not %lx",
				 subject->insn, i * sizeof(u64), b, a);
	}
}

static void test_subject(const struct subject *subject)
{
	struct regs on_ram;

	fill(ram);
	set_up(subject, ram);
	execute(subject->insn);
	on_ram = after;
	fill(device);
	set_up(subject, device);
	execute(subject->insn);
	compare(subject, &on_ram);
}

static void test_subjects(const struct subject *subject)
{
	find_device();
	if (!device) {
		skip("no display with a frame buffer");
		return;
	}
	for (; subject->insn; subject++)
		test_subject(subject);
}

static void case_load(void)
{
	static const struct subject subjects[] = {
		{ "movb (%rbx), %al", IN_RBX, 0, 0, 0 },
		{ "movb (%rbx), %ch", IN_RBX, 0x1122334455667788, 0, 0 },
		{ "movb (%rbx), %sil", IN_RBX, 0, 0, 0 },
		{ "movw (%rbx), %ax", IN_RBX, 0, 0, 0 },
		{ "movw 2(%rbx), %r9w", IN_RBX, 0, 0, 0 },
		{ "movl (%rbx), %eax", IN_RBX, 0, 0, 0 },
		{ "movl -4(%rbx), %r15d", IN_RBX, 0, 0, 0 },
		{ "movl 3(%rbx), %edx", IN_RBX, 0, 0, 0 },
		{ "movq (%rbx), %rax", IN_RBX, 0, 0, 0 },
		{ "movq 16(%rbx), %r8", IN_RBX, 0, 0, 0 },
		{ "movq (%rbx, %rcx, 8), %rdx", IN_RBX, 3, 0, 0 },
		{ "movq 64(%rbx, %r10, 4), %rdx", IN_RBX, 0, -20UL, 0 },
		{ NULL, 0, 0, 0, 0 },
	};

	test_subjects(subjects);
}

static void case_extend(void)
{
	static const struct subject subjects[] = {
		{ "movzbw (%rbx), %ax", IN_RBX, 0, 0, 0 },
		{ "movzbl (%rbx), %eax", IN_RBX, 0, 0, 0 },
		{ "movzbq (%rbx), %r11", IN_RBX, 0, 0, 0 },
		{ "movzwl (%rbx), %eax", IN_RBX, 0, 0, 0 },
		{ "movzwq (%rbx), %rax", IN_RBX, 0, 0, 0 },
		{ "movsbw (%rbx), %ax", IN_RBX, 0, 0, 0 },
		{ "movsbl (%rbx), %eax", IN_RBX, 0, 0, 0 },
		{ "movsbq (%rbx), %r11", IN_RBX, 0, 0, 0 },
		{ "movswl (%rbx), %eax", IN_RBX, 0, 0, 0 },
		{ "movswq (%rbx), %rax", IN_RBX, 0, 0, 0 },
		{ "movslq (%rbx), %rax", IN_RBX, 0, 0, 0 },
		{ NULL, 0, 0, 0, 0 },
	};

	test_subjects(subjects);
}

static void case_store(void)
{
	static const struct subject subjects[] = {
		{ "movb %al, (%rbx)", IN_RBX, 0, 0, 0 },
		{ "movb %ah, (%rbx)", IN_RBX, 0, 0, 0 },
		{ "movb %dil, 1(%rbx)", IN_RBX, 0, 0, 0 },
		{ "movw %ax, (%rbx)", IN_RBX, 0, 0, 0 },
		{ "movl %eax, (%rbx)", IN_RBX, 0, 0, 0 },
		{ "movl %r15d, 4(%rbx)", IN_RBX, 0, 0, 0 },
		{ "movq %rax, (%rbx)", IN_RBX, 0, 0, 0 },
		{ "movq %r12, (%rbx, %rcx, 8)", IN_RBX, -5UL, 0, 0 },
		{ NULL, 0, 0, 0, 0 },
	};

	test_subjects(subjects);
}

static void case_immediate(void)
{
	static const struct subject subjects[] = {
		{ "movb $0x5a, (%rbx)", IN_RBX, 0, 0, 0 },
		{ "movw $0x5aa5, (%rbx)", IN_RBX, 0, 0, 0 },
		{ "movl $0x9abcdef0, (%rbx)", IN_RBX, 0, 0, 0 },
		{ "movq $-2, (%rbx)", IN_RBX, 0, 0, 0 },
		{ NULL, 0, 0, 0, 0 },
	};

	test_subjects(subjects);
}

static void case_stos(void)
{
	static const struct subject subjects[] = {
		{ "stosb %al, (%rdi)", IN_RDI, 0, 0, 0 },
		{ "stosw %ax, (%rdi)", IN_RDI, 7, 0, 0 },
		{ "stosl %eax, (%rdi)", IN_RDI, 0, 0, X86_EFLAGS_DF },
		{ "stosq %rax, (%rdi)", IN_RDI, 0, 0, 0 },
		{ "rep stosb %al, (%rdi)", IN_RDI, 11, 0, 0 },
		{ "rep stosl %eax, (%rdi)", IN_RDI, 5, 0, 0 },
		{ "rep stosl %eax, (%rdi)", IN_RDI, 5, 0, X86_EFLAGS_DF },
		{ "rep stosl %eax, (%rdi)", IN_RDI, 0, 0, 0 },
		{ NULL, 0, 0, 0, 0 },
	};

	test_subjects(subjects);
}

/*
 * Does for @insn, a MOVS, what test_subject() does for the other instructions. MOVS has two
 * operands in memory. Executes it with both in RAM, and then with one in the device: the
 * source if @from_device, else the destination. Both results must be the same.
 */
static void movs(const char *insn, u64 rcx, u64 rflags, bool from_device)
{
	static u8 other[WINDOW] __attribute__((aligned(8)));
	static u8 expected[WINDOW] __attribute__((aligned(8)));
	struct regs on_ram = before;
	u8 *memory = ram;

	for (u32 pass = 0; pass < 2; pass++, memory = device) {
		u8 *from = from_device ? memory : other;
		u8 *to = from_device ? other : memory;

		fill(memory);
		for (u64 i = 0; i < WINDOW / sizeof(u64); i++)
			store(other, i, ~i);
		prepare();
		before.r[INSN_RSI] = (u64)from + MIDDLE;
		before.r[INSN_RDI] = (u64)to + MIDDLE;
		before.r[INSN_RCX] = rcx;
		before.rflags |= rflags;
		execute(insn);

		for (u64 i = 0; i < WINDOW / sizeof(u64); i++) {
			u64 *copy = (u64 *)expected + i;
			u64 value = load(to, i);

			if (pass && value != *copy)
				complain("%s: memory at 0x%lx is %lx, not %lx",
					 insn, i * sizeof(u64), value, *copy);
			*copy = value;
		}
		if (!pass)
			on_ram = after;
	}
	want = on_ram;
	want.r[from_device ? INSN_RSI : INSN_RDI] += (u64)device - (u64)ram;
	check_regs(insn);
}

static void case_movs(void)
{
	find_device();
	if (!device) {
		skip("no display with a frame buffer");
		return;
	}
	for (u32 from_device = 0; from_device < 2; from_device++) {
		movs("movsb (%rsi), (%rdi)", 9, 0, from_device);
		movs("movsw (%rsi), (%rdi)", 0, 0, from_device);
		movs("movsl (%rsi), (%rdi)", 0, X86_EFLAGS_DF, from_device);
		movs("movsq (%rsi), (%rdi)", 0, 0, from_device);
		movs("rep movsb (%rsi), (%rdi)", 13, 0, from_device);
		movs("rep movsl (%rsi), (%rdi)", 6, 0, from_device);
		movs("rep movsq (%rsi), (%rdi)", 3, X86_EFLAGS_DF, from_device);
		movs("rep movsq (%rsi), (%rdi)", 0, 0, from_device);
	}
}

/*
 * Executes @insn, which loads EAX from the device, with @value in register @reg. EAX
 * must become @expected.
 */
static void address(const char *insn, unsigned int reg, u64 value, u64 expected)
{
	prepare();
	before.r[reg] = value;
	execute(insn);
	want.r[INSN_RAX] = expected;
	check_regs(insn);
}

/*
 * Accesses to the device with 32-bit addresses, where the upper half of a register must
 * be ignored, and with FS and GS, whose base must be added to the address.
 */
static void case_address(void)
{
	u64 addr;

	find_device();
	if (!device) {
		skip("no display with a frame buffer");
		return;
	}
	fill(device);
	addr = (u64)device;
	address("movl (%ebx), %eax", INSN_RBX, addr | 0x7777777700000000,
		0xc4d5e6f7);
	wrmsr(MSR_FS_BASE, 0x8000);
	wrmsr(MSR_GS_BASE, addr - 0x10);
	address("movl %fs:(%rcx), %eax", INSN_RCX, addr - 0x8000, 0xc4d5e6f7);
	address("movl %gs:8(%rcx), %eax", INSN_RCX, 0x8, 0xc4d5e6f7);
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_GS_BASE, 0);

	prepare();
	before.r[INSN_RDI] = addr | 0x3333333300000000;
	before.r[INSN_RCX] = 0x4444444400000002;
	execute("rep stosl %eax, (%edi)");
	want.r[INSN_RDI] = addr + 8;
	want.r[INSN_RCX] = 0;
	check_regs("rep stosl (%edi)");
	expect("rep stosl (%edi): memory", load(device, 0),
	       (u32)before.r[INSN_RAX] * 0x100000001UL);

	prepare();
	before.r[INSN_RSI] = addr | 0x3333333300000000;
	before.r[INSN_RDI] = (u64)ram | 0x5555555500000000;
	before.r[INSN_RCX] = 0x4444444400000002;
	execute("rep movsl (%esi), (%edi)");
	want.r[INSN_RSI] = addr + 8;
	want.r[INSN_RDI] = (u64)ram + 8;
	want.r[INSN_RCX] = 0;
	check_regs("rep movsl (%esi), (%edi)");
	expect("rep movsl (%esi), (%edi): memory", load(ram, 0), load(device, 0));
}

/*
 * Writes a MOV between RAX and memory, with the address in the instruction, to
 * code_page and executes it. The instruction is @opcode and the 8 bytes of @addr. A RET
 * follows it.
 */
static void moffs(const char *name, const char *opcode, u64 addr)
{
	size_t len = strlen(opcode);

	memcpy(code_page, opcode, len);
	memcpy(code_page + len, &addr, sizeof(addr));
	code_page[len + sizeof(addr)] = 0xc3;
	prepare();
	execute_code(name, (void (*)(void))(u64)code_page);
}

static void case_moffs(void)
{
	static const struct {
		const char *name, *opcode;
	} forms[] = {
		{ "mov moffs, %al", "\xa0" },
		{ "mov moffs, %ax", "\x66\xa1" },
		{ "mov moffs, %eax", "\xa1" },
		{ "mov moffs, %rax", "\x48\xa1" },
		{ "mov %al, moffs", "\xa2" },
		{ "mov %ax, moffs", "\x66\xa3" },
		{ "mov %eax, moffs", "\xa3" },
		{ "mov %rax, moffs", "\x48\xa3" },
	};
	struct regs on_ram;

	find_device();
	if (!device) {
		skip("no display with a frame buffer");
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct subject subject = { .insn = forms[i].name };

		fill(ram);
		moffs(forms[i].name, forms[i].opcode, (u64)ram + MIDDLE);
		on_ram = after;
		fill(device);
		moffs(forms[i].name, forms[i].opcode, (u64)device + MIDDLE);
		compare(&subject, &on_ram);
	}
}

/*
 * Loads from and stores to the local APIC, which also machines without a frame buffer
 * have.
 */
static void case_apic(void)
{
	volatile u32 *tpr = (volatile u32 *)(APIC_BASE + APIC_TPR);
	u64 version;

	if (!have_apic || rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC) {
		skip("no local APIC in memory");
		return;
	}
	prepare();
	before.r[INSN_RBX] = APIC_BASE + APIC_VERSION;
	execute("movl (%rbx), %eax");
	version = after.r[INSN_RAX] & 0xff;
	want.r[INSN_RAX] = after.r[INSN_RAX];
	check_regs("movl (%rbx), %eax");
	if (version < 0x10 || version > 0x1f || after.r[INSN_RAX] >> 32)
		complain("version register: %lx", after.r[INSN_RAX]);

	prepare();
	before.r[INSN_RBX] = APIC_BASE + APIC_TPR;
	before.r[INSN_RAX] = 0x20;
	execute("movl %eax, (%rbx)");
	check_regs("movl %eax, (%rbx)");
	expect("TPR", *tpr, 0x20);
	*tpr = 0;
	expect("TPR", *tpr, 0);
}

const struct test mmio_tests[] = {
	{ "mmio-load", case_load, SVM_EXIT_NPF, 0 },
	{ "mmio-extend", case_extend, SVM_EXIT_NPF, 0 },
	{ "mmio-store", case_store, SVM_EXIT_NPF, 0 },
	{ "mmio-immediate", case_immediate, SVM_EXIT_NPF, 0 },
	{ "mmio-stos", case_stos, SVM_EXIT_NPF, 0 },
	{ "mmio-movs", case_movs, SVM_EXIT_NPF, 0 },
	{ "mmio-moffs", case_moffs, SVM_EXIT_NPF, 0 },
	{ "mmio-address", case_address, SVM_EXIT_NPF, 0 },
	{ "mmio-apic", case_apic, SVM_EXIT_NPF, 0 },
	{ NULL, NULL, 0, 0 },
};
