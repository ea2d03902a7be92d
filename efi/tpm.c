/* SPDX-License-Identifier: MIT */
/*
 * tpm.c - measures the command line and the initrd into a TPM or into a
 * confidential guest's measurement registers, and hands the event log to the
 * payload.
 *
 * Runs before ExitBootServices. An error is printed and the boot goes on,
 * because a verifier notices a missing measurement. The event log comes from
 * firmware: no size in it is trusted beyond TPM_LOG_MAX_SIZE.
 */
#include "efi-stub.h"
#include "lib/string.h"

static const EFI_GUID tcg2_guid = EFI_TCG2_PROTOCOL_GUID;
static const EFI_GUID cc_guid = EFI_CC_MEASUREMENT_PROTOCOL_GUID;
static const EFI_GUID tcg2_final_guid = EFI_TCG2_FINAL_EVENTS_TABLE_GUID;
static const EFI_GUID cc_final_guid = EFI_CC_FINAL_EVENTS_TABLE_GUID;
static const EFI_GUID event_log_guid = LINUX_EFI_TPM_EVENT_LOG_GUID;

/*
 * Returns firmware's measurement protocol or NULL. Stores the number of the
 * register to extend in @pcr and the GUID of the final-events table in @table.
 */
static struct efi_measuring *find_measuring(u32 *pcr, const EFI_GUID **table)
{
	struct efi_measuring *m;

	*pcr = LINUX_PCR;
	*table = &tcg2_final_guid;
	if (!efi.bs->LocateProtocol(MUTABLE(tcg2_guid), NULL, (void **)&m))
		return m;
	*table = &cc_final_guid;
	if (!efi.bs->LocateProtocol(MUTABLE(cc_guid), NULL, (void **)&m) &&
	    !m->map_pcr(m, LINUX_PCR, pcr))
		return m;
	return NULL;
}

void efi_measure(u32 tag, const char *text, u64 addr, u64 size)
{
	struct efi_tagged_event event = {
		.size = sizeof(event),
		.header_size = TCG_EVENT_HEADER_SIZE,
		.header_version = TCG_EVENT_HEADER_VERSION,
		.type = TCG_EV_EVENT_TAG,
		.tag = tag,
		.text_size = (u32)strlen(text) + 1,
	};
	const EFI_GUID *table;
	struct efi_measuring *m;
	u32 pcr;

	m = find_measuring(&pcr, &table);
	if (!m)
		return;
	memcpy(event.text, text, event.text_size);
	event.size -= TCG_EVENT_TEXT_SIZE - event.text_size;
	event.pcr = pcr;
	if (m->hash_log_extend(m, 0, addr, size, &event))
		efi_fail("TPM: not measured", text, EFI_DEVICE_ERROR);
}

/*
 * Returns the size in bytes of @event, an event of a TCG_LOG_2 log that is not
 * the log's first, or 0 if it cannot be computed. The data of the log's @first
 * event holds the size of each algorithm's digest.
 */
static u64 event2_size(const struct tcg_event *first,
		       const struct tcg_event2 *event)
{
	const struct tcg_spec_id *id = (const void *)first->data;
	const u8 *at = event->digests;
	u32 size, i, a;
	u16 algorithm;

	if (id->count > TCG_MAX_ALGORITHMS || event->count > id->count)
		return 0;
	for (i = 0; i < event->count; i++) {
		memcpy(&algorithm, at, sizeof(algorithm));
		for (a = 0; id->algorithms[a].id != algorithm; a++) {
			if (a + 1 >= id->count)
				return 0;
		}
		at += sizeof(algorithm) + id->algorithms[a].size;
	}
	memcpy(&size, at, sizeof(size));
	return (u64)(at - (const u8 *)event) + sizeof(size) + size;
}

/*
 * Returns the size in bytes of the event log whose first event is at @first and
 * whose last event begins at @last. Returns 0 if the log is empty or malformed.
 */
static u64 log_size(u32 version, u64 first, u64 last)
{
	const struct tcg_event *event = (const void *)last;
	u64 size;

	/*
	 * If @last is 0 or below @first, the unsigned difference is a large
	 * number, so that the limit refuses such a log, too.
	 */
	if (last - first > TPM_LOG_MAX_SIZE)
		return 0;
	if (version == TCG_LOG_1_2 || last == first)
		size = sizeof(*event) + event->size;
	else
		size = event2_size((const void *)first, (const void *)last);
	return size ? last - first + size : 0;
}

/*
 * Returns the size in bytes of the events in firmware's final-events table. The
 * event log, which begins at @first, contains these events, too. Linux adds the
 * table's events to the log, and needs the size to skip those that the log has.
 */
static u64 final_events_size(const EFI_GUID *table, u64 first)
{
	const struct tcg_final_events *final = efi_find_table(table);
	u64 total = 0, size, i;

	for (i = 0; final && i < final->count; i++) {
		size = event2_size((const void *)first,
				   (const void *)(final->events + total));
		if (!size || size > TPM_LOG_MAX_SIZE - total)
			break;
		total += size;
	}
	return total;
}

void efi_install_event_log(void)
{
	EFI_PHYSICAL_ADDRESS first = 0, last = 0;
	struct linux_tpm_event_log *log;
	const EFI_GUID *table;
	struct efi_measuring *m;
	u8 version = TCG_LOG_2;
	BOOLEAN truncated;
	u64 size;
	u32 pcr;

	m = find_measuring(&pcr, &table);
	if (!m)
		return;
	if (m->get_event_log(m, version, &first, &last, &truncated) || !first) {
		version = TCG_LOG_1_2;
		if (m->get_event_log(m, version, &first, &last, &truncated) ||
		    !first)
			return;
	}
	size = log_size(version, first, last);
	if (size > TPM_LOG_MAX_SIZE ||
	    efi.bs->AllocatePool(EfiACPIReclaimMemory, sizeof(*log) + size,
				 (void **)&log)) {
		efi_fail("TPM", "no memory for its log", EFI_OUT_OF_RESOURCES);
		return;
	}
	log->size = (u32)size;
	log->version = version;
	log->final_events_size = 0;
	if (size && version == TCG_LOG_2)
		log->final_events_size = (u32)final_events_size(table, first);
	memcpy(log->log, (const void *)first, size);
	if (efi.bs->InstallConfigurationTable(MUTABLE(event_log_guid), log)) {
		efi.bs->FreePool(log);
		efi_fail("TPM", "its log cannot be passed on",
			 EFI_OUT_OF_RESOURCES);
	}
}
