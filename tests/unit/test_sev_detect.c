/* SPDX-License-Identifier: MIT */
/*
 * test_sev_detect.c - sev-es.c before the GHCB page is shared (stage 1):
 * whether the guest has SEV or SEV-ES, where the C-bit is, the GHCB MSR
 * protocol, #VC, and termination of the guest.
 */
#define OWN_CPUID
#include "scripted_host.h"

#define LEAF_MAX	0x80000000U
#define LEAF_SEV	0x8000001fU
/*
 * The GHCB MSR's value when the stub starts: the address of firmware's own GHCB
 * page. The stub must restore it after each request.
 */
#define FIRMWARE_GHCB	0x7e5f3000UL

enum { EAX, EBX, ECX, EDX };

/* ---- the machine on which the stub starts ---- */

static struct {
	bool intercepted;		/* the hypervisor intercepts every CPUID */
	/*
	 * true: the hypervisor intercepts every CPUID except the first one that the
	 * stub executes.
	 */
	bool intercepted_later;
	struct cpuid_regs max, sev;	/* answers of a CPUID that is not intercepted */
	unsigned int executed;
} cpu;

/*
 * Fake of the stub's ask_cpuid(), which executes CPUID. Returns true if the hypervisor
 * intercepts CPUID. In the stub, CPUID then raises #VC, and the handler exception_vc
 * makes ask_cpuid() return true. test_idt_handlers.c tests that handler.
 */
bool ask_cpuid(u32 leaf, struct cpuid_regs *regs)
{
	bool vc = cpu.intercepted || (cpu.intercepted_later && cpu.executed++);

	*regs = leaf == LEAF_MAX ? cpu.max : cpu.sev;
	CHECK(leaf == LEAF_MAX || leaf == LEAF_SEV, "leaf %#x", leaf);
	if (vc)
		memset(regs, GARBAGE, sizeof(*regs));
	return vc;
}

static u64 cpuid_request(u32 leaf, unsigned int reg)
{
	return (u64)leaf << 32 | (u64)reg << 30 | 4;
}

static void expect_cpuid_reg(u32 leaf, unsigned int reg, u32 value)
{
	expect_msr(cpuid_request(leaf, reg), (u64)value << 32 | 5);
}

/* ---- page tables that the loader or firmware built ---- */

struct tables {
	/*
	 * @levels is 4 or 5. @leaf is the level of the entry that maps the
	 * image's page: 1, 2 or 3.
	 */
	unsigned int levels, leaf;
	unsigned int cr3_bit, table_bit, leaf_bit, second_bit;
	unsigned int absent;	/* level of an entry that is not present, 0: none */
};

/* Stands for no C-bit in struct tables. The number is above all bits of physical addresses. */
#define NO_BIT	63

static u64 cbit_of(unsigned int bit)
{
	return bit == NO_BIT ? 0 : 1ULL << bit;
}

static void make_tables(const struct tables *t)
{
	u64 addr = (u64)image_start, table = TABLES, entry, span;
	unsigned int level;

	memset((void *)TABLES, 0xff, 8 * PAGE_SIZE);
	/*
	 * Sets bits 3 and 4 of CR3. They are PWT and PCD, or part of the PCID.
	 * The stub must not take them for address bits.
	 */
	host.cr3 = TABLES | cbit_of(t->cr3_bit) | 0x18;
	host.cr4 = t->levels == 5 ? 1 << 12 : 0;
	for (level = t->levels; ; level--, table += PAGE_SIZE) {
		span = 1ULL << (12 + 9 * (level - 1));
		entry = (table + PAGE_SIZE) | cbit_of(t->table_bit) | 0x63;
		if (level == t->leaf)
			/*
			 * The entry that maps the page. NX is set, and in the
			 * entry of a large page also PS and the PAT bit. The
			 * stub must not take them for address bits.
			 */
			entry = (addr & ~(span - 1)) | cbit_of(t->leaf_bit) |
				cbit_of(t->second_bit) | 1ULL << 63 | 0x163 |
				(level > 1 ? 0x1080 : 0);
		((u64 *)table)[addr / span % 512] = entry ^ (level == t->absent);
		if (level == t->leaf)
			return;
	}
}

static void enter_with_cbit(unsigned int bit)
{
	struct tables t = { 4, 2, bit, bit, bit, NO_BIT, 0 };

	make_tables(&t);
}

/* ---- starting a case ---- */

