/* SPDX-License-Identifier: MIT */
/*
 * misc.h - every prototype that crosses a file, grouped by the file that
 * defines it, and the structures they pass.
 */
#ifndef MISC_H
#define MISC_H

#include <stdarg.h>

#include <asm/bootparam.h>

#include "payload.h"
#include "types.h"
#include "x86.h"

/*
 * Everything is linked into one image: no symbol is ever looked up through the
 * global offset table. -fvisibility=hidden alone does not cover declarations.
 */
#ifndef SEVSTUB_HOSTED
#pragma GCC visibility push(hidden)
#endif

/* Why a function refused; always returned negated. Values as in errno.h. */
#define ENOENT	2
#define ENOMEM	12
#define EFAULT	14
#define EINVAL	22

struct range {
	u64 start, end;		/* [start, end) */
};

/* ---- linker.ld ---- */

/*
 * The parts of the image, wherever it is: taking the address of one of these
 * compiles to an address relative to the instruction.
 */
extern const u8 startup_32[];			/* first byte of the image */
extern const u8 payload_start[], payload_end[];	/* header, compressed bytes */
extern const u8 _text[], _etext[];
extern const u8 _rodata[], _erodata[];
extern const u8 _data[], _edata[], _ebss[];
extern const u8 double_fault_guard[], stack_guard[], stack_end[];
extern const u8 stack_overrun[];		/* a page: below the guard page */
extern u8 page_table_pool[], page_table_pool_end[];
extern const u8 _end[];
extern const char builtin_cmdline[];

/* ---- header.S ---- */

extern const u8 setup_header[];			/* struct setup_header */

/* ---- head_64.S ---- */

/* What the build knows about the payload; numbers, not addresses in the image. */
struct image_info {
	u64 pref_address;	/* lowest address of the runtime range */
	u64 align;		/* its alignment, a power of two */
	u64 init_size;		/* its size: payload, then the moved image */
	u64 relocatable;	/* 0: the range starts at pref_address only */
	u64 cmdline_size;	/* longest command line, without its NUL */
};
extern const struct image_info image_info;

/*
 * Switches to the page tables at @cr3 and proves that their C-bit is where the
 * hypervisor said, or that there is none: what was written before the switch
 * reads back after it. Does not return if not; nothing has been written by then,
 * and no stack used.
 */
void load_cr3_proven(u64 cr3, u64 sev_status);

extern u64 gdt[];
/* Page tables of the 32-bit entry; anybody's once our own are in force. */
extern u8 early_tables[];

/* From EFI, once boot services are over: startup_64's road. */
noreturn void enter_startup_64(struct boot_params *bp);

/* ---- efi.c ---- */

/*
 * Where firmware gave us the payload's runtime range; 0 if nobody did. The
 * image then stays where it is: firmware's allocations do not overlap.
 */
extern u64 efi_runtime_start;

/*
 * If a loader left firmware's memory map: names KASLR_FIRMWARE_FREE memory, and
 * the map as taken. In what boot services have used the payload may look for
 * something.
 */
void efi_name_free_memory(const struct boot_params *bp);

/* ---- string.c ---- */

#ifndef SEVSTUB_HOSTED
void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
#endif

/* ---- cmdline.c ---- */

/*
 * A kernel command line as a loader hands it over: words separated by bytes up
 * to ' '. @text need not be terminated; nothing at or behind @text + @len is
 * read.
 */
struct cmdline {
	const char *text;
	size_t len;
};

/*
 * Looks for "name=value". The last match wins, as it does in the kernel. The
 * value goes into @buf, cut off at @size - 1 bytes and terminated.
 * Returns the value's whole length, or -ENOENT and leaves @buf alone.
 */
int cmdline_find_option(const struct cmdline *cmdline, const char *name,
			char *buf, size_t size);

/*
 * For options that may be given more than once: as cmdline_find_option(), but
 * the first match in @rest, which is left with what follows it.
 */
int cmdline_next_option(struct cmdline *rest, const char *name, char *buf,
			size_t size);

/* Whether @name stands in the command line as a word of its own. */
bool cmdline_find_option_bool(const struct cmdline *cmdline, const char *name);

