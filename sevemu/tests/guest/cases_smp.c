/* SPDX-License-Identifier: MIT */
/*
 * cases_smp.c - a guest with several processors (--smp 2 or more). The first case that
 * needs the second processor, "the AP", starts it. The AP then runs functions that the
 * cases name. The AP has no GHCB page, and its only IDT is the one that nap() loads, so
 * these functions must not raise exceptions.
 */
#include "guest.h"
#include "snp.h"

/* Registers of the local APIC (APM2 16.3), and commands of its interrupt command register. */
#define APIC			0xfee00000ULL
#define APIC_ICR_LOW		0x300
#define APIC_ICR_HIGH		0x310
#define APIC_SVR		0x0f0
#define APIC_LVT_TIMER		0x320
#define APIC_COUNT		0x380
#define APIC_CURRENT		0x390
#define APIC_DIVIDE		0x3e0
#define APIC_ON			0x1ff
#define APIC_PERIODIC		0x20000
#define APIC_MASKED		0x10000
#define APIC_DIVIDE_BY_1	0xb
#define APIC_IRR_TIMER		0x220	/* bit 0 is VECTOR_TIMER */
#define ICR_FIXED		0x4000
#define ICR_NMI			0x4400
#define ICR_INIT		0x4500
#define ICR_SIPI		0x4600
#define AP_ID			1
#define NO_AP			200	/* an APIC ID that no processor has */

/*
 * Address to which start() copies the AP's real-mode code: page 7. A SIPI names the page by
 * its number, and can only name a page below 1 MiB.
 */
#define TRAMPOLINE		0x7000
#define TRAMPOLINE_VECTOR	(TRAMPOLINE / PAGE_SIZE)

#define WORDS			(PAGE_SIZE / 8)
#define PATTERN			0x5348415245443f21ULL
#define FLIPS			2000
/*
 * Number of passes after which a wait loop gives up. The number is great, because on a busy
 * machine and with sevemu's option --threads multi, QEMU's thread of the other processor
 * may pause for as long as a second.
 */
#define PATIENCE		2000000
/*
 * For nap(): the AP's timer interrupts it after NAP_TICKS ticks. The AP reads the timer
 * in a loop, and goes to sleep when few ticks are left: in each nap another number below
 * NAP_LEFT. With --icount a tick is an instruction, and a pass of the loop takes several
 * ticks. NAP_PHASES different delays before the loop make the loop end at different
 * ticks, so that the interrupts come at many different points around the HLT.
 */
#define NAP_TICKS		20000
#define NAP_LEFT		24
#define NAP_PHASES		8
/*
 * For the case smp_restart: how often it starts the AP again, and the period in ticks of
 * the first processor's timer. The period is a prime number, so that the interrupts come
 * at changing points of the hypervisor's work.
 */
#define RESTARTS		100
#define TIMER_TICKS		20011

/* Address of unused RAM, a multiple of 2 MiB, for VMSA pages that sevemu must refuse. */
#define OTHER_VMSA		((u8 *)0x3200000)

/* Operations of the GHCB request "AP creation", in bits 15:0 of sw_exit_info_1. */
#define CREATE_ON_INIT		0
#define CREATE			1
#define DESTROY			2
/* Offsets in a VMSA (APM2 appendix B). */
#define VMSA_CS			0x010
#define VMSA_SS			0x020
#define VMSA_GDTR		0x060
#define VMSA_VMPL		0x0ca
#define VMSA_EFER		0x0d0
#define VMSA_CR4		0x148
#define VMSA_CR3		0x150
#define VMSA_CR0		0x158
#define VMSA_DR7		0x160
#define VMSA_DR6		0x168
#define VMSA_RFLAGS		0x170
#define VMSA_RIP		0x178
#define VMSA_RSP		0x1d8
#define VMSA_PAT		0x268
#define VMSA_FEATURES		0x3b0
#define EFER_LMA		0x400
#define EFER_SVME		0x1000

/*
 * In head.S: the AP's real-mode code, and ap_start_64, the AP's first 64-bit code. The
 * real-mode code jumps to ap_start_64. In an SNP guest the AP starts at ap_start_64, because
 * its VMSA has this address as RIP.
 */
extern const u8 ap_trampoline[], ap_trampoline_end[];
extern u8 ap_start_64[];

/*
 * In head.S: the end of the AP's stack, the AP's interrupt handler, and the number of
 * interrupts that this handler has counted.
 */