static void start_machine(void)
{
	start_stage1();
	memset(&cpu, 0, sizeof(cpu));
	image_start = (const u8 *)0x3456000UL;
	enter_with_cbit(NO_BIT);
	host.msr = FIRMWARE_GHCB;
	host.has_sev_status = false;
	host.sev_status = 0;
	cpu.max.eax = LEAF_SEV;
}

static u64 sev_info(u64 min, u64 max, u64 cbit)
{
	return max << 48 | min << 32 | cbit << 24 | 1;
}

/*
 * Starts an SEV-ES guest at the 64-bit entry, with @status in the SEV_STATUS
 * MSR. The script has correct answers to all requests that the stub makes.
 */
static void start_es64(u64 status)
{
	start_machine();
	cpu.intercepted = true;
	host.has_sev_status = true;
	host.sev_status = status;
	enter_with_cbit(51);
	expect_cpuid_reg(LEAF_MAX, EAX, LEAF_SEV);
	expect_msr(2, sev_info(1, 2, 51));
	expect_cpuid_reg(LEAF_SEV, EBX, 0x50 << 6 | 51);
	expect_cpuid_reg(LEAF_SEV, EAX, 1 << 1 | 1 << 3);
}

#define ES64_STEPS	4
enum { ES64_INFO = 1, ES64_EBX, ES64_EAX };

/*
 * Starts an SEV-ES guest at the 32-bit entry. The stub's 32-bit code has
 * already read @status from the SEV_STATUS MSR and got @info and @cbit from the
 * hypervisor, so sev_detect() has only one request left.
 */
static void start_es32(u64 status, u64 info, u32 cbit)
{
	start_machine();
	sev_guest = (struct sev_guest){
		.status = status, .info = info, .cbit = cbit,
		.known = true,
	};
	host.has_sev_status = true;
	host.sev_status = status;
	expect_cpuid_reg(LEAF_SEV, EAX, 1 << 1 | 1 << 3);
}

static void detected(void)
{
	sev_detect();
	CHECK(host.at == host.count, "%u exchanges of %u", host.at,
	      host.count);
	CHECK(host.msr == FIRMWARE_GHCB, "the MSR is left at %#lx", host.msr);
	CHECK(sev_guest.known, "it would be asked again");
}

TEST(state_is_in_data)
{
	extern char __data_start, edata;

	CHECK((char *)&es >= &__data_start && (char *)(&es + 1) <= &edata,
	      "es is not in .data");
	CHECK((char *)&sev_guest >= &__data_start &&
	      (char *)(&sev_guest + 1) <= &edata, "sev_guest is not in .data");
}

/* ---- no SEV ---- */

TEST(no_leaf_no_msr)
{
	static const u32 max[] = { 0, 0x80000008, LEAF_SEV - 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(max); i++) {
		start_machine();
		cpu.max.eax = max[i];
		cpu.sev.eax = ~0U;
		detected();
		CHECK(!sev_active() && !sev_es_active() && !sev_enc_mask(),
		      "maximum %#x", max[i]);
	}
}

TEST(no_sev_bit_no_msr)
{
	start_machine();
	cpu.sev.eax = ~(1U << 1);
	cpu.sev.ebx = 51;
	detected();
	CHECK(!sev_active() && !sev_enc_mask(), "SEV without the bit");
}

/*
 * The processor supports SEV, but the SEV_STATUS MSR says that this guest is
 * not encrypted. The stub must believe the MSR.
 */
TEST(status_says_no)
{
	start_machine();
	cpu.sev = (struct cpuid_regs){ 1 << 1 | 1 << 3, 47, 0, 0 };
	host.has_sev_status = true;
	detected();
	CHECK(!sev_active() && !sev_enc_mask(), "SEV against the MSR");
	make_map();
	sev_load_map();
	CHECK(host.proven == 1 && host.cr3 == (u64)four_level_top, "CR3 %#lx", host.cr3);
	sev_es_setup_ghcb(&bp);
	sev_es_shutdown();
	CHECK(!host.trace[0] && !es.has_page, "GHCB page without SEV-ES");
}

TEST(known_no_is_not_asked_again)
{
	start_machine();
	sev_guest.known = true;
	cpu.sev.eax = ~0U;
	detected();
	CHECK(!sev_active(), "SEV");
}

/* ---- SEV guests whose registers are not encrypted (no SEV-ES) ---- */

static void start_plain(u64 status, u32 cbit)
{
	start_machine();
	cpu.sev = (struct cpuid_regs){ 1 << 1, cbit | 5 << 6, 0, 0 };
	host.has_sev_status = true;
	host.sev_status = status;
	enter_with_cbit(cbit);
}

