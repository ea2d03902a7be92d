# SPDX-License-Identifier: MIT
#
# What the suite kaslr boots.

.PHONY: check-deps-kaslr
check-deps-kaslr: $(O)/sevemu.rom $(O)/initramfs.cpio.gz $(O)/payload/loader.bin \
	$(addprefix $(O)/boot/,moves.img cloud.img) $(O)/kernels/cloud/vmlinuz