extern u8 ap_stack_end[], ap_interrupt[];
extern volatile u64 ap_interrupts;

/* The AP's main loop, which calls ap.call. head.S enters it in 64-bit mode. */
void ap_loop(void);

/* The variables by which the first processor and the AP tell each other what to do. */
static volatile struct {
	u64 alive;			/* number of passes of the AP's loop */
	u64 starts;			/* number of entries to ap_loop() */
	/*
	 * The function that the AP must run. The AP's loop sets @call to NULL when this
	 * function has returned.
	 */
	void (*call)(void);
	/* Set by the first processor to make the AP's function return. */
	bool stop;
	u64 wrong, reads;		/* results of watch_page() */
	/*
	 * The first processor adds 1 to @naps for a nap. nap() then starts the AP's
	 * timer, adds 1 to @armed, sleeps once, and adds 1 to @waked.
	 */
	u64 naps, armed, waked;
	/* nap() goes to sleep when the timer has no more than this number of ticks left. */
	u64 left;
	/* The number of NOPs that nap() executes before it reads the timer. */
	u64 phase;
} ap;

static ALIGNED_PAGE u64 page[WORDS];
/*
 * The AP's VMSA. The hypervisor refuses a VMSA whose address is a multiple of 2 MiB. The
 * guest's image starts at a multiple of 2 MiB, with code, and is at most 2 MiB long. No
 * other multiple of 2 MiB lies in the image, so the address of vmsa is none.
 */
static ALIGNED_PAGE u8 vmsa[PAGE_SIZE];

static void pause(void)
{
	asm volatile("pause" : : : "memory");
}

void ap_loop(void)
{
	void (*call)(void);

	ap.starts++;
	for (;;) {
		ap.alive++;
		call = ap.call;
		if (call) {
			call();
			ap.call = NULL;
		}
		pause();
	}
}

/* Writes @value to the register at @offset of the calling processor's local APIC. */
static void apic_write(u32 offset, u32 value)
{
	if (!machine.es) {
		*(volatile u32 *)(APIC + offset) = value;
		return;
	}
	ghcb_begin(SVM_VMGEXIT_MMIO_WRITE, APIC + offset, 4);
	ghcb_set(GHCB_SCRATCH, ghcb_scratch(0));
	*(volatile u32 *)ghcb_buffer() = value;
	expect("result of the APIC write", ghcb_go(), RESULT_DONE);
}

static void send(u32 command)
{
	apic_write(APIC_ICR_HIGH, AP_ID << 24);
	apic_write(APIC_ICR_LOW, command);
}

/* Executes 2000 PAUSE instructions, so that the other processor has time to run. */
static void wait(void)
{
	u32 i;

	for (i = 0; i < 2000; i++)
		pause();
}

/* Returns whether the AP's loop makes a pass before this CPU has waited PATIENCE times. */
static bool runs(void)
{
	u64 before = ap.alive;
	u32 i;

	for (i = 0; i < PATIENCE && ap.alive == before; i++)
		pause();
	return ap.alive != before;
}

/* Returns whether the AP's loop has stopped: it makes no pass while this CPU waits. */
static bool stopped(void)
{
	u64 before;

	wait();
	before = ap.alive;
	wait();
	return ap.alive == before;
}

/* Returns the AP jump table, which the hypervisor has placed at launch. */
static volatile u16 *jump_table(void)
{
	ghcb_begin(SVM_VMGEXIT_AP_JUMP_TABLE, SVM_VMGEXIT_GET_AP_JUMP_TABLE, 0);
	expect("result of get", ghcb_go(), RESULT_DONE);
	return (volatile u16 *)ghcb_get(GHCB_EXIT_INFO_2);
}

static void make_segment(u32 offset, u16 selector, u16 attributes, u32 limit, u64 base)
{
	*(u16 *)(vmsa + offset) = selector;
	*(u16 *)(vmsa + offset + 2) = attributes;
	*(u32 *)(vmsa + offset + 4) = limit;
	*(u64 *)(vmsa + offset + 8) = base;
}

static void put(u32 offset, u64 value)
{
	*(u64 *)(vmsa + offset) = value;
}

