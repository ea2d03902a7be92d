# SPDX-License-Identifier: MIT
#
# What the suite loaders needs.

.PHONY: check-deps-loaders
check-deps-loaders: $(O)/boot/cloud.img $(O)/kernels/cloud/vmlinuz \
	$(O)/initramfs.cpio.gz $(O)/payload/loader.bin
