# SPDX-License-Identifier: MIT
#
# What the suite kaslr boots.

.PHONY: check-deps-kaslr
check-deps-kaslr: $(O)/sevemu.rom $(O)/initramfs.cpio.gz $(O)/payload/loader.bin \
	$(addprefix $(O)/boot/,moves.img cloud.img) $(O)/kernels/cloud/vmlinuz \
	$(O)/kaslr/short.img

$(O)/kaslr/short.elf: tests/kaslr/short.S
	@mkdir -p $(@D)
	$(Q)$(CC) -c -o $(@:.elf=.o) $<
	$(Q)$(LD) -static -nostdlib --emit-relocs -z max-page-size=4096 -Ttext-segment=0x1000000 \
		-o $@ $(@:.elf=.o)

$(O)/kaslr/short.img: $(O)/kaslr/short.elf $(IMAGE_DEPS)
	$(Q)tools/mkimage -o $@ $<