/*
 * Parses an unsigned number as strtoul(s, &end, base) does with base 0, 10 or
 * 16, but takes neither blanks nor a sign and refuses overflow. @end may be
 * NULL. Returns 0, or -EINVAL (no digit, or more than 64 bits) and leaves @end
 * and @value alone.
 */
int parse_u64(const char *s, const char **end, unsigned int base, u64 *value);

/* ---- console.c ---- */

/*
 * Sets up what the command line asks for:
 *
 *	earlyprintk=serial[,ttyS0|,ttyS1|,0xPORT][,BAUD]	9600 baud if none
 *	earlyprintk=ttyS0|ttyS1[,BAUD]				is given
 *	earlyprintk=vga			@screen must say that it shows text
 *	earlyprintk=debugcon[,0xPORT]	QEMU's isa-debugcon; port 0x402
 *	console=uart8250|uart,io,PORT[,BAUD]	the baud rate that is set, if
 *						none is given
 *
 * Further words behind a comma and line settings behind BAUD are ignored: it
 * is always 8n1. What is malformed asks for nothing. Of each option the last
 * one counts; a UART in earlyprintk= wins over one in console=.
 *
 * Without any of these the console is silent until console_force().
 */
void console_init(const struct cmdline *cmdline,
		  const struct screen_info *screen);

/*
 * An error has to be seen: with no UART in use, sets up the one that the
 * command line names, in a form above or as console=ttyS0|ttyS1[,BAUD], or if
 * that does not answer, ttyS0. May be called before console_init().
 */
void console_force(void);

/*
 * VGA memory that the caller is to map, with ident_map_device(), before it
 * calls console_vga_enable(); nothing is written to it earlier. Returns false
 * if there is no VGA text console to enable.
 */
bool console_vga_range(u64 *start, u64 *end);
void console_vga_enable(void);
/* Before the mapping goes away. */
void console_vga_disable(void);

/*
 * Formatted output. Conversions: %s %c %d %u %x with an optional '0', a width
 * and 'l'; %% for itself. What %s and %c print comes out as '?' where it is
 * not printable ASCII: strings from a loader cannot control a terminal. Output
 * is sent at each newline. info() is silent unless the command line asked for
 * a console; the others are not.
 */
void info(const char *fmt, ...) printf_like(1, 2);
void con_printf(const char *fmt, ...) printf_like(1, 2);
void con_vprintf(const char *fmt, va_list args) printf_like(1, 0);

/* ---- e820.c ---- */

/* A chain of more nodes than this is a loop, or an attack. */
#define SETUP_DATA_MAX_NODES	128
/* Of the zero page and setup_data together: no machine has so many. */
#define E820_MAX_ENTRIES	4096

/*
 * Each entry of the map: e820_first(), then e820_next() until NULL. Looks into
 * setup_data only if the zero page's table is full, and at E820_MAX_ENTRIES.
 */
struct e820_walk {
	const struct boot_e820_entry *at, *end;
	u64 node;		/* where the chain goes on */
	unsigned int nodes;	/* so far */
	unsigned int entries;	/* likewise, and one more if it was cut off */
};
void e820_first(const struct boot_params *bp, struct e820_walk *walk);
const struct boot_e820_entry *e820_next(struct e820_walk *walk);

/* Whether a walk sees the whole map. */
bool e820_is_bounded(const struct boot_params *bp);

/*
 * Whether all of [start, end) is RAM and no other entry touches it. False for
 * an empty range.
 */
bool e820_is_ram(const struct boot_params *bp, u64 start, u64 end);

/*
 * Cuts [*low, *high) down to the part that is RAM and reaches @addr without a
 * gap. Returns false if @addr is not in RAM or not in [*low, *high).
 */
bool e820_ram_around(const struct boot_params *bp, u64 addr, u64 *low,
		     u64 *high);

/* ---- ident_map_64.c ---- */

/* What a mapping may be used for; reading is always allowed. */
#define MAP_RO		0x0
#define MAP_WRITE	0x1
#define MAP_EXEC	0x2
/* Only as an answer: the page is open to the hypervisor. */
#define MAP_DECRYPTED	0x4

struct ident_map_config {
	void *pool;		/* page-aligned memory for tables */
	size_t pool_size;
	unsigned int levels;	/* 4, or 5 with CR4.LA57 on */
	u64 enc_mask;		/* the C-bit, or 0 */
	bool nx;		/* EFER.NXE is on */
	bool pages_1g;		/* 1 GiB leaves exist */
	const struct boot_params *bp;	/* its E820 bounds what #PF may map */
};