TEST(plain_sev)
{
	unsigned int cbit;

	for (cbit = 32; cbit <= 51; cbit++) {
		start_plain(1, cbit);
		detected();
		CHECK(sev_active() && !sev_es_active() &&
		      sev_enc_mask() == 1ULL << cbit, "C-bit %u", cbit);
	}
	make_map();
	enter_with_cbit(51);
	sev_load_map();
	CHECK(host.proven == 1 && host.cr3 == ((u64)four_level_top | 1ULL << 51),
	      "CR3 %#lx, %u proofs", host.cr3, host.proven);
	sev_es_setup_ghcb(&bp);
	sev_es_shutdown();
	CHECK(!host.trace[0] && !es.has_page, "GHCB page without SEV-ES");
}

/*
 * Bits of SEV_STATUS for features that need no support by the guest. The stub must
 * accept them, as Linux does.
 */
static const unsigned int harmless_bits[] = { 7, 8, 9, 14, 17, 23 };

static bool is_harmless(unsigned int bit)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(harmless_bits); i++) {
		if (harmless_bits[i] == bit)
			return true;
	}
	return false;
}

TEST(plain_sev_refused)
{
	unsigned int bit;

	for (bit = 2; bit < 64; bit++) {
		if (is_harmless(bit))
			continue;
		start_plain(1 | 1ULL << bit, 51);
		EXPECT_ERROR(sev_detect(), "SEV");
		CHECK(!strcmp(harness_error_detail,
			      "unknown bits in SEV_STATUS"), "bit %u: %s", bit,
		      harness_error_detail);
	}
	for (bit = 0; bit < ARRAY_SIZE(harmless_bits); bit++) {
		start_plain(1 | 1ULL << harmless_bits[bit], 51);
		detected();
	}

	for (bit = 0; bit < 64; bit = bit == 31 ? 52 : bit + 1) {
		start_plain(1, bit);
		EXPECT_ERROR(sev_detect(), "SEV");
		CHECK(!strcmp(harness_error_detail,
			      "C-bit position out of range"), "C-bit %u: %s",
		      bit, harness_error_detail);
	}
	start_plain(1, 51);
	enter_with_cbit(50);
	EXPECT_ERROR(sev_detect(), "SEV");
	CHECK(strstr(harness_error_detail, "page tables"), "%s",
	      harness_error_detail);
}

/* ---- SEV-ES ---- */

TEST(es_at_64_bit_entry)
{
	start_es64(3);
	detected();
	CHECK(host.count == ES64_STEPS, "%u exits", host.count);
	CHECK(sev_active() && sev_es_active(), "status %#lx",
	      sev_guest.status);
	CHECK(sev_enc_mask() == 1ULL << 51, "%#lx", sev_enc_mask());
	CHECK(es.version == 2, "version %u", es.version);
}

TEST(es_without_cpuid_intercept)
{
	start_es64(3);
	host.count = 0;
	cpu.intercepted = false;
	cpu.sev = (struct cpuid_regs){ 1 << 1 | 1 << 3, 51, 0, 0 };
	expect_msr(2, sev_info(1, 1, 51));
	expect_cpuid_reg(LEAF_SEV, EBX, 51);
	expect_cpuid_reg(LEAF_SEV, EAX, 1 << 1 | 1 << 3);
	detected();
	CHECK(sev_es_active() && es.version == 1, "version %u", es.version);
}

/*
 * The hypervisor intercepts only the second CPUID. The #VC of this CPUID shows that the
 * guest is an SEV-ES guest. The stub must then send the same requests to the hypervisor
 * as if the first CPUID had raised #VC.
 */
TEST(es_by_the_second_cpuid)
{
	start_es64(3);
	cpu.intercepted = false;
	cpu.intercepted_later = true;
	detected();
	CHECK(sev_es_active() && sev_enc_mask() == 1ULL << 51, "%#lx",
	      sev_enc_mask());
}

/*
 * In a guest without SEV-ES, a #VC at the stub's CPUID can only have been injected by
 * the hypervisor. The stub must end the boot with an error.
 */
TEST(vc_without_sev_es)
{
	static const u64 status[] = { 0, 1, 4, 5, ~3ULL };
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(status); i++) {
		start_es64(status[i / 2]);
		cpu.intercepted = i % 2;
		cpu.intercepted_later = true;
		EXPECT_ERROR(sev_detect(), "SEV");
		CHECK(!strcmp(harness_error_detail, "#VC without SEV-ES"), "%s",
		      harness_error_detail);
		CHECK(!host.at && !sev_guest.status, "%u exchanges", host.at);
	}
}

