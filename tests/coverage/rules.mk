# SPDX-License-Identifier: MIT
#
# Coverage: the unit tests' programs, with the hypervisors that they script, and
# the fuzzers over their corpora, built once more for gcov.

# Optimised or not, warnings have been seen by the build that they are about.
COVERAGE_OUT := $(O)/coverage
COVERAGE_FLAGS := -O0 --coverage -fno-sanitize=all -Wno-error

# zstd is fetched once, and assembly and test kernels have no lines to count.
.PHONY: coverage
coverage: $(O)/sevstub.a $(O)/fuzz/corpus $(O)/unit/mkelf $(O)/payload/test.elf ## unit tests and fuzzers under gcov: a table, HTML; 90 % or it fails
	$(Q)$(MAKE) -s O=$(COVERAGE_OUT) ZSTD_SRC=$(ZSTD_SRC) LZ4_SRC=$(LZ4_SRC) HOSTCC=gcc \
		HOSTCFLAGS="$(COVERAGE_FLAGS)" FUZZ_CC=gcc \
		FUZZ_CFLAGS="$(FUZZ_FLAGS) -g $(COVERAGE_FLAGS) tests/fuzz/replay.c" \
		$(patsubst $(O)/%,$(COVERAGE_OUT)/%,$(UNIT_PROGS) $(FUZZ_PROGS))
	$(Q)tests/coverage/run
