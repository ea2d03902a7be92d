/* SPDX-License-Identifier: MIT */
/*
 * watch.c - checks rules that the stub (sevstub, the guest's boot stage) must
 * keep, whatever the host does.  The stub must not put a secret into memory that
 * the host can read.  It must make no page shared but its GHCB page.  It must not
 * write outside of its own memory.  The payload that it enters must be the same
 * as in a run without attacks.
 *
 * campaign.c runs the guest many times, each time with other lies (wrong
 * answers of the emulated host).  This file checks each run from its start
 * until the stub enters the payload.  The first fault is kept, and campaign.c
 * asks for it when the run is over.
 *
 * Secrets are the eight-byte words of the payload and of the random-number seed
 * that the loader passes.  Only words are used that have a byte outside of
 * ASCII and at least DISTINCT_BYTES different bytes, because other words may
 * appear elsewhere by accident.
 */
#include "attack.h"
#include "attack_memory.h"
#include "ghcb.h"
#include "guest_memory.h"
#include "hooks.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "snapshot.h"
#include "watch.h"
#include "watch_kaslr.h"

/* The addresses of an identity map with four levels of paging end here. */
#define IDENTITY_END		(1ull << 47)
/* VGA's memory for text, and the colour that the stub uses, in bits 15:8 of a character. */
#define VGA_TEXT_START		0xb0000
#define VGA_TEXT_SIZE		0x10000
#define VGA_COLOUR		0x07

/* Least number of slots in the hash table secrets[]; a power of two. */
#define SECRET_SLOTS_MIN	0x1000
#define DISTINCT_BYTES		6
#define RANGES_MAX		8
/* watch_tables() checks at most this many page tables, which are more than the stub has. */
#define TABLES_MAX		256

struct watch watch;

/*
 * Hash table of the words that the host must not be able to read; 0: empty
 * slot.
 */
static u64 *secrets;
static u64 secret_count, secret_slots;
/*
 * The payload's eight-byte words when the stub entered it in a run without
 * attacks.
 */
static u64 *payload_words;
/*
 * payload_varies[i] is 1 if word i of the payload differs between runs without
 * attacks, because KASLR relocates it.
 */
static u8 *payload_varies;

/* Memory that the stub may write to, guest-physical; watch_own() fills it. */
static struct {
	u64 start, end;
} owned[RANGES_MAX];
static unsigned int owned_count;
static bool in_stage;		/* the stub runs and has not yet entered the payload */
static bool switched;		/* the stub has loaded page tables with a C-bit */
/*
 * The stub's 32-bit code has loaded page tables.  The 32-bit code proves their C-bit
 * before it jumps to 64-bit code, so the C-bit is proven once 64-bit code runs.
 */
static bool early;
/*
 * The stub has proven in this run that its C-bit is right, and memory is
 * encrypted.
 */
static bool proven;

/*
 * Guest-physical address of the stub's GHCB page in this run; 0: --watch names none.  It is
 * watch.ghcb, unless an attack has moved the stub's image.
 */
static u64 ghcb_page;

/*
 * kept_switched, kept_early and kept_proven are the values that the flags switched, early
 * and proven had at the snapshot.  Each run starts from the snapshot, so watch_start() sets
 * the three flags to these values.  @kept: watch_keep() has saved the values.
 */
static bool kept, kept_switched, kept_early, kept_proven;

/* How the stub first broke a rule in this run; NULL: it has kept all rules. */
static const char *fault;
/* The address or number that watch_fail() got together with @fault. */
static u64 fault_at;

void watch_fail(const char *what, u64 at)
{
	if (fault)
		return;
	fault = what;
	fault_at = at;
}

const char *watch_fault(u64 *at)
{
	*at = fault_at;
	return fault;
}

void watch_own(u64 start, u64 end)
{
	if (owned_count == RANGES_MAX)
		end_run(END_ERROR, "more than %u ranges to watch: raise RANGES_MAX in "
			"sevemu/watch.c", RANGES_MAX);
	owned[owned_count].start = ALIGN_DOWN(start, PAGE_SIZE);
	owned[owned_count++].end = ALIGN_UP(end, PAGE_SIZE);
}

