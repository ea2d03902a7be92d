/* SPDX-License-Identifier: MIT */
/*
 * abi_emulator.c - the second half of test_abi.c, which checks that the stub
 * and sevemu agree about the SEV-ES ABI. This file is compiled with sevemu's
 * headers only. abi_emulator[] has sevemu's value of each PAIR() in
 * abi_pairs.h, in the same order.
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