TEST(es_at_32_bit_entry)
{
	start_es32(3, sev_info(1, 2, 47), 47);
	detected();
	CHECK(host.count == 1, "%u exits", host.count);
	CHECK(es.version == 2 && sev_enc_mask() == 1ULL << 47, "%#lx",
	      sev_enc_mask());
}

/*
 * The stub must terminate if the GHCB MSR has another response code than the
 * request requires, or still has the request.
 */
TEST(es_reply_codes)
{
	static const u64 codes[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 0x105, 0x101, 0x805, 0x801, 0xfff,
	};
	unsigned int i, k;
	u64 good;

	for (i = 0; i < ES64_STEPS; i++) {
		for (k = 0; k < ARRAY_SIZE(codes); k++) {
			start_es64(3);
			good = host.steps[i].reply & 0xfff;
			if (codes[k] == good)
				continue;
			host.steps[i].reply += codes[k] - good;
			host.count = i + 1;
			EXPECT_OWN_END(sev_detect(), 8);
		}
		start_es64(3);
		host.steps[i].ignored = true;
		host.count = i + 1;
		EXPECT_OWN_END(sev_detect(), 8);
	}
	start_es32(3, sev_info(1, 2, 51), 51);
	host.steps[0].ignored = true;
	EXPECT_OWN_END(sev_detect(), 8);
}

/*
 * In an SNP guest sev_detect() must request no CPUID from the hypervisor, because the
 * stub takes CPUID from the CPUID page later. sev_detect() must accept unknown bits of
 * SEV_STATUS: snp_check_features() terminates the guest later, when it can send these
 * bits to the host in the GHCB page.
 */
TEST(es_snp)
{
	start_es64(7);
	host.count = 0;
	expect_msr(2, sev_info(1, 2, 51));
	detected();
	CHECK(sev_snp_active() && sev_enc_mask() == 1ULL << 51, "%#lx",
	      sev_enc_mask());
	start_es32(7 | 1ULL << 63, sev_info(1, 2, 51), 51);
	host.count = 0;
	detected();
	CHECK(sev_snp_active(), "no SNP");

	/* An SNP guest needs version 2 of the GHCB protocol. */
	start_es64(7);
	host.count = 0;
	expect_msr(2, sev_info(1, 1, 51));
	EXPECT_END(sev_detect(), 0U, 2U);
	/* The stub must check the C-bit in an SNP guest as in an SEV-ES guest. */
	start_es64(7);
	host.count = 0;
	expect_msr(2, sev_info(1, 2, 50));
	EXPECT_OWN_END(sev_detect(), 2);
	start_es64(7);
	host.count = 0;
	expect_msr(2, sev_info(1, 2, 115));
	EXPECT_OWN_END(sev_detect(), 3);
	start_es32(7, sev_info(1, 2, 115), 51);
	host.count = 0;
	EXPECT_OWN_END(sev_detect(), 2);
	/* A guest whose SEV_STATUS has no SNP bit is no SNP guest. */
	start_es64(3);
	CHECK(!sev_snp_active(), "SNP");
}

TEST(es_unknown_status_bits)
{
	unsigned int bit;

	for (bit = 3; bit < 64; bit++) {
		start_es32(3 | 1ULL << bit, sev_info(1, 2, 51), 51);
		if (is_harmless(bit)) {
			detected();
			continue;
		}
		host.count = 0;
		EXPECT_OWN_END(sev_detect(), 5);
	}
	start_es64(3 | 1 << 3);
	host.count = ES64_EAX;
	EXPECT_OWN_END(sev_detect(), 5);
	/*
	 * The SEV_STATUS MSR has bit 3, which the stub does not know. The hypervisor
	 * has put an old value without this bit back to the stub's copy of the MSR,
	 * sev_guest.status. The stub must find the bit in the MSR.
	 */
	start_es32(3 | 1 << 3, sev_info(1, 2, 51), 51);
	sev_guest.status = 3;
	host.count = 0;
	EXPECT_OWN_END(sev_detect(), 5);
}

