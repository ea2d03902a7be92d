/* SPDX-License-Identifier: MIT */
/*
 * npt.h - the guest's frames, their two views and the nested page tables
 * (npt.c); nested page faults (npt_fault.c); the hypervisor's page allocator.
 *
 * A frame is 4 KiB of the guest's RAM.  The guest sees a frame through the
 * private view if it accesses the frame with C=1, through the shared view with
 * C=0.  At any time a frame is in one view: its bytes in memory are what that
 * view shows, and only that view's nested tables map it.  The exception is a frame that
 * npt_note() has mapped in both views.
 *
 * A guest-physical address (gpa) that these functions take has the C-bit clear.
 * Unless its comment says otherwise, a function may be called between a VMEXIT
 * and the next VMRUN, and cannot fail.
 */
#ifndef SEVEMU_NPT_H
#define SEVEMU_NPT_H

#include "sevemu.h"

struct rmp_entry;

enum view { VIEW_PRIVATE, VIEW_SHARED };

/*
 * Flags of a frame (4 KiB of the guest's RAM), by which snapshot.c and watch.c
 * know who has changed the frame since the last snapshot.
 */
#define FRAME_SAVED		1	/* snapshot.c has a copy of the frame */
/*
 * The guest has written to the frame, and the frame's nested page table entry
 * has no dirty bit for the write: the entry was replaced, or the hypervisor
 * wrote a stack frame for the guest.
 */
#define FRAME_STORED		2
/*
 * FRAME_STORED is set, and the guest has written to the frame through the
 * shared view.
 */
#define FRAME_STORED_SHARED	4
#define FRAME_TOUCHED		8	/* the hypervisor may have written to the frame */
/*
 * An SNP guest's frame has changed between private and shared, or the SVSM has cleared it.
 * Its bytes have changed, and the guest has not written them.
 */
#define FRAME_CONVERTED		16
/*
 * The hypervisor has written to the frame for the guest since snapshot_seal(), and has
 * called npt_store().  snapshot_broken() must therefore not take changed bytes of the frame
 * for a write by the attacking host.
 */
#define FRAME_PUSHED		32

/*
 * A bit of a nested page table entry that the processor ignores.  It is set if the entry
 * lacks PTE_W only because snapshot.c wants to know of the guest's first write.
 */
#define NPT_PROTECTED		0x200
/*
 * A bit of a nested page table entry that the processor ignores.  npt_watch() sets it when
 * it clears the entry's dirty bit.
 */
#define NPT_WATCHED		0x400

/*
 * Sets up the page allocator and the empty nested tables.  Called once, with
 * hv_base and config set, before any other function of this header.
 */
void npt_init(void);

/*
 * Returns the address, virtual and physical, of @pages zeroed pages of
 * hypervisor memory.  They are never freed.  Ends the run if not enough memory
 * is left.
 */
void *npt_alloc(size_t pages);

/*
 * Gives the guest @size bytes of RAM at guest-physical address @gpa, stored at
 * host address @host.  The RAM is private at first.  @gpa, @size and @host are
 * page-aligned.  loader.c calls it before the guest starts.  More than
 * REGIONS_MAX ranges, or a range that reaches above PHYS_LIMIT, end the run.
 */
void npt_add_ram(u64 gpa, u64 size, u8 *host);

/*
 * Gives the guest a ROM, with the parameters of npt_add_ram().  mmio.c ignores MMIO writes of
 * an SEV-ES guest to a ROM.
 */
void npt_add_rom(u64 gpa, u64 size, u8 *host);

/*
 * Returns the nested CR3 for the paging mode of @vcpu.  Sets the VMCB's
 * TLB_CONTROL to flush the guest's TLB if nested translations have changed.
 * The run loop calls it before each VMRUN.
 */
u64 npt_root(struct vcpu *vcpu);

/*
 * Makes nested page tables that map the guest's RAM from @start to @end, both page-aligned,
 * at addresses without the C-bit, and nothing else.  Returns the address of the root table.
 */
u64 npt_root_of(u64 start, u64 end);

/*
 * Brings the frame of @gpa to @view (private or shared) and returns the host
 * address of @gpa, or NULL if @gpa is not RAM of the guest.  A change of view
 * encrypts or decrypts the frame's bytes.  The caller may use the pointer until
 * the frame changes its view again.  With --sev snp it changes nothing: the caller
 * must have called rmp_access() or rmp_shared().
 */
u8 *npt_frame(u64 gpa, enum view view);

/*
 * Makes the frames of the @size bytes of the guest's RAM at @gpa shared, as npt_frame() with
 * VIEW_SHARED does.  Leaves out ROMs, addresses that are not RAM, and frames that the guest may
 * access with C=0 and C=1 alike (HOOK_FRAME_NOTED).  @gpa and @size are page-aligned.  Must not
 * be called with --sev snp.
 */
