# SPDX-License-Identifier: MIT
#
# Unit tests: host programs that include the stub's own .c files. Each
# tests/unit/test_X.c becomes $(O)/unit/test_X. LDLIBS_test_X and CFLAGS_test_X are for
# that program only. UNIT_TOOLS are the programs that the scripts run; tools/rules.mk
# sets it.

UNIT_SRCS := $(wildcard tests/unit/test_*.c)
UNIT_PROGS := $(UNIT_SRCS:tests/unit/%.c=$(O)/unit/%)

UNIT_CFLAGS := -std=gnu11 -g -O1 \
	-fsanitize=address,undefined -fno-sanitize-recover=all \
	-DSEVSTUB_HOSTED -Iinclude -I. -Wall -Wextra -Werror

LDLIBS_test_insn := -lZydis
# tools/filter.c, which the test includes, compresses.
CFLAGS_test_unfilter := -D_GNU_SOURCE -Itools
LDLIBS_test_unfilter := -lzstd

# The test jumps to the handlers in the stub's own object, as the processor would.
LDLIBS_test_idt_handlers := $(O)/stub/idt_handlers_64.o
$(O)/unit/test_idt_handlers: $(O)/stub/idt_handlers_64.o

# The test compiles the decoder from zstd's source, as the stub does.
$(O)/unit/test_unzstd: | $(ZSTD_SRC)/.stamp

# XXH64 comes from zstd's source, too.
CFLAGS_test_kaslr := -idirafter $(ZSTD_SRC)/lib
$(O)/unit/test_kaslr: | $(ZSTD_SRC)/.stamp

$(UNIT_PROGS): $(O)/unit/%: tests/unit/%.c tests/unit/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) $(PART_CFLAGS) $(CFLAGS_$*) $(HOSTCFLAGS) \
		-MMD -MP -MT $@ -MF $@.d -o $@ $< $(LDLIBS_$*)

-include $(UNIT_PROGS:=.d)

.PHONY: check-deps-unit
check-deps-unit: $(UNIT_PROGS) $(UNIT_TOOLS)
