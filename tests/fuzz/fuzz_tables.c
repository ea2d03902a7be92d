/* SPDX-License-Identifier: MIT */
/*
 * fuzz_tables.c - libFuzzer target for tables that EFI firmware leaves in memory:
 * the TPM's event log, its table of final events, and the memory map that a loader
 * passes in efi_info.
 *
 * The input makes an event log and damages it. The memory after the log is
 * readable as far as sizes in the log can point. A second reader of the log, in this
 * file, computes how many bytes of the log the stub must pass on. The memory map lies in
 * two pages of RAM, and the stub must not read the map outside of these pages.
 */
#include "efi_firmware.h"

#include "fuzz.h"

/*
 * Offset of the data in the TPM event log's first event (TCG PC Client Platform Firmware
 * Profile 10.2). In a log of version 1, all events have their data at this offset.
 */
#define FIRST_DATA	32
/* Offset in the TPM event log of its list of digest sizes. */
#define ALGORITHMS	60
/* Most digest sizes that a TPM event log may list; the stub refuses more. */
#define MOST_ALGORITHMS	16
/* Most bytes of a TPM event log; the stub refuses a longer log. */
#define MOST_LOG	0x1000000UL
/* More bytes than one event's digests have: MOST_ALGORITHMS digests of less than 64 KiB each. */
#define DIGESTS_SPAN	0x110000UL

/* Bytes of the TPM event log that the fuzzer's input can fill. */
#define LAID_OUT	0x4000
#define SPACE		(MOST_LOG + DIGESTS_SPAN + LAID_OUT)
#define EVENTS		6

static u8 *log_space, *final_space;
static size_t filled;
/* Offsets of the TPM event log's events, and of the log's end. */
static u64 starts[EVENTS + 1];
static unsigned int events;

static void put(u64 value, size_t size)
{
	CHECK(filled + size <= LAID_OUT, "%zu bytes", filled);
	memcpy(log_space + filled, &value, size);
	filled += size;
}

/* ---- the second reader ---- */

static u64 read_at(const u8 *from, u64 offset, size_t size)
{
	u64 value = 0;

	memcpy(&value, from + offset, size);
	return value;
}

static s64 digest_size(u64 algorithm)
{
	u64 i, count = read_at(log_space, ALGORITHMS - 4, 4);

	for (i = 0; i < count; i++) {
		if (read_at(log_space, ALGORITHMS + 4 * i, 2) == algorithm)
			return (s64)read_at(log_space, ALGORITHMS + 4 * i + 2, 2);
	}
	return -1;
}

/*
 * Returns the offset of the end of the log event at offset @at of @from, or 0 if the
 * event is malformed.
 */
static u64 event_end(const u8 *from, u64 at)
{
	u64 algorithms = read_at(log_space, ALGORITHMS - 4, 4);
	u64 digests = read_at(from, at + 8, 4);
	s64 size;

	if (algorithms > MOST_ALGORITHMS || digests > algorithms)
		return 0;
	for (at += 12; digests; digests--) {
		size = digest_size(read_at(from, at, 2));
		if (size < 0)
			return 0;
		at += 2 + (u64)size;
	}
	return at + 4 + read_at(from, at, 4);
}

static u64 want_size(unsigned int version, u64 first, u64 last)
{
	u64 at = last - first;

	if (last < first || at > MOST_LOG)
		return 0;
	if (version == 1 || !at)
		return at + FIRST_DATA + read_at(log_space, at + FIRST_DATA - 4, 4);
	return event_end(log_space, at);
}

static u64 want_final(void)
{
	u64 at = 0, end, i, count = read_at(final_space, 8, 8);

	for (i = 0; i < count; i++) {
		end = event_end(final_space + 16, at);
		if (!end || end > MOST_LOG)
			break;
		at = end;
	}
	return at;
}

/* ---- a log ---- */

