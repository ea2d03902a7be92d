/* SPDX-License-Identifier: MIT */
/*
 * misc.c - the boot as a sequence of steps. head_64.S calls place_image(),
 * moves the image to the address that place_image() returns, and calls
 * extract_kernel(). That function calls the other steps in order.
 *
 * Each step checks what the loader and the build handed over before it uses it.
 * place_image() runs where the loader put the image and must not use .bss. All
 * other steps run in the moved image, on its own stack.
 */
#include "boot_params.h"
#include "console.h"
#include "decoders.h"
#include "e820.h"
#include "efi-handoff.h"
#include "error.h"
#include "fresh_stack.h"
#include "ident_map.h"
#include "idt.h"
#include "image.h"
#include "kaslr.h"
#include "la57.h"
#include "lib/string.h"
#include "loaded.h"
#include "misc.h"
#include "payload-check.h"
#include "relocate.h"
#include "setup.h"
#include "sev-es.h"
#include "sev-snp.h"
#include "sev.h"
#include "srat.h"
#include "table_pool.h"
#include "unfilter.h"
#include "x86.h"

/* Processor features that the boot uses; detect_cpu() fills this in. */
struct cpu {
	bool nx;		/* EFER.NXE and the NX bit exist */
	bool pages_1g;		/* 1 GiB pages exist */
	bool bmi2;		/* BMI1, BMI2 and LZCNT all exist */
};

/* What one step of extract_kernel() leaves for later steps. */
struct boot {
	struct boot_params *bp;
	struct cmdline cmdline;
	/*
	 * Copy of the payload's header, which check_payload_header() makes and
	 * checks.
	 */
	struct payload_header payload;
	/* The payload's memory, and the image's unless @by_efi: image_info.init_size bytes. */
	struct range runtime;
	/*
	 * True if the EFI entry has allocated @runtime; the image then lies elsewhere. If
	 * false, the image is at the end of @runtime.
	 */
	bool by_efi;
	/* Physical address that the payload is decompressed to, and runs at. */
	u8 *out;
	/* Bytes that the decoder writes: flat payload and relocation table. */
	u64 out_size;
	/*
	 * Bytes of memory that the payload needs with its .bss, a multiple of
	 * PAGE_SIZE.
	 */
	u64 size;
	/*
	 * Virtual address at which the payload's own page tables will map it.
	 */
	u64 virt;
	/*
	 * Address of LA57_SIZE bytes that la57_switch() uses; 0 if CR4.LA57
	 * stays as it is.
	 */
	u64 la57;
};

/*
 * Returns the range in which payload and image run (boot.rst, "init_size"):
 * init_size bytes from pref_address on. A relocatable payload's range begins at
 * the load address @load, rounded up to the alignment, if that is higher. If
 * @efi_start is not 0, the EFI entry has allocated the range, which begins at @efi_start.
 */
static struct range runtime_range(u64 load, u64 efi_start)
{
	u64 start = image_info.pref_address;
	u64 aligned = ALIGN_UP(load, image_info.align);

	if (efi_start)
		start = efi_start;
	else if (image_info.relocatable && aligned > start)
		start = aligned;
	return (struct range){ start, start + image_info.init_size };
}

/*
 * Ends the boot because not all of @runtime, the memory of payload and image, is
 * RAM. The message has the first address that is not RAM, and the longest entry
 * of RAM in the E820 map.
 */
static noreturn void no_room(const struct boot_params *bp, struct range runtime)
{
	struct range ram = e820_largest_ram(bp);
	u64 low = runtime.start, high = runtime.end;

	if (!e820_ram_around(bp, runtime.start, &low, &high))
		high = runtime.start;
	error_with(SEVSTUB_TERM_NO_ROOM, "not enough room",
		   "the payload needs 0x%lx-0x%lx, and not all of it is RAM: 0x%lx is not; the largest RAM is 0x%lx-0x%lx",
		   runtime.start, runtime.end, high, ram.start, ram.end);
}

