# SPDX-License-Identifier: MIT
#
# What the suite sevemu needs: sevemu's test guest, a bzImage of its own, from
# sevemu/tests/guest. Its 32-bit part is compiled with -m32 and assembled into the same
# 64-bit image.

GUEST_DIR := sevemu/tests/guest
GUEST_C := $(filter-out %/boot32.c,$(wildcard $(GUEST_DIR)/*.c))
GUEST_OBJS := $(GUEST_C:$(GUEST_DIR)/%.c=$(O)/sevemu-guest/%.o) \
	$(addprefix $(O)/sevemu-guest/,head.o insns.o boot32.o)
# -fno-toplevel-reorder, which clang lacks, keeps the order of the source. The guest's
# cases run in that order.
GUEST_CFLAGS = -std=gnu11 -O2 -ffreestanding -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-common \
	-fno-builtin -mno-red-zone -mgeneral-regs-only \
	$(call cc-option,-fno-toplevel-reorder) \
	-Wall -Wextra -Werror -Wshadow -Wundef

$(O)/sevemu-guest/%.o: $(GUEST_DIR)/%.c $(GUEST_DIR)/../guest.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/sevemu-guest/%.o: $(GUEST_DIR)/%.S $(GUEST_DIR)/../guest.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' AS $@
	$(Q)$(CC) -MMD -MP -c -o $@ $<

$(O)/sevemu-guest/boot32.s: $(GUEST_DIR)/boot32.c $(GUEST_DIR)/../guest.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(GUEST_CFLAGS) -m32 \
		-isystem /usr/include/x86_64-linux-gnu -MMD -MP -MF $(@:.s=.d) -S -o $@ $<

$(O)/sevemu-guest/boot32.o: $(O)/sevemu-guest/boot32.s
	@printf '  %-7s %s\n' AS $@
	$(Q)(echo .code32; cat $<) | $(CC) -x assembler -c -o $@ -

$(O)/sevemu-guest/guest.elf: $(GUEST_OBJS) $(GUEST_DIR)/guest.lds
	@printf '  %-7s %s\n' LD $@
	$(Q)$(LD) -nostdlib -z noexecstack -z max-page-size=4096 \
		--no-warn-rwx-segments -T $(GUEST_DIR)/guest.lds \
		-o $@ $(GUEST_OBJS)

$(O)/sevemu-guest.img: $(O)/sevemu-guest/guest.elf
	@printf '  %-7s %s\n' OBJCOPY $@
	$(Q)$(OBJCOPY) -O binary -R .bss $< $@

# The same guest as firmware, for --firmware.
$(O)/sevemu-guest/firmware.o: $(GUEST_DIR)/firmware.S $(O)/sevemu-guest.img
	@printf '  %-7s %s\n' AS $@
	$(Q)$(CC) -DGUEST_IMAGE='"$(O)/sevemu-guest.img"' -c -o $@ $<

$(O)/sevemu-guest/firmware.elf: $(O)/sevemu-guest/firmware.o
	@printf '  %-7s %s\n' LD $@
	$(Q)$(LD) -nostdlib -R $(O)/sevemu-guest/guest.elf \
		--section-start .rom=0 -e 0 -o $@ $<

$(O)/sevemu-firmware.img: $(O)/sevemu-guest/firmware.elf
	@printf '  %-7s %s\n' OBJCOPY $@
	$(Q)$(OBJCOPY) -O binary -j .rom $< $@

-include $(GUEST_OBJS:.o=.d)

EMU_TEST_DEPS += $(O)/sevemu.rom $(O)/sevemu-guest.img $(O)/sevemu-firmware.img \
	$(O)/mkpayload $(O)/kernels/cloud/vmlinuz \
	$(O)/initramfs.cpio.gz
.PHONY: check-deps-sevemu mutants-sevemu
check-deps-sevemu: $(EMU_TEST_DEPS) fetch-snp

mutants-sevemu: check-deps-sevemu ## take out each rule of sevemu's SEV-SNP machine and of its processors, and see which test fails; twenty minutes
	$(Q)sevemu/tests/mutants

# A unit test compares the stub's constants with sevemu's. sevemu's headers are compiled
# apart from the stub's, because names clash.
$(O)/unit/abi_emulator.o: tests/unit/abi_emulator.c tests/unit/abi_pairs.h \
		sevemu/ghcb.h sevemu/svm.h sevemu/x86.h
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) -std=gnu11 -Wall -Wextra -Werror $(HOSTCFLAGS) -c -o $@ $<

LDLIBS_test_abi := $(O)/unit/abi_emulator.o
$(O)/unit/test_abi: $(O)/unit/abi_emulator.o
