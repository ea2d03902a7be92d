/* SPDX-License-Identifier: MIT */
/*
 * fuzz_sevemu.c - libFuzzer target for sevemu, the emulated SEV-ES hypervisor. The input
 * gives the guest's requests in the GHCB page and in the GHCB MSR, an SEV-SNP guest's
 * requests to change page states, the guest's accesses to the ports of fw_cfg (a device
 * of QEMU), or fw_cfg's directory, which sevemu reads itself.
 *
 * A guest may request anything. sevemu may change only the GHCB page's reply
 * fields. It must answer a malformed request with the error code of GHCB 4.1, and
 * must not let the guest reach sevemu's own ports.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#define outb	x86_outb
#define outw	x86_outw
#define outl	x86_outl
#define inb	x86_inb
#define inw	x86_inw
#define inl	x86_inl
#define rdmsr	x86_rdmsr
#define rdtsc	x86_rdtsc
#include "../../sevemu/sevemu.h"
#undef outb
#undef outw
#undef outl
#undef inb
#undef inw
#undef inl
#undef rdmsr
#undef rdtsc

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const u8 *input;
static size_t input_left;
/* If sevemu stops the guest, longjmp() to this ends the test of the input. */
static jmp_buf over;
/* Code of the last violation of GHCB rules that sevemu reported; 0: no violation. */
static unsigned int violated;

__attribute__((noreturn)) static void wrong(const char *what, u64 value)
{
	fprintf(stderr, "fuzz: %s: %#lx\n", what, value);
	abort();
}

static void take_bytes(void *to, size_t size)
{
	size_t there = size < input_left ? size : input_left;

	memset(to, 0, size);
	if (there)
		memcpy(to, input, there);
	input += there;
	input_left -= there;
}

static u64 take(unsigned int size)
{
	u64 value = 0;

	take_bytes(&value, size);
	return value;
}

/* ---- the machine on which sevemu runs: fakes of its I/O ports and MSRs ---- */

#define DIRECTORY_MAX	512
#define KEY_E820	0x2a

static u8 directory[DIRECTORY_MAX];	/* the file directory of the device fw_cfg */
static u32 directory_at;		/* offset of the next read from directory[] */
static u64 dma_high;
static u16 selected;
static u32 offset;

/*
 * True while sevemu handles a guest's request. False while sevemu reads fw_cfg for itself,
 * before it starts the guest.
 */
static bool by_guest;

static void check_shared(const u8 *data, size_t size);

/*
 * Fake of fw_cfg's DMA: copies bytes of directory[] as QEMU's structure FWCfgDmaAccess
 * at @address asks. If sevemu uses the DMA for a guest's request, the destination must be
 * the GHCB's shared buffer.
 */
static void run_dma(u64 address)
{
	struct {
		u32 control, length;
		u64 address;
	} __attribute__((packed)) *dma = (void *)address;
	u32 control = __builtin_bswap32(dma->control);
	u32 length = __builtin_bswap32(dma->length), i;
	u8 *to = (u8 *)__builtin_bswap64(dma->address);

	if (by_guest)
		check_shared(to, length);
	if (control & 8)
		directory_at = 0;
	for (i = 0; i < length; i++, directory_at++)
		to[i] = directory_at < DIRECTORY_MAX ? directory[directory_at] :
						       0;
	dma->control = 0;
}

static void check_port(u16 port, unsigned int size)
{
	if (port + size > 0x4e8 && port < 0x4f0)
		wrong("sevemu's own port", port);
	if (port + size > 0x514 && port < 0x51c)
		wrong("fw_cfg's DMA", port);
}

static void outb(u16 port, u8 value)
{
	(void)value;
	check_port(port, 1);
}

static void outw(u16 port, u16 value)
{
	check_port(port, 2);
	if (port == 0x510) {
		selected = value;
		offset = 0;
	}
}

static void outl(u16 port, u32 value)
{
	(void)value;
	check_port(port, 4);
}

/*
 * Replaces outl() in sevemu/fwcfg.c, the only file of sevemu that may use fw_cfg's DMA.
 * Fails the test at any port but those of the DMA.
 */
static void fwcfg_outl(u16 port, u32 value)
{
	if (port == 0x514)
		dma_high = (u64)__builtin_bswap32(value) << 32;
	else if (port == 0x518)
		run_dma(dma_high | __builtin_bswap32(value));
	else
		wrong("fw_cfg's DMA by the port", port);
}

