/* SPDX-License-Identifier: MIT */
/*
 * mkelf.c - writes the kernels that mkpayload is tested with: small ELF files
 * and bzImages that are valid except for what the command line changes.
 *
 *   mkelf elf OUT [FIELD=VALUE]...
 *   mkelf bzimage OUT PAYLOAD CODEC [FIELD=VALUE]...
 *
 * Fields have the names of <elf.h> and <asm/bootparam.h>. Those of program and
 * section headers take an index, as in p_align.1=3. Setting a field changes the
 * header's bytes only, and moves no part of the file. Further arguments:
 *
 *   ei_class= ei_data= ei_version= ei_osabi=   bytes of e_ident
 *   note=OWNER      add a PT_NOTE segment (index 3) with a note of that owner
 *   note=OWNER:TYPE:W,W,...   the same, with a type and 32-bit words in the note
 *   poke=AT:W,W,... write 32-bit words to offset AT of the file
 *   sections=0      write no section headers
 *   tail=W,W,...    append 32-bit words to the ELF file
 *   size=N          extend the file to N bytes with a hole
 *   size_word=N     set the uncompressed size that follows the stream
 *   flip=N          flip a bit in byte N of the compressed stream
 *   cut=N, pad=N    remove N bytes from, or add N zero bytes to, the stream
 *   text=T          set the version string; \n in it becomes a newline
 */
#include <asm/bootparam.h>
#include <bzlib.h>
#include <elf.h>
#include <err.h>
#include <inttypes.h>
#include <lz4hc.h>
#include <lzma.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define LOADS		3
#define SEGMENTS	(LOADS + 1)
#define SECTIONS	5
#define FILE_MAX	(1 << 20)

#define LINK_ADDR	0x200000
#define VIRT_BASE	0xffffffff80000000
#define SEGMENT_ALIGN	0x1000

#define SETUP_SECTS	2
#define SECTOR		512
#define SETUP_SIZE	((1 + SETUP_SECTS) * SECTOR)
#define HEADER_AT	0x1f1
#define VERSION_AT	0x420
#define CODE_BEFORE	0x200	/* bytes of code before the payload */
#define CODE_BEHIND	0x100

struct field {
	const char *name;
	size_t offset, size;
};

/* clang-format off */
#define FIELD(type, name) \
	{ #name, offsetof(type, name), sizeof(((type *)0)->name) }

static const struct field ehdr_fields[] = {
	{ "ei_mag0", EI_MAG0, 1 }, { "ei_class", EI_CLASS, 1 },
	{ "ei_data", EI_DATA, 1 }, { "ei_version", EI_VERSION, 1 },
	{ "ei_osabi", EI_OSABI, 1 },
	FIELD(Elf64_Ehdr, e_type), FIELD(Elf64_Ehdr, e_machine),
	FIELD(Elf64_Ehdr, e_version), FIELD(Elf64_Ehdr, e_entry),
	FIELD(Elf64_Ehdr, e_phoff), FIELD(Elf64_Ehdr, e_shoff),
	FIELD(Elf64_Ehdr, e_phentsize), FIELD(Elf64_Ehdr, e_phnum),
	FIELD(Elf64_Ehdr, e_shentsize), FIELD(Elf64_Ehdr, e_shnum),
	{ NULL, 0, 0 },
};

static const struct field phdr_fields[] = {
	FIELD(Elf64_Phdr, p_type), FIELD(Elf64_Phdr, p_offset),
	FIELD(Elf64_Phdr, p_vaddr), FIELD(Elf64_Phdr, p_paddr),
	FIELD(Elf64_Phdr, p_filesz), FIELD(Elf64_Phdr, p_memsz),
	FIELD(Elf64_Phdr, p_align), { NULL, 0, 0 },
};

static const struct field shdr_fields[] = {
	FIELD(Elf64_Shdr, sh_type), FIELD(Elf64_Shdr, sh_offset),
	FIELD(Elf64_Shdr, sh_size), { NULL, 0, 0 },
};

static const struct field setup_fields[] = {
	FIELD(struct setup_header, setup_sects),
	FIELD(struct setup_header, root_flags),
	FIELD(struct setup_header, syssize),
	FIELD(struct setup_header, ram_size),
	FIELD(struct setup_header, vid_mode),
	FIELD(struct setup_header, root_dev),
	FIELD(struct setup_header, boot_flag),
	FIELD(struct setup_header, header),
	FIELD(struct setup_header, version),
	FIELD(struct setup_header, kernel_version),
	FIELD(struct setup_header, loadflags),
	FIELD(struct setup_header, kernel_alignment),
	FIELD(struct setup_header, relocatable_kernel),
	FIELD(struct setup_header, min_alignment),
	FIELD(struct setup_header, xloadflags),
	FIELD(struct setup_header, cmdline_size),
	FIELD(struct setup_header, payload_offset),
	FIELD(struct setup_header, payload_length),
	FIELD(struct setup_header, pref_address),
	{ NULL, 0, 0 },
};
/* clang-format on */

struct buffer {
	uint8_t data[FILE_MAX];
	size_t size;
};

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end)
		errx(2, "%s: not a number", text);
	return value;
}

