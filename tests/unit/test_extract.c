/* SPDX-License-Identifier: MIT */
/*
 * test_extract.c - misc.c from the moved copy on: extract_kernel() and its
 * steps, on images that the build never made and from loaders that lie.
 */
#include "misc_machine.h"

static u64 m(u64 offset)
{
	return (u64)machine + offset;
}

static struct boot new_boot(void)
{
	struct boot boot = { .bp = &fake.bp };

	boot.cmdline = find_cmdline(&fake.bp);
	return boot;
}

/* Through the first two steps, as for an ordinary payload. */
static struct boot placed_boot(void)
{
	struct boot boot = new_boot();

	check_payload_header(&boot);
	place_payload(&boot);
	trace[0] = '\0';
	return boot;
}

/* ---- check_payload_header() ---- */

static void header_refused(const char *what)
{
	struct boot boot = new_boot();

	EXPECT_ERROR(check_payload_header(&boot), what);
}

TEST(header_good)
{
	struct boot boot;

	fresh_machine();
	boot = new_boot();
	check_payload_header(&boot);
	CHECK(!memcmp(&boot.payload, layout.payload, sizeof(boot.payload)),
	      "the copy differs");

	/* at every limit */
	header_in_image()->mem_size = PAYLOAD_MAX_SIZE;
	header_in_image()->file_size = PAYLOAD_MAX_SIZE;
	header_in_image()->reloc_size = PAYLOAD_MAX_SIZE;
	header_in_image()->margin = PAYLOAD_MAX_SIZE;
	header_in_image()->entry_offset = PAYLOAD_MAX_SIZE - 1;
	header_in_image()->flags = PAYLOAD_FLAGS_KNOWN;
	seal_payload();
	check_payload_header(&boot);
}

/* One byte changed, no digest recomputed: no such image boots. */
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
	/* less than a header: nothing may wrap into a good size */
	layout.comp_end = layout.payload + 8;
	header_refused("size mismatch");
	layout.comp_end = layout.payload;
	header_refused("size mismatch");
}

/* A header whose digests fit, and that is wrong all the same. */
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
	header_in_image()->flags |= 0x8;
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

/* ---- place_payload() ---- */

static void placing_refused(struct boot *boot, const char *what)
{
	EXPECT_ERROR(place_payload(boot), what);
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

/* The last byte that fits, and one more. */
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

	/* The relocations may go beyond the payload's memory, not further. */
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

TEST(payload_la57)
{
	struct boot boot;

	fresh_machine();
	boot = new_boot();
	boot.payload = *header_in_image();
	fake.cr4 = X86_CR4_PAE | X86_CR4_LA57;
	placing_refused(&boot, "five-level paging");
	boot.payload.flags |= PAYLOAD_LA57;
	place_payload(&boot);
	fake.cr4 = X86_CR4_PAE;
	place_payload(&boot);
}

/* ---- build_map() ---- */

static const struct cpu plain_cpu = { .nx = true };

static void map_refused(const struct boot *boot, const char *what)
{
	EXPECT_ERROR(build_map(boot, &plain_cpu), what);
}

/* The trace, line by line, to compare with; addresses are offsets in RAM. */
static char *ordinary_map(void)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "map init\n"
		 "guard 0x0\n"
		 "guard 0x%lx\n"
		 "map 0x%lx-0x%lx rox\n"
		 "map 0x%lx-0x%lx ro\n"
		 "map 0x%lx-0x%lx rw\n"
		 "map 0x%lx-0x%lx rwx\n"
		 "map 0x%lx-0x%lx ro\n"
		 "map 0x%lx-0x%lx rw\n"
		 "map 0x%lx-0x%lx rw\n"
		 "map 0x%lx-0x%lx rw\n",
		 m(AT_GUARD),
		 m(AT_TEXT), m(AT_RODATA) - 8, m(AT_RODATA), m(AT_DATA) - 8,
		 m(AT_DATA), m(AT_END),
		 m(AT_RUNTIME), m(AT_RUNTIME + MEM_SIZE),
		 m(AT_HEAD), m(AT_TEXT),
		 (u64)&fake.bp, (u64)&fake.bp + 4096,
		 m(AT_CMDLINE), m(AT_CMDLINE) + strlen("from the loader") + 1,
		 m(AT_INITRD), m(AT_INITRD) + 0x1234);
	return text;
}

