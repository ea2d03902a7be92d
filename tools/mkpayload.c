/* SPDX-License-Identifier: MIT */
/*
 * mkpayload.c - turns a kernel into the payload that is linked after the stub.
 *
 * Runs on the build machine and reads a bzImage or an ELF file. It writes
 * PREFIX.bin, with struct payload_header and the compressed memory image, and
 * PREFIX.S, which includes PREFIX.bin and defines the symbols from which
 * linker.ld and header.S compute the image's layout and setup header. The same
 * input gives the same output, bit for bit. mkpayload writes output only after it
 * has decompressed the compressed bytes in place, as the stub does it, and has
 * found them right.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <common/xxhash.h>

#include "mkpayload.h"

#define EXIT_USAGE		2

/* Values for the setup header if the kernel is an ELF file: Linux's defaults. */
#define DEFAULT_CMDLINE_SIZE	2047
#define DEFAULT_ROOT_FLAGS	1	/* MS_RDONLY */
#define DEFAULT_VID_MODE	0xffff	/* "normal" (boot.rst) */
/* The smallest CONFIG_PHYSICAL_ALIGN of Linux for x86-64, in bytes. */
#define LINUX_MIN_ALIGN		(2 * MIB)
/*
 * The payload of an ELF file is aligned to the largest p_align of its segments, but to at most
 * this many bytes. A larger p_align need not be a demand of the kernel: a linker can be told to
 * use any page size.
 */
#define PLAIN_MAX_ALIGN		(2 * MIB)
/* The most characters of the input's file name that invent_version() uses. */
#define NAME_IN_VERSION_MAX	120

#define ADDR_4G			(1UL << 32)
/*
 * An upper bound, in bytes, for the memory above the payload that the stub's
 * copy needs, with its .bss.
 */
#define STUB_ROOM		MIB

/*
 * mkpayload's own command line. A pointer is NULL if the option was not given; the
 * default of cmdline is "".
 */
struct options {
	const char *kernel;
	const char *prefix;
	const char *cmdline;
	const char *info;
	const char *report;
	const char *initrd;
	const char *report_kernel;	/* --report: the image's kernel */
	struct packing packing;
};

/*
 * An output file. mkpayload writes it under the name @temporary. publish_outputs()
 * renames it to @name when both output files are complete.
 */
struct output {
	char *name;
	char *temporary;
};

enum { OUTPUT_BIN, OUTPUT_S, OUTPUTS };

static struct output outputs[OUTPUTS];

static const char *error_file;
static const char *error_part;

/* ---- errors ---- */

static void remove_outputs(void)
{
	for (int i = 0; i < OUTPUTS; i++) {
		if (outputs[i].temporary)
			unlink(outputs[i].temporary);
		if (outputs[i].name)
			unlink(outputs[i].name);
	}
}

/*
 * Prints one line on stderr: "mkpayload", the file and the part that errors_about() and
 * error_within() have named, if any, then @kind and the text.
 */
static void print_line(const char *kind, const char *fmt, va_list args)
{
	fprintf(stderr, "mkpayload: ");
	if (error_file)
		fprintf(stderr, "%s: ", error_file);
	if (error_part)
		fprintf(stderr, "%s: ", error_part);
	fputs(kind, stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void die(const char *fmt, ...)
{
	va_list args;

	remove_outputs();
	va_start(args, fmt);
	print_line("", fmt, args);
	va_end(args);
	exit(EXIT_FAILURE);
}

void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("warning: ", fmt, args);
	va_end(args);
}

void error_within(const char *part)
{
	error_part = part;
}

void errors_about(const char *file)
{
	error_file = file;
	error_part = NULL;
}

void *xalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		die("out of memory (%zu bytes)", size);
	return p;
}

static char *concat(const char *a, const char *b)
{
	size_t len = strlen(a);
	char *s = xalloc(len + strlen(b) + 1);

	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): b has the NUL */
	memcpy(s, a, len);
	strcpy(s + len, b);
	return s;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- the command line ---- */

