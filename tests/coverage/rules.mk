# SPDX-License-Identifier: MIT
#
# `make coverage`: the programs of the unit tests, and the fuzzers with their corpora,
# built once more for gcov.

# Warnings are not errors here, because -O0 has other warnings than the real builds.
COVERAGE_OUT := $(O)/coverage
COVERAGE_FLAGS := -O0 --coverage -fno-sanitize=all -Wno-error

# All builds share the fetched sources of zstd and lz4.
.PHONY: coverage
coverage: $(O)/sevstub.a $(O)/mkpayload $(O)/fuzz/corpus $(O)/unit/mkelf $(O)/payload/test.elf ## unit tests and fuzzers under gcov: a table, HTML; 90 % or it fails
	$(Q)$(MAKE) -s O=$(COVERAGE_OUT) ZSTD_SRC=$(ZSTD_SRC) LZ4_SRC=$(LZ4_SRC) HOSTCC=gcc \
		HOSTCFLAGS="$(COVERAGE_FLAGS)" FUZZ_CC=gcc \
		FUZZ_CFLAGS="$(FUZZ_FLAGS) -g $(COVERAGE_FLAGS) tests/fuzz/replay.c" \
		$(patsubst $(O)/%,$(COVERAGE_OUT)/%,$(UNIT_PROGS) $(FUZZ_PROGS))
	$(Q)tests/coverage/run