/*
 * Returns the value in @argument if @argument is "NAME=VALUE" with @name as
 * NAME. Otherwise returns NULL.
 */
static const char *value_of(const char *argument, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(argument, name, len) || argument[len] != '=')
		return NULL;
	return argument + len + 1;
}

static bool set_field(const char *argument, const struct field *field,
		      void *object)
{
	for (; field->name; field++) {
		const char *text = value_of(argument, field->name);

		if (text) {
			uint64_t value = number(text);

			memcpy((char *)object + field->offset, &value,
			       field->size);
			return true;
		}
	}
	return false;
}

/*
 * Handles an argument "FIELD.INDEX=VALUE": sets the field of the object INDEX
 * in @array, which has @count objects of @size bytes. Returns false if
 * @argument names another field than @field.
 */
static bool set_indexed(const char *argument, const struct field *field,
			void *array, size_t size, unsigned int count)
{
	char name[64];
	unsigned int index;
	char value[32];

	if (sscanf(argument, "%31[a-z_].%u=%31s", name, &index, value) != 3 ||
	    index >= count)
		return false;
	strcat(strcat(name, "="), value);
	return set_field(name, field, (char *)array + index * size);
}

static void append(struct buffer *out, const void *data, size_t size)
{
	if (size > sizeof(out->data) - out->size)
		errx(2, "too much data");
	memcpy(out->data + out->size, data, size);
	out->size += size;
}

static void append_zeros(struct buffer *out, size_t size)
{
	if (size > sizeof(out->data) - out->size)
		errx(2, "too much data");
	out->size += size;
}

/*
 * Fills @data with pseudo-random bytes other than 0, so that a test sees if
 * mkpayload moves bytes, drops bytes or replaces them by zeros.
 */
static void fill(uint8_t *data, size_t size, uint32_t seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = 1 + (seed >> 24) % 255;
	}
}

static void write_out(const char *name, const struct buffer *out,
		      uint64_t size)
{
	FILE *f = fopen(name, "w");

	if (!f || fwrite(out->data, 1, out->size, f) != out->size ||
	    fflush(f) || (size && ftruncate(fileno(f), size)) || fclose(f))
		err(2, "%s", name);
}

/* ---- ELF ---- */

struct elf_parts {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[SEGMENTS];
	Elf64_Shdr shdr[SECTIONS];
};

/*
 * Makes an ELF file with three loadable segments. The first ends inside a page,
 * a gap precedes the second, the third has more memory than contents in the
 * file. Sections cover the same bytes.
 */
static void init_parts(struct elf_parts *elf)
{
	static const struct {
		uint64_t offset, paddr, filesz, memsz;
	} load[LOADS] = {
		{ 0x1000, LINK_ADDR, 0x1733, 0x1733 },
		{ 0x3000, LINK_ADDR + 0x3000, 0x321, 0x400 },
		{ 0x4000, LINK_ADDR + 0x5000, 0x123, 0x5000 },
	};

	elf->ehdr = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = LINK_ADDR + 0x10,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = LOADS,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTIONS,
	};
	for (int i = 0; i < LOADS; i++) {
		elf->phdr[i] = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = load[i].offset,
			.p_vaddr = VIRT_BASE + load[i].paddr,
			.p_paddr = load[i].paddr,
			.p_filesz = load[i].filesz,
			.p_memsz = load[i].memsz,
			.p_align = SEGMENT_ALIGN,
		};
		elf->shdr[1 + i] = (Elf64_Shdr){
			.sh_type = SHT_PROGBITS,
			.sh_flags = SHF_ALLOC,
			.sh_addr = elf->phdr[i].p_vaddr,
			.sh_offset = load[i].offset,
			.sh_size = load[i].filesz,
		};
	}
	elf->shdr[SECTIONS - 1] = (Elf64_Shdr){
		.sh_type = SHT_NOBITS, .sh_offset = -1, .sh_size = 0x1000,
	};
}

