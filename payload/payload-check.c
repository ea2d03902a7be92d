/* SPDX-License-Identifier: MIT */
/*
 * payload-check.c - checks that the payload in the image is still what the
 * build put there. The image's file may have been damaged since, or replaced in
 * part.
 *
 * These functions say what is wrong. Then the EFI entry returns an error to
 * firmware, and misc.c ends the boot. They read nothing but the image. They use no
 * .bss, because the EFI entry calls them before the stub clears .bss.
 */
#include "decoders.h"
#include "image.h"
#include "lib/string.h"
#include "payload-check.h"

bool check_payload_header(struct payload_header *p, struct refusal *why)
{
	u64 comp_size = (u64)(payload_end - payload_start) - sizeof(*p);
	u64 digest;

	memcpy(p, payload_start, sizeof(*p));
	if (memcmp(p->magic, PAYLOAD_MAGIC, sizeof(p->magic)))
		return refuse_payload(why, "wrong magic", "there is no payload header",
				      0, 0, 0);
	if (p->version != PAYLOAD_VERSION)
		return refuse_payload(why, "payload version",
				      "%lu, this stub knows %lu", p->version,
				      PAYLOAD_VERSION, 0);
	if (p->comp_size != comp_size)
		return refuse_payload(why, "size mismatch",
				      "0x%lx compressed bytes expected, 0x%lx in the image",
				      p->comp_size, comp_size, 0);
	digest = xxh64(p, offsetof(struct payload_header, header_digest));
	if (p->header_digest != digest)
		return refuse_payload(why, "corrupt payload header",
				      "digest %016lx, expected %016lx", digest,
				      p->header_digest, 0);

	/*
	 * The digest is right, so the header is as mkpayload wrote it. If it
	 * does not fit the image, parts of two builds were linked together.
	 */
	if (p->link_addr != image_info.pref_address ||
	    p->align != image_info.align ||
	    !(p->flags & PAYLOAD_RELOCATABLE) != !image_info.relocatable ||
	    payload_addr_max(p->flags) != image_info.addr_max ||
	    p->flags & ~PAYLOAD_FLAGS_KNOWN)
		return refuse_payload(why, "payload header",
				      "link address 0x%lx, alignment 0x%lx, flags 0x%lx do not fit this image",
				      p->link_addr, p->align, p->flags);
	if (p->file_size > p->mem_size || p->mem_size > PAYLOAD_MAX_SIZE)
		return refuse_payload(why, "payload header",
				      "sizes 0x%lx in 0x%lx are out of range",
				      p->file_size, p->mem_size, 0);
	if (p->reloc_size > PAYLOAD_MAX_SIZE || p->margin > PAYLOAD_MAX_SIZE ||
	    p->entry_offset >= p->file_size)
		return refuse_payload(why, "payload header",
				      "relocations 0x%lx, margin 0x%lx or entry 0x%lx are out of range",
				      p->reloc_size, p->margin, p->entry_offset);
	return check_filters(p, why);
}

bool check_payload_frame(const struct payload_header *p, struct refusal *why)
{
	u64 digest = xxh64(payload_start + sizeof(*p), p->comp_size);

	if (digest == p->comp_digest)
		return true;
	return refuse_payload(why, "corrupt payload", "digest %016lx, expected %016lx",
		      digest, p->comp_digest, 0);
}