void npt_share(u64 gpa, u64 size);

/*
 * Makes the nested page table entries of all devices read-only, except those of the
 * APICs.  The guest's next write to a device is then a nested page fault.  Only a guest
 * without SEV-ES has such entries.
 */
void npt_protect_devices(void);

/*
 * Starts to watch the frame of @gpa for writes of the guest.  Returns the frame's nested
 * page table entry in the private view, to which npt_written() may be applied from then
 * on.  Returns NULL if the frame is not mapped in the private view alone, if it lies in a
 * ROM, or if too little of the hypervisor's memory is left for the entry.  Must not be called
 * with --sev snp, --attack or --hostile, which use the dirty bit of the entry themselves.
 */
u64 *npt_watch(u64 gpa);

/*
 * Returns whether the frame with the nested page table entry @leaf may have been written
 * since npt_watch().  Also returns true if the frame has changed its view since.
 */
bool npt_written(const u64 *leaf);

/* Returns whether @gpa lies in a ROM that npt_add_rom() gave to the guest. */
bool npt_is_rom(u64 gpa);

/*
 * Returns whether the guest has written to the private frame of @gpa, which must lie in a
 * ROM.  With --sev snp only.
 */
bool npt_rom_stored(u64 gpa);

/*
 * Returns whether any of the @len bytes at @gpa belong to the hypervisor: to
 * its memory or to the ROM that it was started from.  Also returns true if @gpa
 * + @len overflows 64 bits.
 */
bool npt_is_hypervisor(u64 gpa, u64 len);

/*
 * Returns the state of the frame of @gpa, HOOK_FRAME_* of hooks.h: private,
 * shared, mapped in both views, or not RAM of the guest.
 */
unsigned int npt_frame_state(u64 gpa);

/*
 * Returns the eight bytes at @gpa as a host with encrypted guest memory would
 * read them: ciphertext if the frame is private.  Does not change the frame's
 * view.  Returns HOOK_ERROR if @gpa is not RAM of the guest or not a multiple
 * of 8.
 */
u64 npt_host_peek(u64 gpa);

/*
 * Makes the processor flush the guest's TLB at the next VMRUN.  Must be called
 * after a change of the guest's CR0, CR3 or CR4, and after a change of a nested
 * page table entry through npt_leaf()'s pointer.
 */
void npt_flush(void);

/*
 * Maps the page at @gpa in @view, for reading, writing and execution, to the page of RAM or
 * of a device at host address @host.  Both are page-aligned.  The other view stays as it is.
 */
void npt_map(enum view view, u64 gpa, u64 host);

/*
 * Removes the page at @gpa from @view.  Stops the other virtual CPUs by smp_stop_others()
 * before, because they may have the page's translation in their TLBs.
 */
void npt_unmap(enum view view, u64 gpa);

/*
 * Returns whether @view maps @gpa.  Unlike npt_leaf() it allocates no table and splits no
 * large page.
 */
bool npt_maps(enum view view, u64 gpa);

/*
 * Maps the private frame of @gpa in both views, because the guest used it with
 * C=0 as a page table or as code, which a processor with SEV reads as private
 * (APM2 15.34.5).  @what is "walked" or "executed", for the trace.
 */
void npt_note(u64 gpa, const char *what);

/*
 * Encrypts or decrypts the page of guest-physical address @gpa, stored at @host, by XOR
 * with a keystream.  @gpa is page-aligned.
 */
void npt_encrypt(u64 gpa, u64 *host);

/*
 * Returns whether the C-bit in an address of @vcpu selects the view.  Returns false with
 * --sev off, and in a paging mode without C-bit, in which all accesses are private.
 */
bool npt_is_mixed(const struct vcpu *vcpu);

/*
 * Handles SVM_EXIT_NPF, a nested page fault of @vcpu (APM2 15.25.6).  If the guest accessed RAM,
 * makes the frame private or shared, as the access was, and with it encrypts or decrypts the
 * bytes that the guest sees.  If the guest accessed a device, raises #VC under SEV-ES and maps
 * the device otherwise.  Ends the run if the address is hypervisor memory or not below
 * PHYS_LIMIT, or if a page table or instruction outside of RAM was read.
 */
void npt_fault(struct vcpu *vcpu);

/*
 * Records that the guest has written to the frame of @gpa through @view, for a
 * write that sets no dirty bit in the nested page tables: the hypervisor stored
 * for the guest, for example an exception's stack frame.  @gpa must be RAM of
 * the guest.
 */
void npt_store(u64 gpa, enum view view);

