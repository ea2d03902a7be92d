/* SPDX-License-Identifier: MIT */
/*
 * test_la57.c - tests la57.c, which enables or disables five-level paging. The tests
 * check when the stub changes the number of levels, which memory the stub uses for the
 * change, and what the stub writes to this memory for la57_toggle(). In the stub,
 * la57_toggle() jumps to the trampoline. The trampoline is assembly that leaves long
 * mode, because CR4.LA57 cannot change in long mode. A fake replaces la57_toggle() in
 * this test. Boot tests run the real trampoline.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#define HARNESS_CPU
#define OWN_READ_CR4
#include "harness.h"
#include "watch_page.h"

#include "lib/e820.c"

#define KIB4	0x1000UL
#define MIB1	0x100000UL
#define GIB4	0x100000000UL
#define ROOT	0x12345000UL

/*
 * The pages of the stub's image for changing the number of paging levels. The
 * real array early_tables has a fixed address. A test sets this pointer
 * instead.
 */
static u8 *tables;
#define early_tables	tables
/* The stub's image, which a test places. */
static const u8 *image_start, *image_end;
#define _image		image_start
#define _end		image_end
#define cpuid_count	fake_cpuid
/*
 * Replaces the variable la57_area of la57_trampoline.S by a word to which area_word points,
 * so that a test can place this word in a page whose accesses it counts.
 */
static u64 *area_word;
#define la57_area	(*area_word)

static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf);

u64 gdt[] = { 0, 0x32, 0x64, 0xda, 0x755, 0 };
u32 nmi_count;

#include "la57.c"

/*
 * The last result of prepare(), the address that la57.c also keeps in the variable `la57_area`. The
 * fakes use this copy, because a test counts the reads of `la57_area`.
 */
static u64 prepared;

static struct {
	u64 cr4;
	u32 max_leaf;
	bool la57;
	unsigned int asked;
	bool sev_es;
	/*
	 * true: the guest is an SNP guest. A case that sets this must set @sev_es, too.
	 */
	bool snp;
	/*
	 * true: the fake ident_map_fits_four_levels() returns false, as if the page
	 * tables mapped an address that page tables of four levels cannot map.
	 */
	bool too_high;
	/*
	 * true: the fake ident_map_is_private() returns false, as if the memory for the
	 * change of levels were shared with the host.
	 */
	bool shared;
	/*
	 * true: the fake ident_map_is_private() returns false for the page with the code, as if
	 * ident_map_range() had failed to make this page both writable and executable.
	 */
	bool not_executable;
	bool executable;		/* ident_map_range() was called */
	/* ident_map_range() was called again, when la57_switch() gives back borrowed RAM. */
	bool giving_back;
	int remove_error, range_error;	/* results of ident_map_remove() and ident_map_range() */
	void (*toggle)(struct la57_page *page);
	char steps[200];
} fake;

static void did(const char *what)
{
	strncat(fake.steps, what, sizeof(fake.steps) - strlen(fake.steps) - 1);
}

static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r = { 0, 0, 0, 0 };

	CHECK(!fake.sev_es, "leaf %u would be four exits", leaf);
	CHECK(leaf == 0 || leaf == 7, "leaf %#x", leaf);
	CHECK(!subleaf && (leaf != 7 || fake.max_leaf >= 7), "no such leaf");
	if (leaf == 0)
		r.eax = fake.max_leaf;
	else
		r.ecx = fake.la57 ? 1U << 16 : ~(1U << 16);
	fake.asked++;
	return r;
}

u64 read_cr4(void)
{
	return fake.cr4;
}

bool sev_es_active(void)
{
	return fake.sev_es;
}

bool sev_snp_active(void)
{
	return fake.snp;
}

u32 snp_cpuid_ecx(u32 function)
{
	CHECK(fake.snp && function == 7, "%#x", function);
	fake.asked++;
	return fake.la57 ? 1U << 16 : ~(1U << 16);
}

