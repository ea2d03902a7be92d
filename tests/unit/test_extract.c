/* SPDX-License-Identifier: MIT */
/*
 * test_extract.c - misc.c from the moved copy on: extract_kernel() and its
 * steps, on images that the build never made. What it maps is test_boot_map.c's.
 */
#include "misc_machine.h"

/* ---- read_payload_header() ---- */

static void header_refused(const char *what)
{
	struct boot boot = new_boot();

	EXPECT_ERROR(read_payload_header(&boot), what);
}

TEST(header_good)
{
	struct boot boot;

	fresh_machine();
	boot = new_boot();
	read_payload_header(&boot);
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
	read_payload_header(&boot);
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
	const size_t comp_size = AT_COMP_END - AT_PAYLOAD - 0x70;
	static const size_t damaged[] = { 0x70, 0x71, 0x1000,
					  AT_COMP_END - AT_PAYLOAD - 1 };
	char expected[200];
	struct boot boot;
	size_t i;

	fresh_machine();
	boot = placed_boot();
	decompress(&boot);
	snprintf(expected, sizeof(expected),
		 "digest of %zu bytes at 0x%lx\nunzstd 0x%lx+0x%lx from 0x%lx+0x%zx\n",
		 comp_size, m(AT_PAYLOAD + 0x70), m(AT_RUNTIME), OUT_SIZE,
		 m(AT_PAYLOAD + 0x70), comp_size);
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
	CHECK(all_bytes(end, end + 0x100, 0xa5), "bytes behind");
}

/* Linux clears its own, and must not find the relocations there. */
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

	/* behind the payload's memory they are in nobody's way */
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
	      "cleared behind the payload's memory");
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
		"la57\n", "efer 0xd00", "map init", "guard 0x0", "map load",
		"stage 2", "la57 switch",
		"info sevstub: 327680 bytes of payload", "digest", "unzstd",
		"relocate", "info sevstub: entering the payload", "teardown", NULL,
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
	CHECK(strstr(trace, "info sevstub: 64-bit entry"), "%s", trace);
	CHECK(!strstr(trace, "console"), "a second time: %s", trace);
	CHECK(fake.bp.hdr.cmd_line_ptr == (u32)m(AT_CMDLINE) &&
	      fake.bp.ext_cmd_line_ptr == m(AT_CMDLINE) >> 32,
	      "the loader's command line is gone");
}

TEST(extract_with_everything)
{
	static const char *const steps[] = {
		"map load", "stage 2", "map 0x", "device", "vga", "bmi2",
		"digest", "unzstd", "3 NMIs", "no vga", "remove", "teardown",
		NULL,
	};

	fresh_machine();
	fake.cpuid_ext.edx = 0;
	fake.cpuid_7.ebx = 1 << 3 | 1 << 8;
	fake.cpuid_ext.ecx = 1 << 5;
	fake.vga = true;
	nmi_count = 3;
	new_node(AT_NODES, 0, 8);
	fake.bp.hdr.setup_data = m(AT_NODES);
	extract_kernel(&fake.bp);
	nmi_count = 0;
	check_order(steps);
	CHECK(!strstr(trace, "efer"), "NX is on, and there is none: %s", trace);
}

/* A screen that was never mapped is not taken out of the map. */
TEST(vga_not_mapped)
{
	fresh_machine();
	fake.vga = true;
	fake.map_fails = "device";
	fake.map_error = -ENOMEM;
	extract_kernel(&fake.bp);
	CHECK(strstr(trace, "device") && !strstr(trace, "remove"), "%s", trace);
}

/* ---- randomise() ---- */

/* Everything that is in use is named before a place is drawn. */
TEST(kaslr)
{
	char expected[600];
	struct boot boot;

	fresh_machine();
	fake.kaslr = true;
	fake.phys = 0x12300000;
	fake.virt = 0xffffffff87600000;
	boot = placed_boot();
	boot.la57 = 0x7000;
	randomise(&boot);
	snprintf(expected, sizeof(expected),
		 "seed\ntaken 0x%lx-0x%lx\ntaken 0x%lx-0x%lx\n"
		 "taken 0x%lx-0x%lx\ntaken 0x%lx-0x%lx\n"
		 "taken 0x7000-0x9000\nname immovable\nname free\n"
		 "draw physical\ndraw virtual for 0x%lx bytes\n"
		 "forget seeds\n",
		 m(AT_HEAD), m(AT_END), (u64)&fake.bp, (u64)&fake.bp + 4096,
		 m(AT_CMDLINE), m(AT_CMDLINE) + strlen("from the loader") + 1,
		 m(AT_INITRD), m(AT_INITRD) + 0x1234, MEM_SIZE);
	CHECK(!strcmp(trace, expected), "%s", trace);
	CHECK((u64)boot.out == fake.phys && boot.virt == fake.virt,
	      "%p, 0x%lx", (void *)boot.out, boot.virt);
	CHECK(fake.want.size == MEM_SIZE && fake.want.align == 0x1000 &&
	      fake.want.low == m(AT_RUNTIME) && fake.want.high == 1UL << 46,
	      "0x%lx 0x%lx 0x%lx 0x%lx", fake.want.size, fake.want.align,
	      fake.want.low, fake.want.high);
	CHECK(fake.bp.hdr.loadflags & KASLR_FLAG, "nobody is told");
}

