/* SPDX-License-Identifier: MIT */
/*
 * snp_launch.c - makes the pages that an SEV-SNP guest gets at launch: the CPUID page,
 * the secrets page, the confidential-computing blob for a kernel, and what the SEV
 * metadata of an OVMF image asks for.
 *
 * Also puts kernel hashes and a launch secret into the memory of an SEV or SEV-ES guest.
 *
 * Runs once, before the guest starts.  The page formats are those of the SEV-SNP
 * firmware ABI (AMD publication 56860), of the SVSM specification (58019) and of EDK2
 * (OvmfPkg/ResetVector, OvmfPkg/Include/Guid/ConfidentialComputingSevSnpBlob.h).
 */
#include "cpuid.h"
#include "fwcfg.h"
#include "launch.h"
#include "layout.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "sevemu.h"
#include "sha2.h"
#include "snp_launch.h"
#include "svsm.h"
#include "watch.h"

/* The pages of the direct modes. */
#define KERNEL_SECRETS		SNP_RESERVED
#define KERNEL_CPUID		(SNP_RESERVED + PAGE_SIZE)
#define KERNEL_CALLING_AREA	(SNP_RESERVED + 2 * PAGE_SIZE)

/* Offset of the confidential-computing blob in its page, after the setup_data node. */
#define BLOB_OFFSET		0x40
#define BLOB_MAGIC		0x45444d41	/* "AMDE" */
#define SETUP_CC_BLOB		7
/*
 * sevstub's type of a setup_data node with the validated ranges, which follow the node
 * (docs/sev-snp.md).
 */
#define SETUP_VALIDATED		0x6c615653	/* "SVal" */
#define VALIDATED_OFFSET	0x80

/* An entry of the CPUID page. */
struct cpuid_entry {
	u32 function, index;	/* EAX and ECX of CPUID */
	u64 xcr0, xss;		/* XCR0 and XSS in the leaf of XSAVE, 0 in all other leaves */
	struct cpuid_regs regs;
	u64 reserved;
} __attribute__((packed));

#define CPUID_ENTRIES_MAX	64

struct cpuid_page {
	u32 count;		/* 1 to CPUID_ENTRIES_MAX */
	u32 reserved[3];
	struct cpuid_entry entries[CPUID_ENTRIES_MAX];
} __attribute__((packed));

/* The leaves of the CPUID page.  A guest reads a leaf that is absent as zeroes. */
static const struct {
	u32 function, index;
} leaves[] = {
	{ 0x00000000, 0 }, { 0x00000001, 0 }, { 0x00000005, 0 }, { 0x00000006, 0 },
	{ 0x00000007, 0 }, { 0x0000000b, 0 }, { 0x0000000b, 1 },
	{ 0x40000000, 0 }, { 0x40000001, 0 },
	{ 0x80000000, 0 }, { 0x80000001, 0 }, { 0x80000002, 0 }, { 0x80000003, 0 },
	{ 0x80000004, 0 }, { 0x80000005, 0 }, { 0x80000006, 0 }, { 0x80000007, 0 },
	{ 0x80000008, 0 }, { 0x8000000a, 0 }, { 0x8000001e, 0 }, { 0x8000001f, 0 },
};

/*
 * Bits that the security processor does not accept in a CPUID page, so that QEMU
 * clears them before the launch: TSC_DEADLINE; TSC_ADJUST; speculation controls;
 * VIRT_SSBD.
 */
#define CPUID_1_ECX_REFUSED	(1u << 24)
#define CPUID_7_EBX_REFUSED	(1u << 1)
#define CPUID_7_EDX_REFUSED	(1u << 26 | 1u << 27 | 1u << 28 | 1u << 29 | 1u << 30 | 1u << 31)
#define CPUID_EXT8_EBX_REFUSED	(1u << 25)

/*
 * Fields of the secrets page that a guest reads: SEV-SNP firmware ABI (publication 56860),
 * and for the fields of the SVSM its specification (58019).
 */
