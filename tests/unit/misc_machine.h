/* SPDX-License-Identifier: MIT */
/*
 * misc_machine.h - a fake machine for the tests of misc.c and loaded.c: test_misc.c,
 * test_boot_map.c, test_misc_efi.c, test_extract.c and, through extract.h,
 * test_images.c and fuzzers.
 *
 * The array machine[] stands for the machine's RAM. The stub's image lies in it.
 * This header includes the real loaded.c, lib/e820.c and lib/cmdline.c. The functions of
 * the stub's other files are fakes, which append a line to @trace for each
 * call. A case calls fresh_machine(), changes @fake, @layout or the payload
 * header, calls functions of misc.c, and compares @trace.
 *
 * misc.c's linker symbols become fields of struct layout, so that a case can
 * move parts of the image, even to addresses that have no memory.
 *
 * A program that defines MACHINE_OWN_DECODER includes unzstd.c, unfilter.c and relocate.c
 * itself and gets no fakes of them.
 */
#ifndef MISC_MACHINE_H
#define MISC_MACHINE_H

#include <sanitizer/asan_interface.h>

#define HARNESS_OWN_ERROR
#define HARNESS_CPU
#define OWN_RDMSR
#define OWN_WRMSR
#define OWN_READ_CR3
#define OWN_READ_CR4
#define OWN_HALT_FOREVER
#include "harness.h"

#include "../../lib/e820.c"
#include "sev-snp.h"

/* Sizes in bytes. */
#define KIB		1024UL
#define MIB		(1024 * KIB)
#define MACHINE_SIZE	(4 * MIB)

/* RAM of the fake machine. Its address is the guest-physical address. */
static u8 machine[MACHINE_SIZE] __attribute__((aligned(2 * MIB)));

/*
 * Addresses of the parts of the stub's image, which are linker symbols in the
 * stub. @head is the image's first byte, @comp_end the end of the compressed
 * payload, @last the end of the image, @builtin the built-in command line.
 */
static struct layout {
	u8 *head, *payload, *comp_end;
	u8 *text, *text_end, *ro, *ro_end, *rw, *rw_end, *last;
	u8 *df_guard, *overrun, *guard, *pool, *pool_end;
	const char *builtin;
} layout;

/*
 * The tests use this variable as the stub's image_info. In the stub the linker script gives
 * image_info its value. Here fresh_loader() and the tests set it.
 */
static struct image_info info_in_image;

/*
 * In the stub, efi/services.c defines efi_runtime_start: the address that the
 * EFI entry chose for the payload, 0 if EFI firmware did not start the stub.
 */
u64 efi_runtime_start;

/* Stands for the GHCB page. */
static const u8 shared_now[0x1000] __attribute__((aligned(4096)));
/* CR3 until the stub loads its own page tables. */
#define ENTRY_CR3		0x7000UL

#define _image			(layout.head)
#define payload_start		(layout.payload)
#define payload_end		(layout.comp_end)
#define _text			(layout.text)
#define _etext			(layout.text_end)
#define _rodata			(layout.ro)
#define _erodata		(layout.ro_end)
#define _data			(layout.rw)
#define _edata			(layout.rw_end)
#define _end			(layout.last)
#define double_fault_guard	(layout.df_guard)
#define stack_overrun		(layout.overrun)
#define stack_guard		(layout.guard)
#define shared_page		shared_now
#define page_table_pool		(layout.pool)
#define page_table_pool_end	(layout.pool_end)
#define builtin_cmdline		(layout.builtin)
#define image_info		info_in_image
#define cpuid_count		fake_cpuid

static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf);

#include "../../lib/boot_params.c"
#include "../../lib/cmdline.c"
#include "../../lib/error.c"
#include "../../payload/payload-check.c"
#include "../../payload/filter-check.c"
#include "../../payload/unstore.c"
#include "../../loaded.c"
#include "../../misc.c"
#undef image_info	/* also a struct's tag */

/* ---- a record of what misc.c did ---- */

/*
 * @trace has one line for each call of a fake function, in order. @said has the
 * text that the stub printed since the last error.
 */
static char trace[8192];
static char said[1024];

