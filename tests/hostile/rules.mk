# SPDX-License-Identifier: MIT
#
# What the suite hostile needs.

.PHONY: check-deps-hostile soak mutants
check-deps-hostile: $(O)/sevemu.rom $(O)/boot/test.img $(O)/boot/high.img \
	$(O)/boot/moves.img

soak: check-deps-hostile check-deps-loaders check-deps-sevemu ## 10,000 random programs of attacks, events at every instruction of the windows, 240 hand-overs of loaders, more boots of SEV-SNP guests; two hours
	$(Q)HOSTILE_SOAK=1 LOADERS_SOAK=1 SEVEMU_SOAK=1 tests/check hostile loaders sevemu

mutants: check-deps-hostile check-deps-boot ## take out each check of an exit or a reply, and see which test fails; an hour
	$(Q)tests/hostile/mutants
