# SPDX-License-Identifier: MIT

.PHONY: check-deps-spoilt
check-deps-spoilt: $(O)/boot/test.img $(O)/boot/corrupt $(O)/payload/loader.bin