/* ---- Secrets. */

static u64 payload_word_count(void)
{
	return (watch.payload_end - watch.payload) / sizeof(u64);
}

/*
 * Returns whether @word is unlikely to appear in memory by accident: it has a
 * byte outside of ASCII, and at least DISTINCT_BYTES different bytes.
 */
static bool is_telling(u64 word)
{
	unsigned int distinct = 0, i, j;

	if (!(word & 0x8080808080808080))
		return false;
	for (i = 0; i < sizeof(word); i++) {
		for (j = 0; j < i; j++)
			if ((word >> i * 8 & 0xff) == (word >> j * 8 & 0xff))
				break;
		if (j == i)
			distinct++;
	}
	return distinct >= DISTINCT_BYTES;
}

/*
 * Looks @word up in the hash table secrets[].  Returns the slot that holds
 * @word, or the empty slot where @word belongs.
 */
static u64 *slot_of(u64 word)
{
	u64 slot = attack_mix(word);

	while (secrets[slot % secret_slots] && secrets[slot % secret_slots] != word)
		slot++;
	return &secrets[slot % secret_slots];
}

static void add_secret(u64 word)
{
	u64 *slot;

	if (!is_telling(word))
		return;
	slot = slot_of(word);
	if (!*slot && ++secret_count > secret_slots / 2)
		end_run(END_ERROR, "more than %lu secret words: the RNG seed and the "
			"payload of --watch must have fewer", secret_slots / 2);
	*slot = word;
}

/*
 * Allocates the hash table of secrets, with at least four slots for each word of
 * the payload.  The words of the random-number seed take slots, too.
 * add_secret() uses at most half of all slots, so that a search ends soon.
 */
static void alloc_secrets(void)
{
	secret_slots = SECRET_SLOTS_MIN;
	while (secret_slots / 4 < payload_word_count())
		secret_slots *= 2;
	secrets = npt_alloc(secret_slots * sizeof(u64) / PAGE_SIZE);
}

void watch_secret(u64 start, u64 end)
{
	u64 gpa;

	if (!secrets)
		alloc_secrets();
	for (gpa = start; gpa < end; gpa += sizeof(u64)) {
		u64 *word = (u64 *)npt_host(gpa);

		if (word)
			add_secret(*word);
	}
}

/*
 * Calls @see for each address in a page, with the eight-byte word that starts
 * there, unless the word is 0 or crosses the page's end.  The words overlap: a
 * copy of a secret may lie at any address.  @page is the page's host address,
 * @gpa its guest-physical address.
 */
static void each_word(const void *page, u64 gpa, void (*see)(u64 word, u64 gpa))
{
	const u64 *words = page;
	unsigned int i, byte, last = PAGE_SIZE / sizeof(*words) - 1;
	u64 word;

	for (i = 0; i <= last; i++) {
		if (!words[i] && (i == last || !words[i + 1]))
			continue;
		/*
		 * Look at the word that starts at each byte of words[i],
		 * because a copy of a secret need not be aligned.
		 */
		for (byte = 0; byte < (i == last ? 1 : sizeof(word)); byte++) {
			memcpy(&word, (const u8 *)&words[i] + byte, sizeof(word));
			if (word)
				see(word, gpa + i * sizeof(word) + byte);
		}
	}
}

static void see_word(u64 word, u64 gpa)
{
	if (is_telling(word) && *slot_of(word))
		watch_fail("a secret is visible to the host", gpa);
	kaslr_see(word, gpa);
}

static void see_number(u64 word)
{
	if (is_telling(word) && *slot_of(word))
		watch_fail("a secret is on the console", word);
}

static void look_for_secrets(const void *page, u64 gpa)
{
	if (secrets)
		each_word(page, gpa, see_word);
}

/* ---- Frames. */

void watch_shared(u64 gpa)
{
	if (in_stage && proven && gpa != ghcb_page)
		watch_fail("a page besides the GHCB turned shared", gpa);
}

