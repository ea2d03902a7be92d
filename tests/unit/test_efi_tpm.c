/* SPDX-License-Identifier: MIT */
/*
 * test_efi_tpm.c - tests efi/tpm.c on firmware with a TPM or with measurement
 * registers of a confidential guest. The tests compare each measured event byte
 * by byte. They check which part of firmware's event log the stub copies for
 * the kernel.
 */
#include "efi_firmware.h"

static void measuring_firmware(void)
{
	fresh_firmware();
	fw.has_tpm = true;
}

static void set_options(const CHAR16 *units, size_t bytes)
{
	fw.loaded.LoadOptions = (void *)(u64)units;
	fw.loaded.LoadOptionsSize = (UINT32)bytes;
}

static void check_event(unsigned int i, const u8 *event, size_t event_size,
			const void *data, u64 size)
{
	CHECK(i < fw.measurements, "%u measurements", fw.measurements);
	CHECK(!memcmp(fw.measured[i].bytes, event, event_size), "event %u", i);
	CHECK(fw.measured[i].size == size &&
	      !memcmp(fw.measured[i].data, data, size), "%lu bytes",
	      fw.measured[i].size);
}

/*
 * The EFI_TCG2_EVENT structures (TCG EFI Protocol 6.6.3) that the stub must
 * pass to firmware, byte by byte.
 */
static u8 options_event[] =
	"\x34\0\0\0" "\xe\0\0\0" "\1\0" "\x9\0\0\0" "\6\0\0\0"
	"\xed\x22\x3b\x8f" "\x1a\0\0\0" "LOADED_IMAGE::LoadOptions";
static u8 initrd_event[] =
	"\x27\0\0\0" "\xe\0\0\0" "\1\0" "\x9\0\0\0" "\6\0\0\0"
	"\xec\x22\x3b\x8f" "\xd\0\0\0" "Linux initrd";

static struct boot_params *check_boot(void)
{
	EFI_STATUS status;

	if (!setjmp(fw.entered)) {
		status = efi_pe_entry(&fw, &fw.st);
		CHECK(false, "status 0x%lx: %s", status, fw.console);
	}
	return fw.entered_with;
}

TEST(events)
{
	static const CHAR16 options[] = u"quiet initrd=a";

	measuring_firmware();
	set_options(options, sizeof(options));
	fw.has_volume = true;
	new_file("a", "fourfive");
	check_boot();
	CHECK(fw.measurements == 2, "%u measurements", fw.measurements);
	check_event(0, options_event, sizeof(options_event), options,
		    sizeof(options));
	check_event(1, initrd_event, sizeof(initrd_event), "fourfive", 8);
	CHECK(!fw.console[0], "%s", fw.console);
}

TEST(initrd_of_a_loader)
{
	u8 bytes[1000];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = initrd_byte(i);
	measuring_firmware();
	fw.has_load_file2 = true;
	fw.initrd_size = fw.initrd_size_later = sizeof(bytes);
	check_boot();
	CHECK(fw.measurements == 1, "%u measurements", fw.measurements);
	check_event(0, initrd_event, sizeof(initrd_event), bytes,
		    sizeof(bytes));
}

/*
 * The stub must measure nothing if there is a TPM, but neither a command line
 * nor an initrd, or if there is a command line, but no TPM.
 */
TEST(no_events)
{
	measuring_firmware();
	check_boot();
	CHECK(!fw.measurements, "%u of nothing", fw.measurements);
	fresh_firmware();
	set_options(u"quiet", 10);
	check_boot();
	CHECK(!fw.measurements && !fw.log, "without a TPM");
}

/*
 * A confidential guest has measurement registers instead of a TPM's PCRs. The
 * stub must ask EFI_CC_MEASUREMENT_PROTOCOL which register replaces the PCR.
 */
TEST(confidential_guest)
{
	fresh_firmware();
	set_options(u"quiet", 10);
	fw.has_cc = true;
	check_boot();
	options_event[10] = 3;
	check_event(0, options_event, sizeof(options_event), u"quiet", 10);
	options_event[10] = 9;

	fresh_firmware();
	set_options(u"quiet", 10);
	fw.has_cc = true;
	fw.map_pcr_status = EFI_UNSUPPORTED;
	check_boot();
	CHECK(!fw.measurements, "in a register that is not there");

	/*
	 * Firmware has a TPM's protocol and that of a confidential guest. The
	 * stub must use the TPM's.
	 */
	measuring_firmware();
	set_options(u"quiet", 10);
	fw.has_cc = true;
	check_boot();
	check_event(0, options_event, sizeof(options_event), u"quiet", 10);
}

TEST(error_is_said)
{
	measuring_firmware();
	set_options(u"quiet", 10);
	fw.extend_status = EFI_DEVICE_ERROR;
	check_boot();
	CHECK(!strcmp(fw.console,
		      "sevstub: TPM: not measured: LOADED_IMAGE::LoadOptions\r\n"),
	      "%s", fw.console);
}