static const char usage_text[] =
	"Usage: mkpayload [--cmdline TEXT] [--codec CODEC] [--level N]\n"
	"                 [--launch psp|hash|none] [--filter yes|no] [-q]\n"
	"                 -o PREFIX KERNEL\n"
	"       mkpayload --info PREFIX.bin\n"
	"       mkpayload --report IMAGE [--initrd FILE] [--cmdline TEXT]\n"
	"                 [--kernel KERNEL]\n"
	"       mkpayload --help | --version\n"
	"\n"
	"Compresses KERNEL, a Linux bzImage or a static ELF64 x86-64 kernel, into\n"
	"PREFIX.bin. Writes PREFIX.S, which links PREFIX.bin behind the boot stub.\n"
	"\n"
	"  -o PREFIX       write PREFIX.bin and PREFIX.S\n"
	"  --cmdline TEXT  build a command line into the image (default: none)\n"
	"  --codec CODEC   zstd (default), lz4, none, or auto: the fastest launch\n"
	"  --level N       zstd's level, 1 to 22 (default 19); lz4's, 1 to 12 (12)\n"
	"  --launch HOW    for auto, what measures the image: psp (the security\n"
	"                  processor, default), hash (firmware) or none\n"
	"  --filter yes|no rewrite branches and tables, so that they compress better\n"
	"                  (default: yes for zstd, no for lz4 and none)\n"
	"  --info          check PREFIX.bin and print its header\n"
	"  --report        print the sizes of an image's parts, the duration of its\n"
	"                  launch, and the digests in a table of kernel hashes; with\n"
	"                  --kernel, what each section of its kernel contributes\n"
	"  -q              print no progress\n";

static noreturn void usage_error(void)
{
	fputs(usage_text, stderr);
	exit(EXIT_USAGE);
}

static int parse_level(const char *text)
{
	char *end;
	long level = strtol(text, &end, 10);

	if (*end || level < 1 || level > INT_MAX)
		die("--level %s: must be a whole number from 1", text);
	return level;
}

static struct options parse_options(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "cmdline", required_argument, NULL, 'c' },
		{ "level", required_argument, NULL, 'l' },
		{ "codec", required_argument, NULL, 'C' },
		{ "launch", required_argument, NULL, 'L' },
		{ "filter", required_argument, NULL, 'f' },
		{ "info", required_argument, NULL, 'i' },
		{ "report", required_argument, NULL, 'r' },
		{ "initrd", required_argument, NULL, 'd' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct options opt = { .cmdline = "", .packing.codec = "zstd" };
	int c;

	while ((c = getopt_long(argc, argv, "o:qh", long_options, NULL)) != -1) {
		switch (c) {
		case 'o':
			opt.prefix = optarg;
			break;
		case 'c':
			opt.cmdline = optarg;
			break;
		case 'l':
			opt.packing.level = parse_level(optarg);
			break;
		case 'C':
			opt.packing.codec = optarg;
			break;
		case 'L':
			opt.packing.launch = optarg;
			break;
		case 'f':
			opt.packing.filter = optarg;
			break;
		case 'r':
			opt.report = optarg;
			break;
		case 'd':
			opt.initrd = optarg;
			break;
		case 'k':
			opt.report_kernel = optarg;
			break;
		case 'i':
			opt.info = optarg;
			break;
		case 'q':
			opt.packing.quiet = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			puts("mkpayload (sevstub) " SEVSTUB_VERSION);
			exit(EXIT_SUCCESS);
		default:
			usage_error();
		}
	}
	if (!opt.report && (opt.report_kernel || opt.initrd))
		die("%s: this option belongs to --report: name the kernel to compress without an option",
		    opt.report_kernel ? "--kernel" : "--initrd");
	if (opt.info || opt.report ? optind != argc :
				     optind + 1 != argc || !opt.prefix)
		usage_error();
	pack_check(&opt.packing);
	opt.kernel = argv[optind];
	return opt;
}

/* ---- input ---- */

struct blob read_file(const char *name)
{
	struct blob file;
	struct stat st;
	size_t done = 0;
	int fd;