/* Appends 32-bit words, given as "W,W,...", to @out. */
static void add_words(struct buffer *out, const char *words)
{
	char *copy = strdup(words);

	for (char *word = strtok(copy, ","); word; word = strtok(NULL, ",")) {
		uint32_t value = number(word);

		append(out, &value, sizeof(value));
	}
	free(copy);
}

/*
 * Adds a PT_NOTE segment with two notes. The first belongs to another owner, so
 * that mkpayload must read on to find the note that @text describes:
 * "OWNER" or "OWNER:TYPE:W,W,...".
 */
static void add_note(struct elf_parts *elf, struct buffer *out,
		     const char *text)
{
	Elf64_Phdr *note = &elf->phdr[LOADS];
	Elf64_Nhdr first = { sizeof("odd"), 5, 1 };
	Elf64_Nhdr second = { strcspn(text, ":") + 1, 0, 0x100 };
	char *owner = strndup(text, strcspn(text, ":"));
	static struct buffer words;

	if (text[strlen(owner)]) {
		char *end;

		second.n_type = strtoul(text + strlen(owner) + 1, &end, 0);
		if (*end != ':')
			errx(2, "%s: not OWNER:TYPE:WORDS", text);
		add_words(&words, end + 1);
		second.n_descsz = words.size;
	}
	note->p_type = PT_NOTE;
	note->p_align = 4;
	note->p_offset = out->size;
	append(out, &first, sizeof(first));
	append(out, "odd\0hello\0\0", 4 + 8);
	append(out, &second, sizeof(second));
	append(out, owner, strlen(owner) + 1);
	append_zeros(out, -out->size % 4);
	append(out, words.data, words.size);
	note->p_filesz = note->p_memsz = out->size - note->p_offset;
	elf->ehdr.e_phnum = SEGMENTS;
	free(owner);
}

/*
 * Handles the argument poke=AT:W,W,...: writes the 32-bit words W to offset AT of @out.
 * @text is the part after "poke=".
 */
static void poke(struct buffer *out, const char *text)
{
	static struct buffer words;
	char *end;
	uint64_t at = strtoull(text, &end, 0);

	words.size = 0;
	if (*end != ':')
		errx(2, "%s: not OFFSET:WORDS", text);
	add_words(&words, end + 1);
	if (at > out->size || words.size > out->size - at)
		errx(2, "%s: outside of the file", text);
	memcpy(out->data + at, words.data, words.size);
}

static void make_elf(const char *name, char **arguments)
{
	static struct buffer out;
	struct elf_parts elf = { 0 };
	const char *tail = NULL, *text;
	bool sections = true;
	uint64_t size = 0;

	init_parts(&elf);
	for (int i = 0; i < LOADS; i++) {
		const Elf64_Phdr *p = &elf.phdr[i];

		append_zeros(&out, p->p_offset - out.size);
		fill(out.data + out.size, p->p_filesz, i);
		append_zeros(&out, p->p_filesz);
	}
	append_zeros(&out, -out.size % 8);
	for (char **a = arguments; *a; a++) {
		if ((text = value_of(*a, "note")))
			add_note(&elf, &out, text);
		else if ((text = value_of(*a, "sections")))
			sections = number(text);
	}
	if (sections) {
		append_zeros(&out, -out.size % 8);
		elf.ehdr.e_shoff = out.size;
		append_zeros(&out, sizeof(elf.shdr));
	}

	for (char **a = arguments; *a; a++) {
		if (value_of(*a, "note") || value_of(*a, "sections"))
			continue;
		else if ((text = value_of(*a, "poke")))
			poke(&out, text);
		else if ((text = value_of(*a, "tail")))
			tail = text;
		else if ((text = value_of(*a, "size")))
			size = number(text);
		else if (!set_field(*a, ehdr_fields, &elf.ehdr) &&
			 !set_indexed(*a, phdr_fields, elf.phdr,
				      sizeof(*elf.phdr), SEGMENTS) &&
			 !set_indexed(*a, shdr_fields, elf.shdr,
				      sizeof(*elf.shdr), SECTIONS))
			errx(2, "%s: no such field", *a);
	}
	if (sections)
		memcpy(out.data + out.size - sizeof(elf.shdr), elf.shdr,
		       sizeof(elf.shdr));
	memcpy(out.data, &elf.ehdr, sizeof(elf.ehdr));
	memcpy(out.data + sizeof(elf.ehdr), elf.phdr, sizeof(elf.phdr));
	if (tail)
		add_words(&out, tail);
	write_out(name, &out, size);
}

