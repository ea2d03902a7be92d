/* SPDX-License-Identifier: MIT */
/*
 * test_boot_map.c - tests which memory extract_kernel() maps before it writes
 * to memory: the image, the payload's memory, what the loader handed over, and
 * the linked list of setup_data nodes, whose contents are not trusted.
 */
#include "misc_machine.h"
#include "own_stack.h"

/* ---- build_map() ---- */

static const struct cpu plain_cpu = { .nx = true };

/* Makes all mappings of extract_kernel() except those of setup_data. */
static void map_all(const struct boot *boot, const struct cpu *cpu)
{
	build_map(boot, cpu);
	map_la57(boot);
	map_loaded(boot->bp, &boot->cmdline);
	map_payload(boot);
	check_payload_memory(boot);
}

static void map_refused(const struct boot *boot, const char *what)
{
	EXPECT_ERROR(map_all(boot, &plain_cpu), what);
}

/*
 * Returns the trace of the ident_map_*() calls that an ordinary boot makes, one
 * line for each call. The text is made at run time, because it holds addresses
 * of this test's variables.
 */
static char *ordinary_map(void)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "map init\n"
		 "guard 0x0\n"
		 "guard 0x%lx\n"
		 "guard 0x%lx\n"
		 "map 0x%lx-0x%lx rox\n"
		 "map 0x%lx-0x%lx ro\n"
		 "map 0x%lx-0x%lx rw\n"
		 "map 0x%lx-0x%lx rw\n"
		 "map 0x%lx-0x%lx rw\n"
		 "map 0x%lx-0x%lx rw\n"
		 "map 0x%lx-0x%lx rw payload\n"
		 "map 0x%lx-0x%lx ro\n",
		 m(AT_GUARD), m(AT_DF_GUARD),
		 m(AT_TEXT), m(AT_RODATA) - 8, m(AT_RODATA), m(AT_DATA) - 8,
		 m(AT_DATA), m(AT_END),
		 (u64)&fake.bp, (u64)&fake.bp + 4096,
		 m(AT_CMDLINE), m(AT_CMDLINE) + strlen("from the loader") + 1,
		 m(AT_INITRD), m(AT_INITRD) + 0x1234,
		 m(AT_RUNTIME), m(AT_RUNTIME + MEM_SIZE),
		 m(AT_HEAD), m(AT_TEXT));
	return text;
}

TEST(map_of_an_ordinary_boot)
{
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	map_all(&boot, &plain_cpu);
	CHECK(!strcmp(trace, ordinary_map()), "%.400s", trace);
	CHECK(fake.config.pool_size == AT_END - 0x6000 - AT_POOL &&
	      fake.config.bp == &fake.bp &&
	      !fake.config.enc_mask && !fake.config.pages_1g,
	      "another configuration");
}

/*
 * map_la57() must map the two pages that la57_switch() uses, writable and not executable.
 * la57_switch() writes code to the first page, and only then makes that page executable.
 */
TEST(map_for_five_levels)
{
	char expected[100];
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	boot.la57 = m(AT_END - 0x3000);
	snprintf(expected, sizeof(expected), "map 0x%lx-0x%lx rw\n", m(AT_END - 0x3000),
		 m(AT_END - 0x1000));
	build_map(&boot, &plain_cpu);
	trace[0] = '\0';
	map_la57(&boot);
	CHECK(!strcmp(trace, expected), "%.400s", trace);

	fresh_machine();
	expected[strlen(expected) - 1] = '\0';
	fake.map_fails = expected;
	fake.map_error = -ENOMEM;
	map_refused(&boot, "page tables");
	CHECK(!strncmp(harness_error_detail, "five-level", 10), "%s",
	      harness_error_detail);

	fresh_machine();
	boot = placed_boot();
	map_la57(&boot);
	CHECK(!trace[0], "%s", trace);
}

TEST(map_configuration)
{
	const struct cpu cpu = { .pages_1g = true };
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	fake.enc_mask = 1UL << 51;
	map_all(&boot, &cpu);
	CHECK(fake.config.enc_mask == 1UL << 51, "0x%lx", fake.config.enc_mask);
	CHECK(fake.config.pages_1g, "1 GiB");
}