u64 sev_enc_mask(void)
{
	return fake.sev_es ? 1UL << 51 : 0;
}

u32 msr_protocol_cpuid(u32 function, u64 reg)
{
	CHECK(fake.sev_es && function == 7 && reg == GHCB_MSR_CPUID_ECX,
	      "%#x, register %lu", function, reg);
	fake.asked++;
	return fake.la57 ? 1U << 16 : ~(1U << 16);
}

bool cmdline_find_option_bool(const struct cmdline *cmdline, const char *name)
{
	return !strcmp(name, "no5lvl") && strstr(cmdline->text, name);
}

bool ident_map_fits_four_levels(void)
{
	did("fits ");
	return !fake.too_high;
}

/*
 * The ranges of the loader's data, which the fakes below return. A range from 0 to 0 is
 * empty: the loader has placed no such data.
 */
static struct range zero_page_now, initrd_now, cmdline_now;

struct range zero_page_range(const struct boot_params *bp)
{
	(void)bp;
	return zero_page_now;
}

struct range initrd_range(const struct boot_params *bp)
{
	(void)bp;
	return initrd_now;
}

struct range cmdline_range(const struct cmdline *cmdline)
{
	(void)cmdline;
	return cmdline_now;
}

bool ident_map_is_private(u64 start, u64 end, int prot)
{
	bool code = fake.executable && !fake.giving_back;

	CHECK(start == prepared && end == prepared + (code ? PAGE_SIZE : LA57_SIZE) &&
	      prot == (code ? MAP_WRITE | MAP_EXEC : MAP_WRITE),
	      "%#lx-%#lx, %d", start, end, prot);
	return code ? !fake.not_executable : !fake.shared;
}

int ident_map_remove(u64 addr, u64 size)
{
	CHECK(addr == prepared && size == (fake.executable ? LA57_SIZE : PAGE_SIZE),
	      "%#lx+%#lx", addr, size);
	did("remove ");
	return fake.remove_error;
}

int ident_map_range(u64 start, u64 end, unsigned int prot)
{
	if (fake.executable) {
		CHECK(start == prepared && end == prepared + LA57_SIZE && prot == MAP_WRITE,
		      "%#lx-%#lx, %u", start, end, prot);
		fake.giving_back = true;
		did("map ");
		return fake.range_error;
	}
	CHECK(start == prepared && end == prepared + PAGE_SIZE &&
	      prot == (MAP_WRITE | MAP_EXEC), "%#lx-%#lx, %u", start, end, prot);
	CHECK(*(u64 *)start == 0xcccccccccccccccc, "executable before it is filled");
	fake.executable = true;
	did("execute ");
	return fake.range_error;
}

/*
 * la57_code stands for the trampoline's code, which is copied but not run here,
 * so any bytes will do. The labels in it are at offsets that the tests check.
 */
const u8 la57_code[100] = "code", *const code_end = la57_code + 100;
asm(".globl la57_code_end, la57_nmi_32, la57_nmi_64, la57_nmi_es, la57_exception\n"
    ".set la57_code_end, la57_code + 100\n"
    ".set la57_nmi_64, la57_code + 16\n"
    ".set la57_nmi_32, la57_code + 32\n"
    ".set la57_exception, la57_code + 48\n"
    ".set la57_nmi_es, la57_code + 64\n");

void la57_toggle(void)
{
	did("toggle ");
	fake.toggle((struct la57_page *)prepared);
}

/* ---- when the stub switches ---- */

static struct boot_params bp;
static struct cmdline cmdline;

/*
 * The variable `la57_area` is the first word of this page. Nothing else is in the page, so that a
 * test can be stopped at each access to `la57_area`.
 */
static u64 area_memory[PAGE_SIZE / sizeof(u64)] __attribute__((aligned(4096)));

