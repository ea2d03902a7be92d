# SPDX-License-Identifier: MIT
#
# The suite builds makes its builds itself.

.PHONY: check-deps-builds
check-deps-builds: $(O)/sevstub.a $(O)/initramfs.cpio.gz