/*
 * Marks the frame of @gpa not present in the nested page tables of @view until
 * npt_show() is called, so that the guest's next access is a nested page fault.
 * @gpa must be RAM of the guest.
 */
void npt_hide(enum view view, u64 gpa);

/*
 * Marks the frame of @gpa present again in @view, after npt_hide().  Does
 * nothing if the frame is in the other view (private instead of shared, or the
 * reverse).
 */
void npt_show(enum view view, u64 gpa);

/*
 * Calls npt_hide(), or npt_show() if @hide is false, for the private view of
 * every frame of the guest.  While the frames are hidden, each access to private
 * memory causes a nested page fault.
 */
void npt_hide_all(bool hide);

/*
 * Makes the nested page tables ignore the address bit in the mask @bit.  With
 * the bit set, an address then leads to the same memory as with the bit clear,
 * in the shared view.  The attack that tells the guest a wrong position of the
 * C-bit uses this, so that the guest's accesses cause no fault.  No bit is
 * ignored if @bit is 0, the real C-bit, below PHYS_LIMIT or above bit 51.
 */
void npt_alias(u64 bit);

/*
 * Returns the mask of the address bit that npt_alias() has made the nested page tables
 * ignore.  Returns 0 if they ignore no bit.
 */
u64 npt_alias_bit(void);

/*
 * Returns a pointer to the FRAME_* flags of the frame of @gpa; NULL if it is
 * not RAM.
 */
u8 *npt_flags(u64 gpa);

/*
 * Returns the host address of @gpa without changing the frame between private
 * and shared.  Returns NULL if @gpa is not RAM of the guest.
 */
u8 *npt_host(u64 gpa);

/*
 * Returns a pointer to the nested page table entry of the frame of @gpa in
 * @view.  The entry is 0 if @view does not map the frame.  Splits a large page
 * that maps the frame.
 */
u64 *npt_leaf(enum view view, u64 gpa);

/*
 * Returns the RMP entry of the frame of @gpa; NULL if it is not RAM.  With --sev
 * snp only, for rmp.c, which must call npt_place() after a change.
 */
struct rmp_entry *npt_rmp(u64 gpa);

/*
 * Maps the frame of @gpa in @view with the nested page table flags @flags (PTE_*),
 * and removes it from the other view.  @flags of 0 maps it in neither view.  @view
 * becomes the frame's state.  @gpa must be RAM.  For rmp.c.
 */
void npt_place(u64 gpa, enum view view, u64 flags);

/*
 * Maps the 2 MiB at @gpa in the private view by one entry.  Returns false, with
 * nothing changed, if @gpa or its host address is not aligned to 2 MiB, if the
 * 2 MiB are not in one range of RAM, or if the range is a ROM.  rmp.c calls it
 * before the guest starts.
 */
bool npt_place_2m(u64 gpa);

/*
 * XORs the bytes of the frame of @gpa with a key stream that depends on @gpa and
 * @salt.  @gpa must be RAM.  For rmp.c, when a frame becomes private or shared.
 */
void npt_scramble(u64 gpa, u64 salt);

/*
 * Fills the frame of @gpa with zeroes.  This does not count as a write by the guest, so
 * watch.c does not check whether the stub may write to the frame.  @gpa must be RAM.
 * svsm.c calls it when the SVSM has validated a page.
 */
void npt_clear(u64 gpa);

/*
 * Makes a copy of all RMP entries, which npt_restore_rmp() and npt_kept_rmp() use.  These
 * three functions belong to the snapshot, and may be called with --sev snp only.
 */
void npt_keep_rmp(void);

/*
 * Sets all RMP entries to the copy that npt_keep_rmp() has made, and calls @apply for each frame
 * whose entry changes by this.
 */
void npt_restore_rmp(void (*apply)(u64 gpa));

/*
 * Returns the RMP entry of the frame of @gpa in the copy that npt_keep_rmp() has made.  @gpa
 * must be RAM.
 */
const struct rmp_entry *npt_kept_rmp(u64 gpa);

/*
 * Sets the frame of @gpa to @state (HOOK_FRAME_*) and changes the nested page
 * tables to match.  The frame's bytes stay unchanged, so the caller must have
 * stored those that belong to @state.  @gpa must be RAM of the guest.
 */
void npt_set_state(u64 gpa, unsigned int state);

/*
 * Calls @see with the guest-physical address of each frame of the guest's RAM.
 */
void npt_each_frame(void (*see)(u64 gpa));

/*
 * Returns whether the guest has written to the frame of @gpa through the shared
 * view since snapshot.c last cleared the frame's flags and dirty bits.  An
 * exception's stack frame counts as a write by the guest.  @gpa must be RAM of
 * the guest.
 */
bool npt_stored_shared(u64 gpa);

#endif