/* ---- codecs ---- */

typedef size_t compress_fn(const struct buffer *in, uint8_t *out, size_t room);

static size_t gzip(const struct buffer *in, uint8_t *out, size_t room)
{
	z_stream z = {
		.next_in = (uint8_t *)in->data, .avail_in = in->size,
		.next_out = out, .avail_out = room,
	};

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		errx(2, "gzip");
	deflateEnd(&z);
	return z.total_out;
}

/*
 * Compresses with xz's options in Linux's build: the filter for x86 branches,
 * and CRC32.
 */
static size_t xz(const struct buffer *in, uint8_t *out, size_t room)
{
	lzma_options_lzma options;
	lzma_filter filters[] = {
		{ LZMA_FILTER_X86, NULL },
		{ LZMA_FILTER_LZMA2, &options },
		{ LZMA_VLI_UNKNOWN, NULL },
	};
	size_t size = 0;

	if (lzma_lzma_preset(&options, LZMA_PRESET_DEFAULT) ||
	    lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, in->data,
				      in->size, out, &size, room) != LZMA_OK)
		errx(2, "xz");
	return size;
}

static size_t lz4(const struct buffer *in, uint8_t *out, size_t room)
{
	uint32_t block = LZ4_compress_HC((char *)in->data, (char *)out + 8,
					 in->size, room - 8, LZ4HC_CLEVEL_MAX);

	if (!block)
		errx(2, "lz4");
	memcpy(out, "\x02\x21\x4c\x18", 4);
	memcpy(out + 4, &block, sizeof(block));
	return 8 + block;
}

static size_t zstd(const struct buffer *in, uint8_t *out, size_t room)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	size_t size;

	ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1);
	size = ZSTD_compress2(cctx, out, room, in->data, in->size);
	if (ZSTD_isError(size))
		errx(2, "zstd");
	ZSTD_freeCCtx(cctx);
	return size;
}

static size_t raw(const struct buffer *in, uint8_t *out, size_t room)
{
	if (in->size > room)
		errx(2, "raw");
	memcpy(out, in->data, in->size);
	return in->size;
}

static size_t bzip2(const struct buffer *in, uint8_t *out, size_t room)
{
	unsigned int size = room;

	if (BZ2_bzBuffToBuffCompress((char *)out, &size, (char *)in->data,
				     in->size, 9, 0, 0) != BZ_OK)
		errx(2, "bzip2");
	return size;
}

/*
 * Compresses with LZMA, as Linux's build does. The build's compressor reads from a pipe and
 * does not know the uncompressed size, so the LZMA header lacks the size, and an end marker
 * follows the data.
 */
static size_t lzma(const struct buffer *in, uint8_t *out, size_t room)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	if (lzma_lzma_preset(&options, LZMA_PRESET_DEFAULT) ||
	    lzma_alone_encoder(&s, &options) != LZMA_OK)
		errx(2, "lzma");
	s.next_in = in->data;
	s.avail_in = in->size;
	s.next_out = out;
	s.avail_out = room;
	if (lzma_code(&s, LZMA_FINISH) != LZMA_STREAM_END)
		errx(2, "lzma");
	lzma_end(&s);
	return s.total_out;
}

static size_t lzo(const struct buffer *in, uint8_t *out, size_t room)
{
	char name[] = "/tmp/mkelf.XXXXXX", command[100];
	int fd = mkstemp(name);
	size_t size = 0;
	FILE *f;

	if (fd < 0 || write(fd, in->data, in->size) != (ssize_t)in->size)
		err(2, "lzo");
	snprintf(command, sizeof(command), "lzop -9c <%s", name);
	f = popen(command, "r");
	if (f)
		size = fread(out, 1, room, f);
	if (!f || pclose(f))
		errx(2, "lzop");
	close(fd);
	unlink(name);
	return size;
}

/*
 * Copies the data uncompressed and overwrites the first five bytes with LHA's
 * magic number. mkpayload must refuse this codec.
 */
static size_t lha(const struct buffer *in, uint8_t *out, size_t room)
{
	memcpy(out + raw(in, out, room) - in->size, "-lh5-", 5);
	return in->size;
}

