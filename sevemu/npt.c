/* SPDX-License-Identifier: MIT */
/*
 * npt.c - the guest's frames, their two views, and the nested page tables.
 *
 * Runs during start-up to set these up, and then between a VMEXIT and the next
 * VMRUN.
 *
 * A frame is 4 KiB of the guest's RAM, and is stored once.  Its bytes in memory
 * are what its current view, private or shared, shows.  An access through the
 * other view changes the frame's view: the bytes are XORed with a keystream
 * that depends on their address.  Data that was written through one view is
 * therefore ciphertext in the other view.  A second change restores the data,
 * as with real memory encryption.
 *
 * To the nested page tables the C-bit is an address bit.  npt_root() selects
 * one of two nested page table roots by the guest's paging mode, because a page
 * table entry has a C-bit only in PAE paging and in long mode:
 *
 *	mixed root, PAE paging or long mode:	C=0 -> shared view, C=1 -> private view
 *	private root, all else:			C=0 -> private view
 *
 * Each view has a PML4 that maps PHYS_LIMIT bytes.  A frame is mapped in its
 * current view only.  A processor with SEV reads page tables and instructions
 * as private memory even if C=0 (APM2 15.34.5), which nested page tables cannot
 * express.  If the guest reads a page table or an instruction with C=0, its
 * frame is therefore mapped in both views from then on: the frame is "noted"
 * (HOOK_FRAME_NOTED).
 */
#include "attack.h"
#include "attack_events.h"
#include "attack_memory.h"
#include "attack_smp.h"
#include "guest_memory.h"
#include "hooks.h"
#include "iommu.h"
#include "layout.h"
#include "log.h"
#include "main.h"
#include "npt.h"
#include "report.h"
#include "rmp.h"
#include "sevemu.h"
#include "smp.h"
#include "snapshot.h"
#include "watch.h"

#define REGIONS_MAX		8
/*
 * npt_watch() watches no further frame if npt_alloc() has fewer free bytes than this.
 * The rest is for nested page tables that the guest needs later, because the run ends if
 * npt_alloc() has no memory left.
 */
#define WATCH_RESERVE		0x100000
/*
 * Number of PDPTs that map PHYS_LIMIT bytes in one set of nested page tables.
 */
#define VIEW_TABLES		(PHYS_GIB / 512)
#define NPT_TABLE		(PTE_P | PTE_W | PTE_U)
#define NPT_LEAF		(PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define INDEX(gpa, level)	((gpa) >> (12 + 9 * (level)) & 511)

/*
 * A range of the guest's memory, contiguous in guest-physical and in host
 * addresses.
 */
struct region {
	u64 gpa;		/* guest-physical address of the region's start */
	u64 size;		/* size of the region in bytes, whole pages */
	u8 *host;		/* host address of the region's start */
	u8 *state;		/* HOOK_FRAME_*, one for each 4 KiB frame of the region */
	u8 *flags;		/* FRAME_* flags, one byte for each frame of the region */
	/* RMP entries, one for each frame of the region; NULL without --sev snp. */
	struct rmp_entry *rmp;
	struct rmp_entry *rmp_kept;	/* the RMP entries of the snapshot; NULL: none */
	bool rom;		/* the region is the firmware image, a ROM */
};

static struct region regions[REGIONS_MAX];
static unsigned int region_count;
static u64 heap, heap_end;	/* free memory for npt_alloc(): its start and end */
/* PML4s of the nested page tables: [VIEW_PRIVATE] and [VIEW_SHARED]. */
static u64 *views[2];
static u64 *mixed_root, *private_root;
/*
 * Number of changes of the nested page tables and of the guest's paging mode.  A
 * virtual CPU whose npt_seen differs must flush its TLB at its next VMRUN.
 */
static u64 changes;
/*
 * Mask of the address bit that the nested page tables ignore, because an attack
 * tells the guest that this bit is the C-bit; 0: they ignore no bit.
 */
static u64 alias;

void *npt_alloc(size_t pages)
{
	u64 p = heap;

	if (pages > (heap_end - heap) / PAGE_SIZE)
		end_run(END_ERROR, "hypervisor memory is full: %zu pages are needed, %lu are "
			"free; give the guest less RAM (-- -m SIZE)", pages,
			(heap_end - heap) / PAGE_SIZE);
	heap += pages * PAGE_SIZE;
	return memset((void *)p, 0, pages * PAGE_SIZE);
}

