/* SPDX-License-Identifier: MIT */
/*
 * decoders.h - the decoders of a payload: payload/unzstd.c, unlz4.c, unstore.c.
 * An image contains only the decoder that mkpayload chose.
 *
 * Each decoder takes the compressed bytes [@in, @in + @in_size) and must produce exactly
 * @out_size bytes at @out. The two ranges may overlap if the compressed bytes end
 * at least payload_header.margin bytes above the end of the output.
 */
#ifndef DECODERS_H
#define DECODERS_H

#include "types.h"

/*
 * Calls the decoder of this image, one of those below. mkpayload generates this
 * function in assembly. The linker drops the decoders that it does not call.
 * Returns the decoder's result: 0; -EINVAL if the payload does not decode to
 * @out_size bytes; or a positive error number of that decoder.
 */
int payload_decode(void *out, size_t out_size, const void *in, size_t in_size);

/*
 * Decodes one zstd frame (RFC 8878). Returns 0; -EINVAL if it does not decode to
 * @out_size bytes; or zstd's error code, a positive number of zstd_errors.h.
 */
int unzstd(void *out, size_t out_size, const void *in, size_t in_size);

/*
 * Lets unzstd() use BMI1, BMI2 and LZCNT instructions. The caller must know that
 * the processor has them. unzstd() does not ask by CPUID itself, because that
 * costs an exit in an SEV-ES guest.
 */
void unzstd_use_bmi2(void);

/*
 * Decodes one legacy lz4 frame, as Linux uses it. Returns 0; -EINVAL if it does
 * not decode to @out_size bytes; or a positive number if the frame is damaged.
 */
int unlz4(void *out, size_t out_size, const void *in, size_t in_size);

/*
 * Copies a payload that is not compressed. Returns 0, or -EINVAL if @in_size
 * differs from @out_size.
 */
int unstore(void *out, size_t out_size, const void *in, size_t in_size);

/* Returns the XXH64 of @len bytes at @data, with seed 0. */
u64 xxh64(const void *data, size_t len);

#endif