TEST(map_of_an_ordinary_boot)
{
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	build_map(&boot, &plain_cpu);
	CHECK(!strcmp(trace, ordinary_map()), "%.400s", trace);
	CHECK(fake.config.pool == layout.pool &&
	      fake.config.pool_size == AT_END - 0x6000 - AT_POOL &&
	      fake.config.levels == 4 && fake.config.bp == &fake.bp &&
	      !fake.config.enc_mask && fake.config.nx && !fake.config.pages_1g,
	      "another configuration");
}

TEST(map_configuration)
{
	const struct cpu cpu = { .pages_1g = true };
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	fake.cr4 = X86_CR4_LA57;
	fake.enc_mask = 1UL << 51;
	build_map(&boot, &cpu);
	CHECK(fake.config.levels == 5, "%u levels", fake.config.levels);
	CHECK(fake.config.enc_mask == 1UL << 51, "0x%lx", fake.config.enc_mask);
	CHECK(!fake.config.nx && fake.config.pages_1g, "nx, 1 GiB");
}

TEST(map_without_initrd)
{
	char initrd[80];
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	set_initrd(m(AT_INITRD), 0);
	build_map(&boot, &plain_cpu);
	snprintf(initrd, sizeof(initrd), "map 0x%lx", m(AT_INITRD));
	CHECK(!strstr(trace, initrd), "%.400s", trace);
}

/* The payload's memory reaches over the compressed bytes, or up to the text. */
TEST(map_of_large_payloads)
{
	char expected[200];
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	boot.payload.mem_size = AT_COMP_END - 0x8000 - AT_RUNTIME;
	build_map(&boot, &plain_cpu);
	snprintf(expected, sizeof(expected),
		 "map 0x%lx-0x%lx rwx\nmap 0x%lx-0x%lx ro\n",
		 m(AT_RUNTIME), m(AT_COMP_END + 0x100 - 0x8000),
		 m(AT_COMP_END + 0x100 - 0x8000), m(AT_TEXT));
	CHECK(strstr(trace, expected), "%.400s", trace);

	trace[0] = '\0';
	boot.payload.mem_size = AT_TEXT - AT_RUNTIME;
	build_map(&boot, &plain_cpu);
	snprintf(expected, sizeof(expected),
		 "map 0x%lx-0x%lx rwx\nmap 0x%lx", m(AT_RUNTIME), m(AT_TEXT),
		 (u64)&fake.bp);
	CHECK(strstr(trace, expected), "%.400s", trace);

	/* the relocations count, where they need more than the memory */
	trace[0] = '\0';
	boot.payload.mem_size = OUT_SIZE;
	boot.out_size = OUT_SIZE + 0x7001;
	build_map(&boot, &plain_cpu);
	snprintf(expected, sizeof(expected), "map 0x%lx-0x%lx rwx",
		 m(AT_RUNTIME), m(AT_RUNTIME + OUT_SIZE + 0x8000));
	CHECK(strstr(trace, expected), "%.400s", trace);
}

/* Every single call may fail; the message names the part and the reason. */
TEST(map_failures)
{
	static const char *const parts[] = {
		NULL, "page 0", "stack", "text", "rodata", "data", "payload",
		"compressed payload", "zero page", "command line", "initrd",
	};
	char calls[2048], *call, *next;
	struct boot boot;
	size_t i;

	fresh_machine();
	strcpy(calls, ordinary_map());
	for (i = 0, call = calls; *call; call = next, i++) {
		next = strchr(call, '\n') + 1;
		next[-1] = '\0';
		fresh_machine();
		boot = placed_boot();
		fake.map_fails = i ? call : "init";
		fake.map_error = i % 2 ? -ENOMEM : -EINVAL;
		map_refused(&boot, "page tables");
		CHECK(i < ARRAY_SIZE(parts), "%s", call);
		if (!parts[i])
			continue;
		CHECK(!strncmp(harness_error_detail, parts[i],
			       strlen(parts[i])),
		      "%s: %s", call, harness_error_detail);
		if (call[0] == 'm')
			CHECK(strstr(harness_error_detail,
				     i % 2 ? "(out of tables)" :
				     "(out of reach)"),
			      "%s", harness_error_detail);
	}
	CHECK(i == ARRAY_SIZE(parts), "%zu calls", i);
}

/* ---- map_setup_data() ---- */

static struct setup_data *new_node(u64 offset, u64 next, u32 len)
{
	struct setup_data *node = (void *)(machine + offset);

	*node = (struct setup_data){ .next = next, .type = 1, .len = len };
	return node;
}