/*
 * Called when the guest has written with the C-bit clear to the page at @gpa.  Fails the
 * run unless the page is the GHCB page.  Does nothing if --watch does not name the GHCB
 * page: the guest is then not a stub, and may have other shared pages.
 */
static void look_at_shared_store(u64 gpa)
{
	if (!in_stage || !ghcb_page || gpa == ghcb_page)
		return;
	watch_fail("a store to a shared page", gpa);
}

/*
 * Checks that the stub was allowed to write to the page at @gpa, to which it
 * has written.
 */
static void look_at_store(u64 gpa)
{
	unsigned int i;

	if (npt_stored_shared(gpa))
		look_at_shared_store(gpa);
	if (kaslr_owns(gpa))
		return;
	for (i = 0; i < owned_count; i++)
		if (gpa >= owned[i].start && gpa < owned[i].end)
			return;
	/* If the attack changes private memory, it may make the guest write anywhere. */
	if (attack_by_memory())
		return;
	/*
	 * owned[] is empty if the guest starts with firmware, because sevemu
	 * does not know which memory the firmware gives to the stub.
	 */
	if (owned_count)
		watch_fail("a store outside of what the stub owns", gpa);
}

void watch_fetch(u64 gpa, enum view view)
{
	if (in_stage && proven &&
	    (view == VIEW_SHARED || npt_frame_state(gpa) == HOOK_FRAME_SHARED))
		watch_fail("an instruction of a shared page", gpa);
}

/* ---- The guest's page tables. */

/*
 * Called for a page table entry that maps the @size bytes at @gpa with C=0.  Fails the run
 * if they contain RAM other than the GHCB page.
 */
static void look_at_shared_mapping(u64 gpa, u64 size)
{
	u64 end = gpa + size, step = size > LARGE_SIZE ? LARGE_SIZE : size;

	for (; gpa < end; gpa += step)
		if (npt_frame_state(gpa) != HOOK_FRAME_NONE && gpa != ghcb_page)
			watch_fail("RAM is mapped with C=0", gpa);
}

/*
 * Checks the page table at @gpa, and the page tables that it points to.  The table at @gpa
 * translates addresses from @va on.  @level is 0 if its entries map 4 KiB pages.  Stops after
 * *@left tables, because an attack on memory may make tables point to each other.
 */
static void look_at_table(u64 gpa, u64 va, unsigned int level, unsigned int *left)
{
	u64 size = (u64)PAGE_SIZE << 9 * level;
	const u64 *table = (const u64 *)npt_host(gpa);
	unsigned int i;

	if (!table || !*left)
		return;
	--*left;
	for (i = 0; i < PAGE_SIZE / sizeof(*table); i++, va += size) {
		u64 to = table[i] & PTE_ADDR & ~cbit_mask();

		if (!(table[i] & PTE_P))
			continue;
		if (level && !(table[i] & PTE_PS))
			look_at_table(to, va, level - 1, left);
		else if (va < IDENTITY_END && to != va)
			watch_fail("an entry maps another page than its own", va);
		else if (!(table[i] & cbit_mask()))
			look_at_shared_mapping(to, size);
	}
}

void watch_tables(const struct vcpu *vcpu)
{
	const struct vmcb *v = vcpu->vmcb;
	unsigned int left = TABLES_MAX;

	if (in_stage && (proven || (early && v->cs.attrib & SEG_L)) && ghcb_page &&
	    v->efer & EFER_LMA && !memory_waives(WAIVE_MAP))
		look_at_table(v->cr3 & PTE_ADDR & ~cbit_mask(), 0,
			      v->cr4 & CR4_LA57 ? 4 : 3, &left);
}

/* ---- Check that a request's GHCB page has only fields that its exit code needs. */

static void allow(u8 *allowed, size_t offset, size_t len)
{
	memset(allowed + offset, 1, len);
}

#define ALLOW(field)	allow(allowed, offsetof(struct ghcb, field), \
			      sizeof(((struct ghcb *)0)->field))