TEST(es_cpuid_contradicts)
{
	static const u32 max[] = { 0, 1, 0x80000000, LEAF_SEV - 1 };
	unsigned int i;
	u32 eax;

	for (i = 0; i < ARRAY_SIZE(max); i++) {
		start_es64(3);
		host.steps[0].reply = (u64)max[i] << 32 | 5;
		host.count = 1;
		EXPECT_OWN_END(sev_detect(), 4);
	}
	for (eax = 0; eax < 32; eax++) {
		start_es32(3, sev_info(1, 2, 51), 51);
		host.steps[0].reply = (u64)eax << 32 | 5;
		if ((eax & 10) == 10)
			detected();
		else
			EXPECT_OWN_END(sev_detect(), 4);
		start_es64(3);
		host.steps[ES64_EAX].reply = (u64)~eax << 32 | 5;
		if ((~eax & 10) == 10)
			detected();
		else
			EXPECT_OWN_END(sev_detect(), 4);
	}
}

/* ---- the C-bit ---- */

TEST(cbit_range)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		start_es32(3, sev_info(1, 2, bit), bit);
		if (bit >= 32 && bit <= 51) {
			detected();
			CHECK(sev_enc_mask() == 1ULL << bit, "C-bit %u", bit);
		} else {
			host.count = 0;
			EXPECT_OWN_END(sev_detect(), 3);
		}
		start_es64(3);
		host.steps[ES64_INFO].reply = sev_info(1, 2, bit);
		host.steps[ES64_EBX].reply = (u64)(bit | ~63U) << 32 | 5;
		if (bit >= 32 && bit <= 51) {
			enter_with_cbit(bit);
			detected();
		} else {
			host.count = ES64_EAX;
			EXPECT_OWN_END(sev_detect(), 3);
		}
	}
}

/*
 * Both the GHCB MSR protocol and CPUID give the C-bit's position. The reply by
 * the MSR protocol has 8 bits for it. The stub must terminate if the two
 * positions differ in any of these bits.
 */
TEST(cbit_words_differ)
{
	unsigned int bit;

	for (bit = 0; bit < 256; bit++) {
		if (bit == 51)
			continue;
		start_es32(3, sev_info(1, 2, bit), 51);
		host.count = 0;
		EXPECT_OWN_END(sev_detect(), 2);
		start_es64(3);
		host.steps[ES64_INFO].reply = sev_info(1, 2, bit);
		host.count = ES64_EAX;
		EXPECT_OWN_END(sev_detect(), 2);
	}
}

/*
 * Executes the statement that follows the macro for page tables of 4 and 5 levels,
 * with the image in a page of 4 KiB, 2 MiB and 1 GiB.
 */
#define FOR_EACH_SHAPE(t)						\
	for ((t).levels = 4; (t).levels <= 5; (t).levels++)		\
		for ((t).leaf = 1; (t).leaf <= 3; (t).leaf++)

static const u64 entries[] = {
	0, 0x100000, 0x1000000, 0x3fe00000, 0x7ffff000, 0xfffff000,
};

static unsigned int cbit_found(const struct tables *t, unsigned int claimed)
{
	make_tables(t);
	return entry_cbit(1ULL << claimed);
}

TEST(entry_cbit_found)
{
	struct tables t = { .second_bit = NO_BIT };
	unsigned int i, bit, found;

	start_machine();
	FOR_EACH_SHAPE(t) {
		for (i = 0; i < ARRAY_SIZE(entries); i++) {
			image_start = (const u8 *)entries[i];
			for (bit = 32; bit <= 51; bit++) {
				t.leaf_bit = t.table_bit = t.cr3_bit = bit;
				found = cbit_found(&t, bit);
				CHECK(found == bit, "%u of %u levels, %#lx: "
				      "C-bit %u, not %u", t.leaf, t.levels,
				      entries[i], found, bit);
				/*
				 * The processor treats page tables as encrypted
				 * even if the entries that point to them have
				 * no C-bit (APM2 15.34.5). The stub must find
				 * the C-bit in the entry that maps the image.
				 */
				t.table_bit = t.cr3_bit = NO_BIT;
				found = cbit_found(&t, bit);
				CHECK(found == bit, "%u, not %u", found, bit);
			}
		}
	}
}

/*
 * If the image is above 4 GiB, the walk through the page tables must use all
 * bits of the image's address.
 */
TEST(entry_cbit_of_high_image)
{
	struct tables t = { 4, 2, 47, 47, 47, NO_BIT, 0 };
	unsigned int found;

	start_machine();
	image_start = (const u8 *)0x123456789000UL;
	FOR_EACH_SHAPE(t) {
		found = cbit_found(&t, 47);
		CHECK(found == 47, "%u of %u levels: %u", t.leaf, t.levels,
		      found);
	}
}