/*
 * The value that the machine's I/O port returns to sevemu. fw_cfg's data port
 * 0x511 returns 0xee. sevemu answers some of fw_cfg's keys itself, so a guest
 * that gets 0xee for such a key has reached the machine's port.
 */
static u8 inb(u16 port)
{
	check_port(port, 1);
	return port == 0x511 ? 0xee : (u8)port;
}

static u16 inw(u16 port)
{
	check_port(port, 2);
	return port;
}

static u32 inl(u16 port)
{
	check_port(port, 4);
	return port;
}

static u64 rdmsr(u32 msr)
{
	return msr;
}

static u64 rdtsc(void)
{
	return 0x123456789abcdef0;
}

/* ---- the tested files of sevemu, and fakes of the functions that they call ---- */

#undef memcpy
#undef memset
#include "../../sevemu/ghcb.c"
#define outl fwcfg_outl
#include "../../sevemu/fwcfg.c"
#undef outl
#include "../../sevemu/io.c"
#include "../../sevemu/snp_ghcb.c"

struct config config;
u64 hv_base = 0x7f000000;
struct e820_entry machine_e820[4];
unsigned int machine_e820_count = 4;
struct vcpu vcpus[VCPUS_MAX];

static struct ghcb page;
static void check_shared(const u8 *data, size_t size)
{
	if (data < page.shared_buffer ||
	    data + size > page.shared_buffer + sizeof(page.shared_buffer))
		wrong("data outside of the shared buffer", (u64)(data - (u8 *)&page));
}

static unsigned int frame_state;
static u8 io_permissions[IOPM_PAGES * PAGE_SIZE];

void end_run(enum end end, const char *fmt, ...)
{
	(void)end;
	(void)fmt;
	longjmp(over, 1);
}

void end_terminated(u64 request)
{
	(void)request;
	longjmp(over, 1);
}

void end_error(struct vcpu *vcpu, const char *fmt, ...)
{
	(void)vcpu;
	(void)fmt;
	longjmp(over, 1);
}

void violation(struct vcpu *vcpu, unsigned int code, const char *fmt, ...)
{
	(void)vcpu;
	(void)fmt;
	violated = code;
	/*
	 * For these two codes the real violation() does not return (hooks.h).
	 */
	if (code == VIOL_NOT_SNP || code == VIOL_GHCB_ADDRESS)
		longjmp(over, 1);
}

void trace(const char *fmt, ...)
{
	(void)fmt;
}

void report_vmgexit_page(u64 exit_code)
{
	(void)exit_code;
}

void report_vmgexit_msr(u64 request)
{
	(void)request;
}

void report_count(enum counter counter)
{
	(void)counter;
}

struct cpuid_regs guest_cpuid(const struct vcpu *vcpu, u32 function, u32 index)
{
	(void)vcpu;
	return (struct cpuid_regs){ function, index, ~function, ~index };
}

unsigned int npt_frame_state(u64 gpa)
{
	(void)gpa;
	return frame_state;
}

bool npt_is_rom(u64 gpa)
{
	return gpa & 1UL << 40;
}

u8 *npt_frame(u64 gpa, enum view view)
{
	(void)gpa;
	(void)view;
	return (u8 *)&page;
}

void *npt_alloc(size_t pages)
{
	if (pages > IOPM_PAGES)
		wrong("pages", pages);
	return io_permissions;
}

bool msr_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	(void)vcpu;
	*value = msr;
	return !(msr & 1);
}

bool msr_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	(void)vcpu;
	(void)value;
	return !(msr & 1);
}

bool mmio_access(struct vcpu *vcpu, u64 gpa, void *buf, size_t len, bool write)
{
	(void)vcpu;
	check_shared(buf, len);
	if (!write)
		memset(buf, 0xdd, len);
	return gpa >> 63 == 0;
}

/*
 * ---- Fakes of the functions by which sevemu gives the guest wrong answers. They
 * change nothing, because sevemu/tests tests the real ones.
 */

u64 attack_answer(u64 request, u64 value)
{
	(void)request;
	return value;
}

void attack_reply(struct ghcb *reply, const struct ghcb *request)
{
	(void)reply, (void)request;
}

u8 iommu_hide(u32 offset, u8 byte)
{
	(void)offset;
	return byte;
}

bool attack_on;

