# SPDX-License-Identifier: MIT
#
# The tests of what the 16-bit entry finds out: tests/bootparams/run.

.PHONY: check-deps-bootparams
check-deps-bootparams: $(O)/boot/cloud.img $(O)/kernels/cloud/vmlinuz \
	$(O)/initramfs.cpio.gz
