/* SPDX-License-Identifier: MIT */
/*
 * test_extract.c - tests extract_kernel() in misc.c and the functions that it
 * calls, on images that the build would not make. Functions of other files are
 * replaced by fakes in misc_machine.h. Each fake appends a line to the string
 * `trace`. test_boot_map.c tests which memory extract_kernel() maps.
 */
#include "misc_machine.h"

/* ---- steps in the trace ---- */

/*
 * Returns the first line of the trace that begins with @step, or NULL. The
 * search starts at the line @at.
 */
static const char *find_step(const char *at, const char *step)
{
	while (*at) {
		if (!strncmp(at, step, strlen(step)))
			return at;
		at += strcspn(at, "\n") + 1;
	}
	return NULL;
}

/* Does the same as find_step(), but starts the search at the line after @at. */
static const char *find_next_step(const char *at, const char *step)
{
	return find_step(at + strcspn(at, "\n") + 1, step);
}

/* Fails the case unless exactly @times lines of the trace begin with @step. */
static void happens(const char *step, unsigned int times)
{
	const char *at = find_step(trace, step);
	unsigned int n = 0;

	for (; at; at = find_next_step(at, step))
		n++;
	CHECK(n == times, "%u times \"%s\", not %u times: %s", n, step, times,
	      trace);
}

/*
 * Two steps of extract_kernel() and their order: no trace line that begins with
 * `then` may come before a line that begins with `first`. A line may be
 * missing, because happens() checks the number of lines. `why` says what a
 * wrong order would break.
 */
struct order {
	const char *first, *then, *why;
};

static void check_order(const struct order *order)
{
	const char *then = find_step(trace, order->then);

	CHECK(!then || !find_next_step(then, order->first),
	      "\"%s\" must come before \"%s\", because %s: %s", order->first,
	      order->then, order->why, trace);
}

/* ---- read_payload_header() ---- */

static void header_refused(const char *what)
{
	struct boot boot = new_boot();

	EXPECT_ERROR(read_payload_header(&boot), what);
	CHECK(harness_error_reason == SEVSTUB_TERM_IMAGE, "reason %u",
	      harness_error_reason);
}

TEST(header_good)
{
	struct boot boot;

	fresh_machine();
	boot = new_boot();
	read_payload_header(&boot);
	CHECK(!memcmp(&boot.payload, layout.payload, sizeof(boot.payload)),
	      "the copy differs");

	/*
	 * A payload header whose fields have the highest allowed values must be
	 * accepted.
	 */
	header_in_image()->mem_size = PAYLOAD_MAX_SIZE;
	header_in_image()->file_size = PAYLOAD_MAX_SIZE;
	header_in_image()->reloc_size = PAYLOAD_MAX_SIZE;
	header_in_image()->margin = PAYLOAD_MAX_SIZE;
	header_in_image()->entry_offset = PAYLOAD_MAX_SIZE - 1;
	header_in_image()->flags = PAYLOAD_FLAGS_KNOWN;
	info_in_image.addr_max = PAYLOAD_LOW_MAX;
	seal_payload();
	read_payload_header(&boot);
}

/*
 * One byte of the payload header is changed, each byte in turn. The stub must
 * refuse the header, by a check of a field or by the header's digest.
 */
TEST(header_damaged)
{
	static const char *const what[] = {
		"wrong magic", "payload version", "size mismatch",
		"corrupt payload header",
	};
	const char *expected;
	size_t i;

	for (i = 0; i < sizeof(struct payload_header); i++) {
		fresh_machine();
		layout.payload[i] ^= 0x10;
		if (i < 8)
			expected = what[0];
		else if (i < 12)
			expected = what[1];
		else if (i >= 0x48 && i < 0x50)
			expected = what[2];
		else
			expected = what[3];
		header_refused(expected);
	}
}

TEST(header_of_another_size)
{
	fresh_machine();
	layout.comp_end++;
	header_refused("size mismatch");
	layout.comp_end -= 2;
	header_refused("size mismatch");
	/*
	 * The payload is 8 bytes long, which is less than a payload header. The
	 * size of what follows the header must not wrap around.
	 */
	layout.comp_end = layout.payload + 8;
	header_refused("size mismatch");
	layout.comp_end = layout.payload;
	header_refused("size mismatch");
}

/*
 * Makes the digests match a payload header with an invalid field. The stub must
 * still refuse the header, because it checks the field.
 */
static void sealed_refused(void)
{
	seal_payload();
	header_refused("payload header");
	fresh_machine();
}

TEST(header_of_another_image)
{
	fresh_machine();
	header_in_image()->link_addr += 0x1000;
	sealed_refused();
	header_in_image()->align = 0x2000;
	sealed_refused();
	header_in_image()->flags = 0;
	sealed_refused();
	info_in_image.relocatable = 0;
	sealed_refused();
	info_in_image.addr_max = PAYLOAD_LOW_MAX;
	sealed_refused();
	header_in_image()->flags |= PAYLOAD_LOW;
	sealed_refused();
	header_in_image()->flags |= PAYLOAD_FLAGS_KNOWN + 1;
	sealed_refused();
	header_in_image()->flags |= 0x80000000;
	sealed_refused();
	info_in_image.pref_address += 0x1000;
	sealed_refused();
	info_in_image.align = 0x200000;
	sealed_refused();
}

TEST(header_out_of_range)
{
	fresh_machine();
	header_in_image()->file_size = MEM_SIZE + 1;
	sealed_refused();
	header_in_image()->mem_size = PAYLOAD_MAX_SIZE + 1;
	sealed_refused();
	header_in_image()->mem_size = ~0UL;
	sealed_refused();
	header_in_image()->reloc_size = PAYLOAD_MAX_SIZE + 1;
	sealed_refused();
	header_in_image()->reloc_size = -OUT_SIZE;
	sealed_refused();
	header_in_image()->margin = PAYLOAD_MAX_SIZE + 1;
	sealed_refused();
	header_in_image()->margin = -OUT_SIZE;
	sealed_refused();
	header_in_image()->entry_offset = OUT_SIZE;
	sealed_refused();
	header_in_image()->entry_offset = ~0UL;
	sealed_refused();
	header_in_image()->file_size = 0;
	header_in_image()->entry_offset = 0;
	sealed_refused();
}

/* Writes @f to the first element of the payload header's filters, with right digests. */
static void set_filter(struct payload_filter f)
{
	fresh_machine();
	header_in_image()->filter[0] = f;
	seal_payload();
}

static void filter_refused(struct payload_filter f)
{
	set_filter(f);
	header_refused("payload filter");
}

