/* SPDX-License-Identifier: MIT */
/*
 * test_string.c - string.c compared with the C library, for all lengths up to
 * 300, and for several alignments and overlaps.
 *
 * ASan does not check string instructions. The buffers therefore touch
 * inaccessible pages, and the bytes around each result are compared too.
 */
#include "harness.h"

/*
 * MAP_DECRYPTED is a constant of the stub's ident_map.h, which this test does
 * not use. Undefine it, because <sys/mman.h> may define the same name.
 */
#undef MAP_DECRYPTED
#include <sys/mman.h>

/*
 * The stub's functions are linked under these names, because the test also uses
 * the C library's functions of the original names.
 */
void *stub_memcpy(void *dst, const void *src, size_t len);
void *stub_memmove(void *dst, const void *src, size_t len);
void *stub_memset(void *dst, int value, size_t len);
int stub_memcmp(const void *a, const void *b, size_t len);
size_t stub_strlen(const char *s);
size_t stub_strnlen(const char *s, size_t max);

#define memcpy stub_memcpy
#define memmove stub_memmove
#define memset stub_memset
#define memcmp stub_memcmp
#define strlen stub_strlen
#define strnlen stub_strnlen
#include "../../lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen

#define MAX_LEN		300
#define ALIGNMENTS	16
#define LONG_LEN	(3 * PAGE_SIZE - 5)
#define ARENA_SIZE	(4 * PAGE_SIZE)
#define FILL		0x5a

/* Memory of ARENA_SIZE bytes between two inaccessible pages. */
struct arena {
	u8 *start, *end;
};