TEST(map_without_initrd)
{
	char initrd[80];
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	set_initrd(m(AT_INITRD), 0);
	map_all(&boot, &plain_cpu);
	snprintf(initrd, sizeof(initrd), "map 0x%lx", m(AT_INITRD));
	CHECK(!strstr(trace, initrd), "%.400s", trace);
}

/*
 * The payload's memory may overlap the compressed bytes, and may reach up to
 * the image's .text. Where it overlaps, the stub must map each page once, and
 * writable, because it decompresses the payload over the compressed bytes.
 */
TEST(map_of_large_payloads)
{
	char expected[200];
	struct boot boot;

	fresh_machine();
	header_in_image()->mem_size = AT_COMP_END - 0x8000 - AT_RUNTIME;
	seal_payload();
	boot = placed_boot();
	map_all(&boot, &plain_cpu);
	snprintf(expected, sizeof(expected),
		 "map 0x%lx-0x%lx rw payload\nmap 0x%lx-0x%lx ro\n",
		 m(AT_RUNTIME), m(AT_COMP_END + 0x100 - 0x8000),
		 m(AT_COMP_END + 0x100 - 0x8000), m(AT_TEXT));
	CHECK(strstr(trace, expected), "%.400s", trace);

	header_in_image()->mem_size = AT_TEXT - AT_RUNTIME;
	seal_payload();
	boot = placed_boot();
	map_all(&boot, &plain_cpu);
	snprintf(expected, sizeof(expected), "map 0x%lx-0x%lx rw payload\n",
		 m(AT_RUNTIME), m(AT_TEXT));
	CHECK(strlen(trace) > strlen(expected) &&
	      !strcmp(trace + strlen(trace) - strlen(expected), expected),
	      "%.400s", trace);

	/*
	 * The kernel's relocation table lies after the output. If both
	 * together are larger than mem_size, their size is what must be mapped.
	 */
	header_in_image()->mem_size = OUT_SIZE;
	header_in_image()->reloc_size = 0x7001;
	seal_payload();
	boot = placed_boot();
	map_all(&boot, &plain_cpu);
	snprintf(expected, sizeof(expected), "map 0x%lx-0x%lx rw payload",
		 m(AT_RUNTIME), m(AT_RUNTIME + OUT_SIZE + 0x8000));
	CHECK(strstr(trace, expected), "%.400s", trace);
}

/*
 * If KASLR chose an address outside of the image, no output overwrites the
 * compressed bytes. All of them must be mapped, and read-only.
 */
TEST(map_of_a_payload_elsewhere)
{
	char expected[200];
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	boot.out = (u8 *)0x40000000;
	map_payload(&boot);
	snprintf(expected, sizeof(expected),
		 "map 0x40000000-0x%lx rw payload\nmap 0x%lx-0x%lx ro\n",
		 0x40000000 + MEM_SIZE, m(AT_HEAD), m(AT_TEXT));
	CHECK(!strcmp(trace, expected), "%.400s", trace);
}

/*
 * ident_map_range() does not change pages that were mapped before. The payload
 * needs private memory that is writable and marked as its own. If a page in the
 * payload's range has other rights, the stub must report an error instead of
 * booting.
 */
TEST(map_of_a_payload_on_others_pages)
{
	static const int rights[] = { MAP_RO, MAP_WRITE, MAP_EXEC, -EFAULT,
				      MAP_WRITE | MAP_EXEC, MAP_WRITE | MAP_PAYLOAD | MAP_EXEC,
				      MAP_WRITE | MAP_PAYLOAD | MAP_DECRYPTED };
	u64 pages[] = { m(AT_RUNTIME), m(AT_RUNTIME + 0x7000),
			m(AT_RUNTIME + MEM_SIZE) - PAGE_SIZE };
	struct boot boot;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(rights) * ARRAY_SIZE(pages); i++) {
		fresh_machine();
		boot = placed_boot();
		fake.kaslr = i % 2;
		fake.odd_page = pages[i / 2 % ARRAY_SIZE(pages)];
		fake.odd_rights = rights[i / 2 / ARRAY_SIZE(pages)];
		map_refused(&boot, "page tables");
	}
	/*
	 * The page directly after the payload's memory may have any rights,
	 * because the payload does not use it.
	 */
	fresh_machine();
	boot = placed_boot();
	fake.kaslr = true;
	fake.odd_page = m(AT_RUNTIME + MEM_SIZE);
	map_all(&boot, &plain_cpu);
}