	errors_about(name);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		die("not a regular file");
	if (st.st_size == 0)
		die("empty file");
	if ((u64)st.st_size > PAYLOAD_MAX_SIZE)
		die("payload over 2 GiB (a file of %lu bytes)",
		    (u64)st.st_size);

	file = (struct blob){ xalloc(st.st_size), st.st_size };
	while (done < file.size) {
		ssize_t got = read(fd, file.data + done, file.size - done);

		if (got < 0)
			die("%s", strerror(errno));
		if (got == 0)
			die("truncated while it was read: %zu of %zu bytes", done,
			    file.size);
		done += got;
	}
	close(fd);
	return file;
}

/*
 * Sets @version, the new image's version string, to the input's file name, because
 * the input has no version string. A character that is not printable ASCII becomes
 * '_'. So does a blank, because programs take a version string's first word for
 * the kernel's release.
 */
static void invent_version(const char *kernel, char *version)
{
	const char *name = base_name(kernel);
	size_t len = 0;

	for (int i = 0; i < NAME_IN_VERSION_MAX && name[i]; i++)
		version[len++] = name[i] > ' ' && name[i] <= '~' ? name[i] : '_';
	version[len] = '\0';
}

static unsigned int log2_of(u64 power_of_two)
{
	return __builtin_ctzl(power_of_two);
}

/* Computes the setup header's fields for an ELF file, which has no setup header. */
static struct boot_traits plain_traits(const struct image *image, bool relocatable)
{
	u64 align = image->max_align;

	if (align > PLAIN_MAX_ALIGN)
		align = PLAIN_MAX_ALIGN;
	if (align < PAYLOAD_MIN_ALIGN)
		align = PAYLOAD_MIN_ALIGN;
	if (image->is_linux && align < LINUX_MIN_ALIGN)
		align = LINUX_MIN_ALIGN;

	return (struct boot_traits){
		.kernel_alignment = align,
		.min_alignment = log2_of(align),
		.relocatable_kernel = relocatable,
		/*
		 * Linux's ELF file does not tell whether this Linux supports
		 * five-level paging, so assume that it does not. Another kernel
		 * is expected to read CR4.LA57 if the mode matters to it.
		 */
		.xloadflags = image->is_linux ? 0 : XLF_LA57_BITS,
		.cmdline_size = DEFAULT_CMDLINE_SIZE,
		.root_flags = DEFAULT_ROOT_FLAGS,
		.vid_mode = DEFAULT_VID_MODE,
	};
}

/* Reads the kernel @name, a bzImage or an ELF file. Sets all fields of @traits. */
static struct image read_kernel(const char *name, struct boot_traits *traits)
{
	struct blob file = read_file(name);
	struct image image;

	if (bzimage_probe(&file)) {
		u64 pref_address;
		struct blob elf = bzimage_extract(&file, traits, &pref_address);

		error_within("compressed kernel");
		image = elf_lay_out(&elf, true);
		free(elf.data);
		errors_about(name);
		if (pref_address != image.link_addr)
			die("pref_address %#lx differs from the lowest p_paddr %#lx",
			    pref_address, image.link_addr);
	} else if (elf_probe(&file)) {
		image = elf_lay_out(&file, false);
		*traits = plain_traits(&image, image.reloc_size > 0);
	} else {
		foreign_refuse(&file);
	}
	free(file.data);

	if (image.link_addr % traits->kernel_alignment)
		die("linked at physical %#lx, unaligned to %#lx: link it to a multiple of that",
		    image.link_addr, traits->kernel_alignment);
	if (!traits->version[0])
		invent_version(name, traits->version);
	return image;
}

static void check_cmdline(const char *cmdline, const struct boot_traits *traits)
{
	size_t len = strlen(cmdline);

	if (len > traits->cmdline_size)
		die("--cmdline: %zu characters, the kernel takes %u", len,
		    traits->cmdline_size);
	for (size_t i = 0; i < len; i++) {
		if ((u8)cmdline[i] < ' ' || cmdline[i] == 0x7f)
			die("--cmdline: control character %#x at position %zu",
			    (u8)cmdline[i], i);
	}
}

/* ---- the payload header ---- */