static void fresh(void)
{
	area_word = area_memory;
	memset(&fake, 0, sizeof(fake));
	memset(&bp, 0, sizeof(bp));
	fake.cr4 = X86_CR4_PAE;
	fake.max_leaf = 0xd;
	cmdline.text = "";
	tables = (u8 *)0x7000000;
	la57_efi_memory = 0;
	nmi_count = 0;
	zero_page_now = initrd_now = cmdline_now = (struct range){ 0, 0 };
	image_start = image_end = NULL;
}

static u64 prepare(bool payload_can)
{
	prepared = la57_prepare(&bp, &cmdline, payload_can);
	return prepared;
}

TEST(when)
{
	unsigned int i;

	for (i = 0; i < 1 << 5; i++) {
		bool on = i & 1, can = i & 2, cpu = i & 4, no = i & 8;
		bool es = i & 16;
		bool want = can && !no && (on || cpu);
		u64 at;

		/*
		 * Skip: five-level paging cannot be on if the processor does
		 * not support it.
		 */
		if (on && !cpu)
			continue;
		fresh();
		fake.cr4 |= on ? X86_CR4_LA57 : 0;
		fake.la57 = cpu;
		fake.sev_es = es;
		cmdline.text = no ? "quiet no5lvl" : "quiet";
		at = prepare(can);
		CHECK(at == (want != on ? (u64)tables : 0),
		      "on %u, payload %u, CPU %u, no5lvl %u: %#lx", on, can,
		      cpu, no, at);
		CHECK(fake.asked == (can && !no && !on ? es ? 1 : 2 : 0),
		      "on %u, payload %u, no5lvl %u: %u questions", on, can,
		      no, fake.asked);
	}
}

TEST(old_processor)
{
	fresh();
	fake.max_leaf = 6;
	fake.la57 = true;
	CHECK(!prepare(true), "leaf 7");
}

/* ---- memory for changing the number of levels: it must be below 4 GiB ---- */

static void add(u64 start, u64 end, u32 type)
{
	struct boot_e820_entry *e = &bp.e820_table[bp.e820_entries++];

	e->addr = start;
	e->size = end - start;
	e->type = type;
}

static u64 prepare_high(void)
{
	tables = (u8 *)(GIB4 - KIB4);
	fake.la57 = true;
	return prepare(true);
}

TEST(where)
{
	u64 at;

	fresh();
	fake.la57 = true;
	add(MIB1, GIB4, E820_RAM);
	tables = (u8 *)(GIB4 - LA57_SIZE);
	CHECK(prepare(true) == (u64)tables, "just below");
	CHECK(!borrowed, "the image's own");
	at = prepare_high();
	CHECK(at == GIB4 - LA57_SIZE && borrowed, "just above: %#lx", at);
	la57_efi_memory = 0x5000;
	CHECK(prepare_high() == 0x5000 && !borrowed, "firmware's");
}

TEST(nowhere)
{
	fresh();
	/*
	 * None of this memory can be used for the change of levels: it is too
	 * small, below 1 MiB, above 4 GiB, or not RAM.
	 */
	add(0, MIB1 + KIB4, E820_RAM);
	add(0x200800, 0x202800, E820_RAM);
	add(GIB4 - KIB4, GIB4 + MIB1, E820_RAM);
	add(0x300000, 0x400000, E820_NVS);
	CHECK(!prepare_high(), "%#lx", la57_area);
	fake.cr4 |= X86_CR4_LA57;
	EXPECT_ERROR(prepare(false), "five-level paging");
	add(0x200000, 0x200800, E820_RAM);
	CHECK(prepare(false) == 0x200000, "%#lx", la57_area);
}

/*
 * The stub must not borrow memory that holds data of the loader. A host may have chosen these
 * data, and could put them back in place of the code and of the page table that the stub
 * writes there. The stub must borrow RAM below the data instead.
 */