struct secrets {
	u32 version;
	u32 imi;
	u32 fms;		/* family, model and stepping, as CPUID 1 EAX */
	u32 reserved_00c;
	u8 gosvw[16];
	u8 vmpck[4][32];	/* keys of VMPL 0 to 3 for guest requests */
	u8 guest_area_0[96];
	u8 vmsa_tweaks[64];
	u64 svsm_base, svsm_size, svsm_caa;
	u32 svsm_max_version;
	u8 svsm_guest_vmpl;
	u8 reserved_15d[3];
	u32 tsc_factor;
} __attribute__((packed));
_Static_assert(offsetof(struct secrets, vmpck) == 0x20, "secrets page");
_Static_assert(offsetof(struct secrets, svsm_base) == 0x140, "secrets page");
_Static_assert(offsetof(struct secrets, tsc_factor) == 0x160, "secrets page");
#define SECRETS_VERSION		3
#define SVSM_MAX_VERSION	1

/* The confidential-computing blob. */
struct blob {
	u32 magic;
	u16 version;
	u16 reserved_6;
	u64 secrets;
	u32 secrets_size;
	u32 reserved_14;
	u64 cpuid;
	u32 cpuid_size;
	u32 reserved_24;
} __attribute__((packed));

/* The setup_data node in front of the blob (boot.rst "setup_data"). */
struct node {
	u64 next;
	u32 type;
	u32 length;
	u32 blob;		/* guest-physical address */
} __attribute__((packed));

/* The setup_data node with the validated ranges. */
struct validated_node {
	u64 next;
	u32 type;
	u32 length;		/* bytes of the ranges that follow */
	u64 ranges[LAUNCH_LIST_MAX][2];
};
_Static_assert(offsetof(struct validated_node, ranges) == 16, "struct setup_data");
_Static_assert(VALIDATED_OFFSET + sizeof(struct validated_node) <= PAGE_SIZE,
	       "the ranges have room in the blob's page");

/* Section types of OVMF's SEV metadata. */
#define SECTION_ZERO		1
#define SECTION_SECRETS		2
#define SECTION_CPUID		3
#define SECTION_CALLING_AREA	4
#define SECTION_HASHES		0x10

/* The SEV metadata of a firmware image. */
struct metadata {
	u32 signature;
	u32 length;		/* bytes of the metadata */
	u32 version;
	u32 count;		/* number of sections */
	struct {
		u32 gpa, size, type;
	} sections[];
} __attribute__((packed));
#define METADATA_SIGNATURE	0x56455341	/* "ASEV" */

/* GUIDs as in memory: the first three fields are little-endian. */
const guid_bytes reset_block_guid = {
	0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
	0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e };
static const guid_bytes footer_guid = {
	0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
	0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d };
static const guid_bytes metadata_guid = {
	0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
	0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc };
static const guid_bytes hashes_area_guid = {
	0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
	0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54 };
static const guid_bytes secret_area_guid = {
	0x61, 0xb3, 0x2e, 0x4c, 0x9b, 0x7d, 0xc3, 0x4c,
	0x80, 0x81, 0x12, 0x7c, 0x90, 0xd3, 0xd2, 0x94 };
static const guid_bytes hashes_guid = {
	0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
	0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21 };
static const guid_bytes cmdline_guid = {
	0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c,
	0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a };
static const guid_bytes initrd_guid = {
	0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b,
	0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d };
static const guid_bytes kernel_guid = {
	0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42,
	0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b };

/* A SHA-256 in the table of kernel hashes. */
struct hash {
	guid_bytes guid;
	u16 length;
	u8 sha256[SHA256_SIZE];
} __attribute__((packed));

/* The table of kernel hashes that QEMU makes with kernel-hashes=on. */
struct hashes {
	guid_bytes guid;
	u16 length;		/* bytes, without @padding */
	struct hash cmdline, initrd, kernel;
	u8 padding[8];
} __attribute__((packed));
_Static_assert(sizeof(struct hashes) == 176, "the table of kernel hashes has 176 bytes");

/*
 * Returns the host address of the page at @gpa.  Ends the run if it is not RAM of
 * the guest.  @what names the page.
 */
static void *launch_page(u64 gpa, const char *what)
{
	if (gpa % PAGE_SIZE || !npt_host(gpa))
		end_run(END_ERROR, "the firmware's SEV metadata puts the %s at %#lx, which is "
			"no page of the guest's RAM", what, gpa);
	return npt_host(gpa);
}