u64 frame_digest(const u8 *frame, u64 size)
{
	return XXH64(frame, size, 0);
}

u64 header_digest(const struct payload_header *header)
{
	return XXH64(header, offsetof(struct payload_header, header_digest), 0);
}

/*
 * Refuses a payload that leaves no room for the stub. The stub's copy lies above
 * the payload's memory, and 32-bit code must reach both. linker.ld makes the same
 * check with the exact sizes. STUB_ROOM is larger than the exact size. This refuses no
 * useful payload: a PC has APICs and no RAM in the last MiBs below 4 GiB.
 */
static void check_room(const struct payload_header *header)
{
	u64 end = header->file_size + header->reloc_size + header->margin;

	if (end < header->mem_size)
		end = header->mem_size;
	end += header->link_addr;
	if (end > ADDR_4G - STUB_ROOM)
		die("linked at physical %#lx, the payload needs %#lx-%#lx, but the stub needs %lu MiB above it and below 4 GiB: link the kernel to a lower address",
		    header->link_addr, header->link_addr, end, STUB_ROOM / MIB);
}

static struct payload_header describe(const struct image *image,
				      const struct boot_traits *traits,
				      const struct packed *packed)
{
	struct payload_header header = {
		.magic = PAYLOAD_MAGIC,
		.version = PAYLOAD_VERSION,
		.link_addr = image->link_addr,
		.align = traits->kernel_alignment,
		.entry_offset = image->entry_offset,
		.file_size = image->file_size,
		.mem_size = image->mem_size,
		.reloc_size = image->reloc_size,
		.margin = packed->margin,
		.comp_size = packed->frame.size,
		.comp_digest = frame_digest(packed->frame.data, packed->frame.size),
		.virt_addr = image->virt_addr,
		.codec = packed->codec,
	};

	if (image->is_linux)
		header.flags |= PAYLOAD_LINUX;
	if (traits->relocatable_kernel)
		header.flags |= PAYLOAD_RELOCATABLE;
	/*
	 * XLF_5LEVEL is not considered, because it describes the kernel's own
	 * decompressor, which the stub replaces.
	 */
	if (traits->xloadflags & XLF_5LEVEL_ENABLED)
		header.flags |= PAYLOAD_LA57;
	if (image->is_linux && image->reloc_size)
		header.flags |= PAYLOAD_KASLR;
	if (image->identity)
		header.flags |= PAYLOAD_IDENTITY;
	if (image->low)
		header.flags |= PAYLOAD_LOW;
	memcpy(header.filter, packed->filters.list, sizeof(header.filter));
	header.header_digest = header_digest(&header);
	return header;
}

/* ---- output ---- */

/*
 * Chooses the output files' names and removes the files of an earlier run, so that
 * no output file exists if this run fails. From then on die() removes the output
 * files.
 */
static void prepare_outputs(const struct options *opt)
{
	static const char *const suffix[OUTPUTS] = { ".bin", ".S" };
	struct stat in, out;

	errors_about(opt->prefix);
	if (!*base_name(opt->prefix))
		die("PREFIX names a directory: add a file name to it");
	for (int i = 0; i < OUTPUTS; i++) {
		char *name = concat(opt->prefix, suffix[i]);

		if (!stat(opt->kernel, &in) && !stat(name, &out) &&
		    in.st_dev == out.st_dev && in.st_ino == out.st_ino)
			die("%s is the input: choose another PREFIX",
			    base_name(name));
		outputs[i].name = name;
	}
	remove_outputs();
}

static FILE *open_output(struct output *output)
{
	FILE *f;

	errors_about(output->name);
	output->temporary = concat(output->name, ".tmp");
	f = fopen(output->temporary, "we");
	if (!f)
		die("%s", strerror(errno));
	return f;
}

static void close_output(FILE *f)
{
	bool failed = ferror(f);

	if (fclose(f) || failed)
		die("cannot write: %s", strerror(errno));
}

static void write_bin(struct output *output, const struct payload_header *header,
		      const struct blob *frame)
{
	FILE *f = open_output(output);

	fwrite(header, sizeof(*header), 1, f);
	fwrite(frame->data, frame->size, 1, f);
	close_output(f);
}

