/* SPDX-License-Identifier: MIT */
/*
 * abi_emulator.c - sevemu's side of the comparison in test_abi.c: the values of
 * its own headers, in the order of abi_pairs.h.
 */
#include "../../sevemu/ghcb.h"
#include "../../sevemu/svm.h"

extern const unsigned long abi_emulator[];
extern const unsigned int abi_emulator_count;

#define PAIR(stub, emulator) (unsigned long)(emulator),
#define SEVEMU_ONLY(name)

const unsigned long abi_emulator[] = {
#include "abi_pairs.h"
};

const unsigned int abi_emulator_count =
	sizeof(abi_emulator) / sizeof(abi_emulator[0]);