u32 attack_port(u16 port, u32 value)
{
	(void)port;
	return value;
}

u64 attack_tsc(u64 tsc)
{
	return tsc;
}

bool campaign_running(void)
{
	return false;
}

void campaign_vmgexit(struct vcpu *vcpu)
{
	(void)vcpu;
}

void memory_note(const struct vcpu *vcpu)
{
	(void)vcpu;
}

void events_trigger(enum trigger trigger)
{
	(void)trigger;
}

void events_replied(u64 gpa)
{
	(void)gpa;
}

void watch_request(const struct vcpu *vcpu, const struct ghcb *g, u64 gpa)
{
	(void)vcpu, (void)g, (void)gpa;
}

void kaslr_console(u16 port, u8 byte)
{
	(void)port;
	(void)byte;
}

/* ---- Fakes of an SEV-SNP machine's reverse map table. */

/*
 * Bits of a page's guest-physical address. The fakes take a page with PRIVATE_BIT for
 * private, and fail to change the state of a page with REFUSED_BIT.
 */
#define PRIVATE_BIT	(1UL << 41)
#define REFUSED_BIT	(1UL << 42)

static unsigned int states_changed;

bool rmp_shared(u64 gpa)
{
	return !(gpa & PRIVATE_BIT);
}

bool rmp_page_state(struct vcpu *vcpu, u64 gpa, unsigned int state, unsigned int pages)
{
	(void)vcpu;
	if (pages > 512 || gpa % PAGE_SIZE || (state != 1 && state != 2))
		wrong("page state", gpa | state);
	states_changed++;
	return !(gpa & REFUSED_BIT);
}

struct rmp_entry *npt_rmp(u64 gpa)
{
	(void)gpa;
	return NULL;
}

void rmp_smash(u64 gpa)
{
	wrong("a page without RMP entry is split", gpa);
}

bool snp_attack_no_svsm(void)
{
	return false;
}

void svsm_run(struct vcpu *vcpu)
{
	if (!vcpu->vmpl)
		wrong("SVSM of a guest at VMPL", 0);
}

void log_printf(const char *fmt, ...)
{
	(void)fmt;
}

void dma_doorbell(struct vcpu *vcpu)
{
	(void)vcpu;
}

/* ---- Fakes of functions for a guest with several processors. */

void ap_hold(struct vcpu *vcpu, enum ap_hold hold, u64 ghcb)
{
	(void)vcpu, (void)hold, (void)ghcb;
	longjmp(over, 1);
}

/* The fake RMP has no VMSA page, so no request may start a virtual CPU. */
void ap_create(struct vcpu *vcpu, u64 vmsa, bool on_init)
{
	(void)vcpu, (void)on_init;
	wrong("a virtual CPU starts from a page that is no VMSA", vmsa);
}

void ap_destroy(struct vcpu *vcpu)
{
	if (vcpu < vcpus || vcpu >= vcpus + config.smp)
		wrong("a virtual CPU stops that does not exist", vcpu - vcpus);
}

u64 attack_smp_table(u64 honest)
{
	return honest;
}

u8 *npt_host(u64 gpa)
{
	wrong("memory is read that has no RMP entry", gpa);
}

/* Fakes of functions that sevemu calls only for guests without SEV-ES. */
bool guest_long_mode(const struct vcpu *vcpu)
{
	return vcpu;
}

void insn_decode(struct vcpu *vcpu, struct insn *insn)
{
	(void)vcpu;
	(void)insn;
	abort();
}

bool guest_read(struct vcpu *vcpu, u64 va, void *buf, size_t len, u32 access,
		struct guest_fault *fault)
{
	(void)vcpu, (void)va, (void)buf, (void)len, (void)access, (void)fault;
	abort();
}

bool guest_write(struct vcpu *vcpu, u64 va, const void *buf, size_t len,
		 u32 access, struct guest_fault *fault)
{
	(void)vcpu, (void)va, (void)buf, (void)len, (void)access, (void)fault;
	abort();
}

void guest_raise_pf(struct vcpu *vcpu, const struct guest_fault *fault)
{
	(void)vcpu, (void)fault;
	abort();
}

/* ---- requests in the GHCB page ---- */

#define GPA		0x12345000UL

static u64 at(const struct ghcb *g, unsigned int where)
{
	u64 value;

	memcpy(&value, (const u8 *)g + where, sizeof(value));
	return value;
}

