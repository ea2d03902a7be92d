# SPDX-License-Identifier: MIT
#
# fetch.mk - what is fetched or made once and kept: zstd's source, Debian's
# kernels, the initramfs that reports from userspace. Each script prints its
# own progress.

# ZSTD_SRC=DIR on make's command line or in the environment uses that tree.
ZSTD_SRC ?= $(O)/zstd
ifeq ($(ZSTD_SRC),$(O)/zstd)
ZSTD_STAMP := $(O)/zstd/.stamp
else
ZSTD_STAMP :=
endif

$(O)/zstd/.stamp: tools/fetch-zstd
	$(Q)sh tools/fetch-zstd $(@D)

# Depends on nothing: a kernel that is there stays until it is removed.
$(O)/kernels/%/vmlinuz:
	$(Q)sh tools/fetch-kernel $* $(@D)
.PRECIOUS: $(O)/kernels/%/vmlinuz

$(O)/initramfs.cpio.gz: tools/mkinitramfs
	@printf '  %-7s %s\n' CPIO $@
	$(Q)sh tools/mkinitramfs $@
