/* SPDX-License-Identifier: MIT */
/*
 * relocs.c - collects the places in the flat image that change if the payload
 * moves, and packs them into the relocation table that payload.h describes and
 * the stub's relocate.c applies.
 *
 * relocs_store() checks that every place lies in the image, and that no byte
 * belongs to two places, because such a table would spoil the payload.
 */
#include <stdlib.h>
#include <string.h>

#include "mkpayload.h"

/* Number of offsets for which a list's first allocation has room. */
#define FIRST_ROOM	1024UL

void relocs_add(struct relocs *relocs, enum reloc_kind kind, u64 offset)
{
	struct reloc_list *list = &relocs->list[kind];

	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : FIRST_ROOM;
		list->offset = realloc(list->offset,
				       list->room * sizeof(*list->offset));
		if (!list->offset)
			die("out of memory (%zu relocations)", list->room);
	}
	list->offset[list->count++] = offset;
}

size_t relocs_count(const struct relocs *relocs)
{
	size_t count = 0;

	for (int kind = 0; kind < RELOC_KINDS; kind++)
		count += relocs->list[kind].count;
	return count;
}

void relocs_free(struct relocs *relocs)
{
	for (int kind = 0; kind < RELOC_KINDS; kind++)
		free(relocs->list[kind].offset);
}

static int compare_offsets(const void *a, const void *b)
{
	u32 left = *(const u32 *)a, right = *(const u32 *)b;

	return (left > right) - (left < right);
}

/*
 * Checks that no relocated place overlaps another or ends after the image. Each
 * list must be sorted. The loop merges the lists, so that it visits all places in
 * the order of their offsets.
 */
static void check_places(const struct relocs *relocs, u64 image_size)
{
	size_t next[RELOC_KINDS] = { 0 };
	u64 end = 0;

	for (;;) {
		int first = -1;
		u64 offset;

		for (int kind = 0; kind < RELOC_KINDS; kind++) {
			const struct reloc_list *list = &relocs->list[kind];

			if (next[kind] == list->count)
				continue;
			if (first < 0 || list->offset[next[kind]] <
			    relocs->list[first].offset[next[first]])
				first = kind;
		}
		if (first < 0)
			return;
		offset = relocs->list[first].offset[next[first]++];
		if (offset < end)
			die("two relocations overlap at offset %#lx", offset);
		end = offset + RELOC_WIDTH(first);
		if (end > image_size)
			die("relocation at offset %#lx is outside the payload",
			    offset);
	}
}

/* Writes @value as unsigned LEB128 to @at. Returns the address after it. */
static u8 *store_number(u8 *at, u64 value)
{
	while (value >= LEB128_MORE) {
		*at++ = value | LEB128_MORE;
		value >>= LEB128_BITS;
	}
	*at++ = value;
	return at;
}

struct blob relocs_store(struct relocs *relocs, u64 image_size)
{
	size_t numbers = 0;
	struct blob table;
	u8 *at;

	for (int kind = 0; kind < RELOC_KINDS; kind++) {
		struct reloc_list *list = &relocs->list[kind];

		if (list->count)
			qsort(list->offset, list->count,
			      sizeof(*list->offset), compare_offsets);
		numbers += 1 + list->count;
	}
	check_places(relocs, image_size);

	table.data = at = xalloc(numbers * (LEB128_MAX_BITS / LEB128_BITS));
	for (int kind = 0; kind < RELOC_KINDS; kind++) {
		struct reloc_list *list = &relocs->list[kind];
		u64 end = 0;

		at = store_number(at, list->count);
		for (size_t i = 0; i < list->count; i++) {
			at = store_number(at, list->offset[i] - end);
			end = list->offset[i] + RELOC_WIDTH(kind);
		}
	}
	relocs_free(relocs);
	table.size = at - table.data;
	return table;
}