/*
 * Ends the boot of an SNP guest unless the memory of payload and image, @runtime, is
 * validated and contains none of the pages that firmware or the loader has made for an
 * SNP guest, such as the CPUID page.
 */
static void check_snp(struct range runtime)
{
	const char *what;
	struct range used;
	unsigned int i;

	for (i = 0; snp_page(i, &what, &used); i++)
		check_not_in(runtime, what, used);
	if (!snp_is_validated(runtime))
		error_with(SEVSTUB_TERM_NO_ROOM, "SNP",
			   "the loader has not validated all of 0x%lx-0x%lx",
			   runtime.start, runtime.end);
}

u64 place_image(struct boot_params *bp)
{
	u64 load = (u64)_image;
	/* Read once: the hypervisor can put an old value back between two reads. */
	u64 efi_start = READ_ONCE(efi_runtime_start);
	struct range runtime = runtime_range(load, efi_start);
	u64 to = runtime.end - (u64)(_end - _image);
	u64 upper = (u64)(_edata - _text);
	struct cmdline cmdline;
	struct range initrd;

	sev_detect();
	if (sev_snp_active()) {
		snp_start(bp);
		check_snp(runtime);
	}
	sanitize_boot_params(bp);
	cmdline = find_cmdline(bp);
	/*
	 * In an SEV-ES guest port I/O needs the GHCB page, so extract_kernel()
	 * starts the console after sev_es_setup_ghcb().
	 */
	if (!sev_es_active())
		console_init(&cmdline, &bp->screen_info);

	if (!e820_is_bounded(bp))
		error_with(SEVSTUB_TERM_HANDED_OVER, "E820",
			   "more than %u entries", E820_MAX_ENTRIES);
	if (!e820_is_ram(bp, runtime.start, runtime.end))
		no_room(bp, runtime);
	/*
	 * An image that EFI firmware loaded stays where it is. startup_64 copies any other
	 * image to @to: first its last @upper bytes, text and data, then the rest. The first
	 * step must not overwrite bytes that are still to be copied, nor the code that copies.
	 * The image must therefore move up by at least @upper bytes, or be loaded above the
	 * runtime range, so that the copy lies below it.
	 */
	if (efi_start)
		to = load;
	else if (to < load + upper && load < runtime.end)
		error_with(SEVSTUB_TERM_LOAD_ADDRESS, "load address",
			   "0x%lx is in the way of the move to 0x%lx", load, to);

	check_loaded(bp, runtime, "zero page", zero_page_range(bp));
	initrd = initrd_range(bp);
	if (initrd.start != initrd.end)
		check_loaded(bp, runtime, "initrd", initrd);
	if (!cmdline_is_builtin(&cmdline))
		check_loaded(bp, runtime, "command line",
			     cmdline_range(&cmdline));
	return to;
}

/*
 * Ends the boot with the message @why if @good is false, because a check of the
 * payload has failed.
 */
static void insist(bool good, const struct refusal *why)
{
	if (!good)
		error_with(SEVSTUB_TERM_IMAGE, why->what, why->detail,
			   why->value[0], why->value[1], why->value[2]);
}

static void read_payload_header(struct boot *boot)
{
	struct refusal why;

	insist(check_payload_header(&boot->payload, &why), &why);
}

/*
 * Decides that the payload goes to the start of the runtime range, and checks
 * that this range is large enough. The stub's code, data and page tables must
 * lie above all of the payload's memory. The compressed bytes may overlap the
 * output, because the decoder reads them while it writes. They must end at
 * least p->margin bytes above the end of the output.
 */
