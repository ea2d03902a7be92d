/* SPDX-License-Identifier: MIT */
/*
 * test_abi.c - compares the constants of the SEV-ES ABI in the stub with the
 * same constants in sevemu, the emulator of this project. Both lists were
 * written from the manuals independently, so a misread number shows as a
 * difference.
 *
 * abi_emulator.c holds sevemu's constants. It is a translation unit of its own,
 * because both sides define the same names.
 */
#include "harness.h"
#include "sev.h"

extern const unsigned long abi_emulator[];
extern const unsigned int abi_emulator_count;

#define PAIR(stub, emulator) { #stub, #emulator, (unsigned long)(stub) },
#define SEVEMU_ONLY(name)

static const struct pair {
	const char *stub, *emulator;
	unsigned long value;
} pairs[] = {
#include "abi_pairs.h"
};

TEST(constants)
{
	size_t i;

	CHECK(abi_emulator_count == ARRAY_SIZE(pairs), "%u against %zu",
	      abi_emulator_count, ARRAY_SIZE(pairs));
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		CHECK(pairs[i].value == abi_emulator[i],
		      "%s is %#lx in the stub, %s is %#lx in sevemu",
		      pairs[i].stub, pairs[i].value, pairs[i].emulator,
		      abi_emulator[i]);
	INFO("%zu", ARRAY_SIZE(pairs));
}

/*
 * The codes by which the stub tells the hypervisor why it terminates the guest
 * must be 0, 1, 2, ... without a gap, because sevemu's table of their meanings
 * is indexed by the code. SEVSTUB_TERM_REASONS must be the number of codes.
 */
TEST(termination_codes)
{
	static const unsigned int codes[] = {
		SEVSTUB_TERM_GENERAL, SEVSTUB_TERM_CBIT_PROOF,
		SEVSTUB_TERM_CBIT_MISMATCH, SEVSTUB_TERM_CBIT_RANGE,
		SEVSTUB_TERM_CPUID_STATUS, SEVSTUB_TERM_STATUS_BITS,
		SEVSTUB_TERM_OPCODE, SEVSTUB_TERM_DECODE, SEVSTUB_TERM_REPLY,
		SEVSTUB_TERM_INJECTION, SEVSTUB_TERM_REENTRY,
		SEVSTUB_TERM_UNSUPPORTED, SEVSTUB_TERM_NO_GHCB,
		SEVSTUB_TERM_CPUID_SUBLEAF, SEVSTUB_TERM_NPF_PRIVATE,
		SEVSTUB_TERM_NPF_RAM, SEVSTUB_TERM_EXCEPTION,
		SEVSTUB_TERM_GHCB_MAP,
		SEVSTUB_TERM_CPU, SEVSTUB_TERM_TRUNCATED,
		SEVSTUB_TERM_NO_ROOM, SEVSTUB_TERM_LOAD_ADDRESS,
		SEVSTUB_TERM_HANDED_OVER, SEVSTUB_TERM_IMAGE,
		SEVSTUB_TERM_NMI, SEVSTUB_TERM_NOT_VALIDATED,
	};
	size_t i;

	CHECK(ARRAY_SIZE(codes) == SEVSTUB_TERM_REASONS, "%zu of %d",
	      ARRAY_SIZE(codes), SEVSTUB_TERM_REASONS);
	for (i = 0; i < ARRAY_SIZE(codes); i++)
		CHECK(codes[i] == i, "code %zu is %u", i, codes[i]);
	CHECK(SEVSTUB_TERM_REASONS <= GHCB_MSR_TERM_CODE_MASK + 1,
	      "more than eight bits");
	CHECK(SEV_TERM_SET_SEVSTUB <= GHCB_MSR_TERM_SET_MASK,
	      "more than four bits");
}

TEST(valid_bits)
{
	CHECK(GHCB_VALID_INDEX(cpl) == 25, "%zu", GHCB_VALID_INDEX(cpl));
	CHECK(GHCB_VALID_INDEX(rax) == 63, "%zu", GHCB_VALID_INDEX(rax));
	CHECK(GHCB_VALID_WORD(rax) == 0, "%zu", GHCB_VALID_WORD(rax));
	CHECK(GHCB_VALID_BIT(rax) == 1ULL << 63, "%#llx", GHCB_VALID_BIT(rax));
	CHECK(GHCB_VALID_WORD(rcx) == 1, "%zu", GHCB_VALID_WORD(rcx));
	CHECK(GHCB_VALID_BIT(sw_exit_code) == 1ULL << (0x72 - 64), "%#llx",
	      GHCB_VALID_BIT(sw_exit_code));
	CHECK(GHCB_VALID_INDEX(xcr0) < GHCB_VALID_BITMAP_SIZE * 8, "%zu",
	      GHCB_VALID_INDEX(xcr0));
}
