/* SPDX-License-Identifier: MIT */
/*
 * codecs.c - decompresses the payload of a bzImage with the library or program
 * of its codec. It supports every codec that Linux can be built with.
 *
 * The payload's first bytes, a magic number, tell the codec. Its last four bytes
 * are the decompressed size. A payload that decompresses to another size is
 * refused.
 */
#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <lzma.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "mkpayload.h"

/*
 * A codec's decompressor. It decompresses @in to @out->data and must produce
 * exactly @out->size bytes, the size that the bzImage states. Returns NULL, or the
 * reason why it failed.
 */
typedef const char *decompress_fn(const struct blob *in, struct blob *out);

static const char size_differs[] =
	"not of the size that is recorded after it";

static const char *gunzip(const struct blob *in, struct blob *out)
{
	z_stream z = {
		.next_in = in->data, .avail_in = in->size,
		.next_out = out->data, .avail_out = out->size,
	};
	int ret;

	/* Adding 16 makes zlib expect and check gzip's header and trailer. */
	if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK)
		return "zlib does not start";
	ret = inflate(&z, Z_FINISH);
	inflateEnd(&z);

	if (ret == Z_BUF_ERROR && z.avail_out == 0)
		return size_differs;
	if (ret == Z_BUF_ERROR)
		return "ends too early";
	if (ret != Z_STREAM_END)
		return z.msg ? z.msg : "damaged";
	if (z.avail_in)
		return "has bytes after its end";
	/*
	 * The output has out->size bytes. This size was read from the end of gzip's
	 * trailer, and zlib has compared the output's size with the trailer.
	 */
	return NULL;
}

static const char *unxz(const struct blob *in, struct blob *out)
{
	uint64_t memory_limit = UINT64_MAX;
	size_t in_pos = 0, out_pos = 0;

	switch (lzma_stream_buffer_decode(&memory_limit, 0, NULL, in->data,
					  &in_pos, in->size, out->data,
					  &out_pos, out->size)) {
	case LZMA_OK:
		break;
	case LZMA_BUF_ERROR:
		return "is cut off, or larger than recorded after it";
	default:
		return "damaged";
	}
	if (in_pos != in->size)
		return "has bytes after its end";
	return out_pos == out->size ? NULL : size_differs;
}

static const char *unlzma(const struct blob *in, struct blob *out)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret ret = lzma_alone_decoder(&s, UINT64_MAX);

	if (ret != LZMA_OK)
		return "liblzma does not start";
	s.next_in = in->data;
	s.avail_in = in->size;
	s.next_out = out->data;
	s.avail_out = out->size;
	ret = lzma_code(&s, LZMA_FINISH);
	/*
	 * The output may be complete while liblzma has not yet read the end mark
	 * of its input. A second call reads that, without more room for output.
	 */
	if (ret == LZMA_OK)
		ret = lzma_code(&s, LZMA_FINISH);
	lzma_end(&s);

	switch (ret) {
	case LZMA_STREAM_END:
		break;
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return "is cut off, or larger than recorded after it";
	default:
		return "damaged";
	}
	if (s.avail_in)
		return "has bytes after its end";
	return s.avail_out ? size_differs : NULL;
}

static const char *bunzip2(const struct blob *in, struct blob *out)
{
	bz_stream s = {
		.next_in = (char *)in->data, .avail_in = in->size,
		.next_out = (char *)out->data, .avail_out = out->size,
	};
	int ret;

	if (BZ2_bzDecompressInit(&s, 0, 0) != BZ_OK)
		return "libbz2 does not start";
	do {
		ret = BZ2_bzDecompress(&s);
	} while (ret == BZ_OK && s.avail_in && s.avail_out);
	/*
	 * The output may be complete while libbz2 has not yet read the checksum
	 * at the end of its input. A further call reads that, without more room
	 * for output.
	 */
	if (ret == BZ_OK)
		ret = BZ2_bzDecompress(&s);
	BZ2_bzDecompressEnd(&s);

	if (ret == BZ_OK)
		return "is cut off, or larger than recorded after it";
	if (ret != BZ_STREAM_END)
		return "damaged";
	if (s.avail_in)
		return "has bytes after its end";
	return s.avail_out ? size_differs : NULL;
}

FILE *file_of(const void *bytes, size_t size)
{
	FILE *f = tmpfile();

	if (!f)
		return NULL;
	if (fwrite(bytes, 1, size, f) == size && !fflush(f) &&
	    !lseek(fileno(f), 0, SEEK_SET))
		return f;
	fclose(f);
	return NULL;
}