static void setup_data_refused(const struct boot *boot)
{
	EXPECT_ERROR(map_setup_data(boot), "setup_data");
}

/* Each node is mapped before it is read, all of it before the next one. */
TEST(setup_data_chain)
{
	struct boot boot;
	char expected[400];

	fresh_machine();
	boot = placed_boot();
	map_setup_data(&boot);
	CHECK(!trace[0], "without a chain: %s", trace);

	new_node(AT_NODES, m(AT_NODES + 0x5008), 0x3000);
	new_node(AT_NODES + 0x5008, 0, 0);
	hide(machine, AT_CMDLINE);
	fake.bp.hdr.setup_data = m(AT_NODES);
	map_setup_data(&boot);
	snprintf(expected, sizeof(expected),
		 "map 0x%lx-0x%lx rw\nmap 0x%lx-0x%lx rw\n"
		 "map 0x%lx-0x%lx rw\nmap 0x%lx-0x%lx rw\n",
		 m(AT_NODES), m(AT_NODES) + 16,
		 m(AT_NODES), m(AT_NODES) + 16 + 0x3000,
		 m(AT_NODES) + 0x5008, m(AT_NODES) + 0x5018,
		 m(AT_NODES) + 0x5008, m(AT_NODES) + 0x5018);
	CHECK(!strcmp(trace, expected), "%.400s", trace);
	fresh_machine();
}

TEST(setup_data_loop)
{
	unsigned int i;
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	fake.bp.hdr.setup_data = m(AT_NODES);

	/* 128 nodes are a chain, 129 are too many. */
	for (i = 0; i < 128; i++)
		new_node(AT_NODES + i * 16,
			 i < 127 ? m(AT_NODES + (i + 1) * 16) : 0, 0);
	map_setup_data(&boot);
	new_node(AT_NODES + 127 * 16, m(AT_NODES + 128 * 16), 0);
	new_node(AT_NODES + 128 * 16, 0, 0);
	setup_data_refused(&boot);

	new_node(AT_NODES, m(AT_NODES), 0);
	setup_data_refused(&boot);
	CHECK(strstr(harness_error_detail, "loop"), "%s", harness_error_detail);
}

TEST(setup_data_not_in_ram)
{
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	/* Not RAM is not read: these addresses would end the test. */
	fake.bp.hdr.setup_data = 0x10;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = ~0UL;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = ~0UL - 15;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = m(MACHINE_SIZE);
	setup_data_refused(&boot);
	/* A header across the end. */
	fake.bp.hdr.setup_data = m(MACHINE_SIZE) - 15;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = m(MACHINE_SIZE) - 16;
	new_node(MACHINE_SIZE - 16, 0, 0);
	map_setup_data(&boot);

	/* The second node, and not the first. */
	fake.bp.hdr.setup_data = m(AT_NODES);
	new_node(AT_NODES, 0xfee00000, 8);
	setup_data_refused(&boot);
	CHECK(strstr(harness_error_detail, "0xfee00000"), "%s",
	      harness_error_detail);
}

TEST(setup_data_length)
{
	static const u32 lengths[] = { 0xffffffff, 0x80000000, MACHINE_SIZE };
	struct boot boot;
	size_t i;

	fresh_machine();
	boot = placed_boot();
	fake.bp.hdr.setup_data = m(AT_NODES);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		new_node(AT_NODES, 0, lengths[i]);
		setup_data_refused(&boot);
		CHECK(!strstr(harness_error_detail, "payload"), "%s",
		      harness_error_detail);
	}

	/* RAM to 2^64: the end wraps around */
	add_e820(m(MACHINE_SIZE), ~0UL - m(MACHINE_SIZE), E820_RAM);
	fake.bp.hdr.setup_data = m(MACHINE_SIZE) - 16;
	new_node(MACHINE_SIZE - 16, 0, 0xffffffff);
	map_setup_data(&boot);
}

/* What lies in the payload's memory is gone when the payload looks for it. */
TEST(setup_data_in_the_way)
{
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	fake.bp.hdr.setup_data = m(AT_RUNTIME) - 15;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = m(AT_END) - 1;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = m(AT_END);
	new_node(AT_END, 0, 0);
	map_setup_data(&boot);

	fake.bp.hdr.setup_data = m(AT_RUNTIME) - 0x100;
	new_node(AT_RUNTIME - 0x100, 0, 0xf0);
	map_setup_data(&boot);
	new_node(AT_RUNTIME - 0x100, 0, 0xf1);
	setup_data_refused(&boot);
}