static u64 *new_table(void)
{
	return npt_alloc(1);
}

/*
 * Returns the address of the entry that maps @gpa in the nested page tables of
 * @view, at @level 0 (4 KiB page) or 1 (2 MiB page).  Allocates missing tables
 * on the way to the entry.  At level 0, splits a 2 MiB page that maps @gpa.
 */
static u64 *view_entry(enum view view, u64 gpa, int level)
{
	u64 *table = views[view];
	int i;

	for (i = 3; i > level; i--) {
		u64 *entry = &table[INDEX(gpa, i)];

		if (!(*entry & PTE_P)) {
			*entry = (u64)new_table() | NPT_TABLE;
		} else if (*entry & PTE_PS) {
			u64 *split = new_table(), n;

			for (n = 0; n < 512; n++)
				split[n] = (*entry & ~(u64)PTE_PS) + n * PAGE_SIZE;
			*entry = (u64)split | NPT_TABLE;
		}
		table = (u64 *)(*entry & PTE_ADDR);
	}
	return &table[INDEX(gpa, level)];
}

void npt_map(enum view view, u64 gpa, u64 host)
{
	/*
	 * Map the frame with the dirty bit clear.  If it is set later,
	 * snapshot.c knows that the guest has written to the frame.
	 */
	*view_entry(view, gpa, 0) = host | (NPT_LEAF & ~(u64)PTE_D);
	changes++;
}

void npt_unmap(enum view view, u64 gpa)
{
	smp_stop_others();
	*view_entry(view, gpa, 0) = 0;
	changes++;
}

bool npt_maps(enum view view, u64 gpa)
{
	u64 *table = views[view];
	int i;

	for (i = 3; i > 0; i--) {
		u64 entry = table[INDEX(gpa, i)];

		if (!(entry & PTE_P) || entry & PTE_PS)
			return entry & PTE_P;
		table = (u64 *)(entry & PTE_ADDR);
	}
	return table[INDEX(gpa, 0)];
}

void npt_init(void)
{
	extern char bss_end[];
	u64 cbit = cbit_mask();
	u64 *top;
	int i, v;

	heap = hv_base + ((u64)bss_end - HV_VIRT);
	heap_end = hv_base + HV_SIZE - BOOT_TABLES * PAGE_SIZE;

	for (v = 0; v < 2; v++) {
		views[v] = new_table();
		for (i = 0; i < VIEW_TABLES; i++)
			views[v][i] = (u64)new_table() | NPT_TABLE;
	}
	private_root = new_table();
	private_root[0] = (u64)views[VIEW_PRIVATE] | NPT_TABLE;
	if (config.sev == SEV_OFF) {
		mixed_root = private_root;
		return;
	}

	/*
	 * mixed_root, a PML5, maps an address with C=1 to the private view and
	 * with C=0 to the shared view.  If the C-bit is bit 51, C=1 selects
	 * entry 8 of the PML5.  If it is bit 47, C=1 selects one of the entries
	 * 256 to 511 of the PML4 @top.
	 */
	mixed_root = new_table();
	top = new_table();
	mixed_root[0] = (u64)top | NPT_TABLE;
	for (i = 0; i < VIEW_TABLES; i++)
		top[i] = views[VIEW_SHARED][i];
	if (INDEX(cbit, 4)) {
		mixed_root[INDEX(cbit, 4)] = private_root[0];
	} else {
		for (i = 0; i < VIEW_TABLES; i++)
			top[INDEX(cbit, 3) + i] = views[VIEW_PRIVATE][i];
	}
}

/*
 * Gives the guest @size bytes of memory at @gpa, stored at @host, as a new
 * region.  All frames are private, and mapped by 2 MiB pages where @gpa and
 * @host are both aligned to 2 MiB.
 */
static struct region *region_add(u64 gpa, u64 size, u8 *host)
{
	struct region *r = &regions[region_count++];
	u64 frames = size / PAGE_SIZE, end = gpa + size;

