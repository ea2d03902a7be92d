/* SPDX-License-Identifier: MIT */
/*
 * pe.h - the constants of a PE32+ header (Microsoft, "PE Format") and of Linux's
 * additions to it. header.S uses them to make the image an EFI application.
 */
#ifndef PE_H
#define PE_H

#define PE_DOS_MAGIC			0x5a4d	/* "MZ" */
#define PE_LINUX_MAGIC_OFFSET		0x38
#define LINUX_PE_MAGIC			0x818223cd
#define PE_MACHINE_AMD64		0x8664
/* Flags: executable image, line numbers stripped, debug information stripped. */
#define PE_CHARACTERISTICS		0x0206
#define PE_OPT_MAGIC_PE32PLUS		0x020b
#define PE_SECTION_ALIGNMENT		0x1000
#define PE_FILE_ALIGNMENT		0x0200
#define PE_SUBSYSTEM_EFI_APPLICATION	10
#define PE_DLL_NX_COMPAT		0x0100
#define PE_DIRECTORY_SIZE		8
#define PE_SECTION_SIZE			40

/*
 * MajorImageVersion and MinorImageVersion. By Linux's convention the major version
 * is a bit mask for EFI loaders: bit 0 tells that the image fetches its initrd by
 * the protocol LoadFile2, bit 1 that it obeys initrd= on the command line.
 */
#define LINUX_EFISTUB_MAJOR_VERSION	3
#define LINUX_EFISTUB_MINOR_VERSION	0

/* Section flags (Characteristics): contents and access rights. */
#define PE_SCN_CODE			0x00000020
#define PE_SCN_INITIALIZED		0x00000040
#define PE_SCN_DISCARDABLE		0x02000000
#define PE_SCN_EXECUTE			0x20000000
#define PE_SCN_READ			0x40000000
#define PE_SCN_WRITE			0x80000000
/*
 * The section with the 16-bit code is marked as data, because firmware must not
 * execute it.
 */
#define PE_SCN_SETUP			(PE_SCN_INITIALIZED | PE_SCN_DISCARDABLE | \
					 PE_SCN_READ)
#define PE_SCN_TEXT			(PE_SCN_CODE | PE_SCN_EXECUTE | PE_SCN_READ)
#define PE_SCN_RODATA			(PE_SCN_INITIALIZED | PE_SCN_READ)
#define PE_SCN_DATA			(PE_SCN_INITIALIZED | PE_SCN_READ | \
					 PE_SCN_WRITE)

#endif