/*
 * Starts a new, empty identity map. It takes effect with sev_load_map().
 * Returns 0, -EINVAL (unaligned pool, levels, a C-bit that cannot be) or
 * -ENOMEM.
 */
int ident_map_init(const struct ident_map_config *config);

/*
 * Maps the pages that [start, end) touches, private and write-back. Pages that
 * are mapped or guarded already keep what they have, so the strictest comes
 * first. Leaves are 2 MiB (1 GiB where there are such) only where the rounded
 * range covers them whole. Returns 0, -EINVAL (empty, wraps or is out of reach
 * of the page tables) or -ENOMEM (pool exhausted; the range may be mapped in
 * part).
 */
int ident_map_range(u64 start, u64 end, unsigned int prot);

/*
 * Takes the page at @addr out of reach for good: no later call and no page
 * fault maps it. Returns 0, -EINVAL (mapped or guarded already, out of reach)
 * or -ENOMEM.
 */
int ident_map_guard(u64 addr);
bool ident_map_is_guard(u64 addr);

/*
 * Makes the mapped page at @addr shared with the hypervisor or private again;
 * a larger leaf is split first. Page contents do not survive on hardware.
 * Returns 0, -EINVAL (not mapped, or no C-bit) or -ENOMEM.
 */
int ident_map_set_decrypted(u64 addr);
int ident_map_set_encrypted(u64 addr);

/*
 * Maps the pages of [addr, addr + size) for device registers: shared, not
 * executable, uncached. Returns 0, -EINVAL (empty, wraps, out of reach, mapped
 * or guarded already, even in part) or -ENOMEM.
 */
int ident_map_device(u64 addr, u64 size);

/*
 * Takes the pages of [addr, addr + size) out of the map again. Returns 0, or
 * -EINVAL if one of them is not mapped, or is a part of a leaf that reaches
 * beyond.
 */
int ident_map_remove(u64 addr, u64 size);

/* What the map says about the page at @addr: MAP_* flags, or -EFAULT. */
int ident_map_query(u64 addr);

/* How many tables can still be made. */
size_t ident_map_tables_left(void);

/* The map as CR3 wants it. */
u64 ident_map_cr3(void);

/*
 * Serves a page fault: maps what is empty in the 2 MiB around @addr, as far as
 * it is RAM without a gap, writable and not executable. Returns 0 only if the
 * page at @addr was not mapped and now is; else -EFAULT (anything but a data
 * access that found nothing mapped, not RAM, a guard page) or -ENOMEM.
 */
int ident_map_fault(u64 addr, u64 error_code);

/*
 * The same map for the other depth of paging, 4 or 5: takes effect when CR3 is
 * loaded in that depth. Returns 0, -EINVAL (something is mapped where four
 * levels do not reach) or -ENOMEM.
 */
int ident_map_set_levels(unsigned int levels);

/* ---- la57.c ---- */

/* Pages below 4 GiB that firmware gave us for the switch, or 0. */
extern u64 la57_efi_memory;

/*
 * Whether five-level paging has to be switched on or off for the payload. If so,
 * returns the address of LA57_SIZE bytes to map writable and executable before
 * anything else is mapped; else 0.
 */
u64 la57_prepare(const struct boot_params *bp, const struct cmdline *cmdline,
		 bool payload_can);
/* Does it, if so. Needs stage 2 of the IDT; before there is a GHCB. */
void la57_switch(void);

/* ---- la57_trampoline.S ---- */

struct la57_page;
void la57_toggle(struct la57_page *page, u64 table);
extern const u8 la57_code[], la57_code_end[];
extern const u8 la57_nmi_32[], la57_nmi_64[], la57_exception[];

/* ---- idt_64.c ---- */

/* What the common exception path saves; the layout idt_handlers_64.S pushes. */
struct exception_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector;
	u64 error_code;
	u64 rip, cs, rflags, rsp, ss;	/* pushed by the processor */
};