static u8 *space(void)
{
	u8 *at = mmap(NULL, SPACE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(at != MAP_FAILED, "no memory%s", "");
	return at;
}

static void lay_out_first(struct input *in, unsigned int algorithms, bool wide)
{
	unsigned int i;

	put(0, 4);
	put(3, 4);
	filled += 20;
	put(28 + 4 * algorithms + 1, 4);
	filled += 24;
	put(algorithms, 4);
	for (i = 0; i < algorithms; i++) {
		put(i + 4, 2);
		put(wide ? take_u16(in) : take_u8(in) % 65, 2);
	}
	put(0, 1);
}

static void lay_out_event(struct input *in, unsigned int algorithms, u8 version)
{
	unsigned int i, digests = take_u8(in) % 5;
	u16 algorithm;
	s64 size;

	put(9, 4);
	put(6, 4);
	if (version == 1)
		filled += 20;
	else
		put(digests, 4);
	for (i = 0; version != 1 && i < digests; i++) {
		algorithm = 4 + take_u8(in) % (algorithms + 1);
		size = digest_size(algorithm);
		put(algorithm, 2);
		filled += size < 0 || size > 64 ? 0 : (u64)size;
	}
	i = take_u8(in);
	put(i, 4);
	filled += i;
}

static void damage(struct input *in, u8 *from)
{
	u8 how = take_u8(in);
	u64 value = how & 4 ? take_u32(in) : take_u8(in);

	if (how & 1)
		memcpy(from + take_u16(in) % LAID_OUT, &value, how & 2 ? 4 : 1);
}

static void lay_out(struct input *in, u8 version, bool wide)
{
	unsigned int algorithms = take_u8(in) % (MOST_ALGORITHMS + 3), i;

	if (!log_space) {
		log_space = space();
		final_space = space();
		/*
		 * Fill the table of final events with 0xff, which is no valid
		 * event, so that a reader stops after the real events even if
		 * the table's count is too large.
		 */
		memset(final_space, 0xff, SPACE);
	}
	memset(log_space, 0, LAID_OUT + 8);
	memset(final_space, 0xff, LAID_OUT + 16);
	filled = 0;
	lay_out_first(in, algorithms, wide);
	events = take_u8(in) % EVENTS;
	for (i = 0; i < events; i++) {
		starts[i] = filled;
		lay_out_event(in, algorithms, version);
	}
	starts[events] = filled;
}

/*
 * Makes the TPM's table of final events. It has a copy of the log's last events
 * and a count of events, which may be wrong. The fuzzer's input chooses the
 * first event that is copied.
 */
static void lay_out_final(struct input *in)
{
	static const EFI_GUID guid = EFI_TCG2_FINAL_EVENTS_TABLE_GUID;
	u64 from = starts[take_u8(in) % (events + 1)];
	u8 how = take_u8(in);
	u64 count = how & 1 ? take_u64(in) : how >> 1;

	memcpy(final_space + 16, log_space + from, filled - from);
	memcpy(final_space + 8, &count, sizeof(count));
	fw.tables[2].VendorGuid = guid;
	fw.tables[2].VendorTable = final_space;
	fw.st.NumberOfTableEntries = 3;
}

static u64 take_last(struct input *in)
{
	u8 how = take_u8(in);

	if (how == 0xff)
		return take_u64(in);
	if (how == 0xfe)
		return (u64)log_space + MOST_LOG - 4 + take_u8(in) % 8;
	if (how & 0x80)
		return (u64)log_space + take_u8(in);
	if (how & 0x40)
		return (u64)log_space;
	return (u64)log_space + starts[how % (events + 1)];
}

static void check_log(u8 version, u64 size)
{
	const struct linux_tpm_event_log *log = fw.log;
	bool has_final = fw.st.NumberOfTableEntries == 3;
	u64 final = size && version == 2 && has_final ? want_final() : 0;

	CHECK(log->size == size && log->version == version,
	      "%u bytes of version %u instead of %lu of %u", log->size,
	      log->version, size, version);
	CHECK(log->final_events_size == final, "%u again instead of %lu",
	      log->final_events_size, final);
	CHECK(!memcmp(log->log, log_space, size), "contents%s", "");
}

static void fuzz_log(struct input *in)
{
	u8 how = take_u8(in), version = how & 1 ? 1 : 2;
	u64 size;

	fresh_firmware();
	fw.has_tpm = true;
	lay_out(in, version, how & 2);
	if (how & 4)
		lay_out_final(in);
	damage(in, log_space);
	damage(in, log_space);
	if (how & 4)
		damage(in, final_space);
	fw.log_first = how & 8 ? NULL : log_space;
	fw.log_last = (const u8 *)take_last(in);
	if (version == 1)
		fw.log_status[2] = EFI_INVALID_PARAMETER;
	if (how & 16)
		fw.log_status[1] = fw.log_status[2] = EFI_DEVICE_ERROR;
	if (how & 32)
		fw.install_status = EFI_OUT_OF_RESOURCES;

	efi_install_event_log();
	size = want_size(version, (u64)log_space, (u64)fw.log_last);
	if (how & (8 | 16)) {
		CHECK(!fw.log && !fw.allocations, "a log of nothing%s", "");
	} else if (size > MOST_LOG || how & 32) {
		CHECK(!fw.log && fw.console[0], "a log of %lu bytes", size);
		CHECK(!still_live(), "%u things are kept", still_live());
	} else {
		CHECK(fw.log && !fw.console[0], "no log: %s", fw.console);
		check_log(version, size);
	}
}

/* ---- the memory map that a loader passes in efi_info ---- */

#define MAP_SIZE	(2 * PAGE_SIZE)
/* Number of descriptors of the EFI memory map whose bytes come from the input. */
#define MAP_MOST	8

static char expected[sizeof(fw.areas)];

static void expect_area(const char *kind, u64 start, u64 end)
{
	size_t len = strlen(expected);

	snprintf(expected + len, sizeof(expected) - len, "%s%lx-%lx ", kind,
		 start, end);
}

static void fuzz_free_memory(struct input *in)
{
	static struct boot_params bp;
	u8 how = take_u8(in);
	u64 entry = how & 1 ? take_u32(in) : 40U + 8U * (how >> 6);
	u64 at, size, start = take_u16(in) % PAGE_SIZE, i;
	bool is_there;

	fresh_firmware();
	expected[0] = '\0';
	memset(&bp, 0, sizeof(bp));
	fw.map_fails = how & 2;
	size = how & 4 ? take_u32(in) : take_u16(in) % (MAP_MOST * 40);
	at = take(MAP_SIZE, true);
	memset((void *)at, 0, MAP_SIZE);
	take_bytes(in, (void *)(at + start), MAP_MOST * 64);
	bp.e820_table[0] = (struct boot_e820_entry){ at, MAP_SIZE, 1 };
	bp.e820_entries = 1;
	bp.efi_info.efi_loader_signature = how & 8 ? 0x32334c45 : 0x34364c45;
	bp.efi_info.efi_memdesc_size = (u32)entry;
	bp.efi_info.efi_memmap = (u32)(at + start);
	bp.efi_info.efi_memmap_size = (u32)size;
	efi_name_free_memory(&bp);

	is_there = !(how & 8) && size && start + size <= MAP_SIZE;
	if (is_there)
		expect_area("taken ", at, at + (start + size > PAGE_SIZE ?
						2 : 1) * PAGE_SIZE);
	if (is_there && entry >= 40 && !(entry % 8) && !(start % 8)) {
		expect_area("mapped ", at + start, at + start + size);
		if (how & 2)
			size = 0;
		for (i = start; i + entry <= start + size; i += entry) {
			const u8 *d = (const u8 *)at + i;
			u64 from = read_at(d, 8, 8), pages = read_at(d, 24, 8);

			if (read_at(d, 0, 4) == 7 && pages < 1UL << 40 &&
			    !(read_at(d, 32, 8) & 0x40000))
				expect_area("free ", from, from + pages * PAGE_SIZE);
		}
	}
	CHECK(!strcmp(fw.areas, expected), "\"%s\" instead of \"%s\"", fw.areas,
	      expected);
}

static void fuzz_one(struct input *in)
{
	if (take_u8(in) & 1)
		fuzz_free_memory(in);
	else
		fuzz_log(in);
}