/*
 * la57_switch() unmaps the pages that it has used. They may hold data of the
 * loader, in this case a part of the initrd. The stub must map them again,
 * because the payload starts on the stub's page tables.
 */
TEST(map_after_the_switch)
{
	char expected[200];

	fresh_machine();
	fake.la57 = m(AT_INITRD);
	extract_kernel(&fake.bp);
	snprintf(expected, sizeof(expected),
		 "la57 switch\nmap 0x%lx-0x%lx rw\nmap 0x%lx-0x%lx rw\nghcb\n",
		 m(AT_INITRD), m(AT_INITRD + 0x1000), m(AT_INITRD + 0x1000),
		 m(AT_INITRD + 0x2000));
	CHECK(strstr(trace, expected), "%s", trace);

	/*
	 * In this boot the two pages that la57_switch() unmaps hold no data of the loader: the
	 * first is in unused memory, and the second in the payload's memory, which the stub
	 * maps later. In the next boot la57_switch() uses no pages. In both boots the stub has
	 * no reason to map a page again, so it must map nothing between la57_switch() and the
	 * set-up of the GHCB page ("ghcb").
	 */
	fresh_machine();
	fake.la57 = m(AT_RUNTIME - 0x1000);
	extract_kernel(&fake.bp);
	CHECK(strstr(trace, "la57 switch\nghcb\n"), "%s", trace);

	fresh_machine();
	extract_kernel(&fake.bp);
	CHECK(strstr(trace, "la57 switch\nghcb\n"), "%s", trace);
}

/*
 * In an SEV-ES guest the hypervisor reads the console. An error message must
 * not contain the payload's random address.
 */
TEST(map_failure_in_sev_es)
{
	struct boot boot;
	char call[80];

	fresh_machine();
	boot = placed_boot();
	fake.sev_es = true;
	snprintf(call, sizeof(call), "map 0x%lx-0x%lx rw payload", m(AT_RUNTIME),
		 m(AT_RUNTIME + MEM_SIZE));
	fake.map_fails = call;
	fake.map_error = -ENOMEM;
	map_refused(&boot, "page tables");
	CHECK(!strcmp(harness_error_detail,
		      "payload cannot be mapped (out of tables)"), "%s",
	      harness_error_detail);
}

/*
 * In each round another ident_map_*() call of the boot fails. The error message
 * must name the memory that could not be mapped, and why.
 */