/* Fills in the VMSA with which the AP of an SNP guest starts in 64-bit code. */
static void make_vmsa(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) gdtr;
	u64 cr0, cr3, cr4;

	asm volatile("sgdt %0" : "=m"(gdtr));
	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	memset(vmsa, 0, sizeof(vmsa));
	make_segment(VMSA_CS, SELECTOR_CODE64, 0xa9b, ~0U, 0);
	make_segment(VMSA_SS, 0x18, 0xc93, ~0U, 0);
	make_segment(VMSA_GDTR, 0, 0, gdtr.limit, gdtr.base);
	vmsa[VMSA_VMPL] = machine.vmpl;
	put(VMSA_EFER, (rdmsr(MSR_EFER) & ~EFER_SCE) | EFER_LMA | EFER_SVME);
	put(VMSA_CR0, cr0);
	put(VMSA_CR3, cr3);
	put(VMSA_CR4, cr4);
	put(VMSA_DR6, 0xffff0ff0);
	put(VMSA_DR7, 0x400);
	put(VMSA_RFLAGS, 2);
	put(VMSA_RIP, (u64)ap_start_64);
	put(VMSA_RSP, (u64)ap_stack_end);
	put(VMSA_PAT, 0x0007040600070406);
	put(VMSA_FEATURES, 1);
}

/*
 * Sends the request AP creation with the operation @operation for the processor with APIC
 * ID @id, the VMSA page at @gpa, and the SEV features @features. Returns RESULT_*.
 */
static u64 creation(u64 operation, u64 id, u64 gpa, u64 features)
{
	ghcb_begin(EXIT_AP_CREATION, id << 32 | (u64)machine.vmpl << 16 | operation, gpa);
	ghcb_set(GHCB_RAX, features);
	return ghcb_go();
}

/*
 * Sends the request AP creation, as creation() does. The hypervisor must refuse it as
 * VIOL_INVALID_INPUT. @what names what is wrong with the request.
 */
static void refused(const char *what, u64 operation, u64 id, u64 gpa, u64 features)
{
	hook(HOOK_EXPECT, VIOL_INVALID_INPUT);
	expect(what, creation(operation, id, gpa, features), RESULT_MALFORMED);
	expect(what, ghcb_get(GHCB_EXIT_INFO_2), MALFORMED_INVALID);
	expect(what, hook(HOOK_VIOLATION, 0), VIOL_INVALID_INPUT);
}

static void set_vmsa_bit(const u8 *at, bool on)
{
	u64 change = 1 | SNP_RIGHTS(SNP_ALL) | (on ? SNP_VMSA : 0);
	struct snp_result r = rmpadjust((u64)at, SNP_4K, change);

	expect("RMPADJUST", r.eax, SNP_SUCCESS);
}

/*
 * Copies vmsa[] to the page @at, with the SEV features @features, and makes the copy a
 * VMSA page. The hypervisor must refuse AP creation with it. @what names what is wrong.
 */
static void refuse_copy(const char *what, u8 *at, u64 features)
{
	memcpy(at, vmsa, sizeof(vmsa));
	*(u64 *)(at + VMSA_FEATURES) = features;
	set_vmsa_bit(at, true);
	refused(what, CREATE, AP_ID, (u64)at, features);
	set_vmsa_bit(at, false);
}

/* Starts the AP, unless an earlier case has started it. */
static void start(void)
{
	volatile u16 *table;

	if (ap.starts)
		return;
	memcpy((void *)TRAMPOLINE, ap_trampoline, ap_trampoline_end - ap_trampoline);
	if (machine.sev == SEV_SNP) {
		make_vmsa();
		set_vmsa_bit(vmsa, true);
		expect("AP creation", creation(CREATE, AP_ID, (u64)vmsa, 1), RESULT_DONE);
	} else {
		if (machine.sev == SEV_ES) {
			table = jump_table();
			table[0] = 0;
			table[1] = TRAMPOLINE >> 4;
		}
		send(ICR_INIT);
		send(ICR_SIPI | TRAMPOLINE_VECTOR);
	}
	expect("AP runs", runs(), true);
}

/*
 * This case must run before all others that start the AP, because it is about the AP
 * before its first start. At first the AP is off, and no SIPI or NMI may start it. After
 * INIT and SIPI the AP runs sevemu's park code, which waits while the AP jump table is
 * empty. Neither SIPI nor NMI may make the AP leave the park code.
 */