/* If an entry on the way to the image is not present, the walk must fail. */
TEST(entry_cbit_not_present)
{
	struct tables t = { 4, 2, 51, 51, 51, .second_bit = NO_BIT };
	unsigned int found;

	start_machine();
	FOR_EACH_SHAPE(t) {
		for (t.absent = t.leaf; t.absent <= t.levels; t.absent++) {
			found = cbit_found(&t, 51);
			CHECK(!found, "level %u of %u: %u", t.absent, t.levels, found);
		}
		t.absent = 0;
	}
}

TEST(entry_cbit_refused)
{
	struct tables t = { .second_bit = NO_BIT };
	unsigned int bit, found;

	start_machine();
	FOR_EACH_SHAPE(t) {
		/*
		 * Neither CR3 nor an entry has a C-bit, so the walk must fail.
		 */
		t.leaf_bit = t.table_bit = t.cr3_bit = t.second_bit = NO_BIT;
		found = cbit_found(&t, 51);
		CHECK(!found, "no bit: %u", found);
		for (bit = 32; bit < 51; bit++) {
			/*
			 * The entry that maps the image has two bits that could
			 * be the C-bit. The walk must fail.
			 */
			t.second_bit = bit;
			t.leaf_bit = 51;
			found = cbit_found(&t, 51);
			CHECK(!found, "51 and %u: %u", bit, found);
			/*
			 * The hypervisor claims that the C-bit is bit 51, but
			 * the entry that maps the image has another C-bit. The
			 * walk must return the position in the entry.
			 */
			t.second_bit = NO_BIT;
			t.leaf_bit = bit;
			found = cbit_found(&t, 51);
			CHECK(found == bit, "%u: %u", bit, found);
		}
		/*
		 * CR3 or an entry that points to a page table has its C-bit at
		 * another position than the hypervisor claims. The walk takes this
		 * C-bit for a bit of the page table's address. No page table has
		 * so high an address, so the walk must not read the page table,
		 * but must return the position of this C-bit.
		 */
		t.leaf_bit = 51;
		t.table_bit = 47;
		found = cbit_found(&t, 51);
		CHECK(found == 47, "table with 47: %u", found);
		t.table_bit = NO_BIT;
		t.cr3_bit = 47;
		found = cbit_found(&t, 51);
		CHECK(found == 47, "CR3 with 47: %u", found);
		t.cr3_bit = 51;
		found = cbit_found(&t, 47);
		CHECK(found == 51, "CR3 with 51: %u", found);
	}
	/*
	 * The page tables map the image's address to another address. They then
	 * do not tell where the C-bit is, so the walk must fail.
	 */
	t = (struct tables){ 4, 1, 51, 51, 51, 15, 0 };
	found = cbit_found(&t, 51);
	CHECK(!found, "maps elsewhere: %u", found);
}

/*
 * The hypervisor gives the same C-bit by the GHCB MSR protocol and by CPUID, but the
 * page tables that the loader built have another one. The stub must terminate the guest:
 * the guest runs on these page tables, so the hypervisor has lied.
 */
TEST(cbit_not_the_loaders)
{
	static const unsigned int others[] = { 47, 50, NO_BIT };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		start_es64(3);
		enter_with_cbit(others[i]);
		host.count = ES64_EAX;
		EXPECT_OWN_END(sev_detect(), 2);
	}
}

TEST(map_is_proven)
{
	start_stage1();
	sev_guest.status = 3;
	sev_guest.cbit = 51;
	make_map();
	enter_with_cbit(51);
	sev_load_map();
	CHECK(host.proven == 1 && host.cr3 == ((u64)four_level_top | 1ULL << 51),
	      "CR3 %#lx, %u proofs", host.cr3, host.proven);
}

/*
 * After sev_detect() has compared the C-bit's position with the loader's page tables, the
 * hypervisor garbles the position in memory, so that the stub's new page tables have another
 * C-bit. sev_load_map() must compare the new C-bit with the loader's page tables, which are
 * still in force, and must terminate the guest.
 */
TEST(cbit_garbled_before_the_load)
{
	unsigned int cbit, real;

	/* The C-bit must lie above the addresses of this program, which have up to 47 bits. */
	for (real = 47; real <= 51; real++)
		for (cbit = 48; cbit <= 51; cbit++) {
			start_stage1();
			sev_guest.status = 3;
			sev_guest.cbit = cbit;
			make_map();
			enter_with_cbit(real);
			if (cbit == real)
				sev_load_map();
			else
				EXPECT_END(sev_load_map(), 2U, 2U);
			CHECK(host.proven == (cbit == real), "C-bit %u, not %u: %u proofs",
			      cbit, real, host.proven);
		}
}