static void filter_accepted(struct payload_filter f)
{
	struct boot boot;

	set_filter(f);
	boot = new_boot();
	read_payload_header(&boot);
	CHECK(!memcmp(boot.payload.filter, &f, sizeof(f)), "the copy differs");
}

TEST(filters_good)
{
	const u32 end = OUT_SIZE;
	struct boot boot;
	u32 i;

	filter_accepted((struct payload_filter){ 0, end, FILTER_BRANCHES, 0, 0, 0 });
	filter_accepted((struct payload_filter){ end - 1, 1, FILTER_BRANCHES, 0, 0, 0 });
	filter_accepted((struct payload_filter){ 1, 4, FILTER_FIRST_USES, 4, 1, 0 });
	filter_accepted((struct payload_filter){ end - 12, 12, FILTER_RELATIVE, 12, 7, 0 });
	filter_accepted((struct payload_filter){ 3, 28, FILTER_ASCENDING, 14, 5, 0 });
	filter_accepted((struct payload_filter){ 0, 255, FILTER_RELATIVE, 255, 255, 0 });
	filter_accepted((struct payload_filter){ 0, 32, FILTER_RELATIVE, 32, 255, 0 });

	/*
	 * The stub must accept a payload header whose filters are all in use, and whose
	 * ranges touch each other.
	 */
	fresh_machine();
	for (i = 0; i < PAYLOAD_FILTERS; i++)
		header_in_image()->filter[i] = (struct payload_filter){
			.start = 16 * i, .size = 16, .kind = FILTER_BRANCHES };
	seal_payload();
	boot = new_boot();
	read_payload_header(&boot);
}

TEST(filter_out_of_range)
{
	const u32 end = OUT_SIZE;

	filter_refused((struct payload_filter){ 0, end + 1, FILTER_BRANCHES, 0, 0, 0 });
	filter_refused((struct payload_filter){ 1, end, FILTER_BRANCHES, 0, 0, 0 });
	filter_refused((struct payload_filter){ end, 1, FILTER_BRANCHES, 0, 0, 0 });
	filter_refused((struct payload_filter){ 8, ~0U, FILTER_BRANCHES, 0, 0, 0 });
	filter_refused((struct payload_filter){ ~0U, 8, FILTER_BRANCHES, 0, 0, 0 });
	filter_refused((struct payload_filter){ 8, 0, FILTER_BRANCHES, 0, 0, 0 });
	filter_refused((struct payload_filter){ 0, 0, FILTER_RELATIVE, 4, 1, 0 });
}