/* Appends a line to @trace. */
static printf_like(1, 2) void did(const char *fmt, ...)
{
	size_t len = strlen(trace);
	va_list args;

	va_start(args, fmt);
	vsnprintf(trace + len, sizeof(trace) - len, fmt, args);
	va_end(args);
	strncat(trace, "\n", sizeof(trace) - strlen(trace) - 1);
}

/* ---- the machine's state, which a case may choose ---- */

/*
 * State of the fake machine. fresh_loader() sets these fields to those of an
 * ordinary machine. Fakes of the stub's functions return them, and set the
 * fields that are marked "written".
 */
static struct {
	struct boot_params bp __attribute__((aligned(4096)));
	u64 cr3, cr4, efer;
	/*
	 * "map load": the fake sev_load_map() does not load the stub's page tables into CR3.
	 * "la57 switch": the fake la57_switch() does not load them. The hypervisor can make the
	 * stub leave these functions early. NULL: both functions load the page tables.
	 */
	const char *left_out;
	/*
	 * true: the fake idt_teardown() makes the GHCB page shared once more. The stub must
	 * then not enter the payload.
	 */
	bool shared_at_the_end;
	struct cpuid_regs cpuid_0, cpuid_7, cpuid_ext;
	/*
	 * Written by the fake console_force(): the stub has called it, so that
	 * its next text is printed even if the user asked for no output.
	 */
	bool forced;
	/*
	 * Written by the fake idt_teardown(): the stub has removed its
	 * exception handlers.
	 */
	bool torn_down;
	bool sev_es;
	/* true: the guest is an SNP guest. A case that sets this must also set @sev_es. */
	bool snp;
	/*
	 * @snp_pages: the ranges that the fake snp_page() returns. The last element is the
	 * calling area, a page for calls of an SVSM. It gets the value @snp_calling_area
	 * when the stub calls snp_find_vmpl(), which finds this page.
	 */
	struct range snp_pages[4], snp_calling_area;
	/*
	 * @not_validated: memory for which the fake snp_is_validated() returns false.
	 * @unaccepted: memory that the fake efi_next_unaccepted() returns, because firmware
	 * has not accepted it.
	 */
	struct range not_validated, unaccepted;
	u64 enc_mask;
	/*
	 * Start of a range for which the fake ident_map_is_private() returns false, as if a
	 * page of it were shared. 1: no range.
	 */
	u64 not_private;
	bool vga;
	/*
	 * Makes one call of the page-table builder fail with @map_error. The
	 * string is the line that the call writes to @trace, or "init" for
	 * ident_map_init() or "device" for ident_map_device(). NULL: all calls
	 * work.
	 */
	const char *map_fails;
	int map_error;
	/*
	 * For the fake ident_map_is_private() the page at @odd_page has the rights
	 * @odd_rights, and all others have those that misc.c asks for.
	 */
	u64 odd_page;
	int odd_rights;
	/*
	 * true: the fake ident_map_make_executable() returns false, as if a page in its range
	 * did not belong to the payload. The stub must then end the boot.
	 */
	bool odd_at_the_end;
	bool lose_nxe;		/* true: the stub's write of EFER has no effect */
	/*
	 * true: the fake unfilter() reports that the hypervisor has changed the
	 * list of filters in memory.
	 */
	bool filters_changed;
	/* Result of the fake payload_decode(). */
	int unzstd_result;
	unsigned int nmis;
	bool kaslr;			/* answer of the fake kaslr_wanted() */
	/*
	 * Physical and virtual address that the fake kaslr.c chooses for the
	 * payload. 0: it finds no address, and the payload keeps its default
	 * address.
	 */
	u64 phys, virt;
	/*
	 * Written by the fake kaslr_physical(): the request that misc.c passed
	 * to it.
	 */
	struct kaslr_slots want;
	u64 la57;			/* answer of the fake la57_prepare() */
	/*
	 * Where firmware's memory map lies, and the memory that it lists. Both
	 * are empty if EFI firmware did not start the stub.
	 */
	struct range efi_map, efi_memory;
	/*
	 * Written by the fake ident_map_init(): the argument that misc.c passed
	 * to it.
	 */
	struct ident_map_config config;
} fake;

