# SPDX-License-Identifier: MIT
#
# The tests of what is installed: tests/install/run.

.PHONY: check-deps-install
check-deps-install: $(O)/mkpayload $(O)/sevstub.a $(O)/sevemu.rom \
	$(O)/payload/test.elf $(O)/boot/test.img
