/* SPDX-License-Identifier: MIT */
/*
 * launch.c - a guest's launch: which pages are validated when it starts, and the
 * launch digest.
 *
 * Runs once, before the guest starts.  A real security processor encrypts the pages
 * that the virtual machine monitor names, enters them in the RMP as validated, and
 * hashes them.  The digest of SEV and SEV-ES is the SHA-256 of all bytes in the order
 * of the calls, and with SEV-ES of each virtual CPU's saved state (SEV API, LAUNCH_
 * commands).  The digest of SEV-SNP is a chain of SHA-384 over a structure for each
 * page (SEV-SNP firmware ABI, PAGE_INFO).  docs/emulator-snp.md has the order of pages.
 */
#include "fwcfg.h"
#include "launch.h"
#include "layout.h"
#include "loader.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"
#include "sha2.h"

#define RANGES_MAX		48
#define VMSA_GPA		0xfffffffff000

#define MXCSR_RESET		0x1f80
#define FCW_RESET		0x037f
#define XCR0_X87		1

/* A range of launched pages. */
struct range {
	u64 gpa, end;		/* start and end, page-aligned unless @exact is set */
	enum launch_type type;
	/* Only the range's bytes are measured, not whole pages: see launch_add_bytes(). */
	bool exact;
};

/* What the SHA-384 of a page covers (SEV-SNP firmware ABI, PAGE_INFO). */
struct page_info {
	u8 digest[SHA384_SIZE];	/* the launch digest so far */
	u8 contents[SHA384_SIZE]; /* SHA-384 of the page, or zeroes */
	u16 length;		/* sizeof(struct page_info) */
	u8 type;		/* enum launch_type */
	u8 imi;			/* 0: the page is in no initial migration image */
	u8 vmpl3, vmpl2, vmpl1;	/* rights of the VMPLs */
	u8 reserved;
	u64 gpa;
} __attribute__((packed));
_Static_assert(2 * RANGES_MAX <= LAUNCH_LIST_MAX, "room for the list of validated ranges");
_Static_assert(sizeof(struct page_info) == 0x70, "PAGE_INFO has 112 bytes");

static struct range ranges[RANGES_MAX];
static unsigned int range_count;
static u8 digest[SHA384_SIZE];
static struct sha256 plain;	/* the launch digest so far, for a guest without SEV-SNP */
static bool measured;
static char *validated;		/* the value of --validated */
/* The ranges of --validated, if it is a list. */
static struct range listed[RANGES_MAX];
static unsigned int listed_count;
/* Where the list of validated ranges goes, or NULL; see launch_describe(). */
static u64 (*described)[2];
static u32 *described_bytes;

void launch_add(u64 gpa, u64 size, enum launch_type type)
{
	struct range *range = &ranges[range_count];

	if (!size)
		return;
	if (range_count + 1 == RANGES_MAX)
		end_run(END_ERROR, "the launch has more than %u ranges of pages: give a "
			"shorter list to --validated", RANGES_MAX);
	range->gpa = ALIGN_DOWN(gpa, PAGE_SIZE);
	range->end = ALIGN_UP(gpa + size, PAGE_SIZE);
	range->type = type;
	range_count++;
}

void launch_add_bytes(u64 gpa, u64 size)
{
	struct range *range = &ranges[range_count];

	launch_add(gpa, size, LAUNCH_NORMAL);
	range->gpa = gpa;
	range->end = gpa + size;
	range->exact = true;
}

void launch_option(char *value)
{
	validated = value;
}

void launch_describe(u64 (*data)[2], u32 *bytes)
{
	described = data;
	described_bytes = bytes;
}

bool launch_all(void)
{
	return config.mode != MODE_OVMF && !strcmp(validated, "all");
}

/* Adds a page of type @type to the digest of an SNP guest. */
static void measure_snp(u64 gpa, enum launch_type type, const void *contents)
{
	struct page_info info = { .length = sizeof(info), .type = type, .gpa = gpa };

	memcpy(info.digest, digest, sizeof(digest));
	if (type == LAUNCH_NORMAL || type == LAUNCH_VMSA)
		sha384(contents, PAGE_SIZE, info.contents);
	/* The digest covers the rights of the VMPLs, which rmp_launch() gives. */
	if (config.vmpl && type != LAUNCH_VMSA) {
		info.vmpl1 = config.vmpl <= 1 ? RMP_ALL_RIGHTS : 0;
		info.vmpl2 = config.vmpl <= 2 ? RMP_ALL_RIGHTS : 0;
		info.vmpl3 = RMP_ALL_RIGHTS;
	}
	sha384(&info, sizeof(info), digest);
}

static void measure(u64 gpa, enum launch_type type, const void *contents)
{
	if (!config.measure)
		return;
	if (guest_is_snp())
		measure_snp(gpa, type, contents);
	else if (type == LAUNCH_NORMAL || type == LAUNCH_VMSA)
		sha256_add(&plain, contents, PAGE_SIZE);
}

/*
 * Writes the virtual CPU's saved state (VMSA) at launch to @page.  The first VMSA_SAME bytes
 * of a VMSA (segments, control registers and so on) have the same layout as the VMCB from its
 * field es on.
 */