/* ---- the processor ---- */

/*
 * The CPUID instruction. It returns registers from @fake. misc.c must not
 * execute it in an SEV-ES guest, because each CPUID would exit to the
 * hypervisor.
 */
static struct cpuid_regs fake_cpuid(u32 leaf, u32 subleaf)
{
	CHECK(!fake.sev_es, "CPUID 0x%x would be an exit", leaf);
	CHECK(!subleaf, "leaf 0x%x, subleaf 0x%x", leaf, subleaf);
	switch (leaf) {
	case 0:
		return fake.cpuid_0;
	case 7:
		CHECK(fake.cpuid_0.eax >= 7, "leaf 7 of %u", fake.cpuid_0.eax);
		return fake.cpuid_7;
	case 0x80000001:
		return fake.cpuid_ext;
	}
	CHECK(false, "leaf 0x%x", leaf);
	abort();
}

u64 rdmsr(u32 msr)
{
	CHECK(msr == MSR_EFER, "0x%x", msr);
	return fake.efer;
}

void wrmsr(u32 msr, u64 value)
{
	CHECK(msr == MSR_EFER, "0x%x", msr);
	did("efer 0x%lx", value);
	if (!fake.lose_nxe)
		fake.efer = value;
}

u64 read_cr3(void)
{
	return fake.cr3;
}

u64 read_cr4(void)
{
	return fake.cr4;
}

/*
 * Loads the stub's own page tables into CR3, for the step @step. If fake.left_out names this step,
 * CR3 stays what the loader has left: the hypervisor has put an old return address back, so that
 * the stub has returned before it has loaded CR3.
 */
static void load_own_map(const char *step)
{
	if (fake.left_out && !strcmp(fake.left_out, step))
		fake.cr3 = ENTRY_CR3;
	else
		fake.cr3 = fake.enc_mask |
			   ((u64)page_table_pool + (fake.cr4 & X86_CR4_LA57 ? 0 : PAGE_SIZE));
}

/*
 * error() of lib/error.c calls this last, after it has printed "sevstub: TITLE:
 * DETAIL\n". Title and detail become harness_error_what and
 * harness_error_detail, for EXPECT_ERROR().
 */
noreturn void halt_forever(void)
{
	static const char prefix[] = "sevstub: ";
	char *colon, *end;

	if (harness.expecting != TEST_ERROR)
		harness_fail("error()", 0, "unexpected", "%.*s",
			     (int)strcspn(said, "\n"), said);
	harness.expecting = 0;
	CHECK(fake.forced, "the error is silent: %s", said);
	CHECK(!strncmp(said, prefix, strlen(prefix)), "error is \"%s\"", said);
	colon = strstr(said + strlen(prefix), ": ");
	end = strchr(said, '\n');
	CHECK(colon && end && !end[1] && colon < end, "error is \"%s\"", said);
	*colon = '\0';
	*end = '\0';
	snprintf(harness_error_what, sizeof(harness_error_what), "%.127s",
		 said + strlen(prefix));
	snprintf(harness_error_detail, sizeof(harness_error_detail), "%.511s",
		 colon + 2);
	said[0] = '\0';
	fake.forced = false;
	longjmp(harness.expected, TEST_ERROR);
}

/* ---- fakes of functions of console.c ---- */

void console_init(const struct cmdline *cmdline,
		  const struct screen_info *screen)
{
	CHECK(screen == &fake.bp.screen_info, "another screen");
	did("console \"%.*s\"", (int)cmdline->len, cmdline->text);
}

void console_force(void)
{
	fake.forced = true;
}

/*
 * Written by the fake con_vprint_hidden(): the stub has called it. The real function prints
 * "?" in place of each number. The hypervisor reads the console of an SEV-ES guest, and the
 * numbers in an error message can be contents of private memory.
 */
static bool numbers_hidden;

void con_vprint_hidden(const char *fmt, va_list args)
{
	numbers_hidden = true;
	con_vprintf(fmt, args);
}

void con_vprintf(const char *fmt, va_list args)
{
	size_t len = strlen(said);

	CHECK(!fake.torn_down, "output after idt_teardown(): %s", fmt);
	vsnprintf(said + len, sizeof(said) - len, fmt, args);
}