/*
 * sev_detect() checks the SEV_STATUS MSR for unknown bits only if sev_guest.status in
 * memory says that this is an SEV guest. The hypervisor may have put an old value that
 * denies SEV back to this word. sev_load_map() must therefore check the MSR again once the
 * stub's page tables are loaded, and must terminate the guest if the MSR has an unknown bit.
 */
TEST(status_behind_the_proof)
{
	unsigned int bit;

	for (bit = 2; bit < 64; bit++) {
		start_stage1();
		sev_guest.status = 3;
		sev_guest.cbit = 51;
		make_map();
		enter_with_cbit(51);
		host.sev_status = 3 | 1ULL << bit;
		if (is_harmless(bit) || bit == 2)
			sev_load_map();
		else
			EXPECT_END(sev_load_map(), 2U, 5U);
	}
}

/* ---- protocol versions ---- */

TEST(versions)
{
	static const u64 words[] = { 0, 1, 2, 3, 4, 255, 0x7fff, 0xffff };
	unsigned int i, k, version;
	u64 min, max;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		for (k = 0; k < ARRAY_SIZE(words); k++) {
			min = words[i];
			max = words[k];
			version = min <= 2 && max >= 2 ? 2 :
				  min <= 1 && max == 1 ? 1 : 0;
			start_es32(3, sev_info(min, max, 51), 51);
			if (!version) {
				EXPECT_END(sev_detect(), 0U, 1U);
				continue;
			}
			detected();
			CHECK(es.version == version, "%lu to %lu: %u", min,
			      max, es.version);
		}
	}
}

/* ---- #VC in stage 1 ---- */

/*
 * Tests @rule_out, a function of the stub that makes sure that this is no SEV-ES guest, in an
 * SEV-ES guest whose sev_guest.status the hypervisor has put back to 0. While the stub's page
 * tables are not loaded, @rule_out must not believe this 0: it must execute CPUID with sub-leaf
 * @subleaf, by which a handler of #VC recognises this CPUID, and must terminate the guest with
 * @reason if CPUID reports SEV and the SEV_STATUS MSR reports SEV-ES. Once page tables with a
 * C-bit are loaded, @rule_out must do nothing: the stub then takes from CR3, and not from
 * sev_guest.status, that this is an SEV guest.
 */
static void expect_rule_out(void (*rule_out)(void), u32 subleaf, unsigned int reason)
{
	start_stage1();
	natively.subleaf = subleaf;
	natively.asked = 0;
	natively.max.eax = 0x8000001e;
	natively.sev.eax = 1 << 1;
	rule_out();
	CHECK(natively.asked == 1, "%u CPUIDs without leaf 0x8000001f", natively.asked);
	natively.max.eax = 0x8000001f;
	natively.sev.eax = ~(1U << 1);
	rule_out();
	CHECK(natively.asked == 3, "%u CPUIDs without SEV", natively.asked);
	natively.sev.eax = 1 << 1;
	EXPECT_OWN_END(rule_out(), reason);
	sev_guest.status = 3;
	sev_guest.cbit = 51;
	make_map();
	natively.asked = 0;
	rule_out();
	CHECK(!natively.asked, "%u CPUIDs on the stub's page tables", natively.asked);
	/*
	 * CR3 points into the pool of the stub's page tables, but has no C-bit. CR2 is not 0,
	 * by which the stub marks that it has built page tables there. But a loader's page
	 * tables may lie there, too, and a page fault sets CR2. @rule_out must therefore not
	 * rely on CR3, and must terminate the guest.
	 */
	host.cr3 &= ~(1UL << 51);
	EXPECT_OWN_END(rule_out(), reason);
}

TEST(rule_out_es)
{
	expect_rule_out(sev_rule_out_es, CPUID_SUBLEAF_NO_SEV, 4);
	expect_rule_out(sev_es_end_at_exception, CPUID_SUBLEAF_EXCEPTION, 16);
}

/*
 * In stage 1 the C part of the #VC handler must terminate the guest at a CPUID instead
 * of emulating it. Only the CPUID of ask_cpuid() may raise #VC in stage 1, and
 * exception_vc handles that #VC without calling C.
 */