/*
 * Sets allowed[i] to 1 if the guest may store to byte i of its GHCB page for
 * the request in @g, which is a copy of that page (GHCB 4.1).
 */
static void allow_inputs(u8 *allowed, const struct ghcb *g)
{
	u64 len = g->sw_exit_info_2;

	ALLOW(sw_exit_code);
	ALLOW(sw_exit_info_1);
	ALLOW(sw_exit_info_2);
	ALLOW(valid_bitmap);
	ALLOW(protocol_version);
	switch (g->sw_exit_code) {
	case SVM_EXIT_WRITE_DR7:
		ALLOW(rax);
		break;
	case SVM_EXIT_RDPMC:
		ALLOW(rcx);
		break;
	case SVM_EXIT_CPUID:
		ALLOW(rax);
		ALLOW(rcx);
		ALLOW(xcr0);
		ALLOW(xss);
		break;
	case SVM_EXIT_IOIO:
		if (!(g->sw_exit_info_1 & IOIO_STRING)) {
			ALLOW(rax);
			break;
		}
		ALLOW(sw_scratch);
		len *= (g->sw_exit_info_1 & IOIO_SIZE_MASK) >> IOIO_SIZE_SHIFT;
		if (!(g->sw_exit_info_1 & IOIO_IN) && len <= GHCB_SHARED_SIZE)
			allow(allowed, offsetof(struct ghcb, shared_buffer), len);
		break;
	case SVM_EXIT_MSR:
		ALLOW(rcx);
		ALLOW(rax);
		ALLOW(rdx);
		break;
	case SVM_EXIT_VMMCALL:
		ALLOW(rax);
		ALLOW(cpl);
		break;
	case SVM_EXIT_MONITOR:
		ALLOW(rdx);
		/* fall through */
	case SVM_EXIT_MWAIT:
		ALLOW(rax);
		ALLOW(rcx);
		break;
	case GHCB_EXIT_MMIO_WRITE:
		if (len <= GHCB_SHARED_SIZE)
			allow(allowed, offsetof(struct ghcb, shared_buffer), len);
		/* fall through */
	case GHCB_EXIT_MMIO_READ:
		ALLOW(sw_scratch);
		break;
	case GHCB_EXIT_PAGE_STATE:
		ALLOW(sw_scratch);
		ALLOW(shared_buffer);
		break;
	case GHCB_EXIT_EXT_GUEST_REQUEST:
		ALLOW(rax);
		ALLOW(rbx);
		break;
	}
}

/*
 * Fails the run if the request in @g is one that the stub itself never makes.  A #VC
 * handler that believes a #VC that the host has injected would make such a request, and
 * would send registers of the interrupted code to the host.
 */
static void look_at_request(const struct ghcb *g)
{
	u64 at = g->sw_exit_info_1 - VGA_TEXT_START;

	switch (g->sw_exit_code) {
	case SVM_EXIT_IOIO:
	case GHCB_EXIT_UNSUPPORTED:
	case GHCB_EXIT_PAGE_STATE:
	case GHCB_EXIT_TERMINATE:
		return;
	case GHCB_EXIT_MMIO_WRITE:
		if (at >= VGA_TEXT_SIZE)
			watch_fail("MMIO outside of VGA memory", g->sw_exit_info_1);
		else if (g->sw_exit_info_2 != 2 || g->shared_buffer[1] != VGA_COLOUR)
			watch_fail("a cell of VGA memory is no text", g->sw_exit_info_1);
		return;
	default:
		watch_fail("a request that the stub never makes", g->sw_exit_code);
	}
}

