# SPDX-License-Identifier: MIT
#
# The test kernels $(O)/payload/*.elf and the test loader $(O)/payload/loader.bin.
# tests/payload/USAGE.md says what they are for and how to start them.

PAYLOADS := $(O)/payload

PAYLOAD_CFLAGS := -std=gnu11 -Os -ffreestanding -fpie -fvisibility=hidden \
	-fno-common -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-jump-tables \
	-fno-strict-aliasing \
	-Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wundef -Wvla \
	-Iinclude -MMD -MP

PAYLOAD_LD = $(LD) -m elf_x86_64 -static -no-pie --orphan-handling=error \
	--no-warn-rwx-segments

$(PAYLOADS)/obj/%.o: tests/payload/%.c tests/payload/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(PAYLOAD_CFLAGS) -c -o $@ $<

$(PAYLOADS)/obj/%.o: tests/payload/%.S tests/payload/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' AS $@
	$(Q)$(CC) -D__ASSEMBLY__ -Iinclude -MMD -MP -Wa,-I$(PAYLOADS) -c -o $@ $<

# Host programs that make the kernels.
$(PAYLOADS)/seal $(PAYLOADS)/noise $(PAYLOADS)/relocs: $(PAYLOADS)/%: tests/payload/kernel/%.c \
		tests/payload/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) -std=gnu11 -O2 -Wall -Wextra -Wshadow -Werror \
		$(HOSTCFLAGS) -Iinclude -MMD -MP -MF $@.d -o $@ $<

# ---- The test kernels: the same objects, linked differently.

PAYLOAD_KERNEL_OBJS := $(addprefix $(PAYLOADS)/obj/,\
	$(addprefix kernel/,entry.o main.o self.o cpu.o zeropage.o initrd.o \
		setup_data.o e820.o map.o sev.o) \
	print.o options.o string.o)

# The symbols that kernel.ld needs, and the segments' alignment, for each kernel. The
# table in USAGE.md has the same values.
PAYLOAD_LAYOUT := LINK_ADDR=0x1000000 VIRT_OFFSET=0 GAP=0 MID_BSS=0 ZEROS=0 \
	BSS_SIZE=0x100000
PAYLOAD_ALIGN := 0x200000
PAYLOAD_LAYOUT_low := LINK_ADDR=0x100000
PAYLOAD_ALIGN_low := 0x100000
PAYLOAD_LAYOUT_high := LINK_ADDR=0x6000000
PAYLOAD_LAYOUT_align4k := LINK_ADDR=0x1801000
PAYLOAD_ALIGN_align4k := 0x1000
PAYLOAD_LAYOUT_virt := VIRT_OFFSET=0xffffffff80000000
PAYLOAD_LAYOUT_gaps := GAP=0x234000 MID_BSS=0x54320
PAYLOAD_ALIGN_gaps := 0x1000
PAYLOAD_LAYOUT_bss := BSS_SIZE=0x900000
PAYLOAD_LAYOUT_zeros := ZEROS=0x4000000
PAYLOAD_LAYOUT_tiny := BSS_SIZE=0
PAYLOAD_ALIGN_tiny := 0x1000
PAYLOAD_LAYOUT_moves := VIRT_OFFSET=0xffffffff80000000
PAYLOAD_ALIGN_moves := 0x1000
PAYLOAD_SEALED := $(addsuffix .elf,$(addprefix $(PAYLOADS)/,\
	test low high align4k virt gaps bss noise zeros moves))

# $(1) is the kernel's name. If a symbol has two --defsym, ld takes the second one.
payload_link = $(PAYLOAD_LD) -z max-page-size=$(or $(PAYLOAD_ALIGN_$(1)),$(PAYLOAD_ALIGN)) \
	$(addprefix --defsym=,$(PAYLOAD_LAYOUT) $(PAYLOAD_LAYOUT_$(1))) \
	-T tests/payload/kernel/kernel.ld

$(PAYLOAD_SEALED): $(PAYLOADS)/%.elf: $(PAYLOAD_KERNEL_OBJS) $(PAYLOADS)/seal \
		tests/payload/kernel/kernel.ld tests/payload/rules.mk
	@printf '  %-7s %s\n' LD $@
	$(Q)$(call payload_link,$*) -o $@.tmp $(filter %.o,$^)
	$(Q)$(PAYLOADS)/seal $@.tmp
	$(Q)mv $@.tmp $@

$(PAYLOADS)/tiny.elf: $(PAYLOADS)/obj/kernel/tiny.o \
		tests/payload/kernel/kernel.ld tests/payload/rules.mk
	@printf '  %-7s %s\n' LD $@
	$(Q)$(call payload_link,tiny) -o $@ $<

$(PAYLOADS)/noise.elf: $(PAYLOADS)/obj/kernel/noise_data.o
$(PAYLOADS)/obj/kernel/noise_data.o: $(PAYLOADS)/noise.bin
$(PAYLOADS)/noise.bin: $(PAYLOADS)/noise
	$(Q)$< 0x800000 >$@

# A bzImage, because mkpayload takes relocations from a bzImage. It has Linux's
# alignment.
$(PAYLOADS)/moves.elf: $(PAYLOADS)/obj/kernel/places.o
$(PAYLOADS)/moves.bin: $(PAYLOADS)/moves.elf $(PAYLOADS)/relocs
	$(Q)$(PAYLOADS)/relocs <$< >$@
$(PAYLOADS)/moves.bz: $(PAYLOADS)/moves.bin $(O)/unit/mkelf
	@printf '  %-7s %s\n' BZIMAGE $@
	$(Q)$(O)/unit/mkelf bzimage $@ $< zstd pref_address=0x1000000 \
		kernel_alignment=0x200000 xloadflags=0x63

# ---- The test loader.

PAYLOAD_LOADER_OBJS := $(addprefix $(PAYLOADS)/obj/,\
	$(addprefix loader/,head.o leave.o main.o image.o zeropage.o map.o nmi.o) \
	print.o options.o string.o)

$(PAYLOADS)/loader.elf: $(PAYLOAD_LOADER_OBJS) tests/payload/loader/loader.ld \
		tests/payload/rules.mk
	@printf '  %-7s %s\n' LD $@
	$(Q)$(PAYLOAD_LD) -T tests/payload/loader/loader.ld -o $@ $(PAYLOAD_LOADER_OBJS)

$(PAYLOADS)/loader.bin: $(PAYLOADS)/loader.elf
	@printf '  %-7s %s\n' OBJCOPY $@
	$(Q)$(OBJCOPY) -O binary $< $@

# ---- An EFI program. A PE file without relocations runs at any address, because all of
#      its code is position-independent.

$(PAYLOADS)/obj/unaccepted.o: PAYLOAD_CFLAGS += -fno-ident -I. $(EFI_FLAGS)
$(PAYLOADS)/unaccepted.efi: $(PAYLOADS)/obj/unaccepted.o tests/payload/rules.mk
	@printf '  %-7s %s\n' LD $@
	$(Q)$(LD) -m i386pep --subsystem 10 -e efi_main -s -o $@ $<

.PHONY: payloads
payloads: $(PAYLOAD_SEALED) $(PAYLOADS)/tiny.elf $(PAYLOADS)/moves.bz $(PAYLOADS)/loader.bin

-include $(PAYLOAD_KERNEL_OBJS:.o=.d) $(PAYLOAD_LOADER_OBJS:.o=.d) $(PAYLOADS)/seal.d \
	$(PAYLOADS)/noise.d $(PAYLOADS)/obj/kernel/tiny.d $(PAYLOADS)/obj/unaccepted.d

.PHONY: check-deps-payload
check-deps-payload: payloads