TEST(stage1_cpuid)
{
	start_stage1();
	frame.rax = 0xffffffff80000008;
	frame.rcx = 0xffffffff00000000;
	INSN(0x72, "\x0f\xa2");
	ENDS(12);
	CHECK(!host.at, "asked all the same");
}

TEST(stage1_wrong_opcode)
{
	unsigned int byte;

	for (byte = 0; byte < 256; byte++) {
		u8 bytes[2] = { 0x0f, (u8)byte };

		start_stage1();
		frame.rcx = 0;
		place_insn(TEXT, 0x72, bytes, 2);
		if (byte != 0xa2)
			ENDS(6);
		bytes[0] = (u8)byte;
		bytes[1] = 0xa2;
		place_insn(TEXT, 0x72, bytes, 2);
		if (byte != 0x0f)
			ENDS(6);
	}
	CHECK(!host.at, "asked all the same");
}

TEST(stage1_wrong_exit)
{
	u64 code;

	for (code = 0; code < 0x500; code++) {
		if (code == 0x72)
			continue;
		start_stage1();
		frame.rcx = 0;
		INSN(code, "\x0f\xa2");
		ENDS(12);
	}
	start_stage1();
	frame.rcx = 0;
	INSN(0x100000072, "\x0f\xa2");
	ENDS(12);
}

/*
 * After the stub's page tables were loaded, the hypervisor puts sev_guest back to its
 * contents at launch. The stub must then take the kind of guest and the C-bit from the
 * processor's registers.
 */
TEST(memory_is_not_asked_again)
{
	start();
	enter_with_cbit(51);
	sev_load_map();
	memset(&sev_guest, 0, sizeof(sev_guest));
	CHECK(sev_active() && sev_es_active(), "SEV is forgotten");
	CHECK(sev_enc_mask() == 1ULL << 51, "%#lx", sev_enc_mask());
	host.sev_status = 1;
	CHECK(sev_active() && !sev_es_active(), "SEV_STATUS is not asked");
}

/*
 * In a guest without SEV the stub's page tables have no C-bit. The stub must then not
 * read the SEV_STATUS MSR, even if sev_guest.status reports SEV-ES, because the
 * processor may not have this MSR.
 */
TEST(map_without_cbit_is_not_sev)
{
	start_stage1();
	make_map();
	sev_load_map();
	sev_guest.status = 3;
	host.has_sev_status = false;
	CHECK(!sev_active() && !sev_es_active() && !sev_enc_mask(), "SEV");
}

TEST(stage1_subleaf)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		start_stage1();
		frame.rcx = 1ULL << bit;
		INSN(0x72, "\x0f\xa2");
		ENDS(13);
	}
}

/*
 * #VC in a guest without SEV-ES can only have been injected by the hypervisor.
 * The stub must report it as an exception instead of handling it.
 */
TEST(stage1_not_sev_es)
{
	static const u64 status[] = { 0, 1, 4, 5, ~3ULL };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(status); i++) {
		start_stage1();
		host.sev_status = status[i];
		frame.rcx = 0;
		INSN(0x72, "\x0f\xa2");
		raises(29);
	}
}

TEST(no_ports_in_stage1)
{
	start_stage1();
	CHECK(sev_es_inb(0x3f8) == 0xff, "port access without a GHCB page");
	sev_es_outb(1, 0x3f8);
	sev_es_outsb(0x3f8, console_text, 1);
	CHECK(!host.at && !host.msr, "MSR %#lx", host.msr);
}

/* ---- termination ---- */

TEST(terminate_says_why)
{
	unsigned int code;

	start_stage1();
	sev_guest.status = 3;
	for (code = 0; code < 256; code++) {
		EXPECT_END(terminate(code), 2U, code);
		EXPECT_END(terminate(SEV_TERM_STANDARD | code), 0U, code);
	}
}

/*
 * A guest without SEV-ES has no GHCB MSR. terminate() must halt instead of writing to
 * this MSR.
 */
TEST(terminate_halts_without_sev_es)
{
	start_stage1();
	host.sev_status = 1;
	EXPECT_HALT(terminate(SEVSTUB_TERM_GENERAL));
	CHECK(!host.at && !host.msr, "MSR %#lx", host.msr);
}

/*
 * If the hypervisor continues the guest after a termination request, the stub
 * must repeat the request, forever.
 */
TEST(terminate_never_returns)
{
	start_stage1();
	sev_guest.status = 3;
	host.deaf = 1000;
	EXPECT_END(terminate(8), 2U, 8U);
	CHECK(!host.deaf, "asked %u times only", 1000 - host.deaf);
}