TEST(filter_of_unknown_kind)
{
	static const struct payload_filter bad[] = {
		{ 0, 64, FILTER_KINDS, 4, 1, 0 }, { 0, 64, 255, 4, 1, 0 },
		/* An unused element must be all 0, and this element has a size. */
		{ 0, 64, FILTER_UNUSED, 0, 0, 0 },
		{ 0, 64, FILTER_BRANCHES, 4, 0, 0 },
		{ 0, 64, FILTER_BRANCHES, 0, 1, 0 },
		{ 0, 64, FILTER_BRANCHES, 0, 0, 1 },
		{ 0, 64, FILTER_RELATIVE, 4, 1, 1 },
		{ 0, 64, FILTER_RELATIVE, 4, 0, 0 },
		{ 0, 64, FILTER_RELATIVE, 0, 1, 0 },
		{ 0, 64, FILTER_RELATIVE, 0, 0, 0 },
		{ 0, 64, FILTER_RELATIVE, 3, 1, 0 },
		{ 0, 64, FILTER_RELATIVE, 4, 2, 0 },
		{ 0, 64, FILTER_ASCENDING, 31, 128, 0 },
		{ 0, 63, FILTER_RELATIVE, 4, 1, 0 },
		{ 0, 60, FILTER_ASCENDING, 8, 1, 0 },
		{ 0, 64, FILTER_FIRST_USES, 8, 1, 0 },
		{ 0, 64, FILTER_FIRST_USES, 4, 0, 0 },
		{ 0, 64, FILTER_FIRST_USES, 8, 2, 0 },
		{ 0, 63, FILTER_FIRST_USES, 4, 1, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		filter_refused(bad[i]);
}

/*
 * The stub must refuse a filter that is 0 except for one of its six fields. Such a filter is
 * not unused, because an unused filter is all 0. It is not valid either, because a filter in
 * use needs both a size and a kind.
 */
TEST(filter_of_one_field)
{
	static const struct payload_filter bad[] = {
		{ .start = 1 }, { .size = 1 }, { .kind = FILTER_BRANCHES },
		{ .stride = 1 }, { .columns = 1 }, { .reserved = 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		filter_refused(bad[i]);
	filter_accepted((struct payload_filter){ .start = 0 });
}

/*
 * The stub must refuse filters whose ranges overlap or do not ascend, and an unused filter
 * before one in use.
 */
TEST(filters_out_of_order)
{
	static const u32 bad[][2] = { { 0, 15 }, { 100, 100 }, { 100, 50 }, { 100, 115 } };
	const struct payload_filter f = { 0, 16, FILTER_BRANCHES, 0, 0, 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fresh_machine();
		header_in_image()->filter[0] = f;
		header_in_image()->filter[1] = f;
		header_in_image()->filter[0].start = bad[i][0];
		header_in_image()->filter[1].start = bad[i][1];
		seal_payload();
		header_refused("payload filter");
	}
	fresh_machine();
	header_in_image()->filter[1] = f;
	seal_payload();
	header_refused("payload filter");
	fresh_machine();
	header_in_image()->filter[0] = f;
	header_in_image()->filter[PAYLOAD_FILTERS - 1] = f;
	header_in_image()->filter[PAYLOAD_FILTERS - 1].start = 0x1000;
	seal_payload();
	header_refused("payload filter");
}

/* ---- place_payload() ---- */

static void placing_refused(struct boot *boot, const char *what)
{
	EXPECT_ERROR(place_payload(boot), what);
	CHECK(harness_error_reason == SEVSTUB_TERM_IMAGE, "reason %u",
	      harness_error_reason);
}

TEST(payload_place)
{
	struct boot boot;

	fresh_machine();
	header_in_image()->reloc_size = 0x123;
	seal_payload();
	boot = placed_boot();
	CHECK((u64)boot.out == m(AT_RUNTIME), "at %p", (void *)boot.out);
	CHECK(boot.out_size == OUT_SIZE + 0x123, "0x%lx bytes", boot.out_size);
	CHECK(boot.runtime.start == m(AT_RUNTIME) &&
	      boot.runtime.end == m(AT_END), "0x%lx-0x%lx",
	      boot.runtime.start, boot.runtime.end);
}

/*
 * The payload's memory size, relocation size or margin fills the room below the
 * stub's .text. The stub must accept this size and refuse 1 byte more.
 */
TEST(payload_room)
{
	const u64 room = AT_TEXT - AT_RUNTIME;
	const u64 comp = AT_COMP_END - AT_RUNTIME;
	struct boot boot;

	fresh_machine();
	boot = new_boot();
	boot.payload = *header_in_image();
	boot.payload.mem_size = room;
	place_payload(&boot);
	boot.payload.mem_size++;
	placing_refused(&boot, "not enough room");

	/*
	 * The relocation table may extend beyond the payload's memory, up to
	 * .text.
	 */
	boot.payload.mem_size = OUT_SIZE;
	boot.payload.margin = 0;
	boot.payload.reloc_size = comp - OUT_SIZE;
	place_payload(&boot);
	boot.payload.reloc_size = room + 1 - OUT_SIZE;
	placing_refused(&boot, "not enough room");

	boot.payload.reloc_size = 0;
	boot.payload.margin = comp - OUT_SIZE;
	place_payload(&boot);
	boot.payload.margin++;
	placing_refused(&boot, "not enough room");
	boot.payload.margin--;
	boot.payload.reloc_size++;
	placing_refused(&boot, "not enough room");
}

/* ---- detect_cpu() ---- */

TEST(cpu_features)
{
	const u32 bmi1 = 1 << 3, bmi2 = 1 << 8, lzcnt = 1 << 5;
	struct cpu cpu;
	unsigned int i;

	fresh_machine();
	for (i = 0; i < 8; i++) {
		fake.cpuid_7.ebx = (i & 1 ? bmi1 : 0) | (i & 2 ? bmi2 : 0);
		fake.cpuid_ext.ecx = i & 4 ? lzcnt : 0;
		cpu = detect_cpu();
		CHECK(cpu.bmi2 == (i == 7), "BMI1 %u, BMI2 %u, LZCNT %u: %u",
		      i & 1, i >> 1 & 1, i >> 2, cpu.bmi2);
	}
	/*
	 * CPUID reports 6 as the highest leaf. detect_cpu() must not ask for
	 * leaf 7.
	 */
	fake.cpuid_0.eax = 6;
	CHECK(!detect_cpu().bmi2, "BMI2 without leaf 7");

	for (i = 0; i < 4; i++) {
		fake.cpuid_ext.edx = (i & 1) << 20 | (i >> 1) << 26;
		cpu = detect_cpu();
		CHECK(cpu.nx == (i & 1) && cpu.pages_1g == i >> 1,
		      "NX %u, 1 GiB %u: %u, %u", i & 1, i >> 1, cpu.nx,
		      cpu.pages_1g);
	}
}

/*
 * CPUID would be a VMEXIT in an SEV-ES guest, so detect_cpu() must not use it
 * there. fake_cpuid() fails the case if it is called.
 */
TEST(cpu_features_of_sev_es)
{
	struct cpu cpu;

	fresh_machine();
	fake.sev_es = true;
	cpu = detect_cpu();
	CHECK(cpu.nx && cpu.bmi2, "NX %u, BMI2 %u", cpu.nx, cpu.bmi2);
}

/* ---- check_digest() and decompress() ---- */

static void check_and_decompress(const struct boot *boot)
{
	check_digest(boot);
	decompress(boot);
}

static void decompress_refused(const struct boot *boot, const char *what)
{
	EXPECT_ERROR(check_and_decompress(boot), what);
	CHECK(harness_error_reason == SEVSTUB_TERM_IMAGE, "reason %u",
	      harness_error_reason);
}

/*
 * The stub must check the digest of the compressed bytes before it decodes
 * them. The digest must cover each of these bytes.
 */
TEST(decompress_checks_first)
{
	const size_t comp_size = AT_COMP_END - AT_PAYLOAD - sizeof(struct payload_header);
	static const size_t damaged[] = { sizeof(struct payload_header),
					  sizeof(struct payload_header) + 1, 0x1000,
					  AT_COMP_END - AT_PAYLOAD - 1 };
	const struct order checked_first = {
		"digest", "unzstd", "the decoder writes to the payload's range",
	};
	char expected[100];
	struct boot boot;
	size_t i;

	fresh_machine();
	boot = placed_boot();
	check_and_decompress(&boot);
	snprintf(expected, sizeof(expected), "digest of %zu bytes at 0x%lx\n",
		 comp_size, m(AT_PAYLOAD + sizeof(struct payload_header)));
	happens(expected, 1);
	snprintf(expected, sizeof(expected), "unzstd 0x%lx+0x%lx from 0x%lx+0x%zx\n",
		 m(AT_RUNTIME), OUT_SIZE, m(AT_PAYLOAD + sizeof(struct payload_header)), comp_size);
	happens(expected, 1);
	check_order(&checked_first);
	happens("", 2);

	for (i = 0; i < ARRAY_SIZE(damaged); i++) {
		fresh_machine();
		boot = placed_boot();
		layout.payload[damaged[i]] ^= 1;
		decompress_refused(&boot, "corrupt payload");
		CHECK(!strstr(trace, "unzstd"),
		      "decompressed before it was checked");
	}
}

TEST(decompress_errors)
{
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	fake.unzstd_result = -EINVAL;
	decompress_refused(&boot, "size mismatch");
	fake.unzstd_result = 20;
	decompress_refused(&boot, "corrupt payload");
	CHECK(strstr(harness_error_detail, "20"), "%s", harness_error_detail);
	fake.unzstd_result = 70;
	decompress_refused(&boot, "corrupt payload");
}

/*
 * Returns whether every byte of the mock machine's memory from offset @from up
 * to @to has the @value.
 */
static bool all_bytes(u64 from, u64 to, u8 value)
{
	for (; from < to; from++) {
		if (machine[from] != value)
			return false;
	}
	return true;
}

/* ---- clear_bss() ---- */

TEST(bss_is_cleared)
{
	const u64 end = AT_RUNTIME + MEM_SIZE;
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	machine[AT_RUNTIME - 1] = 0xa5;
	memset(machine + end, 0xa5, 0x100);
	decompress(&boot);
	clear_bss(&boot);
	CHECK(machine[AT_RUNTIME - 1] == 0xa5, "the byte before");
	CHECK(all_bytes(AT_RUNTIME, AT_RUNTIME + OUT_SIZE, DECOMPRESSED),
	      "what was decompressed has been changed");
	CHECK(all_bytes(AT_RUNTIME + OUT_SIZE, end, 0), "not all is zero");
	CHECK(all_bytes(end, end + 0x100, 0xa5), "bytes after");
}

/*
 * Linux clears its .bss itself, so clear_bss() must not clear the .bss of Linux.
 * The decoder has put the relocation table at the start of that .bss, and
 * clear_bss() must clear the bytes of this table only.
 */
TEST(bss_of_linux_is_left)
{
	const u64 end = AT_RUNTIME + OUT_SIZE;
	struct boot boot;

	fresh_machine();
	header_in_image()->flags |= PAYLOAD_LINUX;
	header_in_image()->reloc_size = 0x800;
	seal_payload();
	boot = placed_boot();
	memset(machine + AT_RUNTIME, 0xa5, MEM_SIZE);
	decompress(&boot);
	clear_bss(&boot);
	CHECK(all_bytes(AT_RUNTIME, end, DECOMPRESSED), "the image is changed");
	CHECK(all_bytes(end, end + 0x800, 0), "relocations are left over");
	CHECK(all_bytes(end + 0x800, AT_RUNTIME + MEM_SIZE, 0xa5),
	      "cleared twice");

	/*
	 * The relocation table extends beyond the payload's memory. clear_bss()
	 * must not clear anything after the payload's memory.
	 */
	fresh_machine();
	header_in_image()->flags |= PAYLOAD_LINUX;
	header_in_image()->reloc_size = 0x800;
	header_in_image()->mem_size = OUT_SIZE + 0x100;
	seal_payload();
	boot = placed_boot();
	decompress(&boot);
	clear_bss(&boot);
	CHECK(all_bytes(end, end + 0x100, 0), "relocations are left over");
	CHECK(all_bytes(end + 0x100, end + 0x800, DECOMPRESSED),
	      "cleared after the payload's memory");
}

/* ---- extract_kernel() ---- */

/*
 * The beginnings of three trace lines: the digest of the payload, the mapping
 * of the payload, and the mapping of the first setup_data node. check_orders()
 * writes them, because they contain addresses.
 */
static char payload_digest[60], payload_map[60], node_map[60];

/*
 * Pairs of steps of extract_kernel(). The first must come before the second for
 * the reason in the third column. The order of other steps does not matter.
 */
static const struct order orders[] = {
	{ "la57\n", "map load", "map_la57() maps the pages that la57_prepare() names" },
	{ "la57 possible", "map load", "map_la57() maps the pages that la57_prepare() names" },
	{ "map init", "guard", "it starts an empty map" },
	{ "guard", "map 0x", "a range that is mapped first would take the guard page" },
	{ "guard", "map load", "a stack overflow must fault from then on" },
	{ "efer", "map load", "the tables have NX bits, which are reserved without NXE" },
	{ "map load", "stage 2", "its #PF handler changes the map, which must be proven" },
	{ "map load", "device", "the screen is mapped in the map that is in force" },
	{ "map load", node_map, "the loader's tables need not map setup_data" },
	{ "stage 2", node_map, "reading setup_data may fault" },
	{ "stage 2", "la57 switch", "la57_switch() puts the IDT back that it finds" },
	{ "la57 switch", "ghcb", "no GHCB may be in use while the map changes its depth" },
	{ "stage 2", "ghcb", "its #VC handler takes over when there is a GHCB" },
	{ "ghcb", "console", "an SEV-ES guest's UART is reached through the GHCB" },
	{ "console", "info", "a message before that would be lost" },
	{ "device", "vga", "the console writes to the screen from then on" },
	{ "vga", "unzstd", "the decoder's errors must be seen" },
	{ "sev shutdown", "unzstd", "the decoder must find no shared page" },
	{ node_map, "draw", "the payload must not go where setup_data is" },
	{ node_map, payload_map, "pages that setup_data shares with the payload must be found" },
	{ "seed", "draw", "it is what the draw depends on" },
	{ "taken", "draw", "the payload must not go where something is in use" },
	{ "name immovable", "draw", "the payload must not go where memory can be unplugged" },
	{ "name free", "draw", "the payload must not go where firmware has something" },
	{ "draw", "forget seeds", "a draw needs the seeds" },
	{ "draw", payload_map, "the payload's place is mapped" },
	{ "forget seeds", "unzstd", "the payload must not find them" },
	{ payload_map, "unzstd", "the decoder writes there" },
	{ "info sevstub: 327680", "unzstd", "a decoder that hangs is announced" },
	{ payload_digest, "unzstd", "no byte of the range is written before it is known good" },
	{ "bmi2", "unzstd", "it chooses the decoder's code" },
	{ "unzstd", "unfilter", "what is restored must be there" },
	{ "unfilter", "relocate", "filtered addresses are not addresses" },
	{ "relocate", "executable", "other bytes than the payload must not be executed" },
	{ "info sevstub: 327680", "sev shutdown", "its message goes through the GHCB" },
	{ payload_digest, "sev shutdown", "a wrong digest must be reported through the GHCB" },
	{ "info", "no vga", "the screen must show every message" },
	{ "no vga", "remove", "the console must not write to what is not mapped" },
	{ "sev shutdown", "teardown", "a fault while the GHCB is wiped must be reported" },
	{ "remove", "teardown", "a fault while the screen is unmapped must be reported" },
	{ "unzstd", "teardown", "a fault while the payload is made must be reported" },
};

/*
 * Fails the case unless the steps in the trace have the order that `orders`
 * asks for. @out is the address of the payload's memory.
 */
static void check_orders(u64 out)
{
	size_t i;

	snprintf(payload_digest, sizeof(payload_digest),
		 "digest of %lu bytes at 0x%lx", header_in_image()->comp_size,
		 m(AT_PAYLOAD) + sizeof(struct payload_header));
	snprintf(payload_map, sizeof(payload_map), "map 0x%lx-", out);
	snprintf(node_map, sizeof(node_map), "map 0x%lx-", m(AT_NODES));
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		check_order(&orders[i]);
}

/*
 * Runs extract_kernel(), which must succeed with every step once and in order.
 * @out is the address of the payload's memory. Returns the address of the
 * payload's entry point.
 */
static u64 extract_well(u64 out)
{
	static const char *const once[] = {
		"map init", "map load", "stage 2", "la57 switch", "ghcb",
		"info sevstub: 64-bit entry",
		"info sevstub: 327680 bytes of payload", "unzstd", "unfilter", "relocate",
		"executable", "teardown",
	};
	static const struct order last_message = {
		"relocate", "info sevstub: entering", "the payload is complete then",
	};
	static const struct order last_message_by_ghcb = {
		"info sevstub: decompressing and entering", "sev shutdown",
		"the message goes through the GHCB",
	};
	u64 entry;
	size_t i;

	entry = extract_kernel(&fake.bp);
	check_orders(out);
	for (i = 0; i < ARRAY_SIZE(once); i++)
		happens(once[i], 1);
	check_order(fake.sev_es ? &last_message_by_ghcb : &last_message);
	happens("info sevstub: entering", fake.sev_es ? 0 : 1);
	happens("info sevstub: decompressing and entering", fake.sev_es ? 1 : 0);
	happens("sev shutdown", fake.sev_es ? 1 : 0);
	happens(fake.enc_mask ? "la57 possible" : "la57\n", 1);
	happens(payload_digest, 1);
	happens(payload_map, 1);
	happens("efer", fake.cpuid_ext.edx ? 1 : 0);
	happens("console", fake.sev_es ? 1 : 0);
	CHECK(!strcmp(find_step(trace, "teardown"), "teardown\n"),
	      "something comes after idt_teardown(): %s", trace);
	return entry;
}

TEST(extract)
{
	u64 entry;

	fresh_machine();
	entry = extract_well(m(AT_RUNTIME));
	CHECK(entry == m(AT_RUNTIME + ENTRY_OFFSET), "0x%lx", entry);
	happens("efer 0xd00\n", 1);
	happens("guard 0x0\n", 1);
	CHECK(!strstr(trace, "bmi2"), "BMI2 was not there: %s", trace);
	CHECK(!strstr(trace, "NMI"), "no NMI came: %s", trace);
	CHECK(fake.bp.hdr.cmd_line_ptr == (u32)m(AT_CMDLINE) &&
	      fake.bp.ext_cmd_line_ptr == m(AT_CMDLINE) >> 32,
	      "the loader's command line is gone");
}

/*
 * The hypervisor can put an old return address back on the stack of an SEV-ES guest. A function
 * of the stub then returns too early, and may not load the stub's own page tables. The stub must
 * notice that they are not loaded, and end the boot.
 */
TEST(map_not_loaded)
{
	static const char *const steps[] = { "map load", "la57 switch" };
	unsigned int i, levels;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		for (levels = 4; levels <= 5; levels++) {
			fresh_machine();
			fake.cr4 = levels == 5 ? X86_CR4_LA57 : 0;
			fake.left_out = steps[i];
			EXPECT_ERROR(extract_kernel(&fake.bp), "page tables");
			CHECK(!strstr(trace, "ghcb"), "%s, %u levels", steps[i], levels);
		}
	}
}

/*
 * The hypervisor can make the GHCB page shared again, after the stub has made it private.
 * extract_kernel() must then terminate the guest, so that the payload is not entered.
 */
TEST(ghcb_shared_again)
{
	fresh_machine();
	fake.sev_es = true;
	fake.enc_mask = 1UL << 51;
	fake.shared_at_the_end = true;
	EXPECT_ERROR(extract_kernel(&fake.bp), "");
	CHECK(harness_error_reason == SEVSTUB_TERM_GHCB_MAP && strstr(trace, "teardown"),
	      "reason %u: %s", harness_error_reason, trace);
}

/*
 * If the GHCB page is still shared when the stub has finished its use of it, the stub must end
 * the boot before it decodes the payload.
 */
TEST(ghcb_still_shared)
{
	fresh_machine();
	fake.sev_es = true;
	fake.enc_mask = 1UL << 51;
	fake.not_private = (u64)shared_now;
	EXPECT_ERROR(extract_kernel(&fake.bp), "page tables");
	CHECK(harness_error_reason == SEVSTUB_TERM_GHCB_MAP && !strstr(trace, "decode"),
	      "reason %u: %s", harness_error_reason, trace);
}

TEST(extract_with_everything)
{
	static const char *const once[] = {
		"device", "vga", "bmi2", "info sevstub: 3 NMIs", "no vga",
		"remove",
	};
	size_t i;

	fresh_machine();
	fake.cpuid_ext.edx = 0;
	fake.cpuid_7.ebx = 1 << 3 | 1 << 8;
	fake.cpuid_ext.ecx = 1 << 5;
	fake.vga = true;
	nmi_count = 3;
	new_node(AT_NODES, 0, 8);
	fake.bp.hdr.setup_data = m(AT_NODES);
	extract_well(m(AT_RUNTIME));
	nmi_count = 0;
	for (i = 0; i < ARRAY_SIZE(once); i++)
		happens(once[i], 1);
	/*
	 * map_setup_data() maps a node twice: first its header, then header and
	 * data, because only the header tells the length of the data.
	 */
	happens(node_map, 2);
}

/*
 * The VGA screen cannot be mapped. extract_kernel() must continue without it. Later it
 * calls ident_map_remove_devices() all the same, which unmaps only what is mapped.
 */
TEST(vga_not_mapped)
{
	fresh_machine();
	fake.vga = true;
	fake.map_fails = "device";
	fake.map_error = -ENOMEM;
	extract_well(m(AT_RUNTIME));
	happens("device", 1);
	happens("remove", 1);
	happens("vga", 0);
}

/* ---- randomise() ---- */

/*
 * randomise() must tell KASLR every memory range in use before KASLR draws an
 * address.
 */
TEST(kaslr)
{
	static const char *const once[] = {
		"seed\n", "name immovable\n", "name free\n", "draw physical\n", "draw virtual", "forget seeds\n",
		"taken 0x7000-0x9000\n",
	};
	const struct range taken[] = {
		{ m(AT_HEAD), m(AT_END) },
		{ (u64)&fake.bp, (u64)&fake.bp + 4096 },
		{ m(AT_CMDLINE), m(AT_CMDLINE) + strlen("from the loader") + 1 },
		{ m(AT_INITRD), m(AT_INITRD) + 0x1234 },
	};
	char expected[100];
	struct boot boot;
	size_t i;

	fresh_machine();
	fake.kaslr = true;
	fake.phys = 0x12300000;
	fake.virt = 0xffffffff87600000;
	boot = placed_boot();
	boot.la57 = 0x7000;
	randomise(&boot);
	for (i = 0; i < ARRAY_SIZE(taken); i++) {
		snprintf(expected, sizeof(expected), "taken 0x%lx-0x%lx\n",
			 taken[i].start, taken[i].end);
		happens(expected, 1);
	}
	for (i = 0; i < ARRAY_SIZE(once); i++)
		happens(once[i], 1);
	snprintf(expected, sizeof(expected), "draw virtual for 0x%lx bytes\n",
		 MEM_SIZE);
	happens(expected, 1);
	check_orders(fake.phys);
	happens("", ARRAY_SIZE(taken) + ARRAY_SIZE(once));
	CHECK((u64)boot.out == fake.phys && boot.virt == fake.virt,
	      "%p, 0x%lx", (void *)boot.out, boot.virt);
	CHECK(fake.want.size == MEM_SIZE && fake.want.align == 0x1000 &&
	      fake.want.low == m(AT_RUNTIME) && fake.want.high == 1UL << 46,
	      "0x%lx 0x%lx 0x%lx 0x%lx", fake.want.size, fake.want.align,
	      fake.want.low, fake.want.high);
	CHECK(fake.bp.hdr.loadflags & KASLR_FLAG, "KASLR_FLAG is not set");
}

/*
 * Runs extract_kernel(). With @kaslr, KASLR chooses the address @place for the payload.
 * Returns true if a line that info() prints contains @place, or the address that the entry
 * point of a payload at @place has.
 */
static bool tells_place(bool sev_es, bool kaslr, u64 place)
{
	char at[40], entry[40], text[200];

	fresh_machine();
	fake.sev_es = sev_es;
	fake.kaslr = kaslr;
	fake.phys = kaslr ? place : 0;
	extract_well(m(AT_RUNTIME));
	snprintf(at, sizeof(at), "0x%lx", place);
	snprintf(entry, sizeof(entry), "0x%lx", place + ENTRY_OFFSET);
	for (const char *line = trace; (line = strstr(line, "info ")); line++) {
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
		if (strstr(text, at) || strstr(text, entry))
			return true;
	}
	return false;
}

/*
 * The hypervisor reads an SEV-ES guest's console. The stub must not print the payload's
 * address there, even if it is not random: the stub would have to look in memory whether
 * the address is random, and the hypervisor can change memory.
 */
TEST(place_is_not_told)
{
	CHECK(!tells_place(true, true, m(AT_RUNTIME)), "KASLR's address is printed");
	CHECK(!tells_place(true, false, m(AT_RUNTIME)), "the address is printed");
	CHECK(tells_place(false, true, m(AT_RUNTIME)), "only an SEV-ES guest has such a secret");
}

/*
 * In a page-table entry the C-bit takes the place of an address bit.
 * randomise() must ask for a random address below the C-bit.
 */
TEST(kaslr_below_the_c_bit)
{
	struct boot boot;

	fresh_machine();
	fake.kaslr = true;
	fake.enc_mask = 1UL << 40;
	boot = placed_boot();
	randomise(&boot);
	CHECK(fake.want.high == 1UL << 40, "0x%lx", fake.want.high);
	fake.enc_mask = 1UL << 51;
	randomise(&boot);
	CHECK(fake.want.high == 1UL << 46, "0x%lx", fake.want.high);
}

/* The payload's relocation table has 32-bit addresses, so it must stay below 2 GiB. */
TEST(kaslr_below_2_gib)
{
	struct boot boot;

	fresh_machine();
	fake.kaslr = true;
	info_in_image.addr_max = PAYLOAD_LOW_MAX;
	header_in_image()->flags |= PAYLOAD_LOW;
	seal_payload();
	boot = placed_boot();
	randomise(&boot);
	CHECK(fake.want.high == 0x7ffff000, "0x%lx", fake.want.high);
}

TEST(kaslr_not_wanted)
{
	struct boot boot;

	fresh_machine();
	fake.phys = fake.virt = 0x12300000;
	boot = placed_boot();
	randomise(&boot);
	CHECK(!trace[0], "%s", trace);
	CHECK((u64)boot.out == m(AT_RUNTIME) &&
	      boot.virt == boot.payload.virt_addr &&
	      !(fake.bp.hdr.loadflags & KASLR_FLAG), "randomised without being asked");
}

/*
 * KASLR finds no free memory. The payload keeps its address, and KASLR_FLAG
 * stays clear.
 */
TEST(kaslr_finds_nothing)
{
	struct boot boot;

	fresh_machine();
	fake.kaslr = true;
	boot = placed_boot();
	randomise(&boot);
	CHECK((u64)boot.out == m(AT_RUNTIME) &&
	      boot.virt == boot.payload.virt_addr &&
	      !(fake.bp.hdr.loadflags & KASLR_FLAG), "%s", trace);
}

/*
 * The EFI entry has already chosen the physical address. randomise() must draw
 * only the virtual address.
 */
TEST(kaslr_after_efi)
{
	struct boot boot;

	fresh_machine();
	fake.kaslr = true;
	fake.phys = fake.virt = 0x12300000;
	efi_runtime_start = m(AT_RUNTIME);
	boot = placed_boot();
	randomise(&boot);
	CHECK(!strstr(trace, "physical") && !strstr(trace, "taken"), "%s",
	      trace);
	CHECK((u64)boot.out == m(AT_RUNTIME) && boot.virt == 0x12300000 &&
	      fake.bp.hdr.loadflags & KASLR_FLAG, "%s", trace);
}

TEST(kaslr_not_relocatable)
{
	struct boot boot;

	fresh_machine();
	fake.kaslr = true;
	fake.phys = 0x12300000;
	header_in_image()->flags &= ~PAYLOAD_RELOCATABLE;
	info_in_image.relocatable = 0;
	seal_payload();
	boot = placed_boot();
	randomise(&boot);
	CHECK(!strstr(trace, "physical"), "%s", trace);
	CHECK((u64)boot.out == m(AT_RUNTIME), "%p", (void *)boot.out);
}

/*
 * With KASLR, extract_kernel() must decode the payload to the random address
 * and clear the payload's .bss there.
 */
TEST(extract_at_random)
{
	char expected[60];
	u64 entry;

	fresh_machine();
	fake.kaslr = true;
	fake.phys = m(0x200000);
	new_node(AT_NODES, 0, 8);
	fake.bp.hdr.setup_data = m(AT_NODES);
	entry = extract_well(fake.phys);
	happens("seed", 1);
	happens("taken 0x", 5);
	happens("draw physical", 1);
	happens("draw virtual", 1);
	happens("forget seeds", 1);
	snprintf(expected, sizeof(expected), "map 0x%lx-0x%lx rw payload\n", fake.phys,
		 fake.phys + MEM_SIZE);
	happens(expected, 1);
	CHECK(entry == m(0x200000 + ENTRY_OFFSET), "0x%lx", entry);
	CHECK(all_bytes(0x200000, 0x200000 + OUT_SIZE, DECOMPRESSED) &&
	      all_bytes(0x200000 + OUT_SIZE, 0x200000 + MEM_SIZE, 0),
	      "the payload is not at the drawn place");
}

/*
 * Runs extract_kernel() in an SEV-ES guest, where it must set up the GHCB. The
 * table `orders` says between which steps.
 */
TEST(extract_in_sev_es)
{
	fresh_machine();
	fake.sev_es = true;
	fake.enc_mask = 1UL << 51;
	header_in_image()->flags |= PAYLOAD_LA57;
	seal_payload();
	extract_well(m(AT_RUNTIME));
	happens("la57 possible\n", 1);
	happens("bmi2", 1);
	CHECK(fake.config.enc_mask == 1UL << 51, "0x%lx", fake.config.enc_mask);
}

static void start_snp_machine(void)
{
	fresh_machine();
	fake.sev_es = fake.snp = true;
	fake.enc_mask = 1UL << 51;
	fake.snp_pages[0] = (struct range){ 0x39040, 0x39068 };
	fake.snp_pages[1] = (struct range){ 0x3b000, 0x3c000 };
	fake.snp_pages[2] = (struct range){ 0x3a000, 0x3b000 };
}

/*
 * Steps that extract_kernel() adds in an SNP guest. Each row of the table has two steps,
 * which must come in this order, and the reason.
 */
TEST(extract_in_snp)
{
	static const struct order snp_orders[] = {
		{ "map 0x3b000-0x3c000 rw", "snp keep cpuid", "it reads the CPUID page" },
		{ "snp keep cpuid", "snp vmpl", "a bit of the copy changes" },
		{ "map load", "snp vmpl", "the secrets page is mapped" },
		{ "map 0x3a000-0x3b000 rw", "snp vmpl", "it is read" },
		{ "snp vmpl", "snp share", "it says who validates" },
		{ "la57 switch", "snp share", "no GHCB may be in use" },
		{ "snp share", "ghcb", "the page is the hypervisor's then" },
		{ "ghcb", "snp features", "the request goes by the GHCB" },
		{ "snp features", "accept ram", "unknown features change its meaning" },
		{ "accept ram", "draw", "KASLR may choose it" },
		{ "accept ram", "unzstd", "the payload may go there" },
		{ "sev shutdown", "snp take", "the page is private then" },
		{ "snp take", "teardown", "a #VC must be reported" },
		{ "snp hand over", "teardown", "a fault must be reported" },
	};
	size_t i;

	start_snp_machine();
	fake.snp_calling_area = (struct range){ 0x3c000, 0x3d000 };
	fake.kaslr = true;
	header_in_image()->flags |= PAYLOAD_LA57 | PAYLOAD_RELOCATABLE |
				    PAYLOAD_KASLR;
	seal_payload();
	extract_well(m(AT_RUNTIME));
	happens("map 0x39040-0x39068 rw", 1);
	happens("map 0x3b000-0x3c000 rw", 1);
	happens("map 0x3c000-0x3d000 rw", 1);
	happens("taken 0x39040-0x39068", 1);
	happens("taken 0x3c000-0x3d000", 1);
	happens("snp hand over", 1);
	for (i = 0; i < ARRAY_SIZE(snp_orders); i++) {
		CHECK(find_step(trace, snp_orders[i].first) &&
		      find_step(trace, snp_orders[i].then), "\"%s\", \"%s\": %s",
		      snp_orders[i].first, snp_orders[i].then, trace);
		check_order(&snp_orders[i]);
	}
	/*
	 * At VMPL 0 snp_find_vmpl() finds no calling area of an SVSM, so the stub must map
	 * none.
	 */
	start_snp_machine();
	header_in_image()->flags |= PAYLOAD_LA57;
	seal_payload();
	extract_well(m(AT_RUNTIME));
	happens("map 0x3c000", 0);
}

/*
 * The stub must refuse the boot if not all of the payload's memory is validated, or if a
 * page that the loader or firmware made for an SNP guest lies in it.
 */
TEST(snp_place)
{
	const struct range runtime = { 0x1000000, 0x2000000 };

	start_snp_machine();
	check_snp(runtime);
	fake.snp_pages[1] = (struct range){ 0x1fff000, 0x2000000 };
	EXPECT_ERROR(check_snp(runtime), "CPUID page");
	CHECK(harness_error_reason == SEVSTUB_TERM_HANDED_OVER, "reason %u",
	      harness_error_reason);
	start_snp_machine();
	fake.not_validated = (struct range){ 0x1fff000, 0x3000000 };
	EXPECT_ERROR(check_snp(runtime), "SNP");
	CHECK(harness_error_reason == SEVSTUB_TERM_NO_ROOM, "reason %u",
	      harness_error_reason);
}

/*
 * EFI firmware has started the stub, and has accepted memory itself. The stub must accept
 * only the ranges that firmware has left unaccepted.
 */
TEST(snp_accept_after_efi)
{
	struct boot boot = { .bp = &fake.bp, .by_efi = true };

	start_snp_machine();
	fake.unaccepted = (struct range){ 0x40000000, 0x80000000 };
	accept_memory(&boot);
	happens("snp features", 1);
	happens("accept 0x40000000-0x80000000", 1);
	happens("accept end", 1);
	happens("accept ram", 0);
}

/*
 * relocate() must get the payload's physical and virtual address. It must run
 * before clear_bss() clears the relocation table.
 */
TEST(extract_relocates)
{
	const u64 end = AT_RUNTIME + OUT_SIZE;
	char expected[100];

	fresh_machine();
	header_in_image()->flags |= PAYLOAD_LINUX | PAYLOAD_KASLR;
	header_in_image()->reloc_size = 0x800;
	seal_payload();
	extract_well(m(AT_RUNTIME));
	snprintf(expected, sizeof(expected), "relocate 0x%lx to 0x%lx, 0x%lx\n",
		 m(AT_RUNTIME), m(AT_RUNTIME), VIRT_ADDR);
	happens(expected, 1);
	CHECK(all_bytes(end, end + 0x800, 0), "relocations are left over");
}

TEST(extract_built_in_cmdline)
{
	u64 text;

	fresh_machine();
	set_cmdline(0);
	extract_well(m(AT_RUNTIME));
	text = (u64)fake.bp.ext_cmd_line_ptr << 32 | fake.bp.hdr.cmd_line_ptr;
	CHECK(text == (u64)layout.builtin, "0x%lx", text);
}

/*
 * The payload reads the command line from the loader's memory. If the command
 * line is longer than the payload accepts, the stub must write a NUL to the
 * loader's memory, after the last word that fits, and must print a message.
 */
TEST(extract_cuts_cmdline)
{
	char *text = (char *)machine + AT_CMDLINE;
	u64 addr;

	fresh_machine();
	memset(text, 'x', CMDLINE_SIZE + 1);
	text[CMDLINE_SIZE - 4] = ' ';
	extract_well(m(AT_RUNTIME));
	happens("info sevstub: command line: longer", 1);
	CHECK(strlen(text) == CMDLINE_SIZE - 4, "%zu", strlen(text));
	addr = (u64)fake.bp.ext_cmd_line_ptr << 32 | fake.bp.hdr.cmd_line_ptr;
	CHECK(addr == (u64)text, "0x%lx", addr);

	fresh_machine();
	memset(text, 'x', CMDLINE_SIZE);
	text[CMDLINE_SIZE] = 0;
	extract_well(m(AT_RUNTIME));
	happens("info sevstub: command line: longer", 0);
	CHECK(strlen(text) == CMDLINE_SIZE, "%zu", strlen(text));
}

static void extraction_refused(const char *what)
{
	EXPECT_ERROR(extract_kernel(&fake.bp), what);
	CHECK(!strstr(trace, "unzstd"), "too late: %s", trace);
	CHECK(!strstr(trace, "teardown"), "too late: %s", trace);
}

/*
 * extract_kernel() must make all of its checks before it writes to the
 * payload's memory. Each case here fails one check.
 */
TEST(extract_refuses)
{
	fresh_machine();
	layout.payload[0] ^= 1;
	extraction_refused("wrong magic");
	fresh_machine();
	header_in_image()->mem_size = AT_END;
	seal_payload();
	extraction_refused("not enough room");
	fresh_machine();
	fake.bp.hdr.setup_data = 0xfee00000;
	extraction_refused("setup_data");
	fresh_machine();
	layout.comp_end[-1] ^= 1;
	extraction_refused("corrupt payload");
	fresh_machine();
	set_initrd(~0UL, 2);
	extraction_refused("initrd");
	fresh_machine();
	machine[AT_OVERRUN + PAGE_SIZE - 1] = 1;
	extraction_refused("stack");
	/*
	 * check_stack() finds an overflow of the stack from the time before the
	 * stub loaded its own page tables, which do not map the guard page. So
	 * check_stack() must run after this load ("map load"). It must end the
	 * boot before the next step, which loads the stage 2 IDT ("stage 2").
	 */
	happens("map load", 1);
	happens("stage 2", 0);
	fresh_machine();
	memset(machine + AT_CMDLINE, 'x', CMDLINE_SIZE + 1);
	extraction_refused("command line");
}

/*
 * cut_cmdline() writes a NUL after the words that it keeps. The hypervisor can put an old
 * address in the place of the command line's address. cut_cmdline() must refuse an address
 * in the stub's memory.
 */
TEST(cut_in_the_stub)
{
	static char text[] = "one two";
	struct cmdline cmdline = { text, 3 };

	fresh_machine();
	cut_cmdline(&cmdline);
	CHECK(!strcmp(text, "one") && text[4] == 't', "%s", text);
	cmdline.text = (const char *)layout.text;
	EXPECT_ERROR(cut_cmdline(&cmdline), "command line");
	cmdline.text = (const char *)layout.last - 4;
	EXPECT_ERROR(cut_cmdline(&cmdline), "command line");
}

/*
 * If no option asks for progress messages, info_wanted() returns false and
 * report_entry() must print nothing. Otherwise it must print its argument, the number of
 * the loader in type_of_loader.
 */
TEST(silent_entry)
{
	fresh_machine();
	silent = true;
	report_entry(0x21);
	silent = false;
	CHECK(!strstr(trace, "info"), "%s", trace);
	report_entry(0x21);
	CHECK(strstr(trace, "loader type 0x21"), "%s", trace);
}

/*
 * The hypervisor can change the copy of the payload header on the stack after the stub has
 * checked it. If unfilter() reports a changed copy, the stub must end the boot, and must not
 * relocate the payload.
 */
TEST(extract_filters_changed)
{
	fresh_machine();
	fake.filters_changed = true;
	EXPECT_ERROR(extract_kernel(&fake.bp), "payload filter");
	happens("unfilter", 1);
	happens("relocate", 0);
	CHECK(!strstr(trace, "teardown"), "too late: %s", trace);
}

/*
 * While the stub decompresses the payload, the hypervisor can change the page tables, or the
 * stub's variable that holds the payload's address. If a page that the stub is to make
 * executable does not belong to the payload, the stub must end the boot.
 */
TEST(extract_memory_changed)
{
	fresh_machine();
	fake.odd_at_the_end = true;
	EXPECT_ERROR(extract_kernel(&fake.bp), "page tables");
	happens("executable", 1);
	CHECK(!strstr(trace, "teardown"), "too late: %s", trace);
}

/*
 * The hypervisor can put an old 0 in the place of cpu.nx, and the stub then does not set EFER.NXE.
 * The stub must terminate an SEV-ES guest if EFER.NXE is clear after the stub has loaded its page
 * tables, because all memory would be executable. Other guests must boot without EFER.NXE.
 */
TEST(extract_without_nx)
{
	struct boot_params *bp = &fake.bp;

	fresh_machine();
	fake.sev_es = fake.lose_nxe = true;
	EXPECT_ERROR(extract_kernel(bp), "");
	happens("map load", 1);
	happens("terminate", 1);
	happens("stage 2", 0);
	fresh_machine();
	fake.lose_nxe = true;
	extract_kernel(bp);
	happens("teardown", 1);
}

/* ---- error() ---- */

TEST(error_line)
{
	fresh_machine();
	EXPECT_ERROR(error("what", "detail %u of 0x%x", 3, 0xffU), "what");
	CHECK(!strcmp(harness_error_detail, "detail 3 of 0xff"), "%s",
	      harness_error_detail);
}

/* In an SEV-ES guest error() must ask the hypervisor to terminate the guest. */
TEST(error_in_sev_es)
{
	fresh_machine();
	fake.sev_es = true;
	EXPECT_ERROR(error("what", "detail"), "what");
	CHECK(strstr(trace, "terminate 0\n"), "the hypervisor is not asked: %s",
	      trace);
	fresh_machine();
	fake.sev_es = true;
	EXPECT_ERROR(error_with(SEVSTUB_TERM_IMAGE, "what", "detail %u", 7U),
		     "what");
	CHECK(strstr(trace, "terminate 23\n"), "another reason: %s", trace);
	CHECK(!strcmp(harness_error_detail, "detail 7"), "%s",
	      harness_error_detail);
}