CASE(smp_park, "smp-park", CASE_SMP | CASE_ES | CASE_NOT_SNP)
{
	u32 i;

	send(ICR_SIPI | TRAMPOLINE_VECTOR);
	send(ICR_NMI);
	expect("stopped before INIT", stopped(), true);
	send(ICR_INIT);
	send(ICR_SIPI | TRAMPOLINE_VECTOR);
	expect("stopped with an empty jump table", stopped(), true);
	send(ICR_SIPI | TRAMPOLINE_VECTOR);
	expect("stopped after SIPI without INIT", stopped(), true);
	for (i = 0; i < 5; i++) {
		send(ICR_NMI);
		expect("stopped after NMI", stopped(), true);
	}
	send(ICR_INIT);
	send(ICR_SIPI | TRAMPOLINE_VECTOR);
	expect("stopped after INIT and SIPI", stopped(), true);
	expect("starts", ap.starts, 0);
	start();
	expect("starts", ap.starts, 1);
}

/*
 * Runs on the AP: stores in ap.reads the word of the AP's interrupt request register that
 * has the bit of VECTOR_TIMER.
 */
static void read_irr(void)
{
	ap.reads = *(volatile u32 *)(APIC + APIC_IRR_TIMER);
	ap.stop = true;
}

/*
 * The AP runs with interrupts off, so an interrupt sent to it stays pending. INIT must
 * drop this interrupt.
 */
CASE(smp_init_irr, "smp-init-irr", CASE_SMP | CASE_NOT_ES)
{
	u32 i, n;

	start();
	for (i = 0; i < 2; i++) {
		if (i) {
			send(ICR_INIT);
			send(ICR_SIPI | TRAMPOLINE_VECTOR);
			expect("runs after SIPI", runs(), true);
		} else {
			send(ICR_FIXED | VECTOR_TIMER);
		}
		ap.stop = false;
		ap.call = read_irr;
		for (n = 0; n < PATIENCE && !ap.stop; n++)
			pause();
		expect("pending interrupts", ap.reads, i ? 0 : 1);
	}
}

/*
 * INIT must stop the AP, and a SIPI must start it again. sevemu must ignore a SIPI while
 * the AP runs.
 */
CASE(smp_init, "smp-init", CASE_SMP | CASE_NOT_SNP)
{
	u64 starts;

	start();
	starts = ap.starts;
	send(ICR_SIPI | TRAMPOLINE_VECTOR);
	expect("runs after another SIPI", runs(), true);
	expect("starts", ap.starts, starts);
	send(ICR_INIT);
	expect("stopped after INIT", stopped(), true);
	send(ICR_INIT);
	expect("stopped after another INIT", stopped(), true);
	/*
	 * INIT has stopped the AP, so sevemu must ignore this NMI. The AP has no IDT and
	 * would end with a triple fault if the NMI were delivered after its start.
	 */
	send(ICR_NMI);
	send(ICR_SIPI | TRAMPOLINE_VECTOR);
	expect("runs after SIPI", runs(), true);
	/*
	 * The host cannot change the registers of an SEV-ES guest's AP, so this AP goes
	 * on in its loop. An AP without SEV-ES starts from its real-mode code again.
	 */
	expect("starts", ap.starts, machine.es ? starts : starts + 1);
	send(ICR_SIPI | TRAMPOLINE_VECTOR);
	expect("runs after another SIPI", runs(), true);
	/* 0x8500 is INIT with the level "de-assert", which must have no effect. */
	send(0x8500);
	expect("runs after de-assert", runs(), true);
}

/*
 * Runs on the AP until ap.stop is set: reads page[] with C=1 in a loop. Counts the reads in
 * ap.reads, and in ap.wrong those that have not returned PATTERN.
 */
static void watch_page(void)
{
	while (!ap.stop) {
		if (*(volatile u64 *)page != PATTERN)
			ap.wrong++;
		ap.reads++;
		pause();
	}
}

/*
 * The AP reads a page with C=1 while the first processor reads it with C=0. Each read
 * makes sevemu change the state of the page's frame, which must take effect on both
 * processors. The AP must always read the plaintext, and the first processor never.
 */
CASE(smp_shootdown, "smp-shootdown", CASE_SMP | CASE_SEV)
{
	u64 i, plain = 0, reads;

	start();
	page[0] = PATTERN;
	ap.stop = false;
	ap.wrong = ap.reads = 0;
	ap.call = watch_page;
	for (i = 0; i < FLIPS; i++) {
		reads = ap.reads;
		plain += *shared(page) == PATTERN;
		while (ap.reads == reads)
			pause();
	}
	ap.stop = true;
	while (ap.call)
		pause();
	expect("plain words seen with C=0", plain, 0);
	expect("wrong words seen with C=1", ap.wrong, 0);
	note("reads", ap.reads);
	expect("word at the end", *(volatile u64 *)page, PATTERN);
}

