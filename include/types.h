/* SPDX-License-Identifier: MIT */
/*
 * types.h - integer types and macros that every C file uses.
 *
 * Unit tests and fuzzers run the stub's files as ring-3 programs on the build machine. Such a
 * build defines SEVSTUB_HOSTED. The C library then supplies the string functions, and the test
 * supplies the functions of x86.h that ring 3 cannot execute.
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

/* Error numbers, which functions return negated. The values are Linux's. */
#define ENOENT	2
#define ENOMEM	12
#define EFAULT	14
#define EINVAL	22

#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Round @x down or up to a multiple of @align, which must be a power of two. */
#define ALIGN_DOWN(x, align) ((x) & ~((align) - 1))
#define ALIGN_UP(x, align) ALIGN_DOWN((x) + ((align) - 1), align)

/*
 * Returns true if at most one bit of @value is set. The empty assembly hides the subtraction
 * from clang, which would count the bits of @value instead, by 100 bytes of code.
 */
static inline __attribute__((always_inline)) bool has_one_bit_at_most(u64 value)
{
	u64 below = value - 1;

	asm("" : "+r"(below));
	return !(value & below);
}

/* Returns true if no bit of @value is set but one that can be the C-bit: 32 or higher. */
static inline __attribute__((always_inline)) bool is_cbit_at_most(u64 value)
{
	return has_one_bit_at_most(value) && !(u32)value;
}

/*
 * The constant @value, loaded into a register anew. A compiler could load it before a loop and
 * keep it in a register, which a function called in the loop saves on the stack, where the
 * hypervisor could exchange it.
 */
#define LOAD_ANEW(value) ({						\
	u64 loaded_;							\
	asm volatile("movabsq %1, %0" : "=r"(loaded_) : "i"(value));	\
	loaded_; })

/*
 * The address of @symbol, computed anew. A compiler could compute the address earlier and keep
 * it in a register, which a function called meanwhile saves on the stack, where the hypervisor
 * could exchange it.
 */
#define LEA_ANEW(symbol) ({						\
	u64 address_;							\
	asm volatile("leaq " #symbol "(%%rip), %0" : "=r"(address_));	\
	address_; })

/*
 * The address of the array @symbol. In the stub this macro is LEA_ANEW(). A test with
 * SEVSTUB_HOSTED may define @symbol as a macro. The assembly of LEA_ANEW() cannot name a macro,
 * so a build with SEVSTUB_HOSTED takes the address in C.
 */
#ifdef SEVSTUB_HOSTED
#define ADDRESS_ANEW(symbol) ((u64)(symbol))
#else
#define ADDRESS_ANEW(symbol) LEA_ANEW(symbol)
#endif

#define noinline __attribute__((noinline))
/*
 * Keeps gcc from making a second copy of a function that is not inlined. A function whose
 * assembly defines a global label must exist once only. clang makes no such copies.
 */
#if __has_attribute(noclone)
#define noclone __attribute__((noclone))
#else
#define noclone
#endif
#define noreturn __attribute__((noreturn))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define maybe_unused __attribute__((unused))

/*
 * Keeps a function callable from other object files although gcc compiles its file
 * with -fwhole-program. clang has neither the option nor the attribute.
 */
#ifndef __clang__
#define externally_visible __attribute__((externally_visible))
#else
#define externally_visible
#endif

/*
 * Puts a variable into .data. This is needed for variables that are used before
 * .bss is cleared, also by an exception handler. The memory at .bss holds
 * arbitrary bytes until then.
 */
#define in_data __attribute__((section(".data")))

/*
 * A local variable at a constant address in .bss, for bytes that a loader has chosen. If
 * they were on the stack, another function might have its return address there later, and
 * the hypervisor of an SEV-ES guest could put the bytes back as this return address.
 */
#define not_on_stack static

/*
 * Puts a variable after .data, where memory holds arbitrary bytes at first and is not
 * cleared with .bss. For large variables that are written before they are read.
 */
#define not_cleared __attribute__((section(".bss.not_cleared")))

/*
 * Reads the variable @x from memory exactly once. The hypervisor can change
 * private memory between two reads, so a value that is checked must be the value
 * that is used.
 */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
/* Writes @value to the variable @x once, and in the order of the program. */
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))

/*
 * HOLD() puts up to six variables into registers before they are compared, and RELEASE()
 * follows their use. In between the compiler could keep a variable on the stack, where the
 * hypervisor could exchange it after the comparison. Both macros therefore leave a comment in
 * the compiler's assembler text. The unit test `registers` finds the two comments, and fails
 * if code between them reads the stack. @name is the name of a row in
 * tests/unit/registers.list.
 */
#define HOLD_1(a) "+r"(a)
#define HOLD_2(a, ...) "+r"(a), HOLD_1(__VA_ARGS__)
#define HOLD_3(a, ...) "+r"(a), HOLD_2(__VA_ARGS__)
#define HOLD_4(a, ...) "+r"(a), HOLD_3(__VA_ARGS__)
#define HOLD_5(a, ...) "+r"(a), HOLD_4(__VA_ARGS__)
#define HOLD_6(a, ...) "+r"(a), HOLD_5(__VA_ARGS__)
#define HOLD_OF(a, b, c, d, e, f, macro, ...) macro
#define HOLD(name, ...)							\
	asm volatile("# hold " #name HOLD_OF(__VA_ARGS__, " %0 %1 %2 %3 %4 %5",	\
		     " %0 %1 %2 %3 %4", " %0 %1 %2 %3", " %0 %1 %2",	\
		     " %0 %1", " %0", 0) :				\
		     HOLD_OF(__VA_ARGS__, HOLD_6, HOLD_5, HOLD_4,	\
			     HOLD_3, HOLD_2, HOLD_1, 0)(__VA_ARGS__))
#define RELEASE(name) asm volatile("# release " #name : : : "memory")

/*
 * Compiler barrier: the compiler does not move memory accesses across it. An
 * exception handler on this processor thus sees the accesses in program order.
 */
#define barrier() asm volatile("" : : : "memory")

#endif