	if (region_count > REGIONS_MAX || end > PHYS_LIMIT)
		end_run(END_ERROR, "guest memory %#lx-%#lx is range %u and ends above the "
			"limits, %u ranges and %#lx: give the guest less RAM (-- -m "
			"SIZE)", gpa, end, region_count, REGIONS_MAX, PHYS_LIMIT);
	r->gpa = gpa;
	r->size = size;
	r->host = host;
	r->state = npt_alloc(ALIGN_UP(frames, PAGE_SIZE) / PAGE_SIZE);
	r->flags = npt_alloc(ALIGN_UP(frames, PAGE_SIZE) / PAGE_SIZE);
	memset(r->state, HOOK_FRAME_PRIVATE, frames);
	if (guest_is_snp()) {
		/* Map nothing here: rmp.c maps a frame when it is validated or shared. */
		_Static_assert(sizeof(*r->rmp) == sizeof(u32), "npt_restore_rmp() compares u32");
		r->rmp = npt_alloc(ALIGN_UP(frames * sizeof(*r->rmp), PAGE_SIZE) / PAGE_SIZE);
		for (; frames; frames--)
			r->rmp[frames - 1].flags = RMP_UNTOUCHED;
		return r;
	}

	while (gpa < end) {
		u64 step = PAGE_SIZE;

		if (!((gpa | (u64)host) % LARGE_SIZE) && end - gpa >= LARGE_SIZE) {
			step = LARGE_SIZE;
			*view_entry(VIEW_PRIVATE, gpa, 1) =
				(u64)host | NPT_LEAF | PTE_PS;
		} else {
			npt_map(VIEW_PRIVATE, gpa, (u64)host);
		}
		gpa += step;
		host += step;
	}
	return r;
}

void npt_add_ram(u64 gpa, u64 size, u8 *host)
{
	region_add(gpa, size, host);
}

void npt_add_rom(u64 gpa, u64 size, u8 *host)
{
	region_add(gpa, size, host)->rom = true;
}

/* Returns the region that @gpa lies in, or NULL. */
static struct region *region_of(u64 gpa)
{
	unsigned int i;

	for (i = 0; i < region_count; i++)
		if (gpa - regions[i].gpa < regions[i].size)
			return &regions[i];
	return NULL;
}

bool npt_is_rom(u64 gpa)
{
	struct region *r = region_of(gpa);

	return r && r->rom;
}

bool npt_rom_stored(u64 gpa)
{
	return *npt_flags(gpa) & FRAME_STORED || *npt_leaf(VIEW_PRIVATE, gpa) & PTE_D;
}

bool npt_is_hypervisor(u64 gpa, u64 len)
{
	u64 last = gpa + (len ? len - 1 : 0);

	if (last < gpa)
		return true;
	if (region_of(gpa) && region_of(last))
		return false;
	return (last >= hv_base && gpa < hv_base + HV_SIZE) || iommu_owns(gpa) ||
	       (last >= ROM_BASE && gpa < ROM_BASE + ROM_SIZE);
}

/*
 * Returns eight pseudo-random bytes that depend only on @address, a multiple of
 * 8.  XOR with them imitates memory encryption.
 */
static u64 keystream(u64 address)
{
	u64 x = address * 0x9e3779b97f4a7c15;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9;
	return x ^ x >> 32;
}

void npt_encrypt(u64 gpa, u64 *host)
{
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		host[i] ^= keystream(gpa + i * sizeof(u64));
}

/*
 * If a nested page table entry of @page has its dirty bit set, the guest has
 * written to the frame: records that in the frame's flags.  Called before a
 * change of view replaces the entries.
 */
static void remember_stores(u64 page)
{
	u8 *flags = npt_flags(page);

	if (*npt_leaf(VIEW_SHARED, page) & PTE_D)
		*flags |= FRAME_STORED | FRAME_STORED_SHARED;
	if (*npt_leaf(VIEW_PRIVATE, page) & PTE_D)
		*flags |= FRAME_STORED;
}

/* ---- Functions for rmp.c. */

/*
 * Must be called before the hypervisor changes the bytes of the frame of @page.  Stops the
 * other virtual CPUs, so that none of them sees half of a change.  In a campaign, whose runs all
 * begin with the same memory, also keeps the frame's bytes for the next run.  If a dirty bit of a
 * nested page table entry shows that the guest has written to the frame, records this in the
 * frame's flags.
 */
static void before_change(u64 page)
{
	smp_stop_others();
	if (!config.hostile)
		return;
	snapshot_save(page);
	*npt_flags(page) |= FRAME_TOUCHED;
	if (*npt_flags(page) & FRAME_SAVED)
		remember_stores(page);
}