static bool has(const struct ghcb *g, unsigned int where)
{
	return ((const u8 *)g)[0x3f0 + where / 64] >> where / 8 % 8 & 1;
}

enum { G_RAX = 0x1f8, G_RCX = 0x308, G_RDX = 0x310, G_CPL = 0xcb,
       G_XCR0 = 0x3e8, G_SCRATCH = 0x3a8, G_CODE = 0x390, G_INFO_1 = 0x398,
       G_INFO_2 = 0x3a0 };

/*
 * Whether all fields that GHCB 4.1 demands for the exit code in @g have their valid
 * bits set.
 */
static bool complete(const struct ghcb *g)
{
	u64 info = at(g, G_INFO_1);
	bool rax = has(g, G_RAX), rcx = has(g, G_RCX), rdx = has(g, G_RDX);

	if (!has(g, G_CODE) || !has(g, G_INFO_1) || !has(g, G_INFO_2))
		return false;
	switch (at(g, G_CODE)) {
	case 0x37: return rax;
	case 0x6f: return rcx;
	case 0x72: return rax && rcx && (at(g, G_RAX) != 13 || has(g, G_XCR0));
	case 0x7b: return info & 4 ? has(g, G_SCRATCH) : info & 1 || rax;
	case 0x7c: return rcx && (!info || (rax && rdx));
	case 0x81: return rax && has(g, G_CPL);
	case 0x8a: return rax && rcx && rdx;
	case 0x8b: return rax && rcx;
	case 0x80000001:
	case 0x80000002: return has(g, G_SCRATCH);
	}
	return true;
}

/* Whether @size bytes at the address in SW_SCRATCH lie in the GHCB's shared buffer. */
static bool scratch_fits(const struct ghcb *g, u64 size)
{
	u64 start = at(g, G_SCRATCH) - GPA;

	return start >= 0x800 && start <= 0xff0 && size <= 0xff0 - start;
}

/*
 * Returns the error code (SW_EXITINFO2) with which sevemu must refuse the request
 * in @g as malformed (SW_EXITINFO1 = 2), or 0 if it must not refuse it.
 */
static u64 expected_error(const struct ghcb *g)
{
	u64 code = at(g, G_CODE), info = at(g, G_INFO_1);
	u64 count = at(g, G_INFO_2), size = info >> 4 & 7;
	static const u32 known[] = {
		0x27, 0x37, 0x6e, 0x6f, 0x72, 0x76, 0x81, 0x87, 0x89, 0x8a,
		0x8b, 0x80000003, 0x8000fffd, 0x8000ffff,
	};
	size_t i;

	if (*(const u32 *)((const u8 *)g + 0xffc))
		return 2;
	if (!complete(g))
		return 4;
	switch (code) {
	case 0x7b:
		if (size != 1 && size != 2 && size != 4)
			return 5;
		if (info & 4 && (count > 0x7f0 ||
				 !scratch_fits(g, count * size)))
			return 3;
		return 0;
	case 0x7c:
		return info > 1 ? 5 : 0;
	case 0x80000001:
	case 0x80000002:
		if (!scratch_fits(g, count))
			return 3;
		return info >> 63 ? 5 : 0;
	case 0x80000005:
		return info > 1 ? 5 : 0;
	}
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (code == known[i])
			return 0;
	return 6;
}

static void check_page(const struct ghcb *before)
{
	const u8 *was = (const u8 *)before, *is = (const u8 *)&page;
	static const u16 outputs[] = { 0x1f8, 0x308, 0x310, 0x318, 0x398,
				       0x3a0 };
	u64 error = expected_error(before), i, j;
	bool may;

	if (at(&page, G_INFO_1) > 2)
		wrong("result", at(&page, G_INFO_1));
	if ((at(&page, G_INFO_1) == 2) != (error != 0))
		wrong("result, and the code wanted is", error);
	if (error && at(&page, G_INFO_2) != error)
		wrong("error code", at(&page, G_INFO_2));
	for (i = 0; i < 0x1000; i++) {
		if (was[i] == is[i])
			continue;
		may = (i >= 0x3f0 && i < 0x400) || (i >= 0x800 && i < 0xff0);
		for (j = 0; j < ARRAY_SIZE(outputs); j++)
			may |= i >= outputs[j] && i < outputs[j] + 8UL;
		if (!may)
			wrong("a byte has changed that is no reply's", i);
	}
	for (i = 0; i < 128; i++) {
		may = false;
		for (j = 0; j < ARRAY_SIZE(outputs); j++)
			may |= i == outputs[j] / 8U;
		if (has(&page, (unsigned int)i * 8) != may)
			wrong("valid bit of", i * 8);
	}
}

