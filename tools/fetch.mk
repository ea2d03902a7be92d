# SPDX-License-Identifier: MIT
#
# fetch.mk - what is fetched or made once and kept: sources of decoders, Debian's
# kernels and kexec, the initramfs that reports from userspace. Each script
# prints its own progress.

# ZSTD_SRC=DIR, on make's command line or in the environment, uses that tree.
# What needs the source depends on $(ZSTD_SRC)/.stamp, order-only.
ZSTD_SRC ?= $(O)/zstd

$(O)/zstd/.stamp: tools/fetch-zstd
	$(Q)sh tools/fetch-zstd $(@D)
# For rules that name one of its files.
$(O)/zstd/lib/%: | $(O)/zstd/.stamp ;

ifneq ($(ZSTD_SRC),$(O)/zstd)
# A tree from elsewhere has no stamp; that it is one is all there is to check.
$(ZSTD_SRC)/.stamp:
	$(Q)test -r $(ZSTD_SRC)/lib/zstd.h || \
		{ echo "ZSTD_SRC=$(ZSTD_SRC) has no lib/zstd.h" >&2; exit 1; }
endif

# The same for lz4.
LZ4_SRC ?= $(O)/lz4

$(O)/lz4/.stamp: tools/fetch-lz4
	$(Q)sh tools/fetch-lz4 $(@D)
$(O)/lz4/lib/%: | $(O)/lz4/.stamp ;

ifneq ($(LZ4_SRC),$(O)/lz4)
$(LZ4_SRC)/.stamp:
	$(Q)test -r $(LZ4_SRC)/lib/lz4.c || \
		{ echo "LZ4_SRC=$(LZ4_SRC) has no lib/lz4.c" >&2; exit 1; }
endif

# Depends on nothing: a kernel that is there stays until it is removed.
$(O)/kernels/%/vmlinuz:
	$(Q)sh tools/fetch-kernel $* $(@D)
.PRECIOUS: $(O)/kernels/%/vmlinuz

$(O)/kexec/sbin/kexec:
	$(Q)sh tools/fetch-kexec $(O)/kexec

$(O)/initramfs.cpio.gz: tools/mkinitramfs
	@printf '  %-7s %s\n' CPIO $@
	$(Q)sh tools/mkinitramfs $@
