# SPDX-License-Identifier: MIT
# Host tools: mkpayload, and what its tests need.

MKPAYLOAD_SRCS := tools/mkpayload.c tools/bzimage.c tools/elf.c
MKPAYLOAD_LIBS := -lzstd -llz4 -llzma -lz
ZSTD_SRC ?= $(O)/zstd

# XXH64 comes from zstd's source. Searched last: zstd.h is the library's own.
MKPAYLOAD_CFLAGS = $(HOSTCFLAGS) -std=gnu11 -Wall -Wextra -Wshadow -Werror \
	-DSEVSTUB_HOSTED -D_GNU_SOURCE -Iinclude -idirafter $(ZSTD_SRC)/lib

MKPAYLOAD_DEPS := $(MKPAYLOAD_SRCS) tools/mkpayload.h include/payload.h \
	include/types.h tools/rules.mk

$(O)/mkpayload: $(MKPAYLOAD_DEPS) $(ZSTD_SRC)/lib/common/xxhash.h
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(MKPAYLOAD_CFLAGS) -O2 -o $@ $(MKPAYLOAD_SRCS) $(MKPAYLOAD_LIBS)