/* ---- the log ---- */

#define FIRST_SIZE	(32 + 28 + 2 * 4 + 1)
#define EVENT_SIZE	(12 + 2 + 20 + 2 + 32 + 4)

static u8 *buffer;
static size_t filled;

static void put(const void *bytes, size_t size)
{
	memcpy(buffer + filled, bytes, size);
	filled += size;
}

static void put32(u32 value)
{
	put(&value, sizeof(value));
}

static void put16(u16 value)
{
	put(&value, sizeof(value));
}

/*
 * Writes the first event of an event log, which lists @count digest algorithms.
 * Algorithm 4 (SHA-1) has digests of 20 bytes, algorithm 11 (SHA-256) of 32.
 */
static void put_first(u32 count)
{
	static const u8 zeros[20];
	u32 i;

	put32(0);
	put32(3);
	put(zeros, 20);
	put32(28 + 4 * count + 1);
	put("Spec ID Event03", 16);
	put32(0);
	put("\0\2\0\2", 4);
	put32(count);
	for (i = 0; i < count; i++) {
		put16((u16)(4 + 7 * i));
		put16((u16)(20 + 12 * i));
	}
	put(zeros, 1);
}

static void put_event(const char *data)
{
	u8 digests[32] = { 0x11 };

	put32(9);
	put32(6);
	put32(2);
	put16(4);
	put(digests, 20);
	put16(11);
	put(digests, 32);
	put32((u32)strlen(data));
	put(data, strlen(data));
}

/*
 * Starts an empty event log in a heap buffer of exactly @size bytes, so that
 * ASan detects a read past it.
 */
static void new_log(size_t size)
{
	free(buffer);
	buffer = malloc(size);
	filled = 0;
	fw.log_first = fw.log_last = buffer;
}

static void check_log(size_t size, u8 version, u32 final)
{
	u32 words[2];

	efi_install_event_log();
	CHECK(fw.log, "no log: %s", fw.console);
	memcpy(words, fw.log, sizeof(words));
	CHECK(words[0] == size && words[1] == final, "%u bytes, %u again",
	      words[0], words[1]);
	CHECK(((const u8 *)fw.log)[8] == version &&
	      !memcmp((const u8 *)fw.log + 9, buffer, size), "contents");
	CHECK(!fw.console[0], "%s", fw.console);
	CHECK(still_live() == 1, "%u live", still_live());
}

static void log_of_two(void)
{
	measuring_firmware();
	new_log(FIRST_SIZE + EVENT_SIZE + 3 + EVENT_SIZE + 5);
	put_first(2);
	put_event("abc");
	fw.log_last = buffer + filled;
	put_event("hello");
}

TEST(log)
{
	log_of_two();
	check_log(FIRST_SIZE + 2 * EVENT_SIZE + 8, 2, 0);
}

TEST(log_of_its_first_event)
{
	measuring_firmware();
	new_log(FIRST_SIZE);
	put_first(2);
	check_log(FIRST_SIZE, 2, 0);
}

TEST(log_1_2)
{
	static const u8 digest[20];

	measuring_firmware();
	fw.log_status[TCG_LOG_2] = EFI_INVALID_PARAMETER;
	new_log(2 * 32 + 7);
	put32(4);
	put32(5);
	put(digest, 20);
	put32(0);
	fw.log_last = buffer + filled;
	put32(4);
	put32(5);
	put(digest, 20);
	put32(7);
	put("1234567", 7);
	check_log(2 * 32 + 7, 1, 0);
}

TEST(log_none)
{
	measuring_firmware();
	efi_install_event_log();
	CHECK(!fw.log && !fw.allocations, "of nothing");
	measuring_firmware();
	fw.log_status[1] = fw.log_status[2] = EFI_DEVICE_ERROR;
	fw.log_first = (const u8 *)rsdp;
	efi_install_event_log();
	CHECK(!fw.log && !fw.allocations, "after an error");
	/* GetEventLog() reports no last event, so the event log is empty. */
	log_of_two();
	fw.log_last = NULL;
	check_log(0, 2, 0);
}

static void poke32(size_t at, u32 value)
{
	memcpy(buffer + at, &value, sizeof(value));
}

static void final_events(u64 count, size_t size)
{
	static struct tcg_final_events *final;
	static const EFI_GUID guid = EFI_TCG2_FINAL_EVENTS_TABLE_GUID;

	free(final);
	final = malloc(sizeof(*final) + size);
	final->version = 1;
	final->count = count;
	memcpy(final->events, buffer + FIRST_SIZE, size);
	fw.tables[2].VendorGuid = guid;
	fw.tables[2].VendorTable = final;
	fw.st.NumberOfTableEntries = 3;
}