void con_print(const char *text)
{
	size_t len = strlen(said);

	CHECK(!fake.torn_down, "output after idt_teardown(): %s", text);
	snprintf(said + len, sizeof(said) - len, "%s", text);
}

/*
 * true: info() has called info_wanted(), so the next con_print_numbers() belongs to info(),
 * and its text goes to @trace. false: it belongs to con_printf(), and its text goes to
 * @said.
 */
static bool informs;
/* true: info_wanted() returns false, as if no option asked for the lines of info(). */
static bool silent;

bool info_wanted(void)
{
	informs = !silent;
	return !silent;
}

void con_print_numbers(const char *fmt, u64 a, u64 b, u64 c, u64 d)
{
	size_t len = strlen(said);
	char text[200];

	CHECK(!fake.torn_down, "output after idt_teardown(): %s", fmt);
	if (!informs) {
		snprintf(said + len, sizeof(said) - len, fmt, a, b, c, d);
		return;
	}
	informs = false;
	snprintf(text, sizeof(text), fmt, a, b, c, d);
	text[strcspn(text, "\n")] = '\0';
	did("info %s", text);
}

bool console_vga_range(u64 *start, u64 *end)
{
	*start = 0xb8000;
	*end = 0xc0000;
	return fake.vga;
}

void console_vga_enable(void)
{
	did("vga");
}

void console_vga_disable(void)
{
	did("no vga");
}

/* ---- fakes of functions of ident_map_64.c ---- */

/*
 * Returns the result of an ident_map_*() call: an error if fake.map_fails names
 * the call's line in @trace, which is @call.
 */
static int map_result(const char *call)
{
	return fake.map_fails && !strcmp(fake.map_fails, call) ?
	       fake.map_error : 0;
}

int ident_map_init(const struct ident_map_config *config)
{
	fake.config = *config;
	did("map init");
	return map_result("init");
}

/*
 * ident_map_range(): makes memory accessible again that hide() has poisoned, as
 * mapping makes it accessible in the stub.
 */
int ident_map_range(u64 start, u64 end, unsigned int prot)
{
	char call[80];

	snprintf(call, sizeof(call), "map 0x%lx-0x%lx %s%s", start, end,
		 prot & MAP_WRITE ? "rw" : "ro",
		 prot & MAP_EXEC ? "x" : prot & MAP_PAYLOAD ? " payload" : "");
	did("%s", call);
	if (start >= (u64)machine && end <= (u64)machine + MACHINE_SIZE)
		ASAN_UNPOISON_MEMORY_REGION((void *)start, end - start);
	return map_result(call);
}

/*
 * Makes memory of the machine inaccessible until ident_map_range() maps it, as
 * in the stub after it has loaded its own page tables. ASan then reports an
 * access before the memory is mapped.
 */
static maybe_unused void hide(const void *start, size_t size)
{
	ASAN_POISON_MEMORY_REGION(start, size);
}

/*
 * The fake ident_map_is_private(). A range that contains fake.odd_page has the rights
 * fake.odd_rights, and the result tells whether these are @prot. For other ranges the
 * result is false only if the range begins at fake.not_private.
 */
bool ident_map_is_private(u64 start, u64 end, int prot)
{
	CHECK(start <= end, "0x%lx-0x%lx", start, end);
	if (fake.odd_page >= start && fake.odd_page < end)
		return fake.odd_rights == prot;
	return start != fake.not_private;
}

bool ident_map_make_executable(u64 start, u64 end)
{
	did("executable 0x%lx-0x%lx", start, end);
	return !fake.odd_at_the_end;
}

int ident_map_guard(u64 addr)
{
	char call[80];

	snprintf(call, sizeof(call), "guard 0x%lx", addr);
	did("%s", call);
	return map_result(call);
}

int ident_map_device(u64 addr, u64 size)
{
	did("device 0x%lx+0x%lx", addr, size);
	return map_result("device");
}

void ident_map_remove_devices(void)
{
	did("remove devices");
}

/* ---- fakes of functions of idt_64.c ---- */

void idt_load_stage2(void)
{
	did("stage 2");
}

