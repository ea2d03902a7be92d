# SPDX-License-Identifier: MIT
#
# What the suite bootparams needs.

.PHONY: check-deps-bootparams
check-deps-bootparams: $(O)/boot/cloud.img $(O)/kernels/cloud/vmlinuz \
	$(O)/initramfs.cpio.gz
