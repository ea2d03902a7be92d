# SPDX-License-Identifier: MIT
#
# Flags and inputs for the unit tests of the decoders, of EFI and of the linked image.
# The Makefile includes this after tests/*/rules.mk.

# The stub's flags for zstd, and its assembly; `=`, because the Makefile sets ZSTD_FLAGS
# later. libzstd compresses.
CFLAGS_test_unzstd = $(ZSTD_FLAGS)
CFLAGS_test_digest = $(ZSTD_FLAGS)
LDLIBS_test_unzstd := $(O)/stub/payload/huf_decompress_amd64.o -lzstd $(UNFILTER_LIBS)
LDLIBS_test_digest := $(LDLIBS_test_unzstd)
$(O)/unit/test_unzstd $(O)/unit/test_digest: tests/unit/image.mk \
	$(O)/stub/payload/huf_decompress_amd64.o

# What the scripts of the unit tests run or read.
check-deps-unit: $(O)/mkpayload $(O)/sevstub.a $(O)/kernels/cloud/vmlinuz \
	$(O)/payload/test.elf $(O)/payload/tiny.elf $(O)/payload/high.elf \
	$(O)/sevemu.rom

# The tests that include efi/*.c need gnu-efi's headers.
EFI_UNIT := test_efi test_efi_initrd test_efi_memory test_efi_protect test_efi_tpm
$(EFI_UNIT:%=$(O)/unit/%): PART_CFLAGS = $(EFI_FLAGS)
$(EFI_UNIT:%=$(O)/unit/%): tests/unit/image.mk

# test_images needs what test_unzstd needs.
CFLAGS_test_images = $(ZSTD_FLAGS)
LDLIBS_test_images := $(LDLIBS_test_unzstd)
$(O)/unit/test_images: tests/unit/image.mk $(O)/stub/payload/huf_decompress_amd64.o

# The stub's lz4 decoder. liblz4 compresses.
CFLAGS_test_unlz4 = -I$(LZ4_SRC)/lib -DLZ4_DISABLE_DEPRECATE_WARNINGS
LDLIBS_test_unlz4 := -llz4
$(O)/unit/test_unlz4: tests/unit/image.mk | $(LZ4_SRC)/.stamp
