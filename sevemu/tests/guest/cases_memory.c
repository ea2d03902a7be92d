/* SPDX-License-Identifier: MIT */
/*
 * cases_memory.c - the two views of guest memory, private (C-bit set) and shared (C-bit
 * clear; APM2 15.34.5). sevemu keeps each page frame in one of two states: private, if
 * it was last accessed through the private view, or shared. Through the other view a
 * frame shows ciphertext. No access may lose the frame's contents.
 */
#include "guest.h"

#define WORDS	(PAGE_SIZE / 8)
#define PATTERN	0x0123456789abcdefULL

static ALIGNED_PAGE u64 page[WORDS], twin[WORDS], pair[2 * WORDS];
static u64 copy[WORDS];

/* Writes PATTERN + i to word i of the @words words at @p. */
static void fill(u64 *p, size_t words)
{
	size_t i;

	for (i = 0; i < words; i++)
		p[i] = PATTERN + i;
}

/* Returns the state in which sevemu keeps the page frame at @p: HOOK_FRAME_*. */
static u64 state(const void *p)
{
	return hook(HOOK_FRAME_STATE, (u64)p);
}

/*
 * Returns how many words of the page at @p have the value that fill() wrote. Words that
 * read as ciphertext are not counted.
 */
static u64 plain_words(const volatile u64 *p)
{
	u64 i, n = 0;

	for (i = 0; i < WORDS; i++)
		n += p[i] == PATTERN + i;
	return n;
}

CASE(c0_read, "c0-read-of-private", CASE_SEV)
{
	u64 i;

	fill(page, WORDS);
	expect("state", state(page), HOOK_FRAME_PRIVATE);
	expect("plain words seen with C=0", plain_words(shared(page)), 0);
	expect("state", state(page), HOOK_FRAME_SHARED);
	for (i = 0; i < WORDS; i++)
		copy[i] = shared(page)[i];
	expect("plain words seen with C=1", plain_words(page), WORDS);
	expect("state", state(page), HOOK_FRAME_PRIVATE);
	/*
	 * The ciphertext must equal copy[], the page's first ciphertext,
	 * because sevemu's encryption depends on address and plaintext only.
	 */
	for (i = 0; i < WORDS; i++)
		if (shared(page)[i] != copy[i])
			break;
	expect("words that stayed the same", i, WORDS);
	page[0] = page[0];
}

CASE(address, "ciphertext-by-address", CASE_SEV)
{
	u64 i, same = 0, repeated = 0;

	fill(page, WORDS);
	fill(twin, WORDS);
	for (i = 0; i < WORDS; i++)
		same += shared(page)[i] == shared(twin)[i];
	expect("words alike in two frames", same, 0);
	/*
	 * sevemu encrypts by XOR with a key stream. Two words of a frame must not have
	 * the same key, or the XOR of their ciphertexts would be the XOR of their
	 * plaintexts.
	 */
	for (i = 1; i < WORDS; i++)
		repeated += (shared(page)[i] ^ shared(page)[0]) ==
			    ((PATTERN + i) ^ PATTERN);
	expect("words with the first one's key", repeated, 0);
	page[0] = twin[0] = 0;
}

CASE(private_write, "private-write-seen-shared", CASE_SEV)
{
	volatile u64 *view = shared(page);

	view[0] = 1;
	expect("state", state(page), HOOK_FRAME_SHARED);
	((volatile u64 *)page)[5] = PATTERN;
	expect("state", state(page), HOOK_FRAME_PRIVATE);
	expect_not("word seen with C=0", view[5], PATTERN);
	expect("word seen with C=1", ((volatile u64 *)page)[5], PATTERN);
}

CASE(shared_write, "shared-write-seen-private", CASE_SEV)
{
	volatile u64 *view = shared(page), *own = page;

	own[0] = 1;
	view[5] = PATTERN;
	expect("state", state(page), HOOK_FRAME_SHARED);
	expect_not("word seen with C=1", own[5], PATTERN);
	expect("word seen with C=0", view[5], PATTERN);
	expect("word seen with C=1", own[0], 1);
}