/* Every vector ends in a report; nothing may fault. Before C runs for real. */
void idt_load_stage1(void);
/* #PF maps on demand from now on. After sev_load_map(). */
void idt_load_stage2(void);
/* An IDT of no entries: a late exception cannot run code that is gone. */
void idt_teardown(void);
/*
 * NMIs that came and were ignored, from 32-bit code on. The image's move takes
 * the count along.
 */
extern u32 nmi_count;
void do_exception(struct exception_frame *frame);

/* ---- sev-es.c ---- */

/* What is known about the kind of guest that we are. */
struct sev_guest {
	u64 status;		/* SEV_STATUS; 0: not an SEV guest */
	u64 info;		/* the reply to the SEV-information request */
	u32 cbit;		/* position of the C-bit */
	bool known;		/* all of this has been found out */
	bool vc_seen;		/* a #VC came */
};
extern struct sev_guest sev_guest;

/*
 * Finds out, once, and checks: which kind of SEV guest, where the C-bit is,
 * which version of the protocol. Needs stage 1 of the IDT. A contradiction
 * ends the guest.
 */
void sev_detect(void);
bool sev_active(void);
bool sev_es_active(void);
u64 sev_enc_mask(void);		/* the C-bit, or 0 */

/*
 * Puts our map in force, no older one stays in the TLB, and proves its C-bit:
 * that it is where it was said to be, or that there is none.
 */
void sev_load_map(void);

/*
 * Shares the GHCB page with the hypervisor: stage 2. @bp's E820 map says what
 * is RAM. sev_es_shutdown() takes the page back, wiped; no exit can be
 * answered after it. Both do nothing where there is no SEV-ES.
 */
void sev_es_setup_ghcb(const struct boot_params *bp);
void sev_es_shutdown(void);

/*
 * Answers a #VC. Returns 0, or the vector of the exception that it stands
 * for: the instruction raises that, or there should have been no #VC.
 */
unsigned int sev_es_vc(struct exception_frame *frame);
/* An NMI has been served. */
void sev_es_nmi(void);
/* Whether an exchange with the hypervisor is under way. */
bool sev_es_busy(void);
/* Gives an exchange up, for a last message. */
void sev_es_abandon(void);

/* Tells the hypervisor to end this guest, and why (sev.h lists reasons). */
noreturn void sev_es_terminate(unsigned int set, unsigned int reason);

/* Port I/O by direct request. Before there is a GHCB nothing answers. */
u8 sev_es_inb(u16 port);
void sev_es_outb(u8 value, u16 port);
void sev_es_outsb(u16 port, const void *buf, size_t count);

/* ---- misc.c ---- */

/* Which entry was taken, ENTRY_* of setup.h: only to be reported. */
extern u32 entry_taken;

/* Prints "sevstub: <what>: <detail>" and stops for good. */
noreturn void error(const char *what, const char *fmt, ...) printf_like(2, 3);

/* The end: an SEV-ES guest asks for it, with @reason of sev.h's own set. */
noreturn void stop(unsigned int reason);

/*
 * A sentinel that has not been cleared says that the loader copied a whole
 * sector of the file, not the setup header alone, over what should have been
 * zeroes (boot.rst). What such a loader cannot have meant is cleared, the
 * sentinel with it, before anything in it is believed.
 */
void sanitize_boot_params(struct boot_params *bp);

/*
 * The loader's command line, or the one that was built in when there is none
 * or an empty one.
 */
struct cmdline find_cmdline(const struct boot_params *bp);

/* What the stub wants to know of the processor. */
struct cpu {
	bool nx;		/* execution can be forbidden */
	bool pages_1g;		/* 1 GiB leaves */
	bool bmi2;		/* BMI1, BMI2 and LZCNT, all three */
};

/*
 * Called by head_64.S where the loader put us, before .bss exists: the address
 * that the image must move to, so that the payload's range below is free.
 * Stops with a message when that memory is not there.
 */
u64 place_image(struct boot_params *bp);

/*
 * Called by head_64.S in the moved copy: the boot from here on. Returns the
 * address of the payload's entry; the IDT is dead by then.
 */
u64 extract_kernel(struct boot_params *bp);

/* ---- mkpayload's PREFIX.S ---- */

/* unzstd(), unlz4() or unstore(): so that no other is linked. */
int payload_decode(void *out, size_t out_size, const void *in, size_t in_size);

/* ---- payload.c ---- */