static void fuzz_page(struct vcpu *vcpu)
{
	static const u32 codes[] = {
		0x27, 0x37, 0x6e, 0x6f, 0x72, 0x76, 0x7b, 0x7b, 0x7b, 0x7c,
		0x81, 0x87, 0x89, 0x8a, 0x8b, 0x80000001, 0x80000002,
		0x80000003, 0x80000004, 0x80000005, 0x8000fffd, 0x8000ffff,
	};
	static struct ghcb before;
	u8 how = (u8)take(1), which = (u8)take(1);
	bool injects;
	u64 value;

	config.host = how & 64 ? HOST_SPEC : HOST_KVM;
	memset(&page, 0, sizeof(page));
	memset(page.valid_bitmap, 0xff, sizeof(page.valid_bitmap));
	if (how & 1)
		take_bytes(page.valid_bitmap, sizeof(page.valid_bitmap));
	page.sw_exit_code = which < 0xf0 ? codes[which % ARRAY_SIZE(codes)] :
					   take(8);
	page.sw_exit_info_1 = how & 2 ? take(8) : take(4);
	page.sw_exit_info_2 = how & 4 ? take(8) : take(2);
	value = take(2);
	page.sw_scratch = how & 8 ? take(8) : GPA + value;
	page.ghcb_usage = how & 16 ? (u32)take(4) : 0;
	page.protocol_version = (u16)take(1);
	page.rax = take(8);
	page.rcx = take(8);
	page.rdx = take(8);
	take_bytes(page.shared_buffer, 64);
	frame_state = how & 32 ? (unsigned int)take(1) % 4 : HOOK_FRAME_SHARED;
	/*
	 * Select an item of fw_cfg, as if the guest had done so: the directory of files,
	 * which sevemu reads by DMA, or the file etc/e820, whose bytes sevemu replaces.
	 */
	memset(&fw_cfg, 0, sizeof(fw_cfg));
	fw_cfg.e820_key = KEY_E820;
	fw_cfg.key = how & 128 ? FW_CFG_FILE_DIR : KEY_E820;
	before = page;
	vcpu->ghcb_msr = GPA;
	if (setjmp(over))
		return;
	injects = vmgexit(vcpu);
	check_page(&before);
	/*
	 * With HOST_KVM sevemu must behave like KVM, which injects #GP for RDPMC (0x6f) of a
	 * counter that does not exist.
	 */
	if (injects != (config.host == HOST_KVM && !expected_error(&before) &&
			before.sw_exit_code == 0x6f && before.rcx >= 4))
		wrong("#GP after VMGEXIT", injects);
}

/* ---- requests of an SEV-SNP guest for page states ---- */

/*
 * @g is a copy of a GHCB page with a request to change page states (GHCB 4.1.6). Changes
 * @g as the hypervisor must, adds to *@changes the number of page states that the
 * hypervisor must try to change, and returns the value for sw_exit_info_2.
 */
static u64 model_states(struct ghcb *g, unsigned int *changes)
{
	u8 *p = (u8 *)g + (g->sw_scratch - GPA);
	u64 room = (0xff0 - (g->sw_scratch - GPA) - 8) / 8, entry, gpa, pages;
	unsigned int handled;
	u16 current, last;

	memcpy(&current, p, 2);
	memcpy(&last, p + 2, 2);
	if (last >= room)
		return 1UL << 32 | 1;
	for (handled = 0; current <= last && handled < config.psc_entries; handled++) {
		memcpy(&entry, p + 8 + current * 8, 8);
		pages = entry >> 56 & 1 ? 512 : 1;
		gpa = entry & 0xffffffffff000;
		if ((entry & 0xfff) > pages || gpa % (pages << 12))
			return 1UL << 32 | 2;
		switch (entry >> 52 & 0xf) {
		case 1:
			if (gpa <= GPA && GPA < gpa + (pages << 12))
				return 0x100UL << 32;
			/* fall through */
		case 2:
			++*changes;
			if ((gpa + ((entry & 0xfff) << 12)) & REFUSED_BIT)
				return 0x100UL << 32;
		}
		entry = (entry & ~0xfffUL) | pages;
		memcpy(p + 8 + current * 8, &entry, 8);
		current++;
		memcpy(p, &current, 2);
	}
	return 0;
}

