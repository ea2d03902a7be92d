# SPDX-License-Identifier: MIT
#
# tests/builds makes its builds itself.

.PHONY: check-deps-builds
check-deps-builds: $(O)/sevstub.a $(O)/initramfs.cpio.gz
