# SPDX-License-Identifier: MIT
#
# What the suite spoilt needs.

.PHONY: check-deps-spoilt
check-deps-spoilt: $(O)/boot/test.img $(O)/boot/corrupt $(O)/payload/loader.bin