TEST(map_failures)
{
	static const char *const parts[] = {
		NULL, "page 0", "stack", "double-fault stack", "text",
		"rodata", "data", "zero page", "command line", "initrd",
		"payload", "compressed payload",
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

/*
 * Page 0 is a guard page, so the stub must not map it. The hypervisor can put the page-table
 * entry that marks page 0 as a guard page back to 0. must_map() must therefore refuse each
 * range that contains a part of page 0, without a look at the page tables.
 */
TEST(page_0_is_not_mapped)
{
	fresh_machine();
	EXPECT_ERROR(must_map("initrd", (struct range){ 0, 1 }, MAP_WRITE), "page tables");
	EXPECT_ERROR(must_map("initrd", (struct range){ PAGE_SIZE - 1, PAGE_SIZE + 1 }, MAP_WRITE),
		     "page tables");
	CHECK(!strstr(trace, "map "), "%s", trace);
	must_map("initrd", (struct range){ PAGE_SIZE, PAGE_SIZE + 1 }, MAP_WRITE);
	CHECK(strstr(trace, "map "), "%s", trace);
}

/* ---- map_setup_data() ---- */

static void setup_data_refused(const struct boot *boot)
{
	EXPECT_ERROR(map_setup_data(boot->bp, boot->runtime), "setup_data");
}

/*
 * The stub must map the header of a setup_data node before it reads the header,
 * and the node's data before it goes to the next node.
 */
TEST(setup_data_chain)
{
	struct boot boot;
	char expected[400];

	fresh_machine();
	boot = placed_boot();
	map_setup_data(boot.bp, boot.runtime);
	CHECK(!trace[0], "without a chain: %s", trace);

	new_node(AT_NODES, m(AT_NODES + 0x5008), 0x3000);
	new_node(AT_NODES + 0x5008, 0, 0);
	hide(machine, AT_CMDLINE);
	fake.bp.hdr.setup_data = m(AT_NODES);
	map_setup_data(boot.bp, boot.runtime);
	snprintf(expected, sizeof(expected),
		 "map 0x%lx-0x%lx rw\nmap 0x%lx-0x%lx rw\n"
		 "taken 0x%lx-0x%lx\n"
		 "map 0x%lx-0x%lx rw\nmap 0x%lx-0x%lx rw\n"
		 "taken 0x%lx-0x%lx\n",
		 m(AT_NODES), m(AT_NODES) + 16,
		 m(AT_NODES), m(AT_NODES) + 16 + 0x3000,
		 m(AT_NODES), m(AT_NODES) + 16 + 0x3000,
		 m(AT_NODES) + 0x5008, m(AT_NODES) + 0x5018,
		 m(AT_NODES) + 0x5008, m(AT_NODES) + 0x5018,
		 m(AT_NODES) + 0x5008, m(AT_NODES) + 0x5018);
	CHECK(!strcmp(trace, expected), "%.400s", trace);
	fresh_machine();
}

/*
 * boot.rst requires no alignment of setup_data nodes, so a node may cross a
 * page boundary. The stub must then map both pages.
 */
TEST(setup_data_unaligned)
{
	struct setup_data node = { .next = 0, .type = 1, .len = 3 };
	char expected[200];
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	memcpy(machine + AT_NODES + 5, &node, sizeof(node));
	fake.bp.hdr.setup_data = m(AT_NODES) + 5;
	map_setup_data(boot.bp, boot.runtime);
	snprintf(expected, sizeof(expected),
		 "map 0x%lx-0x%lx rw\nmap 0x%lx-0x%lx rw\ntaken 0x%lx-0x%lx\n",
		 m(AT_NODES) + 5, m(AT_NODES) + 21, m(AT_NODES) + 5,
		 m(AT_NODES) + 24, m(AT_NODES) + 5, m(AT_NODES) + 24);
	CHECK(!strcmp(trace, expected), "%.200s", trace);
}

TEST(setup_data_loop)
{
	unsigned int i;
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	fake.bp.hdr.setup_data = m(AT_NODES);

	/*
	 * A list of 128 setup_data nodes is accepted. A list of 129 is refused,
	 * because the stub must stop if the list is circular.
	 */
	for (i = 0; i < 128; i++)
		new_node(AT_NODES + i * 16,
			 i < 127 ? m(AT_NODES + (i + 1) * 16) : 0, 0);
	map_setup_data(boot.bp, boot.runtime);
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
	/*
	 * A setup_data node outside of RAM must be refused before the stub
	 * reads it. Reading these addresses would crash the test.
	 */
	fake.bp.hdr.setup_data = 0x10;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = ~0UL;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = ~0UL - 15;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = m(MACHINE_SIZE);
	setup_data_refused(&boot);
	/*
	 * A setup_data node's header has 16 bytes. A node whose header is partly
	 * above the highest RAM address must be refused. A node whose header
	 * ends at the end of RAM, and which has no data, must be accepted.
	 */
	fake.bp.hdr.setup_data = m(MACHINE_SIZE) - 15;
	setup_data_refused(&boot);
	fake.bp.hdr.setup_data = m(MACHINE_SIZE) - 16;
	new_node(MACHINE_SIZE - 16, 0, 0);
	map_setup_data(boot.bp, boot.runtime);

	/*
	 * The first setup_data node is in RAM. The second node is not, so the
	 * list is refused.
	 */
	fake.bp.hdr.setup_data = m(AT_NODES);
	new_node(AT_NODES, 0xfee00000, 8);
	setup_data_refused(&boot);
	CHECK(strstr(harness_error_detail, "0xfee00000"), "%s",
	      harness_error_detail);
}

/*
 * A setup_data node may lie in memory of E820 type 128, in which kexec hands over
 * setup_data (Linux's E820_TYPE_RESERVED_KERN). In reserved memory (type 2) above 1 MiB
 * it may lie only if efi_may_hold() allows this by firmware's EFI memory map.
 */
TEST(setup_data_in_memory_of_other_types)
{
	struct boot boot;

	fresh_machine();
	new_node(AT_NODES, 0, 8);
	boot = placed_boot();
	fake.bp.hdr.setup_data = m(AT_NODES);
	add_e820(m(AT_NODES), 0x100, 128);
	map_setup_data(boot.bp, boot.runtime);
	add_e820(m(AT_NODES), 0x100, 2);
	EXPECT_ERROR(map_setup_data(boot.bp, boot.runtime), "setup_data");
	fake.efi_memory = (struct range){ m(AT_NODES), m(AT_NODES + 0x100) };
	map_setup_data(boot.bp, boot.runtime);
}

/*
 * map_loaded() must map the EFI memory map, because map_setup_data() may read it
 * later to check whether a setup_data node is in memory.
 */
TEST(map_of_firmwares_map)
{
	struct boot boot;
	char line[80];

	fresh_machine();
	boot = placed_boot();
	fake.efi_map = (struct range){ 0x7000000, 0x7001230 };
	map_loaded(boot.bp, &boot.cmdline);
	snprintf(line, sizeof(line), "map 0x7000000-0x7001230 rw\n");
	CHECK(strstr(trace, line), "%s", trace);
}

/*
 * la57_switch() unmaps the pages that it has used. A part of the EFI memory map
 * is in one of them. The stub must map this page again before it reads the map.
 */
TEST(borrowed_page_of_firmwares_map)
{
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	boot.la57 = 0x7000000;
	fake.efi_map = (struct range){ 0x7001f00, 0x7002000 };
	map_borrowed(&boot);
	CHECK(!strcmp(trace, "map 0x7001000-0x7002000 rw\n"), "%s", trace);
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

	/*
	 * RAM now extends up to the highest address, so a node with the largest
	 * length, 4 GiB, is in RAM. It must be accepted.
	 */
	add_e820(m(MACHINE_SIZE), ~0UL - m(MACHINE_SIZE), E820_RAM);
	fake.bp.hdr.setup_data = m(MACHINE_SIZE) - 16;
	new_node(MACHINE_SIZE - 16, 0, 0xffffffff);
	map_setup_data(boot.bp, boot.runtime);
}

/*
 * A setup_data node in the payload's memory must be refused, because the
 * decompressed payload would overwrite the node before the payload's code can
 * read it.
 */
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
	map_setup_data(boot.bp, boot.runtime);

	fake.bp.hdr.setup_data = m(AT_RUNTIME) - 0x100;
	new_node(AT_RUNTIME - 0x100, 0, 0xf0);
	map_setup_data(boot.bp, boot.runtime);
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
	EXPECT_ERROR(map_setup_data(boot.bp, boot.runtime), "page tables");
	snprintf(call, sizeof(call), "map 0x%lx-0x%lx rw", m(AT_NODES),
		 m(AT_NODES) + 0x110);
	EXPECT_ERROR(map_setup_data(boot.bp, boot.runtime), "page tables");
}

#define INDIRECT	0x80000000U

/*
 * A SETUP_INDIRECT node points to data elsewhere. KASLR must not place the
 * payload over that data. The stub need not map the data, because it does not
 * read it.
 */
TEST(setup_data_indirect)
{
	struct setup_indirect *to = (void *)(machine + AT_NODES + 16);
	struct boot boot;
	char taken[80];

	fresh_machine();
	boot = placed_boot();
	new_node(AT_NODES, 0, sizeof(*to))->type = INDIRECT;
	fake.bp.hdr.setup_data = m(AT_NODES);
	*to = (struct setup_indirect){ INDIRECT | SETUP_EFI, 0, 0x777,
				       0xfee00000 };
	map_setup_data(boot.bp, boot.runtime);
	CHECK(strstr(trace, "taken 0xfee00000-0xfee00777\n"), "%s", trace);

	/*
	 * The stub must ignore what a node points to if its type is not
	 * SETUP_INDIRECT, or if its data is shorter than a struct
	 * setup_indirect.
	 */
	trace[0] = '\0';
	new_node(AT_NODES, 0, sizeof(*to))->type = 5;
	map_setup_data(boot.bp, boot.runtime);
	CHECK(!strstr(trace, "0xfee00000"), "%s", trace);
	new_node(AT_NODES, 0, sizeof(*to) - 1)->type = INDIRECT;
	map_setup_data(boot.bp, boot.runtime);
	CHECK(!strstr(trace, "0xfee00000"), "%s", trace);

	new_node(AT_NODES, 0, sizeof(*to))->type = INDIRECT;
	to->addr = m(AT_RUNTIME) - 0x776;
	setup_data_refused(&boot);
	to->addr = m(AT_RUNTIME) - 0x777;
	snprintf(taken, sizeof(taken), "taken 0x%lx-0x%lx\n",
		 m(AT_RUNTIME) - 0x777, m(AT_RUNTIME));
	map_setup_data(boot.bp, boot.runtime);
	CHECK(strstr(trace, taken), "%s", trace);
	to->addr = ~0UL - 0x775;
	setup_data_refused(&boot);
	CHECK(strstr(harness_error_detail, "wrap"), "%s", harness_error_detail);
}

/*
 * A node of type SETUP_IMA (8) has the address and size of the measurements that the
 * previous kernel hands over to the next one. KASLR must not place the payload over them.
 */
TEST(setup_data_measurements)
{
	u64 *to = (void *)(machine + AT_NODES + 16);
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	new_node(AT_NODES, 0, 16)->type = 8;
	fake.bp.hdr.setup_data = m(AT_NODES);
	to[0] = 0x7000000;
	to[1] = 0x1234;
	map_setup_data(boot.bp, boot.runtime);
	CHECK(strstr(trace, "taken 0x7000000-0x7001234\n"), "%s", trace);
	CHECK(!strstr(trace, "map 0x7000000"), "%s", trace);

	trace[0] = '\0';
	new_node(AT_NODES, 0, 15)->type = 8;
	map_setup_data(boot.bp, boot.runtime);
	CHECK(!strstr(trace, "0x7000000"), "%s", trace);

	new_node(AT_NODES, 0, 16)->type = 8;
	to[0] = m(AT_RUNTIME) + 0x10;
	setup_data_refused(&boot);
	to[0] = ~0UL - 0x1233;
	setup_data_refused(&boot);
	CHECK(strstr(harness_error_detail, "wrap"), "%s", harness_error_detail);
}

/*
 * An SNP guest gets its SNP blob by a setup_data node of type SETUP_CC_BLOB (7), or by a
 * table of EFI firmware, from which the stub takes the blob's address, snp_efi_blob. In a
 * guest without SNP the stub must refuse the node and refuse a snp_efi_blob other than 0.
 * Otherwise Linux would read the blob when it cannot report an exception yet. In an SNP
 * guest the stub must accept the node and not change it, even if the node is unaligned.
 */
TEST(setup_data_blob)
{
	struct setup_data node = { .next = 0, .type = 7, .len = 4 };
	u8 *at = machine + AT_NODES + 3;
	struct boot boot;

	fresh_machine();
	boot = placed_boot();
	memcpy(at, &node, sizeof(node));
	fake.bp.hdr.setup_data = (u64)at;
	EXPECT_ERROR(map_setup_data(boot.bp, boot.runtime), "SNP blob");
	CHECK(strstr(harness_error_detail, "no SNP"), "%s", harness_error_detail);
	CHECK(!memcmp(at, &node, sizeof(node)), "the node has changed");

	fake.sev_es = true;
	fake.snp = true;
	map_setup_data(boot.bp, boot.runtime);
	CHECK(!memcmp(at, &node, sizeof(node)), "the node has changed");

	fake.bp.hdr.setup_data = 0;
	snp_efi_blob = 0x1000;
	map_setup_data(boot.bp, boot.runtime);
	fake.snp = false;
	EXPECT_ERROR(map_setup_data(boot.bp, boot.runtime), "SNP blob");
	CHECK(strstr(harness_error_detail, "no SNP"), "%s", harness_error_detail);
	snp_efi_blob = 0;
}

/*
 * The stub must map a setup_data node of any other type, known to Linux or unknown, keep
 * the payload out of the node, and not change it. The stub must ignore an address in the
 * node's data. In type 4 (SETUP_EFI), for example, it is the address of firmware's tables,
 * whose memory is not RAM.
 */
TEST(setup_data_other_types)
{
	static const u32 types[] = {
		0, 1, 2, 3, 4, 5, 6, 9, 11, 0x74657374, 0x80000001, 0xffffffff,
	};
	u64 *data = (void *)(machine + AT_NODES + 16);
	struct setup_data *node;
	char expected[200];
	struct boot boot;
	size_t i;

	fresh_machine();
	boot = placed_boot();
	fake.bp.hdr.setup_data = m(AT_NODES);
	snprintf(expected, sizeof(expected),
		 "map 0x%lx-0x%lx rw\nmap 0x%lx-0x%lx rw\ntaken 0x%lx-0x%lx\n",
		 m(AT_NODES), m(AT_NODES) + 16, m(AT_NODES), m(AT_NODES) + 80,
		 m(AT_NODES), m(AT_NODES) + 80);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		node = new_node(AT_NODES, 0, 64);
		node->type = types[i];
		memset(data, 0, 64);
		data[0] = 0x7000000;
		data[1] = 0x1000;
		trace[0] = '\0';
		map_setup_data(boot.bp, boot.runtime);
		CHECK(!strcmp(trace, expected), "type 0x%x: %s", types[i], trace);
		CHECK(node->type == types[i] && node->len == 64 && !node->next &&
		      data[0] == 0x7000000 && data[1] == 0x1000,
		      "type 0x%x changed", types[i]);
	}
}