struct rmp_entry *npt_rmp(u64 gpa)
{
	struct region *r = region_of(gpa);

	return r ? &r->rmp[(gpa - r->gpa) / PAGE_SIZE] : NULL;
}

void npt_place(u64 gpa, enum view view, u64 flags)
{
	struct region *r = region_of(gpa);
	u64 host = (u64)r->host + (gpa - r->gpa);

	if (*npt_flags(gpa) & FRAME_SAVED || r->rom)
		remember_stores(gpa);
	if (npt_maps(!view, gpa))
		npt_unmap(!view, gpa);
	if (npt_maps(view, gpa))
		smp_stop_others();
	if (flags & PTE_W && snapshot_protects(gpa))
		flags ^= PTE_W | NPT_PROTECTED;
	if (flags)
		*view_entry(view, gpa, 0) = host | flags | PTE_A;
	else if (npt_maps(view, gpa))
		npt_unmap(view, gpa);
	r->state[(gpa - r->gpa) / PAGE_SIZE] = view == VIEW_SHARED ? HOOK_FRAME_SHARED :
					       HOOK_FRAME_PRIVATE;
	iommu_frame(gpa, host, view == VIEW_SHARED);
	changes++;
}

bool npt_place_2m(u64 gpa)
{
	struct region *r = region_of(gpa);
	u64 host = r ? (u64)r->host + (gpa - r->gpa) : 0;

	/* Map no ROM by 2 MiB: npt_rom_stored() needs a dirty bit for each 4 KiB of a ROM. */
	if (!r || r->rom || (gpa | host) % LARGE_SIZE || r->size - (gpa - r->gpa) < LARGE_SIZE)
		return false;
	*view_entry(VIEW_PRIVATE, gpa, 1) = host | NPT_LEAF | PTE_PS;
	return true;
}

void npt_scramble(u64 gpa, u64 salt)
{
	struct region *r = region_of(gpa);
	u64 *host = (u64 *)(r->host + (gpa - r->gpa));
	u64 key = keystream(gpa ^ keystream(salt << 12));
	unsigned int i;

	before_change(gpa);
	*npt_flags(gpa) |= FRAME_CONVERTED;
	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		host[i] ^= key;
		key = key * 0x5851f42d4c957f2d + 0x14057b7ef767814f;
	}
}

void npt_clear(u64 gpa)
{
	before_change(gpa);
	*npt_flags(gpa) |= FRAME_CONVERTED;
	memset(npt_host(gpa), 0, PAGE_SIZE);
}

void npt_keep_rmp(void)
{
	struct region *r;
	u64 size;

	for (r = regions; r < regions + region_count; r++) {
		size = r->size / PAGE_SIZE * sizeof(*r->rmp);
		if (!r->rmp_kept)
			r->rmp_kept = npt_alloc(ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE);
		memcpy(r->rmp_kept, r->rmp, size);
	}
}

void npt_restore_rmp(void (*apply)(u64 gpa))
{
	struct region *r;
	u64 i;

	for (r = regions; r < regions + region_count; r++) {
		for (i = 0; i < r->size / PAGE_SIZE; i++) {
			if (*(u32 *)&r->rmp[i] == *(u32 *)&r->rmp_kept[i])
				continue;
			r->rmp[i] = r->rmp_kept[i];
			apply(r->gpa + i * PAGE_SIZE);
		}
	}
}

const struct rmp_entry *npt_kept_rmp(u64 gpa)
{
	struct region *r = region_of(gpa);

	return &r->rmp_kept[(gpa - r->gpa) / PAGE_SIZE];
}

/* ---- Functions for the files that run the guest with an attacking host. */

u8 *npt_flags(u64 gpa)
{
	struct region *r = region_of(gpa);

	return r ? &r->flags[(gpa - r->gpa) / PAGE_SIZE] : NULL;
}

u8 *npt_host(u64 gpa)
{
	struct region *r = region_of(gpa);

	return r ? r->host + (gpa - r->gpa) : NULL;
}

u64 *npt_leaf(enum view view, u64 gpa)
{
	return view_entry(view, gpa, 0);
}