static void fuzz_states(struct vcpu *vcpu)
{
	static const u64 bits[] = { 0, 0, 0, PRIVATE_BIT, REFUSED_BIT };
	static struct ghcb want;
	u8 how = (u8)take(1), *p;
	unsigned int changes = 0, i;
	u64 error = 0, info, entry;

	config.sev = SEV_SNP;
	config.psc_entries = 1 + (unsigned int)take(1) % 253;
	memset(&page, 0, sizeof(page));
	memset(page.valid_bitmap, 0xff, sizeof(page.valid_bitmap));
	page.protocol_version = 2;
	page.sw_exit_code = 0x80000010;
	page.sw_scratch = GPA + (how & 1 ? take(2) : 0x800 + take(1) * 8);
	take_bytes(page.shared_buffer, 16);
	p = scratch_fits(&page, 8) ? (u8 *)&page + (page.sw_scratch - GPA) : page.shared_buffer;
	for (i = 0; input_left && p + 16 + i * 8 < (u8 *)&page + 0xff0; i++) {
		entry = take(2) << 12 | (take(1) & 0x1f) << 52 | bits[take(1) % ARRAY_SIZE(bits)];
		entry |= how & 2 ? take(1) % 4 : 0;
		entry |= how & 4 && i % 2 ? GPA : 0;
		memcpy(p + 8 + i * 8, &entry, 8);
	}
	frame_state = HOOK_FRAME_SHARED;
	vcpu->ghcb_msr = GPA;
	vcpu->ghcb_registered = how & 8 ? GPA : GPA + PAGE_SIZE;
	states_changed = 0;
	want = page;
	if (setjmp(over))
		return;
	vmgexit(vcpu);
	if (vcpu->ghcb_registered != GPA)
		error = 1;
	else if (!scratch_fits(&want, 8))
		error = 3;
	info = error ? error : model_states(&want, &changes);
	if (at(&page, G_INFO_1) != (error ? 2 : 0) || at(&page, G_INFO_2) != info)
		wrong("page states: info_2, and wanted is", info);
	if (states_changed != changes)
		wrong("number of pages changed", states_changed);
	if (memcmp(page.shared_buffer, want.shared_buffer, sizeof(page.shared_buffer)))
		wrong("the shared buffer after page states", info);
}

/* ---- requests in the GHCB MSR ---- */

static void fuzz_msr(struct vcpu *vcpu)
{
	u64 request = take(8), reply;

	if (!(request & 0xfff))
		request |= 4;
	vcpu->ghcb_msr = request;
	if (setjmp(over))
		return;
	vmgexit(vcpu);
	reply = vcpu->ghcb_msr;
	if (violated) {
		if (reply != request)
			wrong("an unknown request is answered", reply);
		return;
	}
	switch (request & 0xfff) {
	case 2:
		if (reply != ((u64)config.ghcb_max << 48 | 1UL << 32 |
			      (u64)config.cbit << 24 | 1))
			wrong("SEV information", reply);
		break;
	case 4:
		if ((reply & 0xfff) != 5 ||
		    (reply & 0xc0000000) != (request & 0xc0000000))
			wrong("CPUID", reply);
		break;
	case 0x80:
		if ((reply & 0xfff) != 0x81)
			wrong("features", reply);
		break;
	default:
		wrong("no violation", request);
	}
}

/* ---- fw_cfg ---- */

/*
 * Lets fwcfg_find() search for a file in a directory that the input supplies, and
 * compares the result with a second search in this function.
 */
