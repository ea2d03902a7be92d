/* SPDX-License-Identifier: MIT */
/*
 * test_images.c - boots 100,000 damaged images. The stub's own code takes each
 * from the payload header to the payload's entry.
 *
 * An image that was damaged after it was built must always be refused, because
 * its digests no longer match. In the other images the digests are recomputed
 * after the damage. Such an image must be refused, or must be decoded as its
 * header says. In both cases the stub must not access memory outside of the
 * payload's range. Inaccessible pages, made in extract.h, check this.
 */
#include "extract.h"

#define FILE_IMAGES	70000
#define HEADER_IMAGES	20000
#define FRAME_IMAGES	10000

static u8 image[sizeof(built.image)];

static struct {
	unsigned int tried, refused, taken;
} count;

static bool boots(size_t there, u64 *entry)
{
	bool good = extract(image, there, entry);

	count.tried++;
	if (good)
		count.taken++;
	else
		count.refused++;
	return good;
}

static void fresh_image(void)
{
	fresh_extract();
	memcpy(image, built.image, built.image_size);
}

static void begin_count(void)
{
	random_seed(20);
	memset(&count, 0, sizeof(count));
	fresh_image();
	/*
	 * The first call of fresh_image() builds the image and uses up random
	 * numbers. Set the seed after it, so that each test starts with the
	 * same numbers.
	 */
	random_seed(20);
}

static void report_count(void)
{
	INFO("%u images, %u refused, %u taken and right, 0 wrong", count.tried,
	     count.refused, count.taken);
}

/*
 * The undamaged image must boot. Otherwise damaged images might be refused for
 * a reason other than their damage.
 */
TEST(undamaged)
{
	u64 entry = 0;

	begin_count();
	CHECK(boots(built.image_size, &entry), "%s: %s", harness_error_what,
	      harness_error_detail);
	check_extracted(image, entry);
}

/*
 * Damages the image by one of: changed bits, a changed byte, a run of equal
 * bytes, a copied block, a shorter file. Returns the size of the damaged file
 * in bytes.
 */
static size_t damage(void)
{
	size_t size = built.image_size, at = random_below(size), from;
	size_t len = 1 + random_below(size - at < 600 ? size - at : 600);
	unsigned int n = 1 + (unsigned int)random_below(4);

	switch (random_below(6)) {
	case 0:
		image[at] ^= (u8)(1 << random_below(8));
		break;
	case 1:
		while (n--)
			image[random_below(size)] ^= (u8)(1 << random_below(8));
		break;
	case 2:
		image[at] = (u8)random_u64();
		break;
	case 3:
		memset(image + at, random_below(2) ? 0 : 0xff, len);
		break;
	case 4:
		from = random_below(size - len + 1);
		memmove(image + at, image + from, len);
		break;
	default:
		return at;
	}
	return size;
}

TEST(damaged_files)
{
	unsigned int i;
	size_t there;
	u64 entry;

	begin_count();
	for (i = 0; i < FILE_IMAGES; i++) {
		fresh_image();
		there = damage();
		if (!boots(there, &entry))
			continue;
		CHECK(there == built.image_size &&
		      !memcmp(image, built.image, there),
		      "damage %u is not noticed", i);
		check_extracted(image, entry);
	}
	report_count();
}

/*
 * Returns an extreme value for a header field that now holds @old. It is a
 * limit of the format, a size of this image, or a value near one of these.
 */
static u64 extreme(u64 old)
{
	static const u64 values[] = {
		0, 1, ~0UL, 1UL << 63, PAYLOAD_MAX_SIZE, PAYLOAD_MAX_SIZE + 1,
		1UL << 31, 1UL << 32, 0xffffffff, PAGE_SIZE, RANGE_SIZE,
		RANGE_SIZE + 1, PLAIN_SIZE, PLAIN_SIZE - 1, PLAIN_SIZE + 1,
		LINK_ADDR,
	};
	u64 other;

	switch (random_below(6)) {
	case 0:
		return values[random_below(ARRAY_SIZE(values))];
	case 1:
		return old + random_below(17) - 8;
	case 2:
		return old ^ 1UL << random_below(64);
	case 3:
		return -values[random_below(ARRAY_SIZE(values))];
	case 4:
		memcpy(&other, (u8 *)&built.header + 8 *
		       random_below(sizeof(built.header) / 8), sizeof(other));
		return other;
	default:
		return random_u64() >> random_below(64);
	}
}

TEST(sealed_headers)
{
	unsigned int i, n;
	u64 entry, value;
	size_t at;

	begin_count();
	for (i = 0; i < HEADER_IMAGES; i++) {
		fresh_image();
		for (n = 1 + (unsigned int)random_below(3); n; n--) {
			/*
			 * The header's fields are damaged, but not its digests,
			 * because seal() recomputes them below.
			 */
			at = random_below(sizeof(built.header) / 4) * 4;
			if (at + sizeof(value) > sizeof(built.header))
				at -= 4;
			memcpy(&value, image + at, sizeof(value));
			value = extreme(value);
			memcpy(image + at, &value, random_below(2) ? 8 : 4);
		}
		seal(image, built.image_size);
		if (boots(built.image_size, &entry))
			check_extracted(image, entry);
	}
	report_count();
	CHECK(count.taken, "none was taken: nothing was compared");
}

/*
 * The compressed data is damaged, and the digests are recomputed to match. Only
 * the checks of the decoder and of the relocation code can keep the stub from
 * accessing memory outside of the payload's range.
 */
TEST(sealed_frames)
{
	unsigned int i;
	size_t there;
	u64 entry;

	begin_count();
	for (i = 0; i < FRAME_IMAGES; i++) {
		fresh_image();
		there = damage();
		memcpy(image, &built.header, sizeof(built.header));
		if (there > sizeof(built.header))
			memset(image + there, 0, built.image_size - there);
		seal(image, built.image_size);
		if (boots(built.image_size, &entry))
			CHECK(entry == m(AT_RANGE) + built.header.entry_offset,
			      "enters 0x%lx", entry);
	}
	INFO("%u images, %u refused, none left its memory", count.tried,
	     count.refused);
}
