# SPDX-License-Identifier: MIT
#
# The test kernels and the test loader: $(O)/payload/*.elf, loader.bin. What
# they are for and how they are started is in tests/payload/USAGE.md.

TK := tests/payload/kernel
TL := tests/payload/loader
TO := $(O)/payload

TK_NAMES := test low high align4k virt gaps bss noise zeros
TK_ELFS := $(TK_NAMES:%=$(TO)/%.elf) $(TO)/tiny.elf

TEST_CFLAGS := -std=gnu11 -Os -ffreestanding -fpie -fvisibility=hidden \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-jump-tables \
	-Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wundef -Wvla \
	-Iinclude -MMD -MP

# ---- Test kernels: the same objects, linked differently.

TK_OBJS := $(patsubst tests/payload/%,$(TO)/obj/%.o, \
	$(TK)/entry.S $(TK)/main.c $(TK)/self.c $(TK)/cpu.c \
	$(TK)/zeropage.c $(TK)/e820.c $(TK)/map.c \
	tests/payload/print.c tests/payload/options.c)
TK_NOISE := $(TO)/obj/kernel/noise.S.o

# Keep in step with the table in USAGE.md.
TK_LAYOUT := LINK_ADDR=0x1000000 VIRT_OFFSET=0 GAP=0 MID_BSS=0 ZEROS=0 \
	BSS_SIZE=0x100000
TK_PAGE := 0x200000
TK_LAYOUT_low := LINK_ADDR=0x100000
TK_PAGE_low := 0x100000
TK_LAYOUT_high := LINK_ADDR=0x6000000
TK_LAYOUT_align4k := LINK_ADDR=0x1801000
TK_PAGE_align4k := 0x1000
TK_LAYOUT_virt := VIRT_OFFSET=0xffffffff80000000
TK_LAYOUT_gaps := GAP=0x234000 MID_BSS=0x54320
TK_PAGE_gaps := 0x1000
TK_LAYOUT_bss := BSS_SIZE=0x900000
TK_LAYOUT_zeros := ZEROS=0x4000000
TK_LAYOUT_tiny := BSS_SIZE=0
TK_PAGE_tiny := 0x1000

# $(1): name. The later --defsym of a symbol wins.
tk_link = $(LD) -m elf_x86_64 -static -no-pie --orphan-handling=error \
	--no-warn-rwx-segments -z max-page-size=$(or $(TK_PAGE_$(1)),$(TK_PAGE)) \
	$(patsubst %,--defsym=%,$(TK_LAYOUT) $(TK_LAYOUT_$(1))) -T $(TK)/kernel.ld

$(TO)/obj/%.o: tests/payload/% tests/payload/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(TEST_CFLAGS) -Wa,-I$(TO) -c -o $@ $<

$(TK_NOISE): $(TO)/noise.bin

$(TO)/noise.bin: $(TO)/noise
	$(Q)$< 0x800000 >$@.tmp
	$(Q)mv $@.tmp $@

$(TO)/seal $(TO)/noise: $(TO)/%: $(TK)/%.c tests/payload/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) -std=gnu11 -O2 -Wall -Wextra -Werror $(HOSTCFLAGS) \
		-Iinclude -MMD -MP -MF $@.d -o $@ $<

$(TO)/noise.elf: $(TK_NOISE)
$(TK_NAMES:%=$(TO)/%.elf): $(TO)/%.elf: $(TK_OBJS) $(TK)/kernel.ld \
		$(TO)/seal tests/payload/rules.mk
	@printf '  %-7s %s\n' LD $@
	$(Q)$(call tk_link,$*) -o $@.tmp $(filter %.o,$^)
	$(Q)$(TO)/seal $@.tmp
	$(Q)mv $@.tmp $@

$(TO)/tiny.elf: $(TO)/obj/kernel/tiny.S.o $(TK)/kernel.ld tests/payload/rules.mk
	@printf '  %-7s %s\n' LD $@
	$(Q)$(call tk_link,tiny) -o $@ $<

-include $(TK_OBJS:.o=.d) $(TO)/seal.d $(TO)/noise.d

# ---- Test loader

TL_OBJS := $(patsubst tests/payload/%,$(TO)/obj/%.o, \
	$(TL)/head.S $(TL)/leave.S $(TL)/main.c $(TL)/image.c $(TL)/zeropage.c \
	$(TL)/map.c tests/payload/print.c tests/payload/options.c)

$(TO)/loader.elf: $(TL_OBJS) $(TL)/loader.ld tests/payload/rules.mk
	@printf '  %-7s %s\n' LD $@
	$(Q)$(LD) -m elf_x86_64 -static -no-pie --orphan-handling=error \
		--no-warn-rwx-segments -T $(TL)/loader.ld -o $@ $(TL_OBJS)

$(TO)/loader.bin: $(TO)/loader.elf
	@printf '  %-7s %s\n' OBJCOPY $@
	$(Q)$(OBJCOPY) -O binary $< $@

-include $(TL_OBJS:.o=.d)

.PHONY: payloads
payloads: $(TK_ELFS) $(TO)/loader.bin
