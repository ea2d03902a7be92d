# SPDX-License-Identifier: MIT
#
# mkpayload, and what its tests need.

# XXH64 comes from zstd's source, see tools/fetch.mk, and lz4's compressor from
# lz4's: of its shared library it does not export all.
MKPAYLOAD_LZ4 = $(LZ4_SRC)/lib/lz4.c $(LZ4_SRC)/lib/lz4hc.c

MKPAYLOAD_SRCS := tools/mkpayload.c tools/bzimage.c tools/codecs.c tools/elf.c \
	tools/elf-relocs.c tools/relocs.c tools/pack.c tools/report.c
MKPAYLOAD_DEPS := $(MKPAYLOAD_SRCS) tools/mkpayload.h tools/elf-file.h include/payload.h \
	include/types.h tools/rules.mk
CODEC_LIBS := -lzstd -llzma -lbz2 -lz

TOOLS_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror
# Searched last: the codecs' headers belong to the libraries that are linked.
MKPAYLOAD_CFLAGS := $(TOOLS_CFLAGS) -DSEVSTUB_HOSTED -Iinclude \
	-I$(LZ4_SRC)/lib -idirafter $(ZSTD_SRC)/lib

$(O)/mkpayload: $(MKPAYLOAD_DEPS) | $(ZSTD_SRC)/.stamp $(LZ4_SRC)/.stamp
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(MKPAYLOAD_CFLAGS) -O2 $(HOSTCFLAGS) -o $@ \
		$(MKPAYLOAD_SRCS) $(MKPAYLOAD_LZ4) $(CODEC_LIBS)

$(O)/unit/mkpayload-asan: $(MKPAYLOAD_DEPS) | $(ZSTD_SRC)/.stamp $(LZ4_SRC)/.stamp
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(MKPAYLOAD_CFLAGS) -g -O1 $(HOSTCFLAGS) \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-o $@ $(MKPAYLOAD_SRCS) $(MKPAYLOAD_LZ4) $(CODEC_LIBS)

$(O)/unit/mkelf: tests/unit/mkelf.c tools/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(TOOLS_CFLAGS) -O2 $(HOSTCFLAGS) -o $@ $< $(CODEC_LIBS) -llz4

$(O)/unit/mkpayload_faults.so: tests/unit/mkpayload_faults.c tools/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(TOOLS_CFLAGS) -O2 $(HOSTCFLAGS) -shared -fPIC -o $@ $<

$(O)/unit/relocated: tests/unit/relocated.c payload/relocate.c misc.h include/payload.h \
		tools/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(TOOLS_CFLAGS) -DSEVSTUB_HOSTED -Iinclude -I. -O2 \
		$(HOSTCFLAGS) -o $@ $< -lzstd

# All that tests/unit/test_mkpayload.sh and test_relocate_stock.sh run or read.
UNIT_TOOLS += $(O)/mkpayload $(O)/unit/mkpayload-asan $(O)/unit/mkelf \
	$(O)/unit/mkpayload_faults.so $(O)/unit/relocated $(O)/kernels/cloud/vmlinuz \
	$(O)/kernels/generic/vmlinuz