static void fuzz_directory(void)
{
	static const char *const names[] = { "etc/e820", "a", "" };
	const char *name = names[take(1) % ARRAY_SIZE(names)];
	u32 count, found_size = 0, i, want_size = 0;
	u16 found, want = 0;
	char text[56];

	take_bytes(directory, sizeof(directory));
	count = (u32)directory[0] << 24 | directory[1] << 16 |
		directory[2] << 8 | directory[3];
	by_guest = false;
	if (setjmp(over)) {
		if (count <= 0x10000)
			wrong("a directory is refused", count);
		return;
	}
	/*
	 * Skip directories of more than 256 files, because they take long to read. Do not
	 * skip those of more than 0x10000 files: fwcfg_find() refuses them and reads none.
	 */
	if (count > 0x100 && count <= 0x10000)
		return;
	found = fwcfg_find(name, &found_size);
	for (i = 0; i < count; i++) {
		u8 entry[64] = { 0 };

		if (4 + i * 64UL < DIRECTORY_MAX)
			memcpy(entry, directory + 4 + i * 64, 4 + i * 64UL + 64 >
			       DIRECTORY_MAX ? DIRECTORY_MAX - 4 - i * 64UL :
			       64);
		memcpy(text, entry + 8, sizeof(text));
		text[sizeof(text) - 1] = '\0';
		if (strcmp(text, name))
			continue;
		want = (u16)(entry[4] << 8 | entry[5]);
		want_size = (u32)entry[0] << 24 | entry[1] << 16 |
			    entry[2] << 8 | entry[3];
		break;
	}
	if (found != want || (i < count && found_size != want_size))
		wrong("the file's key", found);
}

/*
 * Makes port accesses of a guest as the input says, and checks that the guest reads
 * sevemu's own memory map and memory size from fw_cfg, not the machine's.
 */
static void fuzz_ports(struct vcpu *vcpu)
{
	static const u16 ports[] = {
		0x64, 0x70, 0x71, 0x92, 0x4e8, 0x4ef, 0x510, 0x511, 0x514,
		0x51b, 0x50f, 0x4e7, 0xcf8, 0xcf9, 0xcfc, 0x3f8,
	};
	static const u8 sizes[] = { 1, 2, 4 };
	static struct vmcb vmcb;
	u16 port, key = 0xffff;
	unsigned int size;
	u32 value, at_byte = 0, want;
	u8 how;

	memset(&fw_cfg, 0, sizeof(fw_cfg));
	iopm = NULL;
	cmos_index = 0;
	vcpu->vmcb = &vmcb;
	memset(directory, 0, sizeof(directory));
	memcpy(directory, "\0\0\0\1\0\0\0\120\0\52\0\0etc/e820", 20);
	take_bytes(machine_e820, sizeof(machine_e820));
	by_guest = false;
	if (setjmp(over))
		return;
	io_init(vcpu);
	by_guest = true;
	while (input_left) {
		how = (u8)take(1);
		port = ports[how % ARRAY_SIZE(ports)];
		size = sizes[(how >> 4 & 3) % 3];
		value = (u32)take(2);
		if (how & 0x40) {
			io_out(port, size, value);
			if (port == 0x510 && size == 2) {
				key = (u16)value;
				at_byte = 0;
			}
			continue;
		}
		value = io_in(port, size);
		if (port != 0x511 || size != 1 || key == 0xffff) {
			/*
			 * at_byte counts the bytes of the selected file that
			 * the guest has read. A read of 2 or 4 bytes may add
			 * more than 1 to this number. The test then no longer
			 * knows the number, so it does not check reads until
			 * the guest selects the next key.
			 */
			if (port != 0x510 || size != 1)
				key = 0xffff;
			else
				at_byte++;
			continue;
		}
		want = 0xee;
		if (key == KEY_E820)
			want = at_byte < sizeof(machine_e820) ?
			       ((u8 *)machine_e820)[at_byte] : 0;
		else if (key == 3)
			want = at_byte < 4 ? (u8)(hv_base >> at_byte * 8) : 0;
		else if (key == 1 && !at_byte)
			want = 0xee & ~2;
		if ((value & 0xff) != want)
			wrong("fw_cfg shows", value);
		at_byte++;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct vcpu vcpu;
	static struct vmcb vmcb;
	u8 which;

	input = data;
	input_left = size;
	violated = 0;
	by_guest = true;
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vmcb = &vmcb;
	config = (struct config){ .sev = SEV_ES, .cbit = 51, .ghcb_max = 2, .smp = 2 };
	which = (u8)take(1);
	switch (which % 8 == 7 ? 4 : which % 4) {
	case 0:
		fuzz_msr(&vcpu);
		break;
	case 1:
		fuzz_page(&vcpu);
		break;
	case 2:
		fuzz_directory();
		break;
	case 4:
		fuzz_states(&vcpu);
		break;
	default:
		fuzz_ports(&vcpu);
	}
	return 0;
}