TEST(not_the_loaders)
{
	fresh();
	add(MIB1, GIB4, E820_RAM);
	initrd_now = (struct range){ GIB4 - 5 * MIB1 + 0x123, GIB4 };
	CHECK(prepare_high() == GIB4 - 5 * MIB1 - LA57_SIZE, "below the initrd: %#lx", la57_area);
	zero_page_now = (struct range){ initrd_now.start - KIB4, initrd_now.start };
	CHECK(prepare_high() == GIB4 - 5 * MIB1 - KIB4 - LA57_SIZE,
	      "below the zero page: %#lx", la57_area);
	cmdline_now = (struct range){ MIB1, zero_page_now.start };
	CHECK(!prepare_high(), "below the command line: %#lx", la57_area);
	cmdline_now.start += LA57_SIZE;
	CHECK(prepare_high() == MIB1, "at 1 MiB: %#lx", la57_area);
}

/*
 * The stub must not borrow memory of its own image, which here begins below 4 GiB and ends
 * above 4 GiB. The stub must borrow RAM below the image instead.
 */
TEST(not_its_own)
{
	fresh();
	add(MIB1, 2 * GIB4, E820_RAM);
	image_start = (const u8 *)(GIB4 - 5 * MIB1);
	image_end = (const u8 *)(GIB4 + MIB1);
	CHECK(prepare_high() == GIB4 - 5 * MIB1 - LA57_SIZE, "below the image: %#lx", la57_area);
}

/*
 * e820_table has 128 entries. The stub must not read entries after it, even if
 * e820_entries is larger.
 */
TEST(nowhere_behind_the_table)
{
	fresh();
	bp.e820_entries = 255;
	CHECK(!prepare_high(), "%#lx", la57_area);
	bp.e820_table[127] = (struct boot_e820_entry){ MIB1, MIB1, E820_RAM };
	CHECK(prepare_high() == 2 * MIB1 - LA57_SIZE, "%#lx", la57_area);
}

/*
 * Makes a random memory map. Addresses and sizes are small multiples of 1 byte,
 * 2 KiB, 4 KiB or 64 KiB, so that entries often overlap or adjoin.
 */
static void random_map(void)
{
	static const u64 unit[] = { 1, 0x800, KIB4, 0x10000 };
	u64 base[] = { 0, MIB1 - 8 * KIB4, GIB4 - 16 * KIB4, 0x40000000 };
	u64 start;

	for (unsigned int i = 0, n = (unsigned int)random_below(7); i < n; i++) {
		start = base[random_below(4)] +
			random_below(24) * unit[random_below(4)];
		add(start, start + random_below(24) * unit[random_below(4)],
		    random_below(3) ? E820_RAM : E820_NVS);
		/*
		 * Make some entries wrap around at 2^64. The stub must ignore
		 * them.
		 */
		if (!random_below(20))
			bp.e820_table[i].size = 0UL - KIB4;
	}
}

/*
 * Returns the highest address that la57_prepare() may choose, found by trying
 * every page near the entries of random_map(). 0: no address is usable.
 */
static u64 by_trying(void)
{
	static const u64 from[] = { GIB4, 0x40000000 + 0x300000,
				    MIB1 + 0x300000 };
	u64 at;

	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		for (at = from[i] - LA57_SIZE;
		     at >= MIB1 && at >= from[i] - 0x400000; at -= KIB4)
			if (e820_is_ram(&bp, at, at + LA57_SIZE))
				return at;
	return 0;
}

TEST(where_in_random_maps)
{
	unsigned int i, found = 0, none = 0;
	u64 at, want;

	random_seed(57);
	for (i = 0; i < 20000; i++) {
		fresh();
		random_map();
		at = prepare_high();
		want = by_trying();
		CHECK(at == want, "map %u: %#lx, not %#lx", i, at, want);
		found += at != 0;
		none += at == 0;
	}
	CHECK(found > 5000 && none > 1000, "%u found, %u not", found, none);
	INFO("%u maps, memory in %u", i, found);
}

/* ---- the switch ---- */