static void make_cpuid_page(const struct vcpu *vcpu, u64 gpa)
{
	struct cpuid_page *page = launch_page(gpa, "CPUID page");
	struct cpuid_entry *entry = page->entries;
	unsigned int i;

	memset(page, 0, PAGE_SIZE);
	page->count = ARRAY_SIZE(leaves);
	for (i = 0; i < ARRAY_SIZE(leaves); i++, entry++) {
		entry->function = leaves[i].function;
		entry->index = leaves[i].index;
		entry->regs = guest_cpuid(vcpu, entry->function, entry->index);
		if (entry->function == 0x00000001)
			entry->regs.ecx &= ~CPUID_1_ECX_REFUSED;
		if (entry->function == 0x00000007) {
			entry->regs.ebx &= ~CPUID_7_EBX_REFUSED;
			entry->regs.edx &= ~CPUID_7_EDX_REFUSED;
		}
		if (entry->function == 0x80000008)
			entry->regs.ebx &= ~CPUID_EXT8_EBX_REFUSED;
	}
	launch_add(gpa, PAGE_SIZE, LAUNCH_CPUID);
}

/*
 * Makes the secrets page.  If there is an SVSM, the keys of the VMPLs with lower numbers than
 * the guest's are left out, and the page says where the SVSM's memory and the calling area are.
 */
static void make_secrets_page(const struct vcpu *vcpu, u64 gpa, u64 calling_area)
{
	struct secrets *page = launch_page(gpa, "secrets page");
	unsigned int i, n;

	memset(page, 0, PAGE_SIZE);
	page->version = SECRETS_VERSION;
	page->fms = guest_cpuid(vcpu, 1, 0).eax;
	for (n = config.vmpl; n < ARRAY_SIZE(page->vmpck); n++)
		for (i = 0; i < sizeof(page->vmpck[n]); i++)
			page->vmpck[n][i] = 0x11 * (n + 1) + 7 * i;
	if (config.vmpl) {
		page->svsm_base = hv_base;
		page->svsm_size = HV_SIZE;
		page->svsm_caa = calling_area;
		page->svsm_max_version = SVSM_MAX_VERSION;
		page->svsm_guest_vmpl = config.vmpl;
	}
	launch_add(gpa, PAGE_SIZE, LAUNCH_SECRETS);
}

u64 snp_launch_kernel(struct vcpu *vcpu, u64 next)
{
	struct node *node = launch_page(SNP_BLOB, "blob");
	struct blob *blob = (void *)((u8 *)node + BLOB_OFFSET);
	struct validated_node *v = (void *)((u8 *)node + VALIDATED_OFFSET);

	*node = (struct node){
		.next = next,
		.type = SETUP_CC_BLOB,
		.length = sizeof(node->blob),
		.blob = SNP_BLOB + BLOB_OFFSET,
	};
	*blob = (struct blob){
		.magic = BLOB_MAGIC,
		.secrets = KERNEL_SECRETS,
		.secrets_size = PAGE_SIZE,
		.cpuid = KERNEL_CPUID,
		.cpuid_size = PAGE_SIZE,
	};
	if (!launch_all()) {
		node->next = SNP_BLOB + VALIDATED_OFFSET;
		v->type = SETUP_VALIDATED;
		launch_describe(v->ranges, &v->length);
	}
	launch_add(SNP_BLOB, PAGE_SIZE, LAUNCH_NORMAL);
	make_secrets_page(vcpu, KERNEL_SECRETS, KERNEL_CALLING_AREA);
	make_cpuid_page(vcpu, KERNEL_CPUID);
	launch_add(KERNEL_CALLING_AREA, PAGE_SIZE, LAUNCH_ZERO);
	if (config.vmpl) {
		svsm_init(vcpu, KERNEL_CALLING_AREA);
		/*
		 * watch_own() adds a range to the private memory that the guest may write, and
		 * its first call forbids the guest all other private memory.  With --watch the
		 * guest is the stub, which writes to the calling area.  Without --watch nothing
		 * is forbidden, so watch_own() must not be called.
		 */
		if (watch.payload)
			watch_own(KERNEL_CALLING_AREA, KERNEL_CALLING_AREA + PAGE_SIZE);
	}
	return SNP_BLOB;
}

/*
 * Looks for the entry of @guid in the image's table of GUIDs, which ends 32 bytes before the
 * end of the image.  An entry is data, length of the entry, GUID, so the table is read from
 * its end.  The last entry is the footer, whose length is that of the table.
 */