static const struct {
	const char *name;
	compress_fn *compress;
	bool size_is_inside;
} codecs[] = {
	{ "gzip", gzip, true }, { "xz", xz, false }, { "lz4", lz4, false },
	{ "zstd", zstd, false }, { "raw", raw, false },
	{ "bzip2", bzip2, false }, { "lzma", lzma, false },
	{ "lzo", lzo, false }, { "lha", lha, false },
};

/* ---- bzImage ---- */

static void read_in(const char *name, struct buffer *in)
{
	FILE *f = fopen(name, "r");

	if (!f)
		err(2, "%s", name);
	in->size = fread(in->data, 1, sizeof(in->data), f);
	fclose(f);
}

/*
 * Compresses @in by the codec @codec_name and appends the compressed stream to
 * @out. The arguments size_word=, flip=, cut= and pad= damage the stream.
 */
static void add_stream(struct buffer *out, const struct buffer *in,
		       const char *codec_name, char **arguments)
{
	uint8_t *stream = out->data + out->size;
	uint32_t size_word = in->size;
	bool size_is_inside = false;
	const char *text;
	size_t size = 0;

	for (size_t i = 0; i < sizeof(codecs) / sizeof(*codecs); i++) {
		if (strcmp(codecs[i].name, codec_name))
			continue;
		size_is_inside = codecs[i].size_is_inside;
		size = codecs[i].compress(in, stream, FILE_MAX - out->size);
	}
	if (size == 0)
		errx(2, "%s: no such codec", codec_name);

	for (char **a = arguments; *a; a++) {
		if ((text = value_of(*a, "flip")))
			stream[number(text)] ^= 0x10;
		else if ((text = value_of(*a, "cut")))
			size -= number(text);
		else if ((text = value_of(*a, "pad")))
			size += number(text);
		else if ((text = value_of(*a, "size_word")))
			size_word = number(text);
		else
			continue;
		**a = '\0';
	}
	memset(stream + size, 0, FILE_MAX - out->size - size);
	out->size += size;
	if (size_is_inside)
		memcpy(out->data + out->size - sizeof(size_word), &size_word,
		       sizeof(size_word));
	else
		append(out, &size_word, sizeof(size_word));
}

static void make_bzimage(const char *name, const char *payload,
			 const char *codec, char **arguments)
{
	static struct buffer in, out;
	struct setup_header hdr = {
		.setup_sects = SETUP_SECTS,
		.root_flags = 1,
		.vid_mode = 0xffff,
		.boot_flag = 0xaa55,
		.jump = 0x66eb,
		.header = 0x53726448,	/* "HdrS" */
		.version = 0x20f,
		.kernel_version = VERSION_AT - SECTOR,
		.loadflags = LOADED_HIGH,
		.kernel_alignment = LINK_ADDR,
		.relocatable_kernel = 1,
		.min_alignment = 21,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.payload_offset = CODE_BEFORE,
		.pref_address = LINK_ADDR,
	};
	const char *text = "1.2.3-test (me@here) #1";
	char *newline;

	read_in(payload, &in);
	append_zeros(&out, SETUP_SIZE);
	fill(out.data + out.size, CODE_BEFORE, 1);
	append_zeros(&out, CODE_BEFORE);
	add_stream(&out, &in, codec, arguments);
	hdr.payload_length = out.size - SETUP_SIZE - CODE_BEFORE;
	append_zeros(&out, CODE_BEHIND + -out.size % 16);
	hdr.syssize = (out.size - SETUP_SIZE) / 16;

	for (char **a = arguments; *a; a++) {
		if (value_of(*a, "text"))
			text = value_of(*a, "text");
		else if (**a && !set_field(*a, setup_fields, &hdr))
			errx(2, "%s: no such field", *a);
	}
	memcpy(out.data + HEADER_AT, &hdr, sizeof(hdr));
	strcpy((char *)out.data + VERSION_AT, text);
	while ((newline = strstr((char *)out.data + VERSION_AT, "\\n")))
		memcpy(newline, "\n ", 2);
	write_out(name, &out, 0);
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "elf"))
		make_elf(argv[2], argv + 3);
	else if (argc >= 5 && !strcmp(argv[1], "bzimage"))
		make_bzimage(argv[2], argv[3], argv[4], argv + 5);
	else
		errx(2, "usage: mkelf elf OUT [FIELD=VALUE]...\n"
			"       mkelf bzimage OUT PAYLOAD CODEC [FIELD=VALUE]...");
	return 0;
}