void npt_set_state(u64 gpa, unsigned int state)
{
	struct region *r = region_of(gpa);
	u64 host = (u64)npt_host(gpa);

	r->state[(gpa - r->gpa) / PAGE_SIZE] = state;
	npt_unmap(VIEW_PRIVATE, gpa);
	npt_unmap(VIEW_SHARED, gpa);
	if (state != HOOK_FRAME_SHARED)
		npt_map(VIEW_PRIVATE, gpa, host);
	if (state != HOOK_FRAME_PRIVATE)
		npt_map(VIEW_SHARED, gpa, host);
}

void npt_each_frame(void (*see)(u64 gpa))
{
	unsigned int i;
	u64 offset;

	for (i = 0; i < region_count; i++)
		for (offset = 0; offset < regions[i].size; offset += PAGE_SIZE)
			see(regions[i].gpa + offset);
}

void npt_store(u64 gpa, enum view view)
{
	*npt_flags(gpa) |= FRAME_STORED | FRAME_PUSHED |
			   (view == VIEW_SHARED ? FRAME_STORED_SHARED : 0);
}

bool npt_stored_shared(u64 gpa)
{
	return *npt_flags(gpa) & FRAME_STORED_SHARED ||
	       (npt_frame_state(gpa) == HOOK_FRAME_SHARED &&
		*npt_leaf(VIEW_SHARED, gpa) & PTE_D);
}

void npt_hide(enum view view, u64 gpa)
{
	*npt_leaf(view, gpa) &= ~(u64)PTE_P;
	changes++;
}

void npt_show(enum view view, u64 gpa)
{
	u64 *leaf = npt_leaf(view, gpa);

	if (*leaf)
		*leaf |= PTE_P;
	changes++;
}

static void hide_private(u64 gpa)
{
	npt_hide(VIEW_PRIVATE, gpa);
}

static void show_private(u64 gpa)
{
	npt_show(VIEW_PRIVATE, gpa);
}

void npt_hide_all(bool hide)
{
	npt_each_frame(hide ? hide_private : show_private);
}

void npt_alias(u64 bit)
{
	u64 *top = (u64 *)(mixed_root[0] & PTE_ADDR);
	unsigned int i;

	for (i = 0; i < VIEW_TABLES && alias; i++) {
		if (INDEX(alias, 4))
			mixed_root[INDEX(alias, 4)] = 0;
		else
			top[INDEX(alias, 3) + i] = 0;
	}
	/*
	 * If an attack tells the guest that @bit is the C-bit, the nested page tables map RAM
	 * once more at addresses with @bit set, so that the guest's accesses cause no fault.
	 * They do not do so for the real C-bit.  They do not do so either for bits below
	 * PHYS_LIMIT, which select RAM, and for bits above 51, which no address has.
	 */
	alias = bit >= PHYS_LIMIT && bit < 1ull << 52 && bit != cbit_mask() ? bit : 0;
	for (i = 0; i < VIEW_TABLES && alias; i++) {
		if (INDEX(alias, 4))
			mixed_root[INDEX(alias, 4)] = mixed_root[0];
		else
			top[INDEX(alias, 3) + i] = views[VIEW_SHARED][i];
	}
	changes++;
}

u64 npt_root_of(u64 start, u64 end)
{
	u64 *root = new_table(), *table;
	u64 gpa;
	int i;

	for (gpa = start; gpa < end; gpa += PAGE_SIZE) {
		for (table = root, i = 4; i > 0; i--) {
			u64 *entry = &table[INDEX(gpa, i)];

			if (!*entry)
				*entry = (u64)new_table() | NPT_TABLE;
			table = (u64 *)(*entry & PTE_ADDR);
		}
		table[INDEX(gpa, 0)] = (u64)npt_host(gpa) | NPT_LEAF;
	}
	return (u64)root;
}

u64 npt_alias_bit(void)
{
	return alias;
}