void idt_teardown(void)
{
	did("teardown");
	fake.torn_down = true;
	if (fake.shared_at_the_end)
		fake.not_private = (u64)shared_now;
}

u32 nmi_count;

/* ---- fakes of functions of la57.c ---- */

u64 la57_prepare(const struct boot_params *bp, const struct cmdline *cmdline,
		 bool payload_can)
{
	CHECK(bp == &fake.bp && cmdline->text, "another zero page");
	did("la57%s", payload_can ? " possible" : "");
	return fake.la57;
}

void la57_switch(void)
{
	did("la57 switch");
	load_own_map("la57 switch");
}

/* ---- fakes of functions of sev-es.c ---- */

void sev_detect(void)
{
	did("sev detect");
}

bool sev_active(void)
{
	return fake.enc_mask;
}

bool sev_es_active(void)
{
	return fake.sev_es;
}

bool sev_snp_active(void)
{
	return fake.snp;
}

u64 sev_enc_mask(void)
{
	return fake.enc_mask;
}

void sev_load_map(void)
{
	did("map load");
	load_own_map("map load");
}

void sev_es_setup_ghcb(const struct boot_params *bp)
{
	CHECK(bp == &fake.bp, "another zero page");
	did("ghcb");
}

void sev_es_shutdown(void)
{
	did("sev shutdown");
}

void call_on_fresh_stack(void (*function)(const struct boot *boot), const struct boot *boot)
{
	function(boot);
}

void sev_es_last_words(void)
{
}

noreturn void terminate(unsigned int reason)
{
	harness_error_reason = reason;
	if (fake.sev_es)
		did("terminate %u", reason);
	/*
	 * Was terminate() called without error()? error() prints a message first, and the stub
	 * does not call error() after idt_teardown(). Without error() there is no title.
	 */
	if ((fake.torn_down || !said[0]) && harness.expecting == TEST_ERROR) {
		harness.expecting = 0;
		harness_error_what[0] = '\0';
		longjmp(harness.expected, TEST_ERROR);
	}
	halt_forever();
}

/* ---- fakes of sev-snp.c ---- */

u64 snp_efi_blob;

void snp_start(const struct boot_params *bp)
{
	CHECK(bp == &fake.bp, "another zero page");
	did("snp start");
}

void snp_keep_cpuid(void)
{
	did("snp keep cpuid");
}

bool snp_page(unsigned int i, const char **what, struct range *range)
{
	static const char *const names[] = {
		"SNP blob", "CPUID page", "secrets page", "calling area",
	};

	if (i >= ARRAY_SIZE(names))
		return false;
	*what = names[i];
	*range = fake.snp_pages[i];
	return true;
}

bool snp_is_validated(struct range range)
{
	return range.start >= fake.not_validated.end ||
	       range.end <= fake.not_validated.start;
}

void snp_find_vmpl(void)
{
	did("snp vmpl");
	fake.snp_pages[SNP_CALLING_AREA] = fake.snp_calling_area;
}

void snp_share_ghcb(void)
{
	did("snp share");
}

void snp_take_ghcb(void)
{
	did("snp take");
}

void snp_check_features(void)
{
	did("snp features");
}

void snp_accept(struct range range)
{
	did("accept 0x%lx-0x%lx", range.start, range.end);
}

void snp_accept_end(void)
{
	did("accept end");
}

void snp_accept_ram(const struct boot_params *bp)
{
	CHECK(bp == &fake.bp, "another zero page");
	did("accept ram");
}

void snp_hand_over(struct boot_params *bp)
{
	CHECK(bp == &fake.bp, "another zero page");
	did("snp hand over");
}

/* ---- fakes of functions of srat.c and efi/memory.c ---- */

bool efi_next_unaccepted(const struct boot_params *bp, u64 from, struct range *found)
{
	CHECK(bp == &fake.bp, "another zero page");
	*found = fake.unaccepted;
	return from < fake.unaccepted.end;
}

void srat_name_immovable(const struct boot_params *bp,
			 const struct cmdline *cmdline)
{
	CHECK(bp == &fake.bp && cmdline->len, "something else");
	did("name immovable");
}