static u8 *low_pages(void)
{
	static u8 *at;

	if (!at)
		at = mmap((void *)0x7000000, LA57_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			  0);
	CHECK(at == (u8 *)0x7000000, "no memory at 112 MiB");
	memset(at, 0x5a, LA57_SIZE);
	return at;
}

/*
 * Checks the IDT gate in @slot of the trampoline: a whole 32-bit gate of 8 bytes,
 * or the first 8 bytes of a 64-bit gate. The gate must lead to offset @code of the
 * trampoline's code, with code segment @selector.
 */
static void check_gate(const struct la57_page *page, unsigned int slot,
		       u64 code, u64 selector)
{
	u64 g = page->idt[slot];

	CHECK(((g & 0xffff) | (g >> 32 & 0xffff0000)) ==
	      (u64)page->code + code, "slot %u: %#lx", slot, g);
	CHECK((g >> 16 & 0xffff) == selector, "slot %u: %#lx", slot, g);
	CHECK((g >> 32 & 0xffff) == 0x8e00, "slot %u: %#lx", slot, g);
}

static void check_page(struct la57_page *page)
{
	unsigned int i;

	CHECK((u64)page == la57_area, "%#lx", la57_area);
	CHECK(!memcmp(page->code, "code", 5), "no code");
	CHECK(!memcmp(page->gdt, gdt, sizeof(page->gdt)), "another GDT");
	CHECK(page->gdt_ptr.base == (u64)page->gdt &&
	      page->gdt_ptr.limit == 31, "GDT");
	CHECK(page->idt_ptr.base == (u64)page->idt &&
	      page->idt_ptr.limit == 64 * 8 - 1, "IDT");
	/*
	 * The 64-bit gates of NMI, #DF, #GP and #VC have 16 bytes, two slots
	 * each. Their second slots, and all unused slots, must be 0.
	 *
	 * The 64-bit gate of NMI, slot 4, leads to la57_nmi_es (offset 64), which terminates
	 * an SEV-ES guest, or to la57_nmi_64 (offset 16), which counts the NMI.
	 */
	check_gate(page, 4, fake.sev_es ? 64 : 16, 0x10);
	check_gate(page, 16, 48, 0x10);
	check_gate(page, 26, 48, 0x10);
	check_gate(page, 58, 48, 0x10);
	for (i = 0; i < 64; i++) {
		if (i == 5 || i == 17 || i == 27 || (i >= 32 && i != 58))
			CHECK(!page->idt[i], "slot %u", i);
		else if (i != 4 && i != 16 && i != 26 && i != 58)
			check_gate(page, i, i != 2 ? 48 : fake.sev_es ? 64 : 32, 0x08);
	}
	CHECK(page->sev_status == (fake.sev_es ? 2 : 0), "SEV_STATUS %#x",
	      page->sev_status);
	CHECK(!page->nmis, "%u NMIs", page->nmis);
	page->nmis = 5;
}

static void switch_from(unsigned int levels)
{
	fake.toggle = check_page;
	fake.steps[0] = '\0';
	nmi_count = 2;
	fake.executable = false;
	la57_switch();
	CHECK(!strcmp(fake.steps, borrowed ? "remove execute toggle remove map remove " :
				  levels == 4 ? "remove execute toggle remove " :
				  "fits remove execute toggle remove "),
	      "%s", fake.steps);
	CHECK(nmi_count == 7, "%u NMIs", nmi_count);
}

TEST(how)
{
	fresh();
	tables = low_pages();
	fake.sev_es = true;
	fake.la57 = true;
	prepare(true);
	switch_from(4);
	fake.cr4 |= X86_CR4_LA57;
	prepare(false);
	switch_from(5);
}

/*
 * In an SNP guest la57_prepare() must read from the CPUID page whether the processor
 * has five-level paging. It must use no RAM outside of the stub's image for the change
 * of levels, because the loader need not have validated this RAM. In other guests it uses
 * such RAM if the image lies above 4 GiB.
 */