static void place_payload(struct boot *boot)
{
	const struct payload_header *p = &boot->payload;
	/* Read once, as in place_image(). */
	u64 efi_start = READ_ONCE(efi_runtime_start);
	u64 room, margin;

	boot->by_efi = efi_start;
	boot->runtime.start = efi_start ? efi_start :
			      (u64)_end - image_info.init_size;
	boot->runtime.end = boot->runtime.start + image_info.init_size;
	boot->out = (u8 *)boot->runtime.start;
	boot->out_size = p->file_size + p->reloc_size;
	boot->size = ALIGN_UP(p->mem_size > boot->out_size ? p->mem_size :
			      boot->out_size, PAGE_SIZE);
	boot->virt = p->virt_addr;

	if (boot->by_efi) {
		/*
		 * Firmware allocated the init_size bytes for the output apart
		 * from the image. The output can never overwrite compressed
		 * bytes there, so it needs no margin. The check below adds
		 * p->margin to out_size. Add it to the limit as well, so that
		 * the check compares out_size with init_size.
		 */
		room = image_info.init_size;
		margin = room + p->margin;
	} else {
		room = (u64)_text - boot->runtime.start;
		margin = (u64)payload_end - boot->runtime.start;
	}
	if (p->mem_size > room || boot->out_size + p->margin > margin)
		error_with(SEVSTUB_TERM_IMAGE, "not enough room",
			   "0x%lx bytes of payload, 0x%lx of margin in 0x%lx bytes",
			   boot->out_size, p->margin, margin);
}

static void guard(const char *what, const void *page)
{
	if (ident_map_guard((u64)page))
		error("page tables", "%s: no guard page at 0x%lx", what,
		      (u64)page);
}

/*
 * stack_guard is mapped until the stub's own page tables are loaded. If the
 * stack overflows before that, for example by nested NMIs, it first writes to
 * stack_guard, which holds no data, and then to stack_overrun below it. Nothing
 * else writes to stack_overrun after .bss is cleared, so a byte other than 0
 * shows the overflow, and check_stack() ends the boot.
 */
static void check_stack(void)
{
	const u64 *word = (const u64 *)stack_overrun;

	while (word < (const u64 *)(stack_overrun + PAGE_SIZE)) {
		if (*word++)
			error("stack", "it was overrun before it had a guard page");
	}
}

/* Builds the stub's page tables with what the stub needs to run on them. */
static void build_map(const struct boot *boot, const struct cpu *cpu)
{
	const struct ident_map_config config = {
		.pool_size = (size_t)(page_table_pool_end - page_table_pool),
		.enc_mask = sev_enc_mask(),
		.pages_1g = cpu->pages_1g,
		.bp = boot->bp,
	};

	if (ident_map_init(&config))
		error("page tables", "cannot be started");

	guard("page 0", NULL);
	guard("stack", stack_guard);
	guard("double-fault stack", double_fault_guard);
	must_map("text", (struct range){ (u64)_text, (u64)_etext }, MAP_EXEC);
	must_map("rodata", (struct range){ (u64)_rodata, (u64)_erodata },
		 MAP_RO);
	must_map("data", (struct range){ (u64)_data, (u64)_end }, MAP_WRITE);
}

/*
 * Maps the memory at boot.la57, which la57_switch() uses, as data. la57_switch() makes the first
 * page of this memory executable later. If the memory is a part of the image, build_map() has
 * mapped it already, with the same rights, and this function changes nothing.
 */
static void map_la57(const struct boot *boot)
{
	if (boot->la57)
		must_map("five-level paging",
			 (struct range){ boot->la57, boot->la57 + LA57_SIZE }, MAP_WRITE);
}

/*
 * Maps the pages that were made for an SNP guest, because the stub and the payload's
 * first instructions read them. The address of the last one, the SVSM's calling area,
 * is in the secrets page, which must be mapped before.
 */
static void map_snp(void)
{
	const char *what;
	struct range page;
	unsigned int i;

	for (i = 0; i < SNP_CALLING_AREA; i++) {
		snp_page(i, &what, &page);
		must_map(what, page, MAP_WRITE);
	}
	snp_keep_cpuid();
	snp_find_vmpl();
	snp_page(SNP_CALLING_AREA, &what, &page);
	if (page.start != page.end)
		must_map(what, page, MAP_WRITE);
}

/*
 * la57_switch() has unmapped the LA57_SIZE bytes that it used. Maps those of
 * their pages again that hold the loader's data (is_loaders()). Pages of the
 * payload's memory are mapped later, with other rights.
 */
