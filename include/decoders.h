/* SPDX-License-Identifier: MIT */
/*
 * decoders.h - the decoders of a payload: payload/unzstd.c, unlz4.c, unstore.c.
 * mkpayload links one of them into an image.
 *
 * Each takes the compressed bytes [@in, @in + @in_size) and must produce exactly
 * @out_size bytes at @out. @in may lie at the upper end of the output's buffer,
 * payload_header.margin bytes above the end of the output.
 */
#ifndef DECODERS_H
#define DECODERS_H

#include "types.h"

/*
 * Calls the decoder of this image. mkpayload writes this function, so that the
 * linker leaves the other decoders out.
 * Returns the decoder's result: 0; -EINVAL if the sizes do not agree; or a
 * positive number that names what is damaged.
 */
int payload_decode(void *out, size_t out_size, const void *in, size_t in_size);

/*
 * Decodes one zstd frame (RFC 8878). Returns 0; -EINVAL if the frame has
 * another size than @in_size or @out_size say; or zstd's error code, a positive
 * number of zstd_errors.h.
 */
int unzstd(void *out, size_t out_size, const void *in, size_t in_size);

/*
 * Lets unzstd() use BMI1, BMI2 and LZCNT instructions. The caller has asked the
 * processor: in an SEV-ES guest each CPUID instruction costs an exit.
 */
void unzstd_use_bmi2(void);

/*
 * Decodes one legacy lz4 frame, as Linux uses it. Returns 0; -EINVAL if the
 * sizes do not agree; or a positive number if the frame is damaged.
 */
int unlz4(void *out, size_t out_size, const void *in, size_t in_size);

/* Copies a payload that is not compressed. Returns 0, or -EINVAL. */
int unstore(void *out, size_t out_size, const void *in, size_t in_size);

/* Returns the XXH64 of @len bytes at @data, with seed 0. */
u64 xxh64(const void *data, size_t len);

#endif
