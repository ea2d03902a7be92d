# SPDX-License-Identifier: MIT
#
# What the tests of the decoder and of the linked image need beyond the rule
# for unit tests. Included after tests/*/rules.mk.

# As in the stub: the same switches (later in the Makefile, hence no `:=`) and
# the same assembly. The compressor is the library's.
CFLAGS_test_unzstd = $(ZSTD_FLAGS)
CFLAGS_test_digest = $(ZSTD_FLAGS)
LDLIBS_test_unzstd := $(O)/stub/payload/huf_decompress_amd64.o -lzstd
LDLIBS_test_digest := $(LDLIBS_test_unzstd)
$(O)/unit/test_unzstd $(O)/unit/test_digest: tests/unit/image.mk \
	$(O)/stub/payload/huf_decompress_amd64.o

# What test_unzstd, test_image.sh, test_debug.sh and test_run.sh run or read.
check-deps-unit: $(O)/mkpayload $(O)/sevstub.a $(O)/kernels/cloud/vmlinuz \
	$(O)/payload/test.elf $(O)/payload/tiny.elf $(O)/payload/high.elf \
	$(O)/sevemu.rom

# efi*.c and gnu-efi's headers.
EFI_UNIT := test_efi test_efi_initrd test_efi_memory test_efi_protect test_efi_tpm
$(EFI_UNIT:%=$(O)/unit/%): PART_CFLAGS = $(EFI_FLAGS)
$(EFI_UNIT:%=$(O)/unit/%): tests/unit/image.mk

# As test_unzstd, with relocation and misc.c around it.
CFLAGS_test_images = $(ZSTD_FLAGS)
LDLIBS_test_images := $(LDLIBS_test_unzstd)
$(O)/unit/test_images: tests/unit/image.mk $(O)/stub/payload/huf_decompress_amd64.o

# The other decoder; the compressor is the library's.
CFLAGS_test_unlz4 = -I$(LZ4_SRC)/lib -DLZ4_DISABLE_DEPRECATE_WARNINGS
LDLIBS_test_unlz4 := -llz4
$(O)/unit/test_unlz4: tests/unit/image.mk | $(LZ4_SRC)/.stamp