static void map_borrowed(const struct boot *boot)
{
	struct range page = { boot->la57, boot->la57 + PAGE_SIZE };

	for (; page.start < boot->la57 + LA57_SIZE; page.start = page.end,
	     page.end += PAGE_SIZE) {
		if (is_loaders(boot->bp, &boot->cmdline, page) &&
		    !range_overlaps(page, boot->runtime))
			must_map("five-level paging", page, MAP_WRITE);
	}
	map_e820_nodes(boot->bp);
}

/*
 * Maps the payload's memory, and then read-only those of the compressed bytes
 * that lie after it. Compressed bytes inside the payload's memory must be
 * writable, because the stub decompresses in place. The payload's memory is not
 * executable until the payload is decompressed.
 */
static void map_payload(const struct boot *boot)
{
	struct range payload = { (u64)boot->out, (u64)boot->out + boot->size };
	struct range image = { (u64)_image, (u64)_text };

	must_map("payload", payload, MAP_WRITE | MAP_PAYLOAD);
	if (range_overlaps(payload, image))
		image.start = payload.end;
	if (image.start < image.end)
		must_map("compressed payload", image, MAP_RO);
}

/*
 * Ends the boot unless the payload's memory is mapped to itself, private, and apart from
 * the stub. Runs when no page is shared any more.
 */
static void check_payload_memory(const struct boot *boot)
{
	struct range payload = { (u64)boot->out, (u64)boot->out + boot->size };
	struct range image;

	/*
	 * ident_map_range() leaves pages as they are that were mapped before. With
	 * KASLR, srat.c and efi_name_free_memory() have mapped the tables that they
	 * read, with other rights than the payload needs. In an SEV-ES guest the
	 * hypervisor can have put old bytes back into the page tables or into
	 * @payload, or have made the range of the shared VGA memory cover @payload.
	 */
	if (!ident_map_is_private(payload.start, payload.end,
				  MAP_WRITE | MAP_PAYLOAD))
		error("page tables", "the payload would share pages");
	/*
	 * Only a payload at the start of the runtime range may overlap the image,
	 * and not under EFI. KASLR has avoided the image, but the hypervisor can
	 * have changed KASLR's list in memory.
	 */
	image.start = ADDRESS_ANEW(_image);
	image.end = ADDRESS_ANEW(_end);
	if ((boot->by_efi || payload.start != boot->runtime.start) &&
	    range_overlaps(payload, image))
		error("page tables", "the payload would share pages");
}

/*
 * Makes the payload's memory executable. Not before the payload is complete: the hypervisor can
 * put the payload's address, which is on the stack, in the place of a return address, and the
 * processor would execute what the memory held before.
 */
static void make_payload_executable(const struct boot *boot)
{
	if (!ident_map_make_executable((u64)boot->out, (u64)boot->out + boot->size))
		error("page tables", "the payload's memory has changed");
}

static void take(struct range r)
{
	kaslr_area(KASLR_TAKEN, r.start, r.end);
}

static void take_snp(void)
{
	const char *what;
	struct range page;
	unsigned int i;

	for (i = 0; snp_page(i, &what, &page); i++)
		take(page);
}

/*
 * Draws a random physical address for the payload, unless the EFI entry has already
 * allocated the payload's memory, and a random virtual address. If only one address is
 * possible, the payload keeps it.
 */
static void randomise(struct boot *boot)
{
	const struct payload_header *p = &boot->payload;
	struct kaslr_slots want = { boot->size, p->align, p->link_addr,
				    image_info.addr_max };

	if (!kaslr_wanted(&boot->cmdline))
		return;
	if (sev_enc_mask() && want.high > sev_enc_mask())
		want.high = sev_enc_mask();
	kaslr_seed(boot->bp, sizeof(*boot->bp));
	if (p->flags & PAYLOAD_RELOCATABLE && !boot->by_efi) {
		take((struct range){ (u64)_image, (u64)_end });
		take(zero_page_range(boot->bp));
		take(cmdline_range(&boot->cmdline));
		take(initrd_range(boot->bp));
		if (sev_snp_active())
			take_snp();
		if (boot->la57)
			take((struct range){ boot->la57,
					     boot->la57 + LA57_SIZE });
		srat_name_immovable(boot->bp, &boot->cmdline);
		efi_name_free_memory(boot->bp);
		kaslr_physical(boot->bp, &boot->cmdline, &want,
			       (u64 *)&boot->out);
	}
	boot->virt = kaslr_virtual(p, boot->size);
	if (kaslr_finish())
		boot->bp->hdr.loadflags |= KASLR_FLAG;
}

