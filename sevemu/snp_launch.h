/* SPDX-License-Identifier: MIT */
/*
 * snp_launch.h - the pages that an SEV-SNP guest gets at launch besides firmware or
 * kernel: CPUID page, secrets page, the blob that names both, and the sections that
 * firmware asks for; kernel hashes and launch secret of an SEV or SEV-ES guest
 * (snp_launch.c).
 */
#ifndef SEVEMU_SNP_LAUNCH_H
#define SEVEMU_SNP_LAUNCH_H

#include "sevemu.h"

/*
 * Guest-physical addresses of the pages that sevemu makes when it starts a kernel as an SNP guest
 * without firmware.  The page SNP_BLOB has a setup_data node, and the confidential-computing
 * blob to which the node points.  From SNP_RESERVED to SNP_RESERVED_END lie the CPUID page, the
 * secrets page and an SVSM's calling area, which the kernel's memory map reports as reserved.
 */
#define SNP_BLOB		0x39000
#define SNP_RESERVED		0x3a000
#define SNP_RESERVED_END	0x3d000

#define GUID_SIZE		16
typedef u8 guid_bytes[GUID_SIZE];

/*
 * The GUID of the address where the APs of an SEV-ES guest start, 4 bytes in the table that
 * EDK2's file ResetVector puts at the end of the firmware image.
 */
extern const guid_bytes reset_block_guid;

/*
 * Looks for the data that belongs to @guid in the table of GUIDs at the end of the
 * firmware @image of @size bytes.  Returns the address of the first of its bytes and sets
 * *@length to their number, or returns NULL.
 */
const u8 *firmware_data(const u8 *image, u32 size, const guid_bytes guid, u32 *length);

/*
 * Makes CPUID page, secrets page, calling area and blob for a kernel, adds them to
 * the launch, and returns the guest-physical address of a node for the setup_data
 * list that names the blob.  @next is the address of the list's next node; 0: none.
 * loader.c calls it when it starts a kernel without firmware.
 */
u64 snp_launch_kernel(struct vcpu *vcpu, u64 next);

/*
 * Does what the SEV metadata of a firmware image asks for: the sections of zeroed
 * RAM, CPUID page, secrets page, calling area and kernel hashes.  @image has @size
 * bytes.  loader.c calls it in mode ovmf, after it has added the image itself to the
 * launch.  An image without SEV metadata ends the run.
 */
void snp_launch_firmware(struct vcpu *vcpu, const u8 *image, u32 size);

/*
 * Does what the table of GUIDs of a firmware image asks for, for an SEV or SEV-ES guest: puts
 * the kernel hashes, if there is a kernel, and the file of --secret into the guest's private
 * memory.  @image has @size bytes.  loader.c calls it after it has added the image itself to
 * the launch.  An image that has no room for a secret ends the run.
 */
void sev_launch_firmware(const u8 *image, u32 size);

#endif