/* Whether the console says where the payload is. */
static bool tells_place(bool sev_es, u64 phys, u64 virt)
{
	char at[40], entry[40];

	fresh_machine();
	fake.sev_es = sev_es;
	fake.kaslr = phys || virt;
	fake.phys = phys;
	fake.virt = virt;
	extract_kernel(&fake.bp);
	CHECK(strstr(trace, "info sevstub: 327680 bytes of payload") &&
	      strstr(trace, "info sevstub: entering the payload"), "%s", trace);
	snprintf(at, sizeof(at), "payload at 0x%lx,", m(AT_RUNTIME));
	snprintf(entry, sizeof(entry), "payload at 0x%lx\n",
		 m(AT_RUNTIME + ENTRY_OFFSET));
	CHECK(!strstr(trace, at) == !strstr(trace, entry), "%s", trace);
	return strstr(trace, at);
}

/* Not to the host, in whose hands an SEV-ES guest's console is. */
TEST(kaslr_is_not_told)
{
	const u64 virt = 0xffffffff87600000;

	CHECK(!tells_place(true, m(AT_RUNTIME), 0), "what was drawn");
	CHECK(!tells_place(true, m(AT_RUNTIME), virt), "what was drawn");
	CHECK(!tells_place(true, 0, virt), "what was drawn");
	CHECK(tells_place(true, 0, 0), "nothing was drawn");
	CHECK(tells_place(false, m(AT_RUNTIME), virt), "there is no such host");
}

/* The C-bit is no part of an address. */
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
	      !(fake.bp.hdr.loadflags & KASLR_FLAG), "it is done all the same");
}

/* There is no other place, and nothing was drawn: it stays, and says so. */
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

/* Firmware has been asked for a place; it is as good as any. */
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

/* In the story: behind all that names areas, in front of all that uses it. */
TEST(extract_at_random)
{
	static const char *const steps[] = {
		"map load", "stage 2", "taken 0x", "taken 0x", "taken 0x",
		"taken 0x", "taken 0x", "draw physical", "draw virtual",
		"forget seeds", " rwx", "unzstd", NULL,
	};
	u64 entry;

	fresh_machine();
	fake.kaslr = true;
	fake.phys = m(0x200000);
	new_node(AT_NODES, 0, 8);
	fake.bp.hdr.setup_data = m(AT_NODES);
	entry = extract_kernel(&fake.bp);
	check_order(steps);
	CHECK(entry == m(0x200000 + ENTRY_OFFSET), "0x%lx", entry);
	CHECK(all_bytes(0x200000, 0x200000 + OUT_SIZE, DECOMPRESSED) &&
	      all_bytes(0x200000 + OUT_SIZE, 0x200000 + MEM_SIZE, 0),
	      "it is not there");
}

/* In an SEV-ES guest: the GHCB between stage 2 and the first port. */
TEST(extract_in_sev_es)
{
	static const char *const steps[] = {
		"la57 possible", "map init", "map 0x", "map load",
		"stage 2", "la57 switch", "ghcb", "console", "bmi2",
		"unzstd", "info sevstub: entering", "sev shutdown", "teardown",
		NULL,
	};

	fresh_machine();
	fake.sev_es = true;
	fake.enc_mask = 1UL << 51;
	header_in_image()->flags |= PAYLOAD_LA57;
	seal_payload();
	extract_kernel(&fake.bp);
	check_order(steps);
	CHECK(fake.config.enc_mask == 1UL << 51, "0x%lx", fake.config.enc_mask);
}

/* Where it lies and is linked, with its table still there, which is gone later. */
TEST(extract_relocates)
{
	const u64 end = AT_RUNTIME + OUT_SIZE;
	char expected[100];

	fresh_machine();
	header_in_image()->flags |= PAYLOAD_LINUX | PAYLOAD_KASLR;
	header_in_image()->reloc_size = 0x800;
	seal_payload();
	extract_kernel(&fake.bp);
	snprintf(expected, sizeof(expected), "relocate 0x%lx to 0x%lx, 0x%lx\n",
		 m(AT_RUNTIME), m(AT_RUNTIME), VIRT_ADDR);
	CHECK(strstr(trace, expected), "no %s: %s", expected, trace);
	CHECK(all_bytes(end, end + 0x800, 0), "relocations are left over");
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
	machine[AT_OVERRUN + PAGE_SIZE - 1] = 1;
	extraction_refused("stack");
	CHECK(strstr(trace, "map load") && !strstr(trace, "idt"),
	      "not between the map and the next IDT: %s", trace);
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
