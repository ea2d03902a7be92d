/* SPDX-License-Identifier: MIT */
/*
 * entry.h - what entry.S offers to C.
 */
#ifndef SEVEMU_ENTRY_H
#define SEVEMU_ENTRY_H

#include "layout.h"

/*
 * Exception stubs of the hypervisor for vectors 0 to 31.  The stub of a vector
 * starts at its number times HV_STUB_SIZE.  main.c puts their addresses into
 * the IDT.
 */
extern char hv_exception_stubs[];

#endif
