/* SPDX-License-Identifier: MIT */
/*
 * types.h - the integer types and the few macros that every C file uses.
 *
 * The one place where a build for the host (unit tests, fuzzers) differs from
 * the stub: with SEVSTUB_HOSTED defined, the C library's headers supply the
 * string functions and the test harness supplies error().
 */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef SEVSTUB_HOSTED
#include <string.h>
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* Errors, returned negated. The values are those of Linux's errno.h. */
#define ENOENT	2
#define ENOMEM	12
#define EFAULT	14
#define EINVAL	22

#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* @align must be a power of two. */
#define ALIGN_DOWN(x, align) ((x) & ~((align) - 1))
#define ALIGN_UP(x, align) ALIGN_DOWN((x) + ((align) - 1), align)

#define noinline __attribute__((noinline))
#define noreturn __attribute__((noreturn))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define maybe_unused __attribute__((unused))

/* Stays, with -fwhole-program; clang has neither. */
#ifndef __clang__
#define externally_visible __attribute__((externally_visible))
#else
#define externally_visible
#endif

/*
 * Variables that are read or written before .bss is cleared, or by exception
 * handlers at any time, must not live in .bss: a copy of the image that has
 * just been moved has no .bss yet.
 */
#define in_data __attribute__((section(".data")))

/* What an NMI handler may see is in memory, and in this order. */
#define barrier() asm volatile("" : : : "memory")

#endif