/* Loads an IDT in which only VECTOR_TIMER has a gate, which leads to ap_interrupt. */
static void load_idt(void)
{
	static u64 idt[2 * (VECTOR_TIMER + 1)];
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (u64)idt };
	u64 handler = (u64)ap_interrupt;

	idt[2 * VECTOR_TIMER] = (handler & 0xffff) | SELECTOR_CODE64 << 16 | 0x8eULL << 40 |
				(handler >> 16 & 0xffff) << 48;
	asm volatile("lidt %0" : : "m"(idtr));
}

/*
 * Runs on the AP: for each nap starts the timer and sleeps as an idle operating system
 * does, in HLT right after STI, until the timer's interrupt has come. The processor
 * delivers no interrupt between STI and HLT.
 */
static void nap(void)
{
	u64 before, n;

	load_idt();
	apic_write(APIC_SVR, APIC_ON);
	apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	while (!ap.stop) {
		if (ap.waked == ap.naps) {
			pause();
			continue;
		}
		before = ap_interrupts;
		apic_write(APIC_COUNT, NAP_TICKS);
		ap.armed++;
		for (n = ap.phase; n; n--)
			asm volatile("nop");
		while (*(volatile u32 *)(APIC + APIC_CURRENT) > ap.left)
			;
		asm volatile("cli" : : : "memory");
		while (ap_interrupts == before)
			asm volatile("sti; hlt; cli" : : : "memory");
		ap.waked++;
	}
}

/*
 * While the AP goes to sleep, the first processor changes the view of a page, for which
 * sevemu makes the AP leave the guest. If the AP leaves the guest between STI and HLT, a
 * pending interrupt must still end the HLT. In each nap the timer interrupts the AP at another
 * point.
 */
CASE(smp_nap, "smp-nap", CASE_SMP | CASE_SEV | CASE_NOT_ES)
{
	u64 i, n;

	start();
	page[0] = PATTERN;
	ap.stop = false;
	ap.naps = ap.armed = ap.waked = 0;
	ap.call = nap;
	for (i = 0; i < NAP_LEFT * NAP_PHASES && ap.waked == ap.naps; i++) {
		ap.left = i / NAP_PHASES;
		ap.phase = i % NAP_PHASES;
		ap.naps++;
		while (ap.armed != ap.naps)
			pause();
		expect_not("word seen with C=0", *shared(page), PATTERN);
		for (n = 0; n < PATIENCE && ap.waked != ap.naps; n++)
			pause();
		expect("naps that have ended", ap.waked, ap.naps);
		expect("word seen with C=1", *(volatile u64 *)page, PATTERN);
	}
	ap.stop = true;
	expect("AP runs", runs(), true);
}

CASE(smp_creation, "smp-ap-creation", CASE_SMP | CASE_SNP | CASE_VMPL0 | CASE_ALL)
{
	u64 starts;

	ghcb_begin(SVM_VMGEXIT_HV_FEATURES, 0, 0);
	expect("result", ghcb_go(), RESULT_DONE);
	expect("features", ghcb_get(GHCB_EXIT_INFO_2) & 3, 3);
	/*
	 * INIT and SIPI must not start the AP, because an SNP guest's AP has no registers
	 * (no VMSA) before AP creation.
	 */
	send(ICR_INIT);
	send(ICR_SIPI | TRAMPOLINE_VECTOR);
	expect("starts", ap.starts, 0);
	make_vmsa();
	/*
	 * For the request "unaligned" below, which names vmsa + 8: this write puts valid
	 * features where a VMSA at that address has them, so that only the alignment is
	 * wrong.
	 */
	put(VMSA_FEATURES + 8, 1);
	refused("page is no VMSA", CREATE, AP_ID, (u64)vmsa, 1);
	refuse_copy("2 MiB aligned", OTHER_VMSA, 1);
	refuse_copy("other features", OTHER_VMSA + PAGE_SIZE, 3);
	set_vmsa_bit(vmsa, true);
	refused("no such CPU", CREATE, NO_AP, (u64)vmsa, 1);
	refused("unaligned", CREATE, AP_ID, (u64)vmsa + 8, 1);
	refused("no RAM", CREATE, AP_ID, APIC, 1);
	refused("features", CREATE, AP_ID, (u64)vmsa, 3);
	refused("operation", 3, AP_ID, (u64)vmsa, 1);
	set_vmsa_bit(vmsa, false);
	start();
	starts = ap.starts;
	expect("destroy", creation(DESTROY, AP_ID, 0, 0), RESULT_DONE);
	expect("stopped after destroy", stopped(), true);
	send(ICR_INIT);
	send(ICR_SIPI | TRAMPOLINE_VECTOR);
	expect("stopped after INIT and SIPI", stopped(), true);
	expect("on INIT", creation(CREATE_ON_INIT, AP_ID, (u64)vmsa, 1), RESULT_DONE);
	expect("stopped before INIT", stopped(), true);
	expect("starts", ap.starts, starts);
	send(ICR_INIT);
	expect("runs after INIT", runs(), true);
	expect("starts", ap.starts, starts + 1);
	expect("create", creation(CREATE, AP_ID, (u64)vmsa, 1), RESULT_DONE);
	expect("runs", runs(), true);
	wait();
	expect("starts", ap.starts, starts + 2);
}