/*
 * Accepts the memory that neither the loader nor firmware has accepted. The payload
 * may use all of it, and KASLR may choose it for the payload.
 */
static void accept_memory(const struct boot *boot)
{
	struct range range = { 0, 0 };

	snp_check_features();
	if (!boot->by_efi) {
		snp_accept_ram(boot->bp);
		return;
	}
	while (efi_next_unaccepted(boot->bp, range.end, &range))
		snp_accept(range);
	snp_accept_end();
}

/*
 * Enables the VGA console if the command line asked for one, and maps VGA memory for it. An
 * SEV-ES guest does not map VGA memory, because its console sends requests instead: the GHCB
 * page must be the only shared page.
 */
static void map_vga(void)
{
	struct range vga;

	if (!console_vga_range(&vga.start, &vga.end) ||
	    (!sev_es_active() &&
	     ident_map_device(vga.start, vga.end - vga.start)))
		return;
	console_vga_enable();
}

/*
 * Unmaps VGA memory if it is mapped, because the payload must find no device memory
 * and no shared page in the page tables.
 */
static void unmap_vga(void)
{
	console_vga_disable();
	ident_map_remove_devices();
}

/*
 * Finds out which features of struct cpu the processor has. Not inlined, because gcc 14 would
 * keep the answer of sev_es_active() on the stack, where the hypervisor could change it.
 */
static noinline struct cpu detect_cpu(void)
{
	const u32 bmi = 1U << CPUID_7_EBX_BMI1_BIT | 1U << CPUID_7_EBX_BMI2_BIT;
	struct cpuid_regs structured = { 0, 0, 0, 0 };
	struct cpuid_regs ext;

	/*
	 * In an SEV-ES guest each CPUID instruction costs an exit. Every
	 * processor with SEV-ES has NX and BMI2. 1 GiB pages would only save a
	 * few page tables, so an SEV-ES guest does not ask for them.
	 */
	if (sev_es_active())
		return (struct cpu){ .nx = true, .bmi2 = true };

	ext = cpuid_count(CPUID_EXT_FEATURES, 0);
	if (cpuid_count(0, 0).eax >= CPUID_STRUCTURED)
		structured = cpuid_count(CPUID_STRUCTURED, 0);

	return (struct cpu){
		.nx = ext.edx >> CPUID_EXT_EDX_NX_BIT & 1,
		.pages_1g = ext.edx >> CPUID_EXT_EDX_PG1G_BIT & 1,
		/*
		 * The member bmi2 includes LZCNT, because zstd's code for BMI2
		 * uses LZCNT, too.
		 */
		.bmi2 = (structured.ebx & bmi) == bmi &&
			ext.ecx >> CPUID_EXT_ECX_LZCNT_BIT & 1,
	};
}

/*
 * Verifies the digest of the compressed bytes, before the first byte of the payload's
 * memory is overwritten, and while the guest can print why it refuses them.
 */
static void check_digest(const struct boot *boot)
{
	struct refusal why;

	/*
	 * The EFI entry has already verified the digest, while it could still
	 * return an error to firmware. In an SEV guest the hypervisor can have
	 * changed the compressed bytes since, so the digest is verified again.
	 */
	if (!boot->by_efi || sev_active())
		insist(check_payload_frame(&boot->payload, &why), &why);
}

static void decompress(const struct boot *boot)
{
	const struct payload_header *p = &boot->payload;
	const u8 *comp = payload_start + sizeof(*p);
	int err = payload_decode(boot->out, boot->out_size, comp, p->comp_size);

	if (err == -EINVAL)
		error_with(SEVSTUB_TERM_IMAGE, "size mismatch",
			   "the payload is not 0x%lx bytes long", boot->out_size);
	if (err)
		error_with(SEVSTUB_TERM_IMAGE, "corrupt payload",
			   "the decoder reports error %d", err);
}

