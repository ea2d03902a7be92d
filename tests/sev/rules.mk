# SPDX-License-Identifier: MIT
#
# The NAE self-test (tests/payload/nae), and what the suite sev needs.

NAE := $(O)/sev
# The stub's objects without those that boot a payload. The self-test compiles
# ident_map_64.c itself.
NAE_STUB := $(addprefix $(O)/stub/,sev-es.o sev-snp.o sev-cpuid.o sev-vc.o insn.o idt_64.o \
	exception.o idt_handlers_64.o $(addprefix lib/,e820.o console-option.o console.o cmdline.o string.o))
NAE_OBJS := $(addprefix $(NAE)/nae/,head.o insns.o main.o execute.o \
	registers.o ports.o strings.o mmio.o fatal.o ident_map.o)

$(NAE)/nae/%.o: tests/payload/nae/%.c tests/sev/rules.mk Makefile
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(STUB_CFLAGS) $(GENERAL_REGS) $(WARNINGS) -MMD -MP \
		-c -o $@ $<

$(NAE)/nae/%.o: tests/payload/nae/%.S tests/sev/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' AS $@
	$(Q)$(CC) -D__ASSEMBLY__ -Iinclude -I. -MMD -MP -c -o $@ $<

# --wrap: the self-test handles each exception before the stub does.
$(NAE)/nae.elf: $(NAE_OBJS) $(NAE_STUB) tests/payload/nae/nae.ld
	@printf '  %-7s %s\n' LD $@
	$(Q)$(LD) -m elf_x86_64 -static -no-pie --orphan-handling=error \
		--no-warn-rwx-segments --gc-sections --wrap=do_exception \
		--wrap=sev_es_vc --wrap=terminate \
		-T tests/payload/nae/nae.ld -o $@ $(NAE_OBJS) $(NAE_STUB)

$(NAE)/nae.img: $(NAE)/nae.elf $(IMAGE_DEPS)
	@printf '  %-7s %s\n' IMAGE $@
	$(Q)tools/mkimage -o $@ $<

# The images of the pinned kernels, of those that could be fetched.
.PHONY: sev-snp-images
sev-snp-images: $(IMAGE_DEPS) fetch-snp
	$(Q)for kernel in trixie sid; do \
		[ ! -e $(O)/kernels/$$kernel/vmlinuz ] || \
		$(MAKE) $(O)/boot/$$kernel-lz4.img || exit 1; \
	done

.PHONY: nae check-deps-sev
nae: $(NAE)/nae.img ## make the image of the NAE self-test, build/sev/nae.img
check-deps-sev: $(NAE)/nae.img $(O)/sevemu.rom $(O)/initramfs.cpio.gz $(O)/payload/unaccepted.efi \
	$(addprefix $(O)/boot/,test-lz4.img test-none.img cloud-lz4.img kexec.img) \
	$(addprefix $(O)/boot/,test.img low.img high.img align4k.img cloud.img \
		generic.img bad-cut-half.img bad-cut-little.img bad-header-bit.img) \
	sev-snp-images

soak: check-deps-sev soak-sev
.PHONY: soak-sev
soak-sev: check-deps-sev
	$(Q)SEV_SOAK=1 tests/check sev

-include $(NAE_OBJS:.o=.d)
