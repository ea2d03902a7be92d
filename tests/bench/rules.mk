# SPDX-License-Identifier: MIT
#
# rules.mk - `make bench`, and the programs that tests/bench/run measures with.
# Unless STOCK_ZSTD names a stock image that is packed with zstd, that of Debian
# unstable is fetched. The benchmark goes on without it if that fails.

BENCH := $(O)/bench

.PHONY: bench bench-deps
bench: bench-deps
	$(Q)test -n $(call quote,$(STOCK_ZSTD)) || \
		test -e $(O)/kernels/sid/vmlinuz || \
		sh tools/fetch-kernel sid $(O)/kernels/sid || :
	$(Q)stock=$(call quote,$(STOCK_ZSTD)); \
	[ -n "$$stock" ] || [ ! -e $(O)/kernels/sid/vmlinuz ] || \
		stock=$(O)/kernels/sid/vmlinuz; \
	STOCK_ZSTD=$$stock tests/bench/run

bench-deps: $(addprefix $(BENCH)/,decode mkgrowth growth.bin payload.bin) \
	$(O)/boot/cloud.img $(O)/boot/generic.img $(O)/sev/nae.img $(O)/sevemu.rom \
	$(O)/initramfs.cpio.gz $(IMAGE_DEPS)

# The program decodes with the stub's own objects, memcpy() and memset() included.
$(BENCH)/decode: tests/bench/decode.c $(O)/stub/payload/unzstd.o $(O)/stub/lib/string.o \
		$(O)/stub/payload/huf_decompress_amd64.o tests/bench/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) -std=gnu11 -O2 -Wall -Wextra -Wshadow -Werror \
		-DSEVSTUB_HOSTED $(HOSTCFLAGS) -Iinclude -o $@ \
		$(filter %.c %.o,$^) -lzstd

$(BENCH)/mkgrowth: tests/bench/mkgrowth.c tests/bench/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' HOSTCC $@
	$(Q)$(HOSTCC) -std=gnu11 -O2 -Wall -Wextra -Wshadow -Werror \
		$(HOSTCFLAGS) -o $@ $<

# .bss is written to the file as zeros, because mkgrowth appends data to it.
$(BENCH)/growth.bin: tests/bench/growth.c tests/bench/rules.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(PAYLOAD_CFLAGS) -MF $@.d -c -o $(@:.bin=.o) $<
	$(Q)$(PAYLOAD_LD) -N -Ttext 0x1000000 -o $(@:.bin=.elf) $(@:.bin=.o)
	$(Q)$(OBJCOPY) -O binary --set-section-flags .bss=alloc,load,contents \
		$(@:.bin=.elf) $@

$(BENCH)/payload.bin: $(O)/mkpayload $(O)/kernels/generic/vmlinuz
	@mkdir -p $(@D)
	$(Q)$(O)/mkpayload -q -o $(@:.bin=) $(O)/kernels/generic/vmlinuz
