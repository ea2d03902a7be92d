/* SPDX-License-Identifier: MIT */
/*
 * fuzz_insn.c - libFuzzer target for the instruction decoder.
 *
 * The input is the bytes at RIP, possibly more than 15. insn_decode()'s result must
 * be the same as that of the library Zydis, and must not depend on bytes after the
 * instruction. Needs -lZydis.
 */
#include <stdio.h>
#include <stdlib.h>

#include "types.h"

#include "../../insn.c"
#include "../unit/insn_zydis.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static noreturn void wrong(const char *what, size_t size)
{
	fprintf(stderr, "fuzz: %s, with %zu bytes\n", what, size);
	abort();
}

/*
 * Decodes the first n bytes of the input for each n below @size. An instruction
 * must be accepted with all its bytes only, and be INSN_TRUNCATED with fewer. If
 * the whole input is INSN_INVALID, a part of it must not be accepted.
 */
static void check_prefixes(const u8 *data, size_t size,
			   enum insn_status whole, const struct insn *insn)
{
	size_t n;

	for (n = 0; n < size; n++) {
		struct insn part;
		enum insn_status status = insn_decode(&part, data, n);

		if (whole == INSN_OK && n >= insn->length) {
			if (status != INSN_OK || first_difference(&part, insn))
				wrong("depends on what follows", n);
		} else if (whole == INSN_INVALID) {
			if (status == INSN_OK)
				wrong("taken, then refused", n);
		} else if (status != INSN_TRUNCATED) {
			wrong("decided too early", n);
		}
	}
}

static void check_fields(const struct insn *insn)
{
	static const u64 regs[INSN_REGS];

	if (insn->length == 0 || insn->length > INSN_MAX_LENGTH)
		wrong("length", insn->length);
	if (insn->size > 8 || (insn->size & (insn->size - 1)))
		wrong("size", insn->size);
	if (insn->reg >= INSN_REGS || insn->base > INSN_NO_REG ||
	    insn->index > INSN_NO_REG || insn->index == INSN_RIP)
		wrong("register", insn->length);

	insn_address(insn, regs, 0, 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct verdict verdict;
	const char *field;
	struct insn insn;
	enum insn_status status = insn_decode(&insn, data, size);
	size_t max = size < INSN_MAX_LENGTH ? size : INSN_MAX_LENGTH;
	bool ours;

	check_prefixes(data, max, status, &insn);
	if (status == INSN_OK)
		check_fields(&insn);

	judge_init();
	ours = judge(&verdict, data, max);
	if (ours != (status == INSN_OK))
		wrong(ours ? "Zydis takes it" : "Zydis refuses it", size);
	if (ours) {
		field = first_difference(&insn, &verdict.insn);
		if (field)
			wrong(field, insn.length);
	}
	return 0;
}
