# SPDX-License-Identifier: MIT
#
# Boot tests: the images that tests/boot/cases.list names.
#
#	cloud.img, generic.img	Debian's kernels
#	X.img			the test kernel $(O)/payload/X.elf
#	X-lz4.img, X-none.img	X is cloud or test, packed with that codec
#	bad-X.img		test.img, corrupted as tests/boot/corrupt.list says
#	disk-X.img		a disk with other images on it (make-disk)
#	kexec.img		an initramfs that kexecs cloud.img (make-kexec)
#	ipxe.img		a script that starts cloud.img from a network (make-ipxe)

BOOT_IMAGES := $(addsuffix .img,$(addprefix $(O)/boot/,\
	$(shell . tests/boot/suite.sh && images)))
BOOT_KERNELS := $(O)/boot/cloud.img $(O)/boot/generic.img
BOOT_BAD := $(filter $(O)/boot/bad-%,$(BOOT_IMAGES))
BOOT_DISKS := $(filter $(O)/boot/disk-%,$(BOOT_IMAGES))
BOOT_KEXEC := $(O)/boot/kexec.img
BOOT_IPXE := $(O)/boot/ipxe.img
# The suite sev boots cloud-lz4.img, and as SNP guests trixie-lz4.img and sid-lz4.img,
# the kernels of Debian 13 and of Debian unstable.
BOOT_CODECS := $(sort $(filter %-lz4.img %-none.img,$(BOOT_IMAGES)) \
	$(addprefix $(O)/boot/,cloud-lz4.img trixie-lz4.img sid-lz4.img))
BOOT_PAYLOADS := $(filter-out $(O)/boot/moves.img $(BOOT_KERNELS) $(BOOT_BAD) $(BOOT_DISKS) \
	$(BOOT_KEXEC) $(BOOT_IPXE) $(BOOT_CODECS),$(BOOT_IMAGES))

# $(IMAGE_DEPS) is everything but the kernel that an image is linked from.
$(BOOT_KERNELS): $(O)/boot/%.img: $(O)/kernels/%/vmlinuz $(IMAGE_DEPS)
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' IMAGE $@
	$(Q)tools/mkimage -o $@ $<

$(BOOT_PAYLOADS): $(O)/boot/%.img: $(O)/payload/%.elf $(IMAGE_DEPS)
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' IMAGE $@
	$(Q)tools/mkimage --elf $(@:.img=.elf) -o $@ $<

$(O)/boot/moves.img: $(O)/payload/moves.bz $(IMAGE_DEPS)
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' IMAGE $@
	$(Q)tools/mkimage --elf $(@:.img=.elf) -o $@ $<

$(filter $(O)/boot/cloud-%,$(BOOT_CODECS)): $(O)/kernels/cloud/vmlinuz
$(O)/boot/trixie-lz4.img: $(O)/kernels/trixie/vmlinuz
$(O)/boot/sid-lz4.img: $(O)/kernels/sid/vmlinuz
$(filter $(O)/boot/test-%,$(BOOT_CODECS)): $(O)/payload/test.elf
$(BOOT_CODECS): $(IMAGE_DEPS)
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' IMAGE $@
	$(Q)tools/mkimage --codec $(lastword $(subst -, ,$(basename $@))) \
		--elf $(@:.img=.elf) -o $@ $(filter %vmlinuz %.elf,$^)

$(BOOT_BAD): $(O)/boot/bad-%.img: $(O)/boot/test.img $(O)/boot/corrupt \
		tests/boot/make-bad tests/boot/corrupt.list
	@printf '  %-7s %s\n' CORRUPT $@
	$(Q)tests/boot/make-bad $* $< $(O)/boot/test.elf $@

$(BOOT_DISKS): $(O)/boot/disk-%.img: tests/boot/make-disk tests/boot/make-uki \
		$(addprefix $(O)/boot/,cloud.img high.img moves.img corrupt) \
		$(O)/initramfs.cpio.gz
	@printf '  %-7s %s\n' DISK $@
	$(Q)$< $* $@

$(BOOT_KEXEC): tests/boot/make-kexec $(O)/boot/cloud.img $(O)/initramfs.cpio.gz \
		| $(O)/kexec/sbin/kexec
	@printf '  %-7s %s\n' CPIO $@
	$(Q)$< $@

$(BOOT_IPXE): tests/boot/make-ipxe $(O)/boot/cloud.img $(O)/initramfs.cpio.gz
	@printf '  %-7s %s\n' SCRIPT $@
	$(Q)$< $@

# XXH64 comes from zstd's source.
$(O)/boot/corrupt: tests/boot/corrupt.c tests/boot/rules.mk \
		include/payload.h include/types.h | $(ZSTD_SRC)/.stamp
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) $(HOSTCFLAGS) -std=gnu11 -O2 -Wall -Wextra -Wshadow \
		-Werror -DSEVSTUB_HOSTED -Iinclude -idirafter $(ZSTD_SRC)/lib \
		-o $@ $<

.PHONY: check-deps-boot
check-deps-boot: $(BOOT_IMAGES) $(O)/initramfs.cpio.gz $(O)/payload/loader.bin
