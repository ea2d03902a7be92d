# SPDX-License-Identifier: MIT
#
# What the suite install needs.

.PHONY: check-deps-install
check-deps-install: $(O)/kernels/cloud/vmlinuz $(O)/initramfs.cpio.gz $(O)/mkpayload $(O)/sevstub.a \
	$(O)/sevemu.rom $(O)/payload/test.elf $(O)/boot/test.img

soak: soak-install
.PHONY: soak-install
soak-install: check-deps-install fetch-snp
	$(Q)INSTALL_SOAK=1 tests/check install