const u8 *firmware_data(const u8 *image, u32 size, const guid_bytes guid, u32 *length)
{
	const u8 *end = image + size - 32 - GUID_SIZE, *start;
	u16 bytes;

	if (size < 64 || memcmp(end, footer_guid, GUID_SIZE))
		return NULL;
	end -= sizeof(bytes);
	memcpy(&bytes, end, sizeof(bytes));
	if (bytes < GUID_SIZE + sizeof(bytes) || bytes + 32u > size)
		return NULL;
	start = end + sizeof(bytes) + GUID_SIZE - bytes;
	while (end - start >= (long)(GUID_SIZE + sizeof(bytes))) {
		const u8 *entry = end - GUID_SIZE;

		memcpy(&bytes, entry - sizeof(bytes), sizeof(bytes));
		if (bytes < GUID_SIZE + sizeof(bytes) || bytes > end - start)
			return NULL;
		if (!memcmp(entry, guid, GUID_SIZE)) {
			*length = bytes - GUID_SIZE - sizeof(bytes);
			return end - bytes;
		}
		end -= bytes;
	}
	return NULL;
}

/* Adds the first @len bytes of fw_cfg's item @key to @hash. */
static void hash_item(struct sha256 *hash, u16 key, u32 len)
{
	static u8 buffer[0x4000];
	u32 part;

	fwcfg_read(key, buffer, 0);
	for (; len; len -= part) {
		part = len < sizeof(buffer) ? len : sizeof(buffer);
		fwcfg_more(buffer, part);
		sha256_add(hash, buffer, part);
	}
}

static void make_hash(struct hash *to, const guid_bytes guid, struct sha256 *hash)
{
	memcpy(to->guid, guid, GUID_SIZE);
	to->length = sizeof(*to);
	sha256_end(hash, to->sha256);
}

/*
 * Writes the table of kernel hashes to @table.  Kernel, initrd and command line are
 * hashed as fw_cfg has them, because firmware reads them there.
 */
static void make_hashes(struct hashes *table)
{
	struct sha256 hash;
	u32 size;

	memset(table, 0, sizeof(*table));
	memcpy(table->guid, hashes_guid, GUID_SIZE);
	table->length = sizeof(*table) - sizeof(table->padding);
	sha256_init(&hash);
	size = fwcfg_read32(FW_CFG_CMDLINE_SIZE);
	hash_item(&hash, FW_CFG_CMDLINE_DATA, size ? size : 1);
	make_hash(&table->cmdline, cmdline_guid, &hash);
	sha256_init(&hash);
	hash_item(&hash, FW_CFG_INITRD_DATA, fwcfg_read32(FW_CFG_INITRD_SIZE));
	make_hash(&table->initrd, initrd_guid, &hash);
	sha256_init(&hash);
	hash_item(&hash, FW_CFG_SETUP_DATA, fwcfg_read32(FW_CFG_SETUP_SIZE));
	hash_item(&hash, FW_CFG_KERNEL_DATA, fwcfg_read32(FW_CFG_KERNEL_SIZE));
	make_hash(&table->kernel, kernel_guid, &hash);
}

/*
 * Makes the page of kernel hashes at @gpa.  The firmware's entry hashes_area_guid says
 * where in the page the table is.  Without a kernel the page is zero.
 */
static void make_hashes_page(const u8 *image, u32 size, u64 gpa)
{
	u8 *page = launch_page(gpa, "page of kernel hashes");
	u32 length = 0, base;
	const u8 *area = firmware_data(image, size, hashes_area_guid, &length);

	if (!area || length < sizeof(base) || !fwcfg_read32(FW_CFG_KERNEL_SIZE)) {
		launch_add(gpa, PAGE_SIZE, LAUNCH_ZERO);
		return;
	}
	memcpy(&base, area, sizeof(base));
	if (ALIGN_DOWN(base, PAGE_SIZE) != gpa ||
	    (base & PAGE_MASK) + sizeof(struct hashes) > PAGE_SIZE)
		end_run(END_ERROR, "the firmware wants its kernel hashes at %#x, and has their "
			"page at %#lx", base, gpa);
	make_hashes((struct hashes *)(page + (base & PAGE_MASK)));
	launch_add(gpa, PAGE_SIZE, LAUNCH_NORMAL);
}

/*
 * Returns the SEV metadata of the firmware image.  If the image has none, ends the run with
 * an error.  But with --measure returns metadata without sections if the image's table of
 * GUIDs does not name any, so that sevemu can compute the launch digest of such an image.
 */