struct range efi_map_range(const struct boot_params *bp)
{
	CHECK(bp == &fake.bp, "another zero page");
	return fake.efi_map;
}

bool efi_may_hold(const struct boot_params *bp, u64 start, u64 end)
{
	CHECK(bp == &fake.bp, "another zero page");
	return start < end && start >= fake.efi_memory.start &&
	       end <= fake.efi_memory.end;
}

void efi_name_free_memory(const struct boot_params *bp)
{
	CHECK(bp == &fake.bp, "another zero page");
	did("name free");
}

/* ---- fakes of functions of kaslr.c ---- */

bool kaslr_wanted(const struct cmdline *cmdline)
{
	CHECK(cmdline->len, "no command line");
	return fake.kaslr;
}

void kaslr_seed(const void *data, size_t len)
{
	CHECK(data == &fake.bp && len == sizeof(fake.bp), "%zu bytes", len);
	did("seed");
}

void kaslr_area(enum kaslr_area kind, u64 start, u64 end)
{
	CHECK(kind == KASLR_TAKEN || kind == KASLR_SCRATCH, "kind %u", kind);
	did("%s 0x%lx-0x%lx", kind == KASLR_TAKEN ? "taken" : "scratch", start,
	    end);
}

bool kaslr_physical(const struct boot_params *bp, const struct cmdline *cmdline,
		    const struct kaslr_slots *want, u64 *addr)
{
	CHECK(bp == &fake.bp && cmdline->len,
	      "another zero page, or no command line");
	did("draw physical");
	fake.want = *want;
	if (fake.phys)
		*addr = fake.phys;
	return fake.phys;
}

u64 kaslr_virtual(const struct payload_header *p, u64 size)
{
	did("draw virtual for 0x%lx bytes", size);
	return fake.virt ? fake.virt : p->virt_addr;
}

bool kaslr_finish(void)
{
	did("forget seeds");
	return fake.phys || fake.virt;
}

#ifndef MACHINE_OWN_DECODER

/* ---- fakes of functions of unzstd.c ---- */

/*
 * A fake of XXH64: a 64-bit FNV hash. The digest depends on every byte and on
 * the length, so that a test sees a digest of too few bytes.
 */
u64 xxh64(const void *data, size_t len)
{
	const u8 *p = data;
	u64 x = 0xcbf29ce484222325 ^ len;
	size_t i;

	for (i = 0; i < len; i++)
		x = (x ^ p[i]) * 0x100000001b3;
	did("digest of %zu bytes at 0x%lx", len, (u64)data);
	return x;
}

void unzstd_use_bmi2(void)
{
	did("bmi2");
}

/* payload_decode() fills its output with this byte instead of decoding. */
#define DECOMPRESSED	0xd5

int payload_decode(void *out, size_t out_size, const void *in, size_t in_size)
{
	did("unzstd 0x%lx+0x%lx from 0x%lx+0x%lx", (u64)out, out_size,
	    (u64)in, in_size);
	memset(out, DECOMPRESSED, out_size);
	return fake.unzstd_result;
}

/* ---- fakes of functions of unfilter.c and relocate.c ---- */

bool unfilter(u8 *image, const struct payload_header *p)
{
	CHECK(*image == DECOMPRESSED, "unfiltered before it was decoded");
	did("unfilter 0x%lx+0x%lx", (u64)image, p->file_size);
	return !fake.filters_changed;
}

void relocate(u8 *out, const struct payload_header *p, u64 phys_addr,
	      u64 virt_addr)
{
	CHECK(*out == DECOMPRESSED, "relocated before it was decoded");
	CHECK(!p->reloc_size || out[p->file_size] == DECOMPRESSED,
	      "the relocations are gone");
	did("relocate 0x%lx to 0x%lx, 0x%lx", (u64)out, phys_addr, virt_addr);
}

#endif /* MACHINE_OWN_DECODER */

/* ---- an ordinary boot ---- */

/*
 * Offsets in the machine's RAM for an ordinary boot. The payload will run from
 * AT_RUNTIME to AT_END. The stub's image, from AT_HEAD on, is at the end of
 * that memory, where the stub has moved it.
 */