/*
 * Writes @text as the argument of an assembler's @directive. Every character but
 * letters and digits is written as an octal escape.
 */
static void write_string(FILE *f, const char *directive, const char *text)
{
	fprintf(f, "\t%s \"", directive);
	for (; *text; text++) {
		u8 c = *text;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z'))
			fputc(c, f);
		else
			fprintf(f, "\\%03o", c);
	}
	fprintf(f, "\"\n");
}

static void write_symbol(FILE *f, const char *name)
{
	fprintf(f, "\t.globl %s\n\t.hidden %s\n", name, name);
}

static void write_label(FILE *f, const char *name)
{
	write_symbol(f, name);
	fprintf(f, "%s:\n", name);
}

static void write_value(FILE *f, const char *name, u64 value)
{
	write_symbol(f, name);
	fprintf(f, "\t.set %s, %#lx\n", name, value);
}

static void write_assembly(struct output *output, const char *bin_name,
			   const struct payload_header *header,
			   const struct boot_traits *traits, const char *cmdline)
{
	u64 out_size = header->file_size + header->reloc_size;
	u64 mem_size = header->mem_size;
	FILE *f = open_output(output);

	fprintf(f, "/* Written by mkpayload. The assembler finds the file of .incbin by -I. */\n");
	fprintf(f, "\t.section .payload, \"a\"\n\t.balign 16\n");
	write_label(f, "payload_start");
	write_string(f, ".incbin", bin_name);
	write_label(f, "payload_end");

	/*
	 * The stub calls payload_decode, which jumps to the image's decoder. ld
	 * --gc-sections drops the other decoders, because nothing refers to them.
	 */
	fprintf(f, "\n\t.section .text.payload_decode, \"ax\"\n");
	write_label(f, "payload_decode");
	fprintf(f, "\tjmp %s\n", decoder_name(header->codec));

	/*
	 * Write the version string without a NUL, because linker.ld appends the
	 * stub's own version to it.
	 */
	fprintf(f, "\n\t.section .setup.version, \"a\"\n");
	write_label(f, "payload_version");
	write_string(f, ".ascii", traits->version);

	fprintf(f, "\n\t.section .rodata.cmdline, \"a\"\n");
	write_label(f, "builtin_cmdline");
	write_string(f, ".asciz", cmdline);

	fputc('\n', f);
	write_value(f, "payload_header_size", sizeof(*header));
	write_value(f, "payload_link_addr", header->link_addr);
	write_value(f, "payload_align", header->align);
	write_value(f, "payload_min_align_shift", traits->min_alignment);
	write_value(f, "payload_relocatable", traits->relocatable_kernel);
	write_value(f, "payload_addr_max", payload_addr_max(header->flags));
	write_value(f, "payload_out_size", out_size);
	write_value(f, "payload_mem_size",
		    mem_size > out_size ? mem_size : out_size);
	write_value(f, "payload_margin", header->margin);
	write_value(f, "payload_xloadflags", traits->xloadflags);
	write_value(f, "payload_cmdline_size", traits->cmdline_size);
	write_value(f, "payload_root_flags", traits->root_flags);
	write_value(f, "payload_ram_size", traits->ram_size);
	write_value(f, "payload_vid_mode", traits->vid_mode);
	write_value(f, "payload_root_dev", traits->root_dev);

	fprintf(f, "\n\t.section .note.GNU-stack, \"\", @progbits\n");
	close_output(f);
}

/* Renames the output files to their final names, once both are complete. */
static void publish_outputs(void)
{
	for (int i = 0; i < OUTPUTS; i++) {
		errors_about(outputs[i].name);
		if (rename(outputs[i].temporary, outputs[i].name))
			die("%s", strerror(errno));
	}
}

/* ---- --info ---- */