/*
 * Firmware's final events table repeats the events that were logged after the
 * first GetEventLog(). The kernel gets the table, too. The stub must tell the
 * kernel how many bytes of the copied log are repeated in that table.
 */
TEST(final)
{
	const size_t size = 2 * EVENT_SIZE + 8;

	log_of_two();
	final_events(0, 0);
	check_log(FIRST_SIZE + size, 2, 0);
	log_of_two();
	final_events(1, EVENT_SIZE + 3);
	check_log(FIRST_SIZE + size, 2, EVENT_SIZE + 3);
	log_of_two();
	final_events(2, size);
	check_log(FIRST_SIZE + size, 2, (u32)size);
	/*
	 * The table of final events can repeat events that are in the log. The
	 * stub adds up their bytes for the kernel, and must stop at a malformed
	 * event.
	 */
	log_of_two();
	buffer[FIRST_SIZE + EVENT_SIZE + 3 + 12] = 77;
	final_events(2, size);
	fw.log_last = buffer + FIRST_SIZE;
	check_log(FIRST_SIZE + EVENT_SIZE + 3, 2, EVENT_SIZE + 3);
	/*
	 * The final events table claims 2^64 - 1 events, and its first event
	 * has more digests than the log has algorithms. The stub must stop
	 * counting there and read nothing after the table.
	 */
	log_of_two();
	poke32(FIRST_SIZE + 8, 3);
	final_events(~0UL, size);
	fw.log_last = buffer + FIRST_SIZE + EVENT_SIZE + 3;
	check_log(FIRST_SIZE + size, 2, 0);
	/*
	 * An event in the final events table claims to be larger than any log.
	 * The stub must stop counting there.
	 */
	log_of_two();
	poke32(FIRST_SIZE + EVENT_SIZE + 3 + EVENT_SIZE - 4, TPM_LOG_MAX_SIZE);
	final_events(2, size);
	poke32(FIRST_SIZE + EVENT_SIZE + 3 + EVENT_SIZE - 4, 5);
	check_log(FIRST_SIZE + size, 2, EVENT_SIZE + 3);
	/*
	 * The final events table belongs to the TPM's protocol, but the stub
	 * uses the protocol of a confidential guest. The stub must ignore the
	 * table.
	 */
	log_of_two();
	fw.has_tpm = false;
	fw.has_cc = true;
	final_events(1, EVENT_SIZE + 3);
	check_log(FIRST_SIZE + size, 2, 0);
}

/* ---- malformed logs, for which the kernel gets an empty log ---- */

static void check_empty(void)
{
	check_log(0, 2, 0);
}

TEST(log_hostile)
{
	const size_t last = FIRST_SIZE + EVENT_SIZE + 3;

	log_of_two();
	fw.log_last = buffer - 1;
	check_empty();
	log_of_two();
	fw.log_last = buffer + TPM_LOG_MAX_SIZE + 1;
	check_empty();
	/*
	 * An event has a digest of an algorithm that the log's first event does
	 * not list. The stub must refuse the log.
	 */
	log_of_two();
	buffer[last + 12] = 5;
	check_empty();
	log_of_two();
	buffer[last + 34] = 5;
	check_empty();
	/*
	 * An event claims three digests, but the log's first event lists two algorithms. The
	 * checks below this one change the number of algorithms that the first event claims to
	 * 0, 1, 17 and 2^32 - 1. The stub must refuse each log.
	 */
	log_of_two();
	poke32(last + 8, 3);
	/*
	 * After the second digest lies the size of the event's data. The stub takes it for the
	 * algorithm of the third digest. Set it to 4, which is TPM_ALG_SHA1, so that the stub
	 * can refuse the event only because it has too many digests.
	 */
	poke32(last + EVENT_SIZE - 4, 4);
	check_empty();
	log_of_two();
	poke32(32 + 24, 0);
	check_empty();
	log_of_two();
	poke32(32 + 24, 1);
	check_empty();
	log_of_two();
	poke32(32 + 24, 17);
	check_empty();
	log_of_two();
	poke32(32 + 24, ~0U);
	check_empty();
}

static void refused(const char *message)
{
	fw.console[0] = '\0';
	efi_install_event_log();
	CHECK(!fw.log, "a log after all");
	CHECK(strstr(fw.console, message), "%s", fw.console);
	CHECK(!still_live(), "%u live", still_live());
}

TEST(log_refused)
{
	const size_t last = FIRST_SIZE + EVENT_SIZE + 3;

	log_of_two();
	poke32(last + EVENT_SIZE - 4, TPM_LOG_MAX_SIZE);
	refused("no memory for its log");
	log_of_two();
	poke32(last + EVENT_SIZE - 4, ~0U);
	refused("no memory for its log");
	log_of_two();
	fw.fail_at = 1;
	refused("no memory for its log");
	log_of_two();
	fw.install_status = EFI_OUT_OF_RESOURCES;
	refused("cannot be passed on");
}