static const struct metadata *find_metadata(const u8 *image, u32 size)
{
	u32 length = 0, offset = 0;
	const u8 *data = firmware_data(image, size, metadata_guid, &length);
	static const struct metadata no_sections;
	const struct metadata *m;

	if (!data && config.measure)
		return &no_sections;
	if (data && length >= sizeof(offset))
		memcpy(&offset, data, sizeof(offset));
	m = (const void *)(image + size - offset);
	if (offset < sizeof(*m) || offset > size || m->signature != METADATA_SIGNATURE ||
	    m->count > (offset - sizeof(*m)) / sizeof(m->sections[0]))
		end_run(END_ERROR, "--firmware has no SEV metadata for SEV-SNP: give an OVMF of "
			"2022.11 or later");
	return m;
}

/*
 * Looks for the area that the firmware image's table of GUIDs has for @guid.  Returns its
 * size in bytes and sets *@base to its guest-physical address.  Returns 0 if the table does not
 * list the area.
 */
static u32 find_area(const u8 *image, u32 size, const guid_bytes guid, u32 *base)
{
	u32 length = 0, bytes = 0;
	const u8 *area = firmware_data(image, size, guid, &length);

	if (!area || length < sizeof(*base) + sizeof(bytes))
		return 0;
	memcpy(base, area, sizeof(*base));
	memcpy(&bytes, area + sizeof(*base), sizeof(bytes));
	return *base ? bytes : 0;
}

/* Puts the file of --secret, which the launch does not measure, where the firmware wants it. */
static void inject_secret(const u8 *image, u32 size)
{
	u32 bytes = 0, base = 0, room = find_area(image, size, secret_area_guid, &base);
	u16 key = fwcfg_find("opt/sevemu/secret", &bytes);

	if (!key)
		return;
	if (bytes > room)
		end_run(END_ERROR, "--secret has %u bytes, and the firmware has room for %u: "
			"give a build with room for launch secrets, such as OVMF.amdsev.fd",
			bytes, room);
	launch_page(ALIGN_DOWN(base, PAGE_SIZE), "launch secret");
	launch_page(ALIGN_DOWN(base + bytes - 1, PAGE_SIZE), "launch secret");
	fwcfg_read(key, npt_host(base), bytes);
}

void sev_launch_firmware(const u8 *image, u32 size)
{
	u32 base = 0, room = find_area(image, size, hashes_area_guid, &base);

	inject_secret(image, size);
	if (room < sizeof(struct hashes) || !fwcfg_read32(FW_CFG_KERNEL_SIZE))
		return;
	launch_page(ALIGN_DOWN(base, PAGE_SIZE), "table of kernel hashes");
	launch_page(ALIGN_DOWN(base + sizeof(struct hashes) - 1, PAGE_SIZE),
		    "table of kernel hashes");
	make_hashes((struct hashes *)npt_host(base));
	launch_add_bytes(base, sizeof(struct hashes));
}

void snp_launch_firmware(struct vcpu *vcpu, const u8 *image, u32 size)
{
	const struct metadata *m = find_metadata(image, size);
	u64 calling_area = 0;
	unsigned int i;

	for (i = 0; i < m->count; i++)
		if (m->sections[i].type == SECTION_CALLING_AREA)
			calling_area = m->sections[i].gpa;
	if (config.vmpl && !calling_area)
		end_run(END_ERROR, "--firmware has no calling area for an SVSM: give a later "
			"OVMF, or --vmpl 0");
	for (i = 0; i < m->count; i++) {
		u64 gpa = m->sections[i].gpa;

		switch (m->sections[i].type) {
		case SECTION_SECRETS:
			make_secrets_page(vcpu, gpa, calling_area);
			break;
		case SECTION_CPUID:
			make_cpuid_page(vcpu, gpa);
			break;
		case SECTION_HASHES:
			make_hashes_page(image, size, gpa);
			break;
		case SECTION_ZERO:
		case SECTION_CALLING_AREA:
			launch_add(gpa, m->sections[i].size, LAUNCH_ZERO);
			break;
		default:
			end_run(END_ERROR, "section %u of the firmware's SEV metadata has type "
				"%#x, which sevemu does not know", i, m->sections[i].type);
		}
	}
	if (config.vmpl)
		svsm_init(vcpu, calling_area);
}