u8 *npt_frame(u64 gpa, enum view view)
{
	struct region *r = region_of(gpa);
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);
	u8 *host, *state;

	if (!r)
		return NULL;
	host = r->host + (page - r->gpa);
	if (config.hostile) {
		snapshot_save(page);
		r->flags[(page - r->gpa) / PAGE_SIZE] |= FRAME_TOUCHED;
	}
	/*
	 * Only rmp.c makes an SNP guest's frame private or shared.  The caller has called
	 * rmp_access() or rmp_shared() for it.
	 */
	if (guest_is_snp())
		return host + (gpa - page);
	state = &r->state[(page - r->gpa) / PAGE_SIZE];

	if (config.sev != SEV_OFF && (view == VIEW_SHARED) != (*state == HOOK_FRAME_SHARED)) {
		if (config.hostile)
			remember_stores(page);
		if (view == VIEW_SHARED)
			watch_shared(page);
		else
			events_trigger(FROM_UNSHARED);
		smp_stop_others();
		if (!memory_is_served())
			npt_encrypt(page, (u64 *)host);
		npt_unmap(!view, page);
		npt_map(view, page, (u64)host);
		*state = view == VIEW_SHARED ? HOOK_FRAME_SHARED : HOOK_FRAME_PRIVATE;
		iommu_frame(page, (u64)host, view == VIEW_SHARED);
		report_count(view == VIEW_SHARED ? COUNT_TO_SHARED : COUNT_TO_PRIVATE);
		trace("frame %#lx %s", page, view == VIEW_SHARED ? "shared" : "private");
	}
	return host + (gpa - page);
}

void npt_share(u64 gpa, u64 size)
{
	struct region *r;
	u64 first, last;

	for (r = regions; r < regions + region_count; r++) {
		if (r->rom || gpa >= r->gpa + r->size || gpa + size <= r->gpa)
			continue;
		first = gpa > r->gpa ? gpa - r->gpa : 0;
		last = gpa + size < r->gpa + r->size ? gpa + size - r->gpa : r->size;
		for (; first < last; first += PAGE_SIZE)
			if (r->state[first / PAGE_SIZE] == HOOK_FRAME_PRIVATE)
				npt_frame(r->gpa + first, VIEW_SHARED);
	}
}

u64 *npt_watch(u64 gpa)
{
	u64 *leaf;

	if (npt_is_rom(gpa) || npt_frame_state(gpa) != HOOK_FRAME_PRIVATE ||
	    heap_end - heap < WATCH_RESERVE)
		return NULL;
	/*
	 * A processor whose TLB has the dirty bit set does not set it in the table again.
	 * Stop the other processors, so that each flushes its TLB before it runs the guest.
	 */
	smp_stop_others();
	leaf = npt_leaf(VIEW_PRIVATE, gpa);
	*leaf = (*leaf & ~(u64)PTE_D) | NPT_WATCHED;
	changes++;
	return leaf;
}

bool npt_written(const u64 *leaf)
{
	return (*leaf & (PTE_P | PTE_D | NPT_WATCHED)) != (PTE_P | NPT_WATCHED);
}

unsigned int npt_frame_state(u64 gpa)
{
	struct region *r = region_of(gpa);

	return r ? r->state[(gpa - r->gpa) / PAGE_SIZE] : HOOK_FRAME_NONE;
}

u64 npt_host_peek(u64 gpa)
{
	struct region *r = region_of(gpa);
	u64 raw;

	if (!r || gpa % sizeof(raw))
		return HOOK_ERROR;
	memcpy(&raw, r->host + (gpa - r->gpa), sizeof(raw));
	if (config.sev != SEV_OFF && npt_frame_state(gpa) != HOOK_FRAME_SHARED)
		raw ^= keystream(gpa);
	return raw;
}

void npt_note(u64 gpa, const char *what)
{
	u64 page = ALIGN_DOWN(gpa, PAGE_SIZE);
	struct region *r = region_of(gpa);
	u8 *host = npt_frame(page, VIEW_PRIVATE);

	npt_map(VIEW_SHARED, page, (u64)host);
	r->state[(page - r->gpa) / PAGE_SIZE] = HOOK_FRAME_NOTED;
	report_count(COUNT_NOTES);
	trace("note %#lx %s with C=0", page, what);
}

u64 npt_root(struct vcpu *vcpu)
{
	vcpu->vmcb->tlb_control = vcpu->npt_seen != changes ? TLB_FLUSH_ALL : 0;
	vcpu->npt_seen = changes;
	if (attack_smp_root(vcpu))
		return attack_smp_root(vcpu);
	return (u64)(guest_paging(vcpu) && vcpu->vmcb->cr4 & CR4_PAE ?
		     mixed_root : private_root);
}

void npt_flush(void)
{
	changes++;
}

bool npt_is_mixed(const struct vcpu *vcpu)
{
	return vcpu->vmcb->n_cr3 == (u64)mixed_root && config.sev != SEV_OFF;
}