/* Why not: as error() takes it, @detail with up to three numbers in it. */
struct refusal {
	const char *what, *detail;
	u64 value[3];
};

/*
 * Copies the payload's header and checks it: that it is whole, that it belongs
 * to this image, and that no size in it is beyond all reason.
 */
bool check_payload_header(struct payload_header *p, struct refusal *why);

/* Whether the compressed bytes are those that the header @p was made for. */
bool check_payload_frame(const struct payload_header *p, struct refusal *why);

/* For a payload that is not compressed. Returns 0, or -EINVAL. */
int unstore(void *out, size_t out_size, const void *in, size_t in_size);

/* ---- relocate.c ---- */

/*
 * Makes the payload at @out, with its relocation table behind it, run at
 * @phys_addr, and at @virt_addr once it has page tables of its own. Does
 * nothing where it is linked to run there; stops with a message if its table
 * is damaged. A payload with PAYLOAD_IDENTITY runs at @phys_addr only.
 */
void relocate(u8 *out, const struct payload_header *p, u64 phys_addr,
	      u64 virt_addr);

/*
 * Applies @relocs to @image for a move by @distance. Writes nothing outside of
 * the image. Returns 0, or -EINVAL if the table does not fit it or an address of 32
 * bits does not reach that far; the image is spoilt then.
 */
int relocate_image(u8 *image, u64 image_size, const u8 *relocs, u64 reloc_size,
		   u64 distance);

/* ---- kaslr.c ---- */

/* What an area of memory is. Each slot lies in RAM and in nothing taken. */
enum kaslr_area {
	KASLR_RAM,
	KASLR_IMMOVABLE,	/* if there is any, slots lie in it */
	KASLR_FIRMWARE_FREE,	/* likewise */
	KASLR_TAKEN,
	KASLR_AREA_KINDS
};

/* The multiples of @align with @size bytes behind each in [@low, @high). */
struct kaslr_slots {
	u64 size, align, low, high;
};

/* Whether the command line lets anything be left to chance. */
bool kaslr_wanted(const struct cmdline *cmdline);

/* Adds to the uncertainty of what is drawn later. */
void kaslr_seed(const void *data, size_t len);

/* Areas come in any order, and may overlap. What is beyond 2^52 is cut off. */
void kaslr_area(enum kaslr_area kind, u64 start, u64 end);

/*
 * Draws one of the slots that the areas leave. Returns false, and leaves @addr
 * alone, if there is none.
 */
bool kaslr_pick(const struct kaslr_slots *want, u64 *addr);

/*
 * The same among what E820 calls RAM, as far as the command line lets it be
 * used. What is taken has been named.
 */
bool kaslr_physical(const struct boot_params *bp, const struct cmdline *cmdline,
		    struct kaslr_slots want, u64 *addr);

/* Draws a virtual address for @size bytes, if the payload can have another. */
u64 kaslr_virtual(const struct payload_header *p, u64 size);

/* Ends it: forgets every seed. Returns whether anything was drawn. */
bool kaslr_finish(void);

/* ---- srat.c ---- */

/* With movable_node: names KASLR_IMMOVABLE memory, as far as ACPI tells. */
void srat_name_immovable(const struct boot_params *bp,
			 const struct cmdline *cmdline);

/* ---- unzstd.c ---- */

/* XXH64 with seed 0. */
u64 xxh64(const void *data, size_t len);

/*
 * Lets the decoder use BMI1, BMI2 and LZCNT instructions. Without this call it
 * does not; it never asks the processor itself, because CPUID is an exit.
 */
void unzstd_use_bmi2(void);

/*
 * Decompresses one zstd frame of exactly @in_size bytes, which must give
 * exactly @out_size bytes. Input may lie at the end of the output's buffer
 * (see payload_header.margin). Returns 0, zstd's error code (above 0, listed in
 * its zstd_errors.h), or -EINVAL if the frame holds more or less.
 */
int unzstd(void *out, size_t out_size, const void *in, size_t in_size);

/* ---- unlz4.c ---- */

/* The same for one legacy lz4 frame; above 0, it is none or it is damaged. */
int unlz4(void *out, size_t out_size, const void *in, size_t in_size);

#ifndef SEVSTUB_HOSTED
#pragma GCC visibility pop
#endif

#endif
