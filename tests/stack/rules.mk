# SPDX-License-Identifier: MIT
#
# What the suite stack needs: the stub once more, with gcc's call graph beside each
# object.

.PHONY: check-deps-stack
check-deps-stack: $(O)/boot/test.img $(O)/payload/loader.bin $(O)/sevemu.rom \
		$(O)/initramfs.cpio.gz
	$(Q)$(MAKE) -s O=$(O)/stack CC=gcc OPT="-O2 -fcallgraph-info=su" \
		ZSTD_SRC=$(ZSTD_SRC) LZ4_SRC=$(LZ4_SRC) stub