/*
 * Clears the memory after the payload's file contents, as ELF requires. Linux
 * clears its .bss itself, so that the stub could leave it alone, but the
 * decoder has put the relocation table there. For Linux only the bytes of that
 * table are cleared.
 */
static void clear_bss(const struct boot *boot)
{
	const struct payload_header *p = &boot->payload;
	u64 clear = p->mem_size - p->file_size;

	if (p->flags & PAYLOAD_LINUX && clear > p->reloc_size)
		clear = p->reloc_size;
	memset(boot->out + p->file_size, 0, clear);
}

/*
 * Decompresses the payload, undoes its filters, relocates it and clears the memory after
 * it. In an SEV-ES guest no page is shared meanwhile.
 */
static void unpack(const struct boot *boot)
{
	decompress(boot);
	if (!unfilter(boot->out, &boot->payload))
		error("payload filter", "the list of ranges has changed in memory");
	relocate(boot->out, &boot->payload, (u64)boot->out, boot->virt);
	clear_bss(boot);
}

/*
 * Cuts a command line that is too long, in the loader's memory, from which the payload
 * reads the command line until a NUL. Writes the NUL after the words that find_cmdline()
 * has kept.
 */
static void cut_cmdline(const struct cmdline *cmdline)
{
	char *end;

	info("sevstub: command line: longer than the payload takes, cut after a word\n");
	/*
	 * The hypervisor can put an old address in the place of cmdline->text. Do not write to
	 * the stub's memory.
	 */
	end = (char *)(u64)cmdline->text + cmdline->len;
	HOLD(cut_cmdline, end);
	if (!may_write((u8 *)end, 1, 1))
		error("command line", "its address has changed in memory");
	*end = '\0';
	RELEASE(cut_cmdline);
}

/*
 * Prints at which entry the loader started the stub, and @loader, the loader's number in
 * type_of_loader (boot.rst).
 */
static void report_entry(u8 loader)
{
	static const char names[][13] = {
		[ENTRY_64] = "64-bit", [ENTRY_32] = "32-bit",
		[ENTRY_16] = "16-bit", [ENTRY_EFI] = "EFI",
		[ENTRY_EFI_HANDOVER] = "EFI handover",
	};

	u32 entry;

	if (!info_wanted())
		return;
	/*
	 * The hypervisor can garble entry_taken, and reads the console. An index that
	 * is not checked would print memory after names[].
	 */
	entry = READ_ONCE(entry_taken);
	HOLD(report_entry, entry, loader);
	con_printf("sevstub: %s entry, loader type 0x%x\n",
		   entry < ARRAY_SIZE(names) ? names[entry] : "?",
		   loader);
}

/*
 * Ends an SEV-ES guest's use of the GHCB page, so that no page is shared while the payload
 * is decoded: the hypervisor can make the decoder write to another place, if it puts an old
 * pointer back. Errors from here on have a termination code and no message.
 */
static void end_sharing(struct boot_params *bp)
{
	if (!sev_es_active())
		return;
	info("sevstub: decompressing and entering the payload\n");
	sev_es_shutdown();
	if (sev_snp_active()) {
		snp_take_ghcb();
		snp_hand_over(bp);
	}
}

/*
 * Ends the boot unless the stub's own page tables are loaded. Inlined into extract_kernel(), so
 * that the hypervisor cannot leave out the check by an old return address. If extract_kernel()
 * calls a function, an old return address of this call leads to an earlier place in
 * extract_kernel(), which then comes to the check again. If the called function itself calls
 * another, an old return address of that call can leave out the rest of the called function.
 */
static inline __attribute__((always_inline)) void must_own_map(void)
{
	if (!is_own_map())
		error("page tables", "the stub's own are not loaded");
}