static void make_vmsa(const struct vcpu *vcpu, u8 *page)
{
	const struct vmcb *v = vcpu->vmcb;
	u64 features = guest_is_snp() ? SEV_FEATURE_SNP : 0;
	static const u64 xcr0 = XCR0_X87;
	static const u32 mxcsr = MXCSR_RESET;
	static const u16 fcw = FCW_RESET;

	u64 cr0 = v->cr0 & ~(u64)(CR0_CD | CR0_NW), cr4 = v->cr4 | CR4_MCE;

	memcpy(page, &v->es, VMSA_SAME);
	page[VMSA_VMPL] = config.vmpl;
	/* KVM puts these values of CR0 and CR4 into every VMSA, and the digest covers them. */
	memcpy(page + offsetof(struct vmcb, cr0) - offsetof(struct vmcb, es), &cr0, sizeof(cr0));
	memcpy(page + offsetof(struct vmcb, cr4) - offsetof(struct vmcb, es), &cr4, sizeof(cr4));
	/*
	 * Copy RCX to RBX, and RBP to R15.  Leave out RSP, which lies between RBX and RBP in
	 * gpr[], because RSP was copied with the VMCB's fields.
	 */
	memcpy(page + VMSA_RCX, &vcpu->gpr[RCX], 3 * sizeof(u64));
	memcpy(page + VMSA_RBP, &vcpu->gpr[RBP], 11 * sizeof(u64));
	memcpy(page + VMSA_SEV_FEATURES, &features, sizeof(features));
	memcpy(page + VMSA_XCR0, &xcr0, sizeof(xcr0));
	memcpy(page + VMSA_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(page + VMSA_FCW, &fcw, sizeof(fcw));
}

/*
 * Validates the frames from @start to @end that are not validated yet, as pages of
 * zeroes.
 */
static void launch_rest(u64 start, u64 end)
{
	u64 page;

	for (page = ALIGN_DOWN(start, PAGE_SIZE); page < end; page += PAGE_SIZE)
		if (npt_rmp(page) && npt_rmp(page)->flags & RMP_UNTOUCHED)
			measure(page, LAUNCH_ZERO, NULL);
	rmp_launch(start, end);
}

static void launch_all_ram(void)
{
	unsigned int i;

	launch_rest(0, VGA_START);
	launch_rest(BIOS_START, hv_base);
	for (i = 0; i < machine_e820_count; i++)
		if (machine_e820[i].type == E820_RAM && machine_e820[i].address >= FOUR_GIB)
			launch_rest(machine_e820[i].address,
				    machine_e820[i].address + machine_e820[i].length);
}

/*
 * Reads the ranges of --validated, a list of START-END separated by commas.  The text
 * is changed.
 */
static void read_list(char *text)
{
	char *start, *end;

	while (*text) {
		for (start = text; *text != '-'; text++)
			;
		*text++ = '\0';
		for (end = text; *text && *text != ','; text++)
			;
		if (*text)
			*text++ = '\0';
		if (listed_count == RANGES_MAX)
			end_run(END_ERROR, "--validated has more than %u ranges: give a "
				"shorter list", RANGES_MAX);
		listed[listed_count].gpa = ALIGN_DOWN(parse_number(start), PAGE_SIZE);
		listed[listed_count++].end = ALIGN_UP(parse_number(end), PAGE_SIZE);
	}
}

/*
 * Writes the validated ranges to the memory that the last call of launch_describe() has
 * named.  Does nothing if there was no such call.
 */
static void describe(void)
{
	unsigned int i, n = 0;

	if (!described)
		return;
	for (i = 0; i < range_count; i++, n++) {
		described[n][0] = ranges[i].gpa;
		described[n][1] = ranges[i].end;
	}
	for (i = 0; i < listed_count; i++, n++) {
		described[n][0] = listed[i].gpa;
		described[n][1] = listed[i].end;
	}
	*described_bytes = n * sizeof(described[0]);
}

void launch_finish(struct vcpu *vcpu)
{
	static u8 vmsa[PAGE_SIZE];
	unsigned int i;
	u64 page;

	sha256_init(&plain);
	if (guest_is_snp() && config.mode != MODE_OVMF && !launch_all() &&
	    strcmp(validated, "loaded"))
		read_list(validated);
	describe();
	for (i = 0; i < range_count; i++) {
		if (ranges[i].exact) {
			sha256_add(&plain, npt_host(ranges[i].gpa),
				   ranges[i].end - ranges[i].gpa);
			continue;
		}
		for (page = ranges[i].gpa; config.measure && page < ranges[i].end;
		     page += PAGE_SIZE)
			measure(page, ranges[i].type, npt_host(page));
		if (guest_is_snp())
			rmp_launch(ranges[i].gpa, ranges[i].end);
	}
	if (guest_is_snp() && config.mode != MODE_OVMF) {
		if (launch_all())
			launch_all_ram();
		for (i = 0; i < listed_count; i++)
			launch_rest(listed[i].gpa, listed[i].end);
	}
	if (config.sev == SEV_OFF || !config.measure)
		return;
	for (i = 0; i < config.smp && guest_is_es(); i++) {
		/*
		 * An AP whose registers the loader has not set has no VMSA at launch.
		 * The guest makes one later.
		 */
		if (&vcpus[i] != vcpu && !vcpus[i].has_launch)
			continue;
		make_vmsa(&vcpus[i], vmsa);
		measure(VMSA_GPA, LAUNCH_VMSA, vmsa);
	}
	if (!guest_is_snp())
		sha256_end(&plain, digest);
	measured = true;
}

const u8 *launch_digest(unsigned int *size)
{
	*size = guest_is_snp() ? SHA384_SIZE : SHA256_SIZE;
	return measured ? digest : NULL;
}