/*
 * Puts a setup_data node of type SETUP_KEXEC_KHO (10) at AT_NODES, and a list
 * of @count scratch areas after the node. The areas have 1 MiB each and begin
 * at 16 MiB, 18 MiB and so on. Returns the node's data.
 */
static struct kho_node *new_handover(unsigned int count)
{
	struct kho_node *kho = (void *)(machine + AT_NODES + 16);
	struct kho_area *area = (void *)(machine + AT_NODES + 0x100);
	unsigned int i;

	fresh_machine();
	new_node(AT_NODES, 0, sizeof(*kho))->type = 10;
	fake.bp.hdr.setup_data = m(AT_NODES);
	for (i = 0; i < count; i++)
		area[i] = (struct kho_area){ (16 + 2 * i) * MIB, MIB };
	*kho = (struct kho_node){ m(0x20000), 0x1234, m(AT_NODES + 0x100),
				  count * sizeof(*area) };
	return kho;
}

/*
 * A setup_data node describes Linux's kexec handover. The stub must map its
 * device tree and its list of scratch areas, and must keep the payload off
 * both. It must tell KASLR the scratch areas, because only these may get the
 * payload.
 */
TEST(setup_data_handover)
{
	char expected[400];
	struct boot boot;

	new_handover(2);
	boot = placed_boot();
	hide(machine + AT_NODES, PAGE_SIZE);
	map_setup_data(boot.bp, boot.runtime);
	snprintf(expected, sizeof(expected),
		 "map 0x%lx-0x%lx rw\ntaken 0x%lx-0x%lx\n"
		 "map 0x%lx-0x%lx rw\ntaken 0x%lx-0x%lx\n"
		 "scratch 0x0-0x1\nscratch 0x1000000-0x1100000\n"
		 "scratch 0x1200000-0x1300000\n", m(0x20000), m(0x21234),
		 m(0x20000), m(0x21234), m(AT_NODES + 0x100),
		 m(AT_NODES + 0x120), m(AT_NODES + 0x100), m(AT_NODES + 0x120));
	CHECK(strstr(trace, expected), "%s instead of %s", trace, expected);

	/*
	 * The list of scratch areas has 31 bytes: an area of 16 bytes and an
	 * incomplete one, which the stub must ignore.
	 */
	new_handover(2)->scratch_size = 31;
	boot = placed_boot();
	map_setup_data(boot.bp, boot.runtime);
	CHECK(strstr(trace, "scratch 0x1000000-0x1100000\n") &&
	      !strstr(trace, "scratch 0x1200000"), "%s", trace);
	/*
	 * The handover has no scratch areas, so KASLR must not draw a physical
	 * address. The stub tells KASLR this by a scratch area of one byte, in
	 * which no payload fits.
	 */
	new_handover(0)->fdt_size = 0;
	boot = placed_boot();
	map_setup_data(boot.bp, boot.runtime);
	CHECK(strstr(trace, "scratch 0x0-0x1\n") && !strstr(trace, "0x1000000"),
	      "%s", trace);
	/*
	 * The same data in a node of another type is not a kexec handover. The
	 * stub must not tell KASLR any scratch area.
	 */
	new_handover(2);
	boot = placed_boot();
	((struct setup_data *)(machine + AT_NODES))->type = 9;
	map_setup_data(boot.bp, boot.runtime);
	CHECK(!strstr(trace, "scratch"), "%s", trace);
}