static struct arena new_arena(void)
{
	u8 *pages = mmap(NULL, ARENA_SIZE + 2 * PAGE_SIZE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct arena arena = { pages + PAGE_SIZE,
			       pages + PAGE_SIZE + ARENA_SIZE };

	if (pages == MAP_FAILED ||
	    mprotect(arena.start, ARENA_SIZE, PROT_READ | PROT_WRITE)) {
		perror("mmap");
		exit(EXIT_FAILURE);
	}
	return arena;
}

static struct arena source, result, expected;

static void prepare(void)
{
	size_t i;

	if (!source.start) {
		source = new_arena();
		result = new_arena();
		expected = new_arena();
	}
	random_seed(1);
	for (i = 0; i < ARENA_SIZE; i++)
		source.start[i] = (u8)random_u64();
	memset(result.start, FILL, ARENA_SIZE);
	memset(expected.start, FILL, ARENA_SIZE);
}

static bool same(void)
{
	return !memcmp(result.start, expected.start, ARENA_SIZE);
}

static void check_memcpy(size_t to, size_t from, size_t len)
{
	void *returned;

	memcpy(expected.start + to, source.start + from, len);
	returned = stub_memcpy(result.start + to, source.start + from, len);
	CHECK(returned == result.start + to, "%zu bytes: returns %p", len,
	      returned);
	CHECK(same(), "%zu bytes from +%zu to +%zu", len, from, to);
	memset(result.start + to, FILL, len);
	memset(expected.start + to, FILL, len);
}

TEST(memcpy)
{
	size_t len, to, from;

	prepare();
	for (len = 0; len <= MAX_LEN; len++) {
		for (to = 0; to < ALIGNMENTS; to++)
			check_memcpy(to, len % ALIGNMENTS, len);
		for (from = 0; from < ALIGNMENTS; from++)
			check_memcpy(len % ALIGNMENTS, from, len);
		check_memcpy(ARENA_SIZE - len, ARENA_SIZE - len, len);
	}
	check_memcpy(3, 1, LONG_LEN);
}

static void check_memset(size_t at, int value, size_t len)
{
	void *returned;

	memset(expected.start + at, value, len);
	returned = stub_memset(result.start + at, value, len);
	CHECK(returned == result.start + at, "%zu bytes: returns %p", len,
	      returned);
	CHECK(same(), "%zu bytes of %d at +%zu", len, value, at);
	memset(result.start + at, FILL, len);
	memset(expected.start + at, FILL, len);
}

TEST(memset)
{
	size_t len, at;

	prepare();
	for (len = 0; len <= MAX_LEN; len++) {
		for (at = 0; at < ALIGNMENTS; at++) {
			check_memset(at, 0, len);
			check_memset(at, 0xff - (int)len % 2, len);
		}
		check_memset(ARENA_SIZE - len, 1, len);
	}
	check_memset(7, 0, LONG_LEN);
	/* memset() must use only the low byte of its value. */
	check_memset(1, 0x1234, MAX_LEN);
	check_memset(1, -2, MAX_LEN);
}

/*
 * The hypervisor of an SEV-ES guest can put back an old value of RFLAGS in which the
 * direction flag is set. memcpy() and memset() must clear the flag and copy upwards.
 */
TEST(direction_flag)
{
	static u8 from[64], to[64];
	u64 flags;
	size_t i;

	for (i = 0; i < sizeof(from); i++)
		from[i] = (u8)i;
	asm volatile("std");
	stub_memcpy(to + 16, from + 16, 29);
	asm volatile("pushfq; popq %0; cld" : "=r"(flags));
	CHECK(!(flags & 1 << 10), "memcpy: the direction flag is set");
	for (i = 0; i < sizeof(to); i++)
		CHECK(to[i] == (i >= 16 && i < 45 ? i : 0), "memcpy: byte %zu", i);

	asm volatile("std");
	stub_memset(to + 16, FILL, 29);
	asm volatile("pushfq; popq %0; cld" : "=r"(flags));
	CHECK(!(flags & 1 << 10), "memset: the direction flag is set");
	for (i = 0; i < sizeof(to); i++)
		CHECK(to[i] == (i >= 16 && i < 45 ? FILL : 0), "memset: byte %zu", i);
}

static void check_memmove(size_t to, size_t from, size_t len)
{
	void *returned;

	memcpy(result.start, source.start, ARENA_SIZE);
	memcpy(expected.start, source.start, ARENA_SIZE);
	memmove(expected.start + to, expected.start + from, len);
	returned = stub_memmove(result.start + to, result.start + from, len);
	CHECK(returned == result.start + to, "%zu bytes: returns %p", len,
	      returned);
	CHECK(same(), "%zu bytes from +%zu to +%zu", len, from, to);
}

TEST(memmove)
{
	size_t len, distance;

	prepare();
	for (len = 0; len <= MAX_LEN; len++) {
		/*
		 * Source and destination are 0 bytes to three words of 8 bytes
		 * apart, in both directions, so that longer copies overlap.
		 */
		for (distance = 0; distance <= 3 * sizeof(u64); distance++) {
			check_memmove(distance, 0, len);
			check_memmove(0, distance, len);
		}
		/*
		 * Source and destination overlap by one byte, touch each other,
		 * or are one byte apart.
		 */
		for (distance = len ? len - 1 : 0; distance <= len + 1;
		     distance++) {
			check_memmove(distance + 3, 3, len);
			check_memmove(3, distance + 3, len);
		}
		/*
		 * Source and destination are at the upper end of the arena,
		 * after which memory is inaccessible.
		 */
		check_memmove(ARENA_SIZE - len, ARENA_SIZE - len - 5, len);
		check_memmove(ARENA_SIZE - len - 5, ARENA_SIZE - len, len);
	}
	check_memmove(PAGE_SIZE - 3, 0, LONG_LEN);
	check_memmove(0, PAGE_SIZE - 3, LONG_LEN);
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static void check_memcmp(const u8 *a, const u8 *b, size_t len)
{
	int ours = stub_memcmp(a, b, len);
	int theirs = memcmp(a, b, len);

	CHECK(sign(ours) == sign(theirs), "%zu bytes: %d instead of %d", len,
	      ours, theirs);
}

TEST(memcmp)
{
	size_t len, at;
	u8 *a, *b;

	prepare();
	for (len = 0; len <= MAX_LEN; len++) {
		a = result.end - len;
		b = expected.end - len;
		memcpy(a, source.start, len);
		memcpy(b, source.start, len);
		check_memcmp(a, b, len);
		for (at = 0; at < len; at++) {
			/*
			 * memcmp() must compare bytes as unsigned numbers, so
			 * make two bytes differ in the sign bit.
			 */
			b[at] ^= 0x80;
			check_memcmp(a, b, len);
			check_memcmp(b, a, len);
			check_memcmp(a, b, at);
			b[at] ^= 0x80;
		}
	}
}

TEST(strlen)
{
	size_t len;
	char *s;

	prepare();
	for (len = 0; len <= MAX_LEN; len++) {
		s = (char *)result.end - len - 1;
		memset(s, 0x80, len);
		s[len] = '\0';
		CHECK(stub_strlen(s) == len, "%zu instead of %zu",
		      stub_strlen(s), len);
	}
}

TEST(strnlen)
{
	size_t len, max;
	char *s;

	prepare();
	for (len = 0; len <= MAX_LEN; len++) {
		s = (char *)result.end - len - 1;
		memset(s, 'x', len);
		s[len] = '\0';
		for (max = 0; max <= len + 2; max++)
			CHECK(stub_strnlen(s, max) == strnlen(s, max),
			      "length %zu, at most %zu: %zu", len, max,
			      stub_strnlen(s, max));
		/*
		 * The string has no NUL. strnlen() must not read after the
		 * first @len bytes, where an inaccessible page begins.
		 */
		s = (char *)result.end - len;
		memset(s, 'x', len);
		CHECK(stub_strnlen(s, len) == len, "%zu instead of %zu",
		      stub_strnlen(s, len), len);
	}
}