CASE(there_and_back, "conversion-restores", CASE_SEV)
{
	u64 to_shared = hook(HOOK_COUNT, HOOK_COUNT_TO_SHARED);
	u64 to_private = hook(HOOK_COUNT, HOOK_COUNT_TO_PRIVATE);
	unsigned int i;

	fill(page, WORDS);
	for (i = 0; i < 10; i++) {
		expect_not("first word, C=0", shared(page)[0], PATTERN);
		expect("plain words, C=1", plain_words(page), WORDS);
	}
	expect("frames turned shared",
	       hook(HOOK_COUNT, HOOK_COUNT_TO_SHARED) - to_shared, 10);
	expect("frames turned private",
	       hook(HOOK_COUNT, HOOK_COUNT_TO_PRIVATE) - to_private, 10);
}

/*
 * The two pages of @pair are private. An access to the first with C=0 must change the
 * first frame's state to shared, and not the second's.
 */
CASE(one_frame, "one-frame-at-a-time", CASE_SEV)
{
	fill(pair, 2 * WORDS);
	(void)shared(pair)[0];
	expect("first frame", state(pair), HOOK_FRAME_SHARED);
	expect("second frame", state(pair + WORDS), HOOK_FRAME_PRIVATE);
	expect("word of the second", pair[WORDS], PATTERN + WORDS);
	expect("word of the first", pair[0], PATTERN);
}

/*
 * An access to a word that lies across two frames must make both frames private or both
 * shared, by the C-bit of the access. Here C=1 must make both private.
 */
CASE(across, "access-across-frames", CASE_SEV)
{
	u8 *bytes = (u8 *)pair;
	volatile u64 *straddle = (volatile u64 *)(bytes + PAGE_SIZE - 4);

	fill(pair, 2 * WORDS);
	(void)shared(pair)[0];
	expect("word across, C=1", *straddle,
	       (PATTERN + WORDS - 1) >> 32 | (PATTERN + WORDS) << 32);
	*straddle = PATTERN;
	(void)shared(pair + WORDS)[0];
	expect("word across, C=1", *straddle, PATTERN);
	expect("first frame", state(pair), HOOK_FRAME_PRIVATE);
	expect("second frame", state(pair + WORDS), HOOK_FRAME_PRIVATE);
}

CASE(locked, "locked-access", CASE_SEV)
{
	u64 value = 5;

	page[3] = 7;
	(void)shared(page)[0];
	asm volatile("lock xaddq %0, %1" : "+r"(value), "+m"(page[3]));
	expect("old value", value, 7);
	expect("new value", page[3], 12);
	expect("state", state(page), HOOK_FRAME_PRIVATE);
}

CASE(string_copy, "string-copy-between-views", CASE_SEV)
{
	fill(page, WORDS);
	memcpy((void *)shared(twin), page, PAGE_SIZE);
	expect("plain words in the shared copy", plain_words(shared(twin)),
	       WORDS);
	expect("plain words of it, C=1", plain_words(twin), 0);
	memset(twin, 0, PAGE_SIZE);
}

CASE(host_view, "host-sees-ciphertext", CASE_SEV)
{
	u64 cipher;

	fill(page, WORDS);
	cipher = hook(HOOK_FRAME_READ, (u64)&page[9]);
	expect_not("private word, seen by the host", cipher, PATTERN + 9);
	expect("state afterwards", state(page), HOOK_FRAME_PRIVATE);
	expect("the same, seen with C=0", shared(page)[9], cipher);
	shared(page)[9] = PATTERN;
	expect("shared word, seen by the host",
	       hook(HOOK_FRAME_READ, (u64)&page[9]), PATTERN);
	page[0] = 0;
}

/*
 * HOOK_FRAME_STATE must return HOOK_FRAME_NONE for addresses that are not RAM of the
 * guest.
 */
CASE(frame_none, "no-frame-there", CASE_SEV)
{
	expect("state of a device", hook(HOOK_FRAME_STATE, 0xfee00000),
	       HOOK_FRAME_NONE);
	expect("state of nothing", hook(HOOK_FRAME_STATE, 0x7fff00000000),
	       HOOK_FRAME_NONE);
}