static struct boot handed_over;

static void map_handed_over(void)
{
	map_setup_data(handed_over.bp, handed_over.runtime);
}

/*
 * The loader chooses the bytes of setup_data. The stub must leave none of them on its
 * stack, where the hypervisor could make them a return address: see not_on_stack in
 * types.h. The case looks for 16 bytes of the node's header, of its data, and of the
 * scratch areas. Each structure that the stub reads has at least 16 bytes.
 */
TEST(setup_data_not_on_stack)
{
	static const u32 types[] = { 10, 8, INDIRECT };
	const char *node = (const char *)machine + AT_NODES;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		new_handover(2);
		((struct setup_data *)(machine + AT_NODES))->type = types[i];
		handed_over = placed_boot();
		CHECK(!leaves_on_stack(map_handed_over, node, 16), "type %u: header", types[i]);
		CHECK(!leaves_on_stack(map_handed_over, node + 16, 16), "type %u: data", types[i]);
		CHECK(!leaves_on_stack(map_handed_over, node + 0x100, 16), "type %u: area",
		      types[i]);
	}
}

TEST(setup_data_handover_bad)
{
	static const struct {
		u64 addr, size;
	} bad[] = {
		{ 0xfee00000, 0x1000 },		/* not memory */
		{ 0x20000, ~0UL },		/* wraps around */
		{ AT_RUNTIME - 0x10, 0x20 },	/* in the payload's memory */
	};
	struct kho_node *kho;
	struct boot boot;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		kho = new_handover(2);
		boot = placed_boot();
		kho->fdt_addr = i ? m(bad[i].addr) : bad[i].addr;
		kho->fdt_size = bad[i].size;
		setup_data_refused(&boot);
		kho = new_handover(2);
		boot = placed_boot();
		kho->scratch_addr = i ? m(bad[i].addr) : bad[i].addr;
		kho->scratch_size = bad[i].size & ~15UL;
		setup_data_refused(&boot);
	}
	kho = new_handover(512);
	boot = placed_boot();
	map_setup_data(boot.bp, boot.runtime);
	kho = new_handover(512);
	kho->scratch_size++;
	setup_data_refused(&boot);
	CHECK(strstr(harness_error_detail, "more than 512 scratch areas"), "%s",
	      harness_error_detail);
	new_handover(2);
	((struct setup_data *)(machine + AT_NODES))->len = 31;
	setup_data_refused(&boot);
	CHECK(strstr(harness_error_detail, "handover of 31 bytes, must be 32"),
	      "%s", harness_error_detail);
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
	/*
	 * In an SEV-ES guest map_vga() must not map VGA memory, because the GHCB page must
	 * stay the only shared page.
	 */
	trace[0] = '\0';
	fake.sev_es = true;
	map_vga();
	CHECK(!strcmp(trace, "vga\n"), "SEV-ES: %s", trace);
}