const char *run_program(char *const argv[], int input, struct blob *out,
			int *status)
{
	posix_spawn_file_actions_t files;
	size_t room = out->size;
	ssize_t got = 1;
	int pipes[2], failed;
	pid_t child;

	if (pipe2(pipes, O_CLOEXEC))
		return strerror(errno);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, pipes[1], STDOUT_FILENO);
	/*
	 * Drop the program's own error messages, so that mkpayload prints one
	 * line only.
	 */
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
					 O_WRONLY, 0);
	failed = posix_spawnp(&child, argv[0], &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	close(pipes[1]);
	if (failed) {
		close(pipes[0]);
		die("cannot run %s: %s: install it", argv[0],
		    strerror(failed));
	}

	out->size = 0;
	while (got > 0 && out->size < room) {
		got = read(pipes[0], out->data + out->size, room - out->size);
		if (got > 0)
			out->size += got;
	}
	close(pipes[0]);
	if (waitpid(child, status, 0) != child)
		return strerror(errno);
	return got < 0 ? "cannot read what a program prints" : NULL;
}

/* Runs the program lzop, because the lzo library's licence is the GPL. */
static const char *unlzo(const struct blob *in, struct blob *out)
{
	static char *const argv[] = { "lzop", "-dcq", NULL };
	/* Room for one byte more than expected, to notice a longer output. */
	struct blob more = { xalloc(out->size + 1), out->size + 1 };
	FILE *stream = file_of(in->data, in->size);
	const char *problem;
	int status;

	if (!stream)
		return strerror(errno);
	problem = run_program(argv, fileno(stream), &more, &status);
	fclose(stream);
	/*
	 * If lzop printed too much, SIGPIPE may have stopped it. lzop's exit
	 * status then says nothing, and the check of the size below reports the
	 * error.
	 */
	if (!problem && more.size <= out->size && status)
		problem = "damaged";
	if (!problem && more.size != out->size)
		problem = size_differs;
	if (!problem)
		memcpy(out->data, more.data, out->size);
	free(more.data);
	return problem;
}

const char *unlz4_legacy(const struct blob *in, struct blob *out)
{
	size_t at = MAGIC_LEN, done = 0;

	while (at < in->size) {
		size_t room = out->size - done;
		u32 block;
		int got;

		if (in->size - at < sizeof(block))
			return "ends too early";
		memcpy(&block, in->data + at, sizeof(block));
		at += sizeof(block);
		if (block > in->size - at)
			return "ends too early";
		if (room > LZ4_LEGACY_BLOCK)
			room = LZ4_LEGACY_BLOCK;
		got = LZ4_decompress_safe((char *)in->data + at,
					  (char *)out->data + done, block,
					  room);
		if (got < 0)
			return "damaged";
		at += block;
		done += got;
	}
	return done == out->size ? NULL : size_differs;
}

static const char *unzstd(const struct blob *in, struct blob *out)
{
	size_t ret = ZSTD_decompress(out->data, out->size, in->data, in->size);

	if (ZSTD_isError(ret))
		return ZSTD_getErrorName(ret);
	return ret == out->size ? NULL : size_differs;
}

static const struct codec {
	const char *name;
	const char *magic;
	size_t magic_len;
	/*
	 * Whether the payload's last four bytes, the decompressed size, belong
	 * to the codec's own format, as in gzip's trailer. Otherwise Linux's
	 * build has appended them, and codec_decompress() cuts them off.
	 */
	bool size_is_inside;
	decompress_fn *decompress;
} codecs[] = {
	{ "gzip", "\x1f\x8b", 2, true, gunzip },
	{ "xz", "\xfd" "7zXZ\0", 6, false, unxz },
	{ "lz4", LZ4_LEGACY_MAGIC, MAGIC_LEN, false, unlz4_legacy },
	{ "zstd", "\x28\xb5\x2f\xfd", MAGIC_LEN, false, unzstd },
	{ "bzip2", "BZh", 3, false, bunzip2 },
	{ "lzma", "\x5d\0\0", 3, false, unlzma },
	{ "lzo", "\x89LZO", MAGIC_LEN, false, unlzo },
};

static const struct codec *find_codec(const struct blob *in)
{
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		if (in->size >= codecs[i].magic_len &&
		    !memcmp(in->data, codecs[i].magic, codecs[i].magic_len))
			return &codecs[i];
	}
	die("unknown codec: begins with %02x %02x %02x %02x, not gzip, bzip2, lzma, xz, lzo, lz4 or zstd",
	    in->data[0], in->data[1], in->data[2], in->data[3]);
}

struct blob codec_decompress(struct blob in)
{
	const struct codec *codec;
	const char *problem;
	struct blob out;
	u32 size;

	/*
	 * The payload needs room for the MAGIC_LEN bytes that find_codec() reads
	 * at its start, and for the decompressed size in its last four bytes.
	 */
	if (in.size < MAGIC_LEN + sizeof(size))
		die("truncated: a compressed payload of %zu bytes", in.size);
	codec = find_codec(&in);

	memcpy(&size, in.data + in.size - sizeof(size), sizeof(size));
	if (!codec->size_is_inside)
		in.size -= sizeof(size);
	if (size > PAYLOAD_MAX_SIZE)
		die("payload over 2 GiB (%u bytes before %s)", size,
		    codec->name);
	if (size == 0)
		die("payload of 0 bytes before %s", codec->name);

	out = (struct blob){ xalloc(size), size };
	problem = codec->decompress(&in, &out);
	if (problem)
		die("damaged %s payload: %s", codec->name, problem);
	return out;
}