TEST(setup_data_not_mapped)
{
	struct boot boot;
	char call[80];

	fresh_machine();
	boot = placed_boot();
	new_node(AT_NODES, 0, 0x100);
	fake.bp.hdr.setup_data = m(AT_NODES);
	fake.map_fails = call;
	fake.map_error = -ENOMEM;
	snprintf(call, sizeof(call), "map 0x%lx-0x%lx rw", m(AT_NODES),
		 m(AT_NODES) + 16);
	EXPECT_ERROR(map_setup_data(&boot), "page tables");
	snprintf(call, sizeof(call), "map 0x%lx-0x%lx rw", m(AT_NODES),
		 m(AT_NODES) + 0x110);
	EXPECT_ERROR(map_setup_data(&boot), "page tables");
}

/* ---- map_vga() ---- */

TEST(vga)
{
	fresh_machine();
	map_vga();
	CHECK(!trace[0], "not asked for: %s", trace);
	fake.vga = true;
	map_vga();
	CHECK(!strcmp(trace, "device 0xb8000+0x8000\nvga\n"), "%s", trace);
	trace[0] = '\0';
	fake.map_fails = "device";
	fake.map_error = -EINVAL;
	map_vga();
	CHECK(!strcmp(trace, "device 0xb8000+0x8000\n"),
	      "used although not mapped: %s", trace);
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
	/* a processor without leaf 7 is not asked for it */
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

/* The fake CPUID refuses to be executed there. */
TEST(cpu_features_of_sev_es)
{
	struct cpu cpu;

	fresh_machine();
	fake.sev_es = true;
	cpu = detect_cpu();
	CHECK(cpu.nx && cpu.bmi2, "NX %u, BMI2 %u", cpu.nx, cpu.bmi2);
}

/* ---- decompress() ---- */

static void decompress_refused(const struct boot *boot, const char *what)
{
	EXPECT_ERROR(decompress(boot), what);
}

/* The digest is over all of the compressed bytes, and comes first. */
TEST(decompress_checks_first)
{
	const size_t comp_size = AT_COMP_END - AT_PAYLOAD - 0x60;
	static const size_t damaged[] = { 0x60, 0x61, 0x1000,
					  AT_COMP_END - AT_PAYLOAD - 1 };
	char expected[200];
	struct boot boot;
	size_t i;

	fresh_machine();
	boot = placed_boot();
	decompress(&boot);
	snprintf(expected, sizeof(expected),
		 "digest of %zu bytes at 0x%lx\nunzstd 0x%lx+0x%lx from 0x%lx+0x%zx\n",
		 comp_size, m(AT_PAYLOAD + 0x60), m(AT_RUNTIME), OUT_SIZE,
		 m(AT_PAYLOAD + 0x60), comp_size);
	CHECK(!strcmp(trace, expected), "%s", trace);

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

static bool all_bytes(u64 from, u64 to, u8 value)
{
	for (; from < to; from++) {
		if (machine[from] != value)
			return false;
	}
	return true;
}

TEST(decompress_clears_bss)
{
	const u64 end = AT_RUNTIME + MEM_SIZE;
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	machine[AT_RUNTIME - 1] = 0xa5;
	memset(machine + end, 0xa5, 0x100);
	decompress(&boot);
	CHECK(machine[AT_RUNTIME - 1] == 0xa5, "the byte before");
	CHECK(all_bytes(AT_RUNTIME, AT_RUNTIME + OUT_SIZE, DECOMPRESSED),
	      "what was decompressed has been changed");
	CHECK(all_bytes(AT_RUNTIME + OUT_SIZE, end, 0), "not all is zero");
	CHECK(all_bytes(end, end + 0x100, 0xa5), "bytes behind");
}

/* Linux clears its own, and finds what is stored there. */
TEST(decompress_leaves_bss_of_linux)
{
	struct boot boot;

	fresh_machine();
	header_in_image()->flags |= PAYLOAD_LINUX;
	header_in_image()->reloc_size = 0x800;
	seal_payload();
	boot = placed_boot();
	memset(machine + AT_RUNTIME, 0xa5, MEM_SIZE);
	decompress(&boot);
	CHECK(all_bytes(AT_RUNTIME, AT_RUNTIME + OUT_SIZE + 0x800,
			DECOMPRESSED), "image or relocations are incomplete");
	CHECK(all_bytes(AT_RUNTIME + OUT_SIZE + 0x800, AT_RUNTIME + MEM_SIZE,
			0xa5), "cleared twice");
}

/* ---- extract_kernel() ---- */

/* Whether all of these are in the trace, in this order. */
static void check_order(const char *const *steps)
{
	const char *at = trace;

	for (; *steps; steps++) {
		at = strstr(at, *steps);
		CHECK(at, "no \"%s\", or too early: %s", *steps, trace);
		at += strlen(*steps);
	}
}

TEST(extract)
{
	static const char *const steps[] = {
		"efer 0xd00", "map init", "guard 0x0", "map load", "stage 2",
		"info sevstub: 327680 bytes of payload", "digest", "unzstd",
		"info sevstub: entering the payload", "teardown", NULL,
	};
	u64 entry;

	fresh_machine();
	entry = extract_kernel(&fake.bp);
	CHECK(entry == m(AT_RUNTIME + ENTRY_OFFSET), "0x%lx", entry);
	check_order(steps);
	CHECK(!strcmp(strstr(trace, "teardown"), "teardown\n"),
	      "something comes after the end: %s", trace);
	CHECK(!strstr(trace, "bmi2"), "BMI2 was not there: %s", trace);
	CHECK(!strstr(trace, "NMI"), "no NMI came: %s", trace);
	CHECK(!strstr(trace, "console"), "a second time: %s", trace);
	CHECK(fake.bp.hdr.cmd_line_ptr == (u32)m(AT_CMDLINE) &&
	      fake.bp.ext_cmd_line_ptr == m(AT_CMDLINE) >> 32,
	      "the loader's command line is gone");
}

TEST(extract_with_everything)
{
	static const char *const steps[] = {
		"map load", "stage 2", "map 0x", "device", "vga", "bmi2",
		"digest", "unzstd", "3 NMIs", "teardown", NULL,
	};

	fresh_machine();
	fake.cpuid_ext.edx = 0;
	fake.cpuid_7.ebx = 1 << 3 | 1 << 8;
	fake.cpuid_ext.ecx = 1 << 5;
	fake.vga = true;
	fake.nmis = 3;
	new_node(AT_NODES, 0, 8);
	fake.bp.hdr.setup_data = m(AT_NODES);
	extract_kernel(&fake.bp);
	check_order(steps);
	CHECK(!strstr(trace, "efer"), "NX is on, and there is none: %s", trace);
}

/* In an SEV-ES guest: the GHCB between stage 2 and the first port. */
TEST(extract_in_sev_es)
{
	static const char *const steps[] = {
		"map init", "map load", "stage 2", "ghcb", "console", "bmi2",
		"unzstd", "info sevstub: entering", "sev shutdown", "teardown",
		NULL,
	};

	fresh_machine();
	fake.sev_es = true;
	fake.enc_mask = 1UL << 51;
	extract_kernel(&fake.bp);
	check_order(steps);
	CHECK(fake.config.enc_mask == 1UL << 51, "0x%lx", fake.config.enc_mask);
}

TEST(extract_built_in_cmdline)
{
	u64 text;

	fresh_machine();
	set_cmdline(0);
	extract_kernel(&fake.bp);
	text = (u64)fake.bp.ext_cmd_line_ptr << 32 | fake.bp.hdr.cmd_line_ptr;
	CHECK(text == (u64)layout.builtin, "0x%lx", text);
}

static void extraction_refused(const char *what)
{
	EXPECT_ERROR(extract_kernel(&fake.bp), what);
	CHECK(!strstr(trace, "unzstd"), "too late: %s", trace);
	CHECK(!strstr(trace, "teardown"), "too late: %s", trace);
}

/* None of the checks is missing from the story. */
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
	memset(machine + AT_CMDLINE, 'x', CMDLINE_SIZE + 1);
	extraction_refused("command line");
}

/* ---- error() ---- */

TEST(error_line)
{
	fresh_machine();
	EXPECT_ERROR(error("what", "detail %u of 0x%x", 3, 0xffU), "what");
	CHECK(!strcmp(harness_error_detail, "detail 3 of 0xff"), "%s",
	      harness_error_detail);
}

/* A host that can be told is told. */
TEST(error_in_sev_es)
{
	fresh_machine();
	fake.sev_es = true;
	EXPECT_ERROR(error("what", "detail"), "what");
	CHECK(strstr(trace, "terminate"), "the guest hangs: %s", trace);
}