/*
 * unmap_vga() unmaps VGA memory before the payload gets the page tables. The
 * console must stop writing to VGA memory first.
 */
TEST(vga_unmapped)
{
	fresh_machine();
	unmap_vga();
	CHECK(!strcmp(trace, "no vga\nremove devices\n"), "%s", trace);
}

/*
 * If e820_table has no free entry, more entries may follow in setup_data. The
 * page-fault handler looks for RAM in these entries, so map_loaded() must map
 * the setup_data nodes before the first page fault.
 */
TEST(setup_data_of_a_full_table)
{
	const struct cpu cpu = { .nx = true };
	struct boot boot;
	char expected[80];

	fresh_machine();
	boot = placed_boot();
	new_node(AT_NODES, 0, 0x100);
	fake.bp.hdr.setup_data = m(AT_NODES);
	snprintf(expected, sizeof(expected), "map 0x%lx-0x%lx rw", m(AT_NODES),
		 m(AT_NODES) + 0x110);
	build_map(&boot, &cpu);
	map_loaded(boot.bp, &boot.cmdline);
	CHECK(!strstr(trace, expected), "too early: %s", trace);
	while (fake.bp.e820_entries < E820_MAX_ENTRIES_ZEROPAGE)
		add_e820(0, 0, 2);
	map_loaded(boot.bp, &boot.cmdline);
	CHECK(strstr(trace, expected), "too late: %s", trace);
}
