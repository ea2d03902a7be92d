# SPDX-License-Identifier: MIT
#
# fetch.mk - fetches the decoders' sources, Debian's kernels and kexec, and makes
# the initramfs that reports from userspace. `make clean` keeps what was fetched.
# Each script prints its own progress.

# ZSTD_SRC=DIR, on make's command line or in the environment, uses a tree that is
# already there. Rules that need zstd's source have an order-only prerequisite
# $(ZSTD_SRC)/.stamp.
ZSTD_SRC ?= $(O)/zstd

$(O)/zstd/.stamp: tools/fetch-zstd
	$(Q)sh tools/fetch-zstd $(@D)
# Rules may name a file of the fetched source, because fetching it makes the file.
$(O)/zstd/lib/%: | $(O)/zstd/.stamp ;

ifneq ($(ZSTD_SRC),$(O)/zstd)
# A tree that the user names has no stamp. Check that it is zstd's source.
$(ZSTD_SRC)/.stamp:
	$(Q)test -r $(ZSTD_SRC)/lib/zstd.h || \
		{ echo "ZSTD_SRC=$(ZSTD_SRC): no lib/zstd.h there: name zstd's source tree, or leave ZSTD_SRC out" >&2; exit 1; }
	$(Q)version=$$(awk '/^#define ZSTD_VERSION_(MAJOR|MINOR|RELEASE) / { v = v "." $$3 } \
			END { print substr(v, 2) }' $(ZSTD_SRC)/lib/zstd.h); \
		case $$version in \
		1.5.[4567]) ;; \
		*) echo "ZSTD_SRC=$(ZSTD_SRC): this is zstd $$version, which was not tried: give make the source of 1.5.4 to 1.5.7" >&2; exit 1 ;; \
		esac
endif

# LZ4_SRC=DIR does the same for lz4.
LZ4_SRC ?= $(O)/lz4

$(O)/lz4/.stamp: tools/fetch-lz4
	$(Q)sh tools/fetch-lz4 $(@D)
$(O)/lz4/lib/%: | $(O)/lz4/.stamp ;

ifneq ($(LZ4_SRC),$(O)/lz4)
$(LZ4_SRC)/.stamp:
	$(Q)test -r $(LZ4_SRC)/lib/lz4.c || \
		{ echo "LZ4_SRC=$(LZ4_SRC): no lib/lz4.c there: name lz4's source tree, or leave LZ4_SRC out" >&2; exit 1; }
endif

# The rule has no prerequisites, so that a kernel is fetched once and then kept
# until the user removes it.
$(O)/kernels/%/vmlinuz:
	$(Q)sh tools/fetch-kernel $* $(@D)
.PRECIOUS: $(O)/kernels/%/vmlinuz

$(O)/kexec/sbin/kexec:
	$(Q)sh tools/fetch-kexec $(O)/kexec

# Kernels of later releases of Debian and OVMF of Debian unstable, for tests of SEV-SNP.
# Each is kept until the user removes it. The archive need not have these versions any more.
# The tests that need them are skipped then.
.PHONY: fetch-snp
fetch-snp:
	$(Q)for kernel in trixie sid; do \
		test -e $(O)/kernels/$$kernel/vmlinuz || \
		sh tools/fetch-kernel $$kernel $(O)/kernels/$$kernel || \
		echo "          without it, some tests of sevemu are skipped"; \
	done
	$(Q)test -e $(O)/ovmf/OVMF.fd || sh tools/fetch-ovmf $(O)/ovmf || \
		echo "          without it, some tests of sevemu are skipped"

$(O)/initramfs.cpio.gz: tools/mkinitramfs
	@printf '  %-7s %s\n' CPIO $@
	$(Q)sh tools/mkinitramfs $@
