# SPDX-License-Identifier: MIT
#
# Builds sevemu.rom, the hypervisor as a 192 KiB firmware image for QEMU.

EMU_DIR := sevemu
EMU_OUT := $(O)/sevemu
EMU_C := main exits insn npt npt_fault guest_memory exception ghcb cpuid msr io mmio flash dma iommu clock gdb hooks loader acpi \
	fwcfg log names report string snapshot campaign jobs watch watch_kaslr \
	rmp snp_insn snp_ghcb snp_launch svsm launch sha2 \
	attack attack_answers attack_events attack_forge attack_loader attack_memory \
	attack_snp attack_once attack_smp smp ap apic
EMU_S := rom entry vmrun park
EMU_OBJS := $(EMU_C:%=$(EMU_OUT)/%.o) $(EMU_S:%=$(EMU_OUT)/%.o)

# The world switch leaves the guest's x87 and SSE registers in place, so code of
# the hypervisor must use neither.
# At -O2 the code of clang, and of gcc 16, does not fit into the ROM. That of gcc 14 does.
EMU_O2_MAX := 14
EMU_FITS := $(shell test "$$($(CC) -dumpversion 2>/dev/null | cut -d. -f1)" -le $(EMU_O2_MAX) 2>/dev/null && echo yes)
EMU_OPT := $(if $(findstring clang,$(CC)),-Os,$(if $(EMU_FITS),-O2,-Os))
EMU_CFLAGS := -std=gnu11 $(EMU_OPT) -m64 -ffreestanding -fno-pic -mcmodel=kernel \
	-mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-common -fno-strict-aliasing \
	-fcf-protection=none -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes \
	-Wundef -Wcast-qual -Wvla $(EMU_WARNINGS)

$(EMU_OUT)/%.o: $(EMU_DIR)/%.c $(EMU_DIR)/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(EMU_CFLAGS) -MMD -MP -c -o $@ $<

$(EMU_OUT)/%.o: $(EMU_DIR)/%.S $(EMU_DIR)/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' AS $@
	$(Q)$(CC) -m64 -MMD -MP -c -o $@ $<

$(EMU_OUT)/sevemu.lds: $(EMU_DIR)/sevemu.lds $(EMU_DIR)/layout.h
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -D__ASSEMBLER__ -o $@ $<

$(EMU_OUT)/sevemu.elf: $(EMU_OBJS) $(EMU_OUT)/sevemu.lds
	@printf '  %-7s %s\n' LD $@
	$(Q)$(LD) -nostdlib -static -z max-page-size=4096 --no-warn-rwx-segments \
		-T $(EMU_OUT)/sevemu.lds -o $@ $(EMU_OBJS)

$(O)/sevemu.rom: $(EMU_OUT)/sevemu.elf
	@printf '  %-7s %s\n' OBJCOPY $@
	$(Q)$(OBJCOPY) -O binary $< $@

.PHONY: sevemu
sevemu: $(O)/sevemu.rom

-include $(EMU_OBJS:.o=.d)