TEST(snp_guest)
{
	fresh();
	tables = low_pages();
	fake.sev_es = fake.snp = true;
	fake.la57 = true;
	CHECK(prepare(true) == (u64)tables && fake.asked == 1,
	      "%u questions", fake.asked);
	fake.la57 = false;
	CHECK(!prepare(true), "switched on");
	/*
	 * The image lies above 4 GiB. There is RAM below 4 GiB, but the loader need not
	 * have validated it. la57_prepare() must not use this RAM, so it must return 0.
	 */
	fake.la57 = true;
	tables = (u8 *)0x100000000UL;
	add(0x100000, 0x40000000, E820_RAM);
	CHECK(!prepare(true), "RAM is borrowed");
	fake.snp = false;
	CHECK(prepare(true), "no RAM is borrowed");
}

TEST(not_at_all)
{
	fresh();
	prepare(true);
	la57_switch();
	CHECK(!fake.steps[0], "%s", fake.steps);
}

/*
 * The stub's image is above 4 GiB, but the change of levels needs memory below 4 GiB, so
 * the stub borrows RAM. It must save the contents of this RAM to its own pages, and
 * restore the contents afterwards.
 */
TEST(borrowed)
{
	static u8 own[LA57_SIZE] __attribute__((aligned(4096)));
	u8 *low = low_pages();

	CHECK((u64)own > GIB4, "at %p", (void *)own);
	fresh();
	tables = own;
	fake.la57 = true;
	add((u64)low, (u64)low + LA57_SIZE, E820_RAM);
	CHECK(prepare(true) == (u64)low, "%#lx", la57_area);
	switch_from(4);
	for (size_t i = 0; i < LA57_SIZE; i++)
		CHECK(low[i] == 0x5a, "byte %zu is %#x", i, low[i]);
}

TEST(too_high_for_four_levels)
{
	fresh();
	tables = low_pages();
	fake.cr4 |= X86_CR4_LA57;
	prepare(false);
	fake.too_high = true;
	EXPECT_ERROR(la57_switch(), "five-level paging");
	CHECK(!strstr(fake.steps, "toggle"), "%s", fake.steps);
}

/*
 * The page tables map the memory for the change of levels without the C-bit.
 * la57_switch() must end the boot before it writes code and a page table to this
 * memory, because the host could change them.
 */
TEST(not_private)
{
	u8 *low;

	fresh();
	tables = low = low_pages();
	fake.sev_es = fake.la57 = fake.shared = true;
	prepare(true);
	EXPECT_ERROR(la57_switch(), "page tables");
	CHECK(!strstr(fake.steps, "toggle"), "%s", fake.steps);
	for (size_t i = 0; i < LA57_SIZE; i++)
		CHECK(low[i] == 0x5a, "byte %zu is %#x", i, low[i]);
}

/* The page with the code cannot be made executable. The boot must end before the switch. */
TEST(not_executable)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		fresh();
		tables = low_pages();
		fake.la57 = true;
		fake.remove_error = i == 0 ? -EINVAL : 0;
		fake.range_error = i == 1 ? -ENOMEM : 0;
		fake.not_executable = i == 2;
		prepare(true);
		EXPECT_ERROR(la57_switch(), "page tables");
		CHECK(!strstr(fake.steps, "toggle"), "%u: %s", i, fake.steps);
	}
}

/*
 * The trampoline's assembly uses constants for offsets in struct la57_page. They must
 * match the C structure.
 */
TEST(layout)
{
	CHECK(sizeof(struct la57_page) == 4096, "%zu",
	      sizeof(struct la57_page));
	CHECK(offsetof(struct la57_page, code) == LA57_CODE &&
	      offsetof(struct la57_page, idt) % 8 == 0, "%#zx",
	      offsetof(struct la57_page, code));
}

/* Number of accesses that a test has watched. */
static unsigned int watched;