#define AT_NODES	0x008000	/* setup_data nodes */
#define AT_CMDLINE	0x010000
#define AT_INITRD	0x020000
#define AT_RUNTIME	0x100000
#define AT_HEAD		0x160000
#define AT_PAYLOAD	0x161000
#define AT_COMP_END	0x16ff00
#define AT_TEXT		0x170000
#define AT_RODATA	0x174000
#define AT_DATA		0x178000
#define AT_DATA_END	0x179000
#define AT_DF_GUARD	0x179000
#define AT_OVERRUN	0x17a000
#define AT_GUARD	0x17b000
#define AT_POOL		0x180000
#define AT_END		0x190000

/* Values of the payload header, in bytes, and the longest command line. */
#define OUT_SIZE	0x50000UL
#define MEM_SIZE	0x60000UL
#define MARGIN		0x8000UL
#define ENTRY_OFFSET	0x1230UL
#define VIRT_ADDR	0xffffffff81000000UL
#define CMDLINE_SIZE	255

/*
 * The payload header in the fake image. A case that changes it then calls
 * seal_payload(), unless it tests digests that do not match.
 */
static maybe_unused struct payload_header *header_in_image(void)
{
	return (struct payload_header *)layout.payload;
}

/*
 * Computes the two digests in the payload header again, so that they match the
 * present bytes of the header and of the payload. Clears the record of the stub's calls,
 * to which the fake xxh64() adds the two calls here.
 */
static maybe_unused void seal_payload(void)
{
	struct payload_header *p = header_in_image();

	p->comp_digest = xxh64(p + 1, p->comp_size);
	p->header_digest = xxh64(p, offsetof(struct payload_header,
					     header_digest));
	trace[0] = '\0';
}

/*
 * Appends an entry to the memory map in the zero page (E820). @addr and @size
 * are in bytes.
 */
static void add_e820(u64 addr, u64 size, u32 type)
{
	fake.bp.e820_table[fake.bp.e820_entries++] =
		(struct boot_e820_entry){ addr, size, type };
}

/*
 * Adds RAM entries for the zero page and for the machine's memory. A case with
 * a memory map of its own calls this, because the stub demands that both are in
 * the map. Their addresses are those of variables of the test.
 */
static maybe_unused void add_ram_of_loader(void)
{
	add_e820((u64)&fake.bp, sizeof(fake.bp), E820_RAM);
	add_e820((u64)machine, MACHINE_SIZE, E820_RAM);
}

/*
 * Sets both halves of the zero page's pointer to the command line. 0: the
 * loader passes no command line.
 */
static void set_cmdline(u64 addr)
{
	fake.bp.hdr.cmd_line_ptr = (u32)addr;
	fake.bp.ext_cmd_line_ptr = (u32)(addr >> 32);
}

/* Sets the zero page's initrd fields. @size in bytes; 0: no initrd. */
static void set_initrd(u64 start, u64 size)
{
	fake.bp.hdr.ramdisk_image = (u32)start;
	fake.bp.ext_ramdisk_image = (u32)(start >> 32);
	fake.bp.hdr.ramdisk_size = (u32)size;
	fake.bp.ext_ramdisk_size = (u32)(size >> 32);
}

/*
 * Resets @fake, @layout, the zero page, and the loader's data, to those of an
 * ordinary boot. Does not change the image's bytes.
 */