/*
 * Runs on the AP: exits in an endless loop, by a request or by OUT. sevemu changes registers
 * of the AP to handle each exit. The AP has no #VC handler and no GHCB page, so the request
 * uses the MSR protocol, and OUT is only for guests without SEV-ES.
 */
static void exit_often(void)
{
	for (;;) {
		if (machine.es)
			vmgexit_at(REQ_SEV_INFO);
		else
			asm volatile("outb %%al, $0x80" : : "a"(0));
		ap.reads++;
	}
}

/*
 * The case starts the AP again while sevemu handles an exit of the AP. sevemu must not
 * let the rest of that handling change the registers with which the AP starts. Without
 * --threads multi, QEMU runs one processor at a time. The first processor's timer makes QEMU
 * switch between the processors at changing points of sevemu's work, so that a start of the
 * AP can come in the middle of an exit.
 */
CASE(smp_restart, "smp-restart", CASE_SMP | CASE_VMPL0)
{
	u64 starts, reads;
	u32 i, n;

	start();
	ap.call = exit_often;
	apic_write(APIC_DIVIDE, APIC_DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, APIC_PERIODIC | VECTOR_TIMER);
	apic_write(APIC_COUNT, TIMER_TICKS);
	for (i = 0; i < RESTARTS; i++) {
		reads = ap.reads;
		for (n = 0; n < PATIENCE && ap.reads == reads; n++)
			pause();
		starts = ap.starts;
		if (machine.sev == SEV_SNP) {
			expect("AP creation", creation(CREATE, AP_ID, (u64)vmsa, 1), RESULT_DONE);
		} else {
			send(ICR_INIT);
			send(ICR_SIPI | TRAMPOLINE_VECTOR);
		}
		/*
		 * Do not wait for an SEV-ES guest's AP: INIT and SIPI cannot change its
		 * registers, so it goes on in exit_often() and does not enter ap_loop() again.
		 */
		for (n = 0; n < PATIENCE && machine.sev != SEV_ES && ap.starts == starts; n++)
			pause();
		if (machine.sev != SEV_ES)
			expect("starts", ap.starts, starts + 1);
	}
	apic_write(APIC_LVT_TIMER, APIC_MASKED);
	apic_write(APIC_COUNT, 0);
	expect_not("exits of the AP", ap.reads, reads);
}

/* Halts the AP for ever. */
static void halt(void)
{
	ap.call = NULL;
	asm volatile("cli; hlt");
}

/*
 * sevemu must end the run when both processors have halted with interrupts off, and not
 * before.
 */
CASE(ends_smp_halt, "ends-smp-halt", CASE_SMP | CASE_ENDS)
{
	start();
	ap.call = halt;
	expect("AP has halted", stopped(), true);
	note("AP has halted", 1);
	asm volatile("cli; hlt");
}

/*
 * Runs on the AP: resets the machine, which must end the run. The suite runs the case
 * without SEV-ES, where OUT raises no #VC.
 */
static void reset(void)
{
	asm volatile("outb %b0, %w1" : : "a"(6), "Nd"(0xcf9));
}

CASE(ends_smp_reset, "ends-smp-reset", CASE_SMP | CASE_ENDS)
{
	start();
	ap.call = reset;
	for (;;)
		pause();
}
