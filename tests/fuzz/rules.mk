# SPDX-License-Identifier: MIT
#
# Fuzzers: libFuzzer over the stub's own .c files. Each tests/fuzz/fuzz_X.c
# becomes $(O)/fuzz/fuzz_X. It starts from tests/fuzz/X.corpus and uses the dictionary
# tests/fuzz/X.dict. LDLIBS_fuzz_X and CFLAGS_fuzz_X are for that program only.

FUZZ_SRCS := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_PROGS := $(FUZZ_SRCS:tests/fuzz/%.c=$(O)/fuzz/%)

# Only clang has libFuzzer.
FUZZ_CC ?= clang
# Seconds that each fuzzer runs in `make fuzz`. tests/fuzz/suite.sh has those of `make check`.
FUZZ_TIME ?= 600
export FUZZ_TIME

# -Wno-unused-function: a fuzzer does not use all functions of the unit tests' headers.
FUZZ_FLAGS := -std=gnu11 -DSEVSTUB_HOSTED -DHARNESS_NO_MAIN -Iinclude -I. \
	-Itests/unit -Wall -Wextra -Werror -Wno-unused-function
FUZZ_CFLAGS := $(FUZZ_FLAGS) -g -O1 -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all

LDLIBS_fuzz_insn := -lZydis
LDLIBS_fuzz_vc := -lZydis
CFLAGS_fuzz_memmap := -I$(ZSTD_SRC)/lib
$(O)/fuzz/fuzz_memmap: | $(ZSTD_SRC)/.stamp
CFLAGS_fuzz_mkpayload := -D_GNU_SOURCE
LDLIBS_fuzz_mkpayload := $(CODEC_LIBS) -llz4 $(UNFILTER_LIBS)
CFLAGS_fuzz_efi = $(EFI_FLAGS)
CFLAGS_fuzz_tables = $(EFI_FLAGS)
# The stub's decoder is compiled with hidden symbols, because libzstd, which judges its
# output, has symbols of the same names.
CFLAGS_fuzz_payload = $(ZSTD_FLAGS) -fvisibility=hidden -DZSTDLIB_VISIBLE=
LDLIBS_fuzz_payload := $(O)/stub/payload/huf_decompress_amd64.o -lzstd
$(O)/fuzz/fuzz_payload: $(O)/stub/payload/huf_decompress_amd64.o

# The same for lz4's decoder and liblz4.
CFLAGS_fuzz_unlz4 = -I$(LZ4_SRC)/lib -fvisibility=hidden -DLZ4LIB_VISIBILITY= \
	-DLZ4_DISABLE_DEPRECATE_WARNINGS
LDLIBS_fuzz_unlz4 := -Wl,--no-as-needed -llz4
$(O)/fuzz/fuzz_unlz4: | $(LZ4_SRC)/.stamp

$(FUZZ_PROGS): $(O)/fuzz/%: tests/fuzz/%.c tests/fuzz/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' FUZZCC $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $(CFLAGS_$*) -MMD -MP -MT $@ -MF $@.d \
		-o $@ $< $(LDLIBS_$*)

$(O)/fuzz/corpus: tests/fuzz/corpus.c tests/fuzz/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) -std=gnu11 -O2 -Wall -Wextra -Werror $(HOSTCFLAGS) -o $@ $<

-include $(FUZZ_PROGS:=.d)

.PHONY: fuzz check-deps-fuzz
fuzz: check-deps-fuzz ## [FUZZ_TIME=600]: run every fuzzer for so many seconds
	$(Q)FUZZ_CHECK_TIME=$(FUZZ_TIME) FUZZ_KEEP=1 tests/check fuzz

check-deps-fuzz: $(FUZZ_PROGS) $(O)/fuzz/corpus $(O)/unit/mkelf
