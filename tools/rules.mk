# SPDX-License-Identifier: MIT
#
# rules.mk - builds mkpayload and the programs that its tests run.

# mkpayload takes XXH64 from zstd's source (tools/fetch.mk). It takes the
# compressor from lz4's source, because the shared library does not export
# LZ4_favorDecompressionSpeed().
MKPAYLOAD_LZ4 = $(LZ4_SRC)/lib/lz4.c $(LZ4_SRC)/lib/lz4hc.c

MKPAYLOAD_SRCS := tools/mkpayload.c tools/bzimage.c tools/foreign.c tools/codecs.c tools/elf.c \
	tools/elf-kind.c tools/elf-relocs.c tools/relocs.c tools/filter.c tools/pack.c \
	tools/report.c payload/filter-check.c payload/unfilter.c
MKPAYLOAD_DEPS := $(MKPAYLOAD_SRCS) tools/mkpayload.h tools/elf-file.h include/payload.h \
	include/payload-check.h include/unfilter.h include/image.h include/types.h tools/rules.mk \
	VERSION
CODEC_LIBS := -lzstd -llzma -lbz2 -lz
# unfilter() refuses to write to the program that it is a part of, from _text to _end. The
# linker defines _end for every program, but _text for the stub only.
UNFILTER_LIBS := -Wl,--defsym=_text=__executable_start

TOOLS_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror
# zstd's source is searched last (-idirafter), because <zstd.h> has to be the
# header of the zstd library that is linked.
MKPAYLOAD_CFLAGS := $(TOOLS_CFLAGS) -DSEVSTUB_HOSTED -Iinclude -I. \
	-DSEVSTUB_VERSION='"$(SEVSTUB_VERSION)"' \
	-I$(LZ4_SRC)/lib -idirafter $(ZSTD_SRC)/lib

$(O)/mkpayload: $(MKPAYLOAD_DEPS) | $(ZSTD_SRC)/.stamp $(LZ4_SRC)/.stamp
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(MKPAYLOAD_CFLAGS) -O2 $(HOSTCFLAGS) -o $@ \
		$(MKPAYLOAD_SRCS) $(MKPAYLOAD_LZ4) $(CODEC_LIBS) $(UNFILTER_LIBS)

$(O)/unit/mkpayload-asan: $(MKPAYLOAD_DEPS) | $(ZSTD_SRC)/.stamp $(LZ4_SRC)/.stamp
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(MKPAYLOAD_CFLAGS) -g -O1 $(HOSTCFLAGS) \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-o $@ $(MKPAYLOAD_SRCS) $(MKPAYLOAD_LZ4) $(CODEC_LIBS) $(UNFILTER_LIBS)

$(O)/unit/mkelf: tests/unit/mkelf.c tools/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(TOOLS_CFLAGS) -O2 $(HOSTCFLAGS) -o $@ $< $(CODEC_LIBS) -llz4

$(O)/unit/mkpayload_faults.so: tests/unit/mkpayload_faults.c tools/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(TOOLS_CFLAGS) -O2 $(HOSTCFLAGS) -shared -fPIC -o $@ $<

$(O)/unit/relocated: tests/unit/relocated.c payload/relocate.c payload/unfilter.c misc.h include/payload.h \
		tools/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(TOOLS_CFLAGS) -DSEVSTUB_HOSTED -Iinclude -I. -O2 \
		$(HOSTCFLAGS) -o $@ $< -lzstd $(UNFILTER_LIBS)

$(O)/unit/unfiltered: tests/unit/unfiltered.c payload/unfilter.c include/unfilter.h \
		include/image.h include/payload.h tools/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(TOOLS_CFLAGS) -DSEVSTUB_HOSTED -Iinclude -O2 $(HOSTCFLAGS) -o $@ $< \
		$(UNFILTER_LIBS)

# What tests/unit/test_mkpayload.sh and test_relocate_stock.sh run or read.
UNIT_TOOLS += $(O)/mkpayload $(O)/unit/mkpayload-asan $(O)/unit/mkelf \
	$(O)/unit/mkpayload_faults.so $(O)/unit/relocated $(O)/unit/unfiltered $(O)/kernels/cloud/vmlinuz \
	$(O)/kernels/generic/vmlinuz