/*
 * The processor reads page tables as private memory, even if the entry that points to a
 * table has no C-bit (APM2 15.34.5). sevemu must read them as private memory, too. It
 * must also count such a table as a note, a remark in its report, because the missing
 * C-bit is probably a mistake of the guest.
 */
CASE(walk, "page-walk-is-private", CASE_SEV)
{
	static ALIGNED_PAGE u64 pd_alias[PTRS], pt_alias[PTRS];
	u64 notes = hook(HOOK_COUNT, HOOK_COUNT_NOTES);
	u64 *pml4, *pdpt, old, cr3;
	const u64 flags = PTE_P | PTE_RW;

	fill(page, WORDS);
	pt_alias[0] = (u64)page | flags | machine.cmask;
	/* No C-bit on purpose: a processor reads page tables as private whatever the entry says. */
	pd_alias[0] = (u64)pt_alias | flags;
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	pml4 = (u64 *)(cr3 & ~machine.cmask & ~0xfffULL);
	pdpt = (u64 *)(pml4[1] & ~machine.cmask & ~0xfffULL);
	old = pdpt[1];
	pdpt[1] = (u64)pd_alias | flags | machine.cmask;
	flush_tlb();
	expect("plain words through the new tables",
	       plain_words((u64 *)(SHARED_VIEW + (1ULL << 30))), WORDS);
	expect("state of the page table", state(pt_alias), HOOK_FRAME_NOTED);
	expect("state of the one above", state(pd_alias), HOOK_FRAME_PRIVATE);
	expect("notes", hook(HOOK_COUNT, HOOK_COUNT_NOTES) - notes, 1);
	pdpt[1] = old;
	flush_tlb();
	expect("state of the page", state(page), HOOK_FRAME_PRIVATE);
}

/*
 * Linux may load CR3 without the C-bit. The processor must still read the page tables
 * as private memory.
 */
CASE(walk_cr3, "cr3-without-c-bit", CASE_SEV)
{
	u64 cr3;

	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	fill(page, WORDS);
	asm volatile("mov %0, %%cr3" : : "r"(cr3 & ~machine.cmask) : "memory");
	expect("plain words", plain_words(page), WORDS);
	asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
	expect("plain words", plain_words(page), WORDS);
}

/*
 * Instruction fetches read private memory, even through a mapping without the C-bit
 * (APM2 15.34.5). sevemu must count such a fetch as a note, a remark in its report.
 */
CASE(fetch, "fetch-is-private", CASE_SEV)
{
	static ALIGNED_PAGE u8 code[PAGE_SIZE];
	u64 notes = hook(HOOK_COUNT, HOOK_COUNT_NOTES);
	u64 result;

	/* The code is: mov $0x1234, %eax; ret. */
	memcpy(code, "\xb8\x34\x12\x00\x00\xc3", 6);
	asm volatile("call *%1" : "=a"(result)
		     : "r"((u64)code + SHARED_VIEW) : "memory");
	expect("what the code returned", result, 0x1234);
	expect("state", state(code), HOOK_FRAME_NOTED);
	expect("notes", hook(HOOK_COUNT, HOOK_COUNT_NOTES) - notes, 1);
	expect("first byte, C=1", code[0], 0xb8);
}

/*
 * The case's own stack was never accessed with the C-bit clear, so its page frame must
 * be private.
 */
CASE(stack, "stack-is-private", CASE_SEV)
{
	volatile u64 word = PATTERN;

	expect("state", state((void *)((u64)&word & ~0xfffULL)),
	       HOOK_FRAME_PRIVATE);
}

/*
 * Without SEV no bit of a page-table entry encrypts memory, so the mappings with and
 * without the C-bit must show the same data.
 */
CASE(off, "no-encryption", 0)
{
	if (machine.sev != SEV_OFF)
		return;
	fill(page, WORDS);
	expect("plain words in the other view", plain_words(shared(page)),
	       WORDS);
}