/*
 * Ends the boot of an SEV-ES guest if EFER.NXE is not set, because all memory would be
 * executable. extract_kernel() sets it if cpu.nx says so, in whose place the hypervisor can put
 * an old 0.
 */
static inline __attribute__((always_inline)) void must_have_nx(void)
{
	if (sev_es_active() && !(rdmsr(MSR_EFER) & EFER_NXE))
		terminate(SEVSTUB_TERM_GENERAL);
}

/*
 * Returns whether the GHCB page is not mapped private. Only an SEV-ES guest shares it. By an old
 * return address the hypervisor can leave out a part of end_sharing(), or share the page again.
 * Inlined for the reason that must_own_map() gives. The page's address is computed anew: a
 * compiler could otherwise keep it on the stack while the decoder runs.
 */
static inline __attribute__((always_inline)) bool is_sharing(void)
{
	u64 page = ADDRESS_ANEW(shared_page);

	HOLD(is_sharing, page);
	return !ident_map_is_private(page, page + PAGE_SIZE, MAP_WRITE);
}

u64 extract_kernel(struct boot_params *bp)
{
	struct boot boot = { .bp = bp, .cmdline = find_cmdline(bp) };
	bool cut = cmdline_is_too_long(bp);
	struct cpu cpu = detect_cpu();
	/*
	 * Read the loader's number before calls that save the pointer @bp on the stack. There
	 * the hypervisor can put an older pointer back, and report_entry() would print a byte
	 * of other private memory.
	 */
	u8 loader = bp->hdr.type_of_loader;
	u64 entry;

	read_payload_header(&boot);
	place_payload(&boot);

	boot.la57 = la57_prepare(bp, &boot.cmdline,
				 boot.payload.flags & PAYLOAD_LA57);
	if (cpu.nx)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	build_map(&boot, &cpu);
	sev_load_map();
	must_own_map();
	must_have_nx();
	map_la57(&boot);
	map_loaded(bp, &boot.cmdline);
	if (sev_snp_active())
		map_snp();
	check_stack();
	idt_load_stage2();
	la57_switch();
	must_own_map();
	if (boot.la57)
		map_borrowed(&boot);
	if (sev_snp_active())
		snp_share_ghcb();
	sev_es_setup_ghcb(bp);
	if (sev_es_active())
		console_init(&boot.cmdline, &bp->screen_info);
	map_setup_data(bp, boot.runtime);
	if (sev_snp_active())
		accept_memory(&boot);
	map_vga();
	randomise(&boot);
	map_payload(&boot);

	report_entry(loader);
	if (cut)
		cut_cmdline(&boot.cmdline);
	/*
	 * The payload's address is printed later, at the end of this function, where an
	 * SEV-ES guest's console is silent: the hypervisor must not read the address.
	 */
	info("sevstub: %lu bytes of payload, compressed %lu\n",
	     boot.payload.file_size, boot.payload.comp_size);
	if (cpu.bmi2)
		unzstd_use_bmi2();
	check_digest(&boot);
	end_sharing(bp);
	if (is_sharing())
		error_with(SEVSTUB_TERM_GHCB_MAP, "page tables", "the GHCB page is still shared");
	check_payload_memory(&boot);
	call_on_fresh_stack(unpack, &boot);
	make_payload_executable(&boot);

	if (cmdline_is_builtin(&boot.cmdline)) {
		bp->hdr.cmd_line_ptr = (u32)(u64)builtin_cmdline;
		bp->ext_cmd_line_ptr = (u32)((u64)builtin_cmdline >> 32);
	}
	entry = (u64)boot.out + boot.payload.entry_offset;
	if (nmi_count)
		info("sevstub: %u NMIs ignored\n", nmi_count);
	if (!sev_es_active())
		info("sevstub: entering the payload at 0x%lx\n", entry);
	unmap_vga();
	idt_teardown();
	/*
	 * Check again, because the hypervisor can have made the stub share the GHCB page again.
	 * Print no message, because the IDT is empty now.
	 */
	if (is_sharing())
		terminate(SEVSTUB_TERM_GHCB_MAP);
	return entry;
}
