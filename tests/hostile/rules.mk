# SPDX-License-Identifier: MIT
#
# What tests/hostile/run needs.

.PHONY: check-deps-hostile soak
check-deps-hostile: $(O)/sevemu.rom $(O)/boot/test.img

soak: check-deps-hostile ## 10,000 random programs of attacks, every attack in 256 forms; an hour
	$(Q)tests/hostile/run soak