void watch_request(const struct vcpu *vcpu, const struct ghcb *g, u64 gpa)
{
	static union {
		u8 bytes[sizeof(*g)];
		u64 words[sizeof(*g) / sizeof(u64)];
	} allowed;
	const u64 *words = (const u64 *)g;
	unsigned int i, byte;

	if (!in_stage)
		return;
	look_for_secrets(g, gpa);
	if (ghcb_page && gpa != ghcb_page) {
		if (!memory_displaced(vcpu, gpa - ghcb_page))
			watch_fail("the GHCB is not where --watch says", gpa);
		ghcb_page = gpa;
	}
	if (memory_waives(WAIVE_REQUEST))
		return;
	if (ghcb_page)
		look_at_request(g);
	for (i = 0; i < ARRAY_SIZE(allowed.words); i++)
		allowed.words[i] = 0;
	allow_inputs(allowed.bytes, g);
	for (i = 0; i < ARRAY_SIZE(allowed.words); i++)
		for (byte = i * sizeof(*words); words[i] && byte < (i + 1) * sizeof(*words); byte++)
			if (((const u8 *)g)[byte] && !allowed.bytes[byte])
				watch_fail("the GHCB has more than the request needs",
					   gpa + byte);
}

/* ---- The course of a run. */

/* Returns word @n of the payload where the stub put it; 0 if that is not RAM. */
static u64 payload_word(u64 n)
{
	const u8 *word = npt_host(watch.payload + kaslr_distance() + n * sizeof(u64));

	return word ? *(const u64 *)word : 0;
}

/*
 * Saves the payload's words after a run without attacks.  The words of the
 * first honest run are those that later runs must have.  Words that differ in
 * another honest run are not compared.
 */
static void learn_payload(void)
{
	u64 count = payload_word_count(), i;
	bool first = !payload_words;

	if (first) {
		payload_words = npt_alloc(count * sizeof(u64) / PAGE_SIZE + 1);
		payload_varies = npt_alloc(count / PAGE_SIZE + 1);
	}
	for (i = 0; i < count; i++) {
		if (first)
			payload_words[i] = payload_word(i);
		else if (payload_words[i] != payload_word(i))
			payload_varies[i] = 1;
	}
	if (first)
		watch_secret(watch.payload + kaslr_distance(),
			     watch.payload_end + kaslr_distance());
}

static void compare_payload(void)
{
	u64 count = payload_word_count(), i;

	for (i = 0; i < count; i++)
		if (payload_words[i] != payload_word(i) && !payload_varies[i])
			watch_fail("the payload differs from that of an honest run",
				   watch.payload + i * sizeof(u64));
}

void watch_start(void)
{
	ghcb_page = watch.ghcb;
	in_stage = true;
	proven = kept ? kept_proven : !watch.proof;
	switched = kept_switched;
	early = kept_early;
	fault = NULL;
}

void watch_keep(void)
{
	kept = true;
	kept_proven = proven;
	kept_switched = switched;
	kept_early = early;
}

void watch_stage_over(void)
{
	if (!in_stage)
		return;
	snapshot_each_store(look_at_store);
	if (ghcb_page && npt_frame_state(ghcb_page) == HOOK_FRAME_SHARED)
		look_for_secrets(npt_host(ghcb_page), ghcb_page);
	if (secrets)
		kaslr_each_number(see_number);
	kaslr_over();
	in_stage = false;
}

void watch_entry(bool honest)
{
	if (ghcb_page && npt_frame_state(ghcb_page) == HOOK_FRAME_SHARED &&
	    !memory_waives(WAIVE_GHCB))
		watch_fail("the GHCB is still shared", ghcb_page);
	watch_stage_over();
	if (!watch.payload)
		return;
	if (honest)
		learn_payload();
	else if (!memory_waives(WAIVE_PAYLOAD))
		compare_payload();
}

/*
 * A host may name a wrong C-bit.  All memory is then shared until the stub
 * finds the mistake.  An exception in that interval must not reach a handler,
 * because it would push registers to shared memory and run code from there.
 * The stub therefore must not have an IDT loaded.
 */
void watch_switch(const struct vcpu *vcpu)
{
	if (in_stage && !switched && !proven && vcpu->vmcb->idtr.limit)
		watch_fail("an IDT is loaded while the C-bit is not proven", vcpu->vmcb->idtr.base);
	switched = true;
	early = early || !(vcpu->vmcb->efer & EFER_LMA);
}

void watch_proven(void)
{
	proven = true;
}

bool watch_is_proven(void)
{
	return proven;
}