/*
 * Called after each store to the memory for the change of paging levels. If the limit of the
 * GDT or of the IDT is not 0, the table's base address must be right. A gate that is present
 * must lead to the copy of the trampoline's code. The hypervisor can save the memory after any
 * store and put it back when the trampoline uses the tables.
 */
static void check_tables(void)
{
	const struct la57_page *page = (const struct la57_page *)tables;
	unsigned int i;

	watched++;
	CHECK(!page->gdt_ptr.limit || page->gdt_ptr.base == (u64)page->gdt,
	      "GDT at %#lx", (u64)page->gdt_ptr.base);
	CHECK(!page->idt_ptr.limit || page->idt_ptr.base == (u64)page->idt,
	      "IDT at %#lx", (u64)page->idt_ptr.base);
	for (i = 0; i < IDT_VECTORS; i++) {
		u64 g = page->idt[i], offset = (g & 0xffff) | (g >> 32 & 0xffff0000);

		if (g >> 47 & 1)
			CHECK(offset - (u64)page->code < sizeof(la57_code),
			      "slot %u leads to %#lx", i, offset);
	}
}

static void check_nothing(struct la57_page *page)
{
	(void)page;
}

/*
 * The hypervisor can stop the guest after any store, save a block of memory, and put it back
 * later. After each store the descriptor tables must therefore be absent or whole.
 */
TEST(tables_are_never_half)
{
	u8 *low;

	fresh();
	tables = low = low_pages();
	fake.sev_es = fake.la57 = true;
	fake.toggle = check_nothing;
	prepare(true);
	/*
	 * In a real boot @low holds arbitrary bytes until fill() of la57.c clears it, and no
	 * code reads them. check_tables() also runs while fill() clears it, and must not take such
	 * bytes for gates.
	 */
	memset(low, 0, PAGE_SIZE);
	watched = 0;
	watch_begin(low, PROT_READ, NULL, check_tables);
	la57_switch();
	watch_end();
	CHECK(watched >= IDT_VECTORS, "%u stores", watched);
}

/* Number of the read of `la57_area` for which read_old() sets it to 0. The first read is 0. */
static unsigned int old_read;
static u64 kept;

static void read_old(unsigned long addr)
{
	if (addr == (u64)area_memory && watched++ == old_read) {
		kept = la57_area;
		la57_area = 0;
	}
}

static void restore_area(void)
{
	if (!la57_area)
		la57_area = kept;
}

static void check_code(struct la57_page *page)
{
	CHECK((u8 *)page == tables, "switches by the page at %p", (void *)page);
	check_tables();
}

/*
 * Calls la57_switch(). Its read number @number of the variable `la57_area`, counted from 0, finds
 * the variable's old value 0. All other reads find the right value. Returns the number of
 * reads of `la57_area`.
 */
static unsigned int switch_with_old(unsigned int number)
{
	fresh();
	tables = low_pages();
	fake.sev_es = fake.la57 = true;
	fake.toggle = check_code;
	prepare(true);
	watched = 0;
	old_read = number;
	harness.expecting = TEST_ERROR;
	if (!setjmp(harness.expected)) {
		watch_begin(area_memory, PROT_NONE, read_old, restore_area);
		watch.leaves = true;
		if (!sigsetjmp(watch.outside, 1))
			la57_switch();
	}
	watch_end();
	harness.expecting = 0;
	return watched;
}

/*
 * The variable `la57_area` is the address of the memory for the change of paging levels. For one of
 * the stub's reads, each in turn, the hypervisor puts the old value 0 of `la57_area` back. The boot
 * must end, or the stub must use the right address all the same. If the stub made a gate or a
 * descriptor table from the address 0, the processor would execute what a loader has put to
 * page 0.
 */
TEST(old_area)
{
	unsigned int number, reads = switch_with_old(~0U);

	CHECK(reads > IDT_VECTORS && strstr(fake.steps, "toggle"), "%u reads: %s", reads,
	      fake.steps);
	for (number = 0; number < reads; number++)
		switch_with_old(number);
}
