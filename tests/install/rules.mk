# SPDX-License-Identifier: MIT
#
# What the suite install needs.

.PHONY: check-deps-install
check-deps-install: $(O)/kernels/cloud/vmlinuz $(O)/mkpayload $(O)/sevstub.a $(O)/sevemu.rom \
	$(O)/payload/test.elf $(O)/boot/test.img