static void print_filters(const struct payload_filter *filter)
{
	static const char *const kinds[FILTER_KINDS] = {
		[FILTER_BRANCHES] = "branches", [FILTER_RELATIVE] = "relative",
		[FILTER_ASCENDING] = "ascending",
		[FILTER_FIRST_USES] = "first uses",
	};

	for (int i = 0; i < PAYLOAD_FILTERS; i++) {
		const struct payload_filter *f = &filter[i];

		if (!f->kind || f->kind >= FILTER_KINDS)
			continue;
		printf("filter: %u bytes at %#x, %s", f->size, f->start,
		       kinds[f->kind]);
		if (f->stride)
			printf(", entries of %u bytes, columns %#x", f->stride,
			       f->columns);
		putchar('\n');
	}
}

static int print_info(const char *name)
{
	struct blob file = read_file(name);
	struct payload_header header;
	u64 comp_size;

	if (file.size < sizeof(header))
		die("truncated: %zu bytes hold no payload header", file.size);
	memcpy(&header, file.data, sizeof(header));
	comp_size = file.size - sizeof(header);
	if (memcmp(header.magic, PAYLOAD_MAGIC, sizeof(header.magic)))
		die("not made by mkpayload: wrong magic");
	if (header.version != PAYLOAD_VERSION)
		die("payload version %u, known is %u", header.version,
		    PAYLOAD_VERSION);
	if (header.header_digest != header_digest(&header))
		die("damaged: the header's digest differs");
	if (header.comp_size != comp_size)
		die("damaged: %lu compressed bytes, must be %lu", comp_size,
		    header.comp_size);
	if (header.comp_digest !=
	    XXH64(file.data + sizeof(header), comp_size, 0))
		die("damaged: the compressed bytes' digest differs");

	printf("kernel: %s%s%s%s%s%s\n",
	       header.flags & PAYLOAD_LINUX ? "Linux" : "plain ELF",
	       header.flags & PAYLOAD_RELOCATABLE ? ", relocatable" : "",
	       header.flags & PAYLOAD_IDENTITY ? ", identity-mapped" : "",
	       header.flags & PAYLOAD_LOW ? ", below 2 GiB" : "",
	       header.flags & PAYLOAD_KASLR ? ", KASLR" : "",
	       header.flags & PAYLOAD_LA57 ? ", five-level paging" : "");
	printf("link address: %#lx\n", header.link_addr);
	printf("virtual address: %#lx\n", header.virt_addr);
	printf("alignment: %#lx\n", header.align);
	printf("entry offset: 0x%lx\n", header.entry_offset);
	printf("payload size: %lu\n", header.file_size);
	printf("memory size: %lu\n", header.mem_size);
	printf("relocation size: %lu\n", header.reloc_size);
	printf("codec: %s\n", codec_name(header.codec));
	printf("compressed size: %lu\n", header.comp_size);
	printf("margin: %lu\n", header.margin);
	print_filters(header.filter);
	printf("digest: %016lx\n", header.comp_digest);
	if (fflush(stdout))
		die("cannot print: %s", strerror(errno));
	free(file.data);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options opt = parse_options(argc, argv);
	struct payload_header header;
	struct boot_traits traits = { 0 };
	struct image image;
	struct packed packed;
	int status;

	if (opt.info)
		return print_info(opt.info);
	if (opt.report && !opt.report_kernel)
		return print_report(opt.report, opt.initrd, opt.cmdline, NULL, NULL);
	if (opt.report) {
		image = read_kernel(opt.report_kernel, &traits);
		status = print_report(opt.report, opt.initrd, opt.cmdline, &image,
				      opt.report_kernel);
		free(image.sections.list);
		free(image.bytes.data);
		return status;
	}

	prepare_outputs(&opt);
	image = read_kernel(opt.kernel, &traits);
	check_cmdline(opt.cmdline, &traits);

	packed = pack_image(&image, &opt.packing);
	header = describe(&image, &traits, &packed);
	check_room(&header);

	write_bin(&outputs[OUTPUT_BIN], &header, &packed.frame);
	write_assembly(&outputs[OUTPUT_S], base_name(outputs[OUTPUT_BIN].name),
		       &header, &traits, opt.cmdline);
	publish_outputs();

	free(packed.frame.data);
	free(image.sections.list);
	free(image.bytes.data);
	return EXIT_SUCCESS;
}