static void fresh_loader(void)
{
	u8 *m = machine;

	memset(&fake, 0, sizeof(fake));
	fake.not_private = 1;
	trace[0] = '\0';
	said[0] = '\0';
	efi_runtime_start = 0;

	layout = (struct layout){
		.head = m + AT_HEAD, .payload = m + AT_PAYLOAD,
		.comp_end = m + AT_COMP_END,
		.text = m + AT_TEXT, .text_end = m + AT_RODATA - 8,
		.ro = m + AT_RODATA, .ro_end = m + AT_DATA - 8,
		.rw = m + AT_DATA, .rw_end = m + AT_DATA_END,
		.df_guard = m + AT_DF_GUARD, .overrun = m + AT_OVERRUN,
		.guard = m + AT_GUARD,
		.pool = m + AT_POOL, .pool_end = m + AT_END - 0x6000,
		.last = m + AT_END,
		.builtin = (const char *)m + AT_RODATA + 0x100,
	};
	info_in_image = (struct image_info){
		.pref_address = (u64)m + AT_RUNTIME, .align = 0x1000,
		.init_size = AT_END - AT_RUNTIME, .relocatable = 1,
		.addr_max = PAYLOAD_ADDR_MAX, .cmdline_size = CMDLINE_SIZE,
	};
	strcpy((char *)m + AT_RODATA + 0x100, "built in");
	strcpy((char *)m + AT_CMDLINE, "from the loader");
	set_cmdline((u64)m + AT_CMDLINE);
	set_initrd((u64)m + AT_INITRD, 0x1234);
	add_e820((u64)m, MACHINE_SIZE, E820_RAM);
	fake.efer = EFER_LME | EFER_LMA;
	fake.cpuid_0.eax = 7;
	fake.cpuid_ext.edx = 1U << CPUID_EXT_EDX_NX_BIT;
}

/*
 * Resets all of the fake machine to that of an ordinary boot. Each case calls
 * this first. RAM is filled with 0xa5, and the payload's digests match.
 */
static maybe_unused void fresh_machine(void)
{
	u8 *m = machine;
	size_t i;

	ASAN_UNPOISON_MEMORY_REGION(machine, sizeof(machine));
	memset(machine, 0xa5, sizeof(machine));
	memset(machine + AT_OVERRUN, 0, PAGE_SIZE);
	fresh_loader();
	for (i = AT_PAYLOAD; i < AT_COMP_END; i++)
		m[i] = (u8)(i * 7);
	*header_in_image() = (struct payload_header){
		.magic = PAYLOAD_MAGIC, .version = PAYLOAD_VERSION,
		.flags = PAYLOAD_RELOCATABLE,
		.link_addr = (u64)m + AT_RUNTIME, .align = 0x1000,
		.entry_offset = ENTRY_OFFSET, .file_size = OUT_SIZE,
		.mem_size = MEM_SIZE, .margin = MARGIN,
		.virt_addr = VIRT_ADDR,
		.comp_size = AT_COMP_END - AT_PAYLOAD -
			     sizeof(struct payload_header),
	};
	seal_payload();
}

/* ---- parts of a boot ---- */

/* The address of the byte at @offset in the machine's RAM. */
static maybe_unused u64 m(u64 offset)
{
	return (u64)machine + offset;
}

/* Fails the case unless place_image() reports an error whose title is @what. */
static maybe_unused void expect_refusal(const char *what)
{
	unsigned int reason = SEVSTUB_TERM_HANDED_OVER;

	if (!strcmp(what, "not enough room"))
		reason = SEVSTUB_TERM_NO_ROOM;
	if (!strcmp(what, "load address"))
		reason = SEVSTUB_TERM_LOAD_ADDRESS;
	EXPECT_ERROR(place_image(&fake.bp), what);
	CHECK(harness_error_reason == reason, "%s: reason %u", what,
	      harness_error_reason);
}

/*
 * Returns a struct boot with what extract_kernel() knows at its start: zero page
 * and command line.
 */
static maybe_unused struct boot new_boot(void)
{
	struct boot boot = { .bp = &fake.bp };

	boot.cmdline = find_cmdline(&fake.bp);
	return boot;
}

/*
 * Returns a struct boot after extract_kernel()'s first two steps, which read the
 * payload header and find an address for the payload. Clears @trace.
 */
static maybe_unused struct boot placed_boot(void)
{
	struct boot boot = new_boot();

	read_payload_header(&boot);
	place_payload(&boot);
	trace[0] = '\0';
	return boot;
}

/*
 * Writes a setup_data node of type 1 at @offset in the machine's RAM. @next is
 * the address of the next node; 0: this node is the last. @len is the size of
 * the node's data in bytes.
 */
static maybe_unused struct setup_data *new_node(u64 offset, u64 next,
						u32 len)
{
	struct setup_data *node = (void *)(machine + offset);

	*node = (struct setup_data){ .next = next, .type = 1, .len = len };
	return node;
}

#endif
