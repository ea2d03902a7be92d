# SPDX-License-Identifier: MIT
#
# sevstub. `make help` lists what can be made.
#
#   O=DIR     build directory (build)      V=1      show the commands
#   CC LD OBJCOPY HOSTCC                   JOBS=N   parallel tests (all CPUs)
#   ZSTD_SRC=DIR  zstd's source (fetched)  OPT=-O2  optimisation of the stub
#   LZ4_SRC=DIR   lz4's source (fetched)
#   PREFIX=DIR    install: where to (/usr/local)
#   DESTDIR=DIR   install: a place to pack from, in front of PREFIX (none)

O ?= build
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
OPT ?= -O2
JOBS ?= $(shell nproc)

ifeq ($(origin CC),default)
CC := gcc
endif
HOSTCC ?= $(CC)
OBJCOPY ?= objcopy
HOSTCFLAGS ?=

export O JOBS

ifneq ($(words $(CURDIR) $(O)),2)
$(error make cannot cope with blanks in the path of a build: move '$(CURDIR)' or O='$(O)')
endif

# `make clean` empties it.
ifeq ($(abspath $(O)),$(CURDIR))
$(error O='$(O)' is the source tree: builds need a directory of their own)
endif

# One word for the shell, whatever is in it.
quote = '$(subst ','\'',$(1))'

.DELETE_ON_ERROR:
.SUFFIXES:

.PHONY: all
all: stub $(O)/mkpayload sevemu ## build the stub, the host tools and sevemu

# What an image is linked from, besides the kernel.
IMAGE_DEPS := tools/mkimage linker.ld $(O)/sevstub.a $(O)/mkpayload

include tools/fetch.mk tools/rules.mk tools/install.mk
include $(wildcard tests/*/rules.mk) sevemu/rules.mk sevemu/tests/guest.mk
-include tests/unit/image.mk

# ---- The stub.

# Whatever compiler: code that runs at any address, uses no register that an
# exception handler does not save (but see DECODER_REGS), and keeps off the
# stack below %rsp, where an exception's frame goes.
STUB_CFLAGS := -std=gnu11 $(OPT) -g -ffreestanding \
	-fpie -fvisibility=hidden -fno-common \
	-mno-red-zone -fcf-protection=none \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-jump-tables \
	-fno-strict-aliasing -ffunction-sections -fdata-sections \
	-ffile-prefix-map=$(CURDIR)=. -Iinclude -I.
GENERAL_REGS := -mgeneral-regs-only

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wundef \
	-Wcast-qual -Wvla

# $(1), if the compiler knows all of it.
cc-option = $(shell $(CC) -Werror $(1) -c -x c /dev/null -o /dev/null \
	2>/dev/null && echo $(1))
WARNINGS += $(call cc-option,-Wstack-usage=1024)

STUB_C := misc.c idt_64.c ident_map_64.c la57.c sev-es.c sev-vc.c insn.c \
	$(addprefix lib/,console.c cmdline.c e820.c string.c) \
	$(addprefix payload/,payload.c kaslr.c srat.c relocate.c unzstd.c unlz4.c) \
	$(addprefix efi/,efi.c initrd.c memory.c protect.c tables.c tpm.c)
STUB_S := bios/header.S head_64.S idt_handlers_64.S la57_trampoline.S
STUB_OBJS := $(STUB_C:%.c=$(O)/stub/%.o) $(STUB_S:%.S=$(O)/stub/%.o) \
	$(O)/stub/bios/setup.o $(O)/stub/payload/huf_decompress_amd64.o

# The functions that these flags would turn into calls of themselves.
CFLAGS_string.o := -fno-builtin \
	$(call cc-option,-fno-tree-loop-distribute-patterns)
# Headers only; EFIAPI is the Microsoft convention.
EFI_FLAGS := -isystem /usr/include/efi -isystem /usr/include/efi/x86_64 \
	-DGNU_EFI_USE_MS_ABI
# Firmware's stack has 128 KiB (UEFI 2.3.4).
$(patsubst %.c,$(O)/stub/%.o,$(filter efi/%.c,$(STUB_C))): \
	PART_CFLAGS := $(EFI_FLAGS) $(call cc-option,-Wstack-usage=2048)
# Cold code, small rather than fast: all but decoders and what they call. gcc 12
# and clang have more than -Os for it.
SMALL := $(or $(call cc-option,-Oz),-Os)
HOT_C := lib/string.c payload/unzstd.c payload/unlz4.c

# Copies of 16 bytes go through XMM registers, in the decoders only: nothing
# that an exception handler calls is in them, and so none has to save these.
# head_64.S switches them on. SSE2 is part of x86-64. No other vectors: those
# that a compiler makes of loops are 700 bytes, and gain nothing.
DECODER_REGS := -msse2 -mno-mmx -mno-80387 $(call cc-option,-fno-tree-vectorize)
REGS_unzstd.o := $(DECODER_REGS)
REGS_unlz4.o := $(DECODER_REGS)

# The parts of the decoder that the image can afford: one Huffman and one
# sequence strategy, both of which read every frame, at full speed (BMI2).
ZSTD_FLAGS := -I$(ZSTD_SRC)/lib \
	-ffile-prefix-map=$(abspath $(ZSTD_SRC))=zstd -DDYNAMIC_BMI2=1 -DZSTD_LEGACY_SUPPORT=0 \
	-DZSTD_TRACE=0 -DZSTD_STRIP_ERROR_STRINGS \
	-DHUF_FORCE_DECOMPRESS_X1 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT
# The compiler sees all callers but three, and drops what they do not need.
# Alignment of code for speed costs 2 KB and gains no instruction. Its stack
# use is measured, not computed: 1.5 KB.
CFLAGS_unzstd.o := $(ZSTD_FLAGS) -fno-builtin-memset \
	$(call cc-option,-fwhole-program) $(call cc-option,-Wno-stack-usage) \
	$(call cc-option,-falign-functions=1 -falign-loops=1 -falign-jumps=1)
# clang cannot build a part of a file for size, as unzstd.c asks gcc to.
ifneq ($(findstring clang,$(shell $(CC) --version)),)
CFLAGS_unzstd.o += -Oz
endif

$(O)/stub/%.o: %.c Makefile
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(STUB_CFLAGS) $(or $(REGS_$(@F)),$(GENERAL_REGS)) $(WARNINGS) \
		$(if $(filter $(HOT_C),$<),,$(SMALL)) $(PART_CFLAGS) $(CFLAGS_$(@F)) \
		-MMD -MP -c -o $@ $<

$(O)/stub/%.o: %.S Makefile
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' AS $@
	$(Q)$(CC) -D__ASSEMBLY__ -g -Iinclude -ffile-prefix-map=$(CURDIR)=. \
		-MMD -MP -c -o $@ $<

$(O)/stub/payload/unzstd.o: | $(ZSTD_SRC)/.stamp
# Two loops in assembly, but for HUF_FORCE_DECOMPRESS_X1 one: 1.2 KB less.
$(O)/stub/payload/huf_decompress_amd64.o: Makefile | $(ZSTD_SRC)/.stamp
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' AS $@
	$(Q)sed '/4X2.*:$$/,/^#endif/{/^#endif/!d;}; /4X2/d' \
		$(ZSTD_SRC)/lib/decompress/huf_decompress_amd64.S >$(@:.o=.S)
	$(Q)$(CC) $(ZSTD_FLAGS) -I$(ZSTD_SRC)/lib/decompress -c -o $@ $(@:.o=.S)

# With what the compressor in the same file calls left out.
CFLAGS_unlz4.o := -I$(LZ4_SRC)/lib \
	-ffile-prefix-map=$(abspath $(LZ4_SRC))=lz4 $(call cc-option,-fwhole-program) \
	-funroll-loops
$(O)/stub/payload/unlz4.o: | $(LZ4_SRC)/.stamp

# Real-mode code. The assembler makes an object of it that the others can be
# linked with: fields of 32 bits, as -m16 uses them, are all right at address 0.
SETUP_CFLAGS := -std=gnu11 -m16 -march=i386 -Os -ffreestanding -fno-pic -fno-pie \
	-mregparm=3 -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -fno-jump-tables -fno-strict-aliasing -Iinclude
# clang's 32-bit target does not look where the headers are. It has to be told
# harder to make it small: all of .setup is one page.
ifneq ($(findstring clang,$(shell $(CC) --version)),)
SETUP_CFLAGS += -Oz -idirafter /usr/include/x86_64-linux-gnu
endif
$(O)/stub/bios/setup.o: bios/setup.c Makefile
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(SETUP_CFLAGS) $(WARNINGS) -MMD -MP -MT $@ -S -o $(@:.o=.s) $<
	$(Q)$(CC) -c -o $@ $(@:.o=.s)

-include $(STUB_OBJS:.o=.d)

.PHONY: stub
stub: $(O)/sevstub.a
$(O)/sevstub.a: $(STUB_OBJS)
	@printf '  %-7s %s\n' AR $@
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $^

# ---- Images.
#
#   IMAGE=FILE    image: what is written; has to be given, and KERNEL too
#   CMDLINE=TEXT  image: for loaders that pass no command line (none)
#   CODEC=NAME    image: zstd, lz4, none, or auto for what boots soonest (zstd)
#   LEVEL=N       image: the codec's level (zstd 19, lz4 12)
#   LAUNCH=HOW    image, CODEC=auto: who measures it, psp, hash or none (psp)

.PHONY: image
image: $(IMAGE_DEPS) ## KERNEL=<file> IMAGE=<file> [CMDLINE="..."] [CODEC=zstd|lz4|none|auto] [LEVEL=N] [LAUNCH=psp|hash|none]: make a bootable image
	@test "$(origin KERNEL)" != file -a -n $(call quote,$(KERNEL)) -a -n $(call quote,$(IMAGE)) || { \
		echo 'usage: make image KERNEL=<file> IMAGE=<file> [CMDLINE="..."] [CODEC=...] [LEVEL=N] [LAUNCH=...]' >&2; \
		exit 2; }
	$(Q)tools/mkimage --cmdline $(call quote,$(value CMDLINE)) \
		--codec $(call quote,$(or $(CODEC),zstd)) \
		$(if $(LEVEL),--level $(call quote,$(LEVEL))) \
		$(if $(LAUNCH),--launch $(call quote,$(LAUNCH))) \
		-o $(call quote,$(IMAGE)) $(call quote,$(KERNEL))

# ---- To try it out.
#
#   KERNEL=FILE   the kernel that is repacked (Debian's cloud kernel)
#   INITRD=FILE   its initrd, or nothing (one that reports from userspace)
#   APPEND=TEXT   its command line (console=ttyS0 quiet), taken as it is: a $ is
#                 a $, here and in CMDLINE
#   SEV=KIND      run: es, sev, or off for a plain machine (es)
#   OVMF=FILE     run: EFI firmware, or off: no firmware of EFI's kind (Debian's)
#   ACCEL=HOW     run: tcg works anywhere, SEV by way of sevemu; kvm takes the
#                 host's own SEV (tcg)
#   CBITPOS=N     run, ACCEL=kvm: the C-bit, CPUID 8000001F EBX 5:0 (51)
#   QEMU_ARGS=    run, debug: more arguments for QEMU
#   CODEC= LEVEL= LAUNCH= CMDLINE=  run, debug: as for image

KERNEL ?= $(O)/kernels/cloud/vmlinuz
INITRD ?= $(O)/initramfs.cpio.gz
APPEND ?= console=ttyS0 quiet
SEV ?= es
OVMF ?= /usr/share/ovmf/OVMF.fd
ACCEL ?= tcg
CBITPOS ?= 51
QEMU_ARGS ?=
export KERNEL INITRD APPEND QEMU_ARGS SEV ACCEL CBITPOS OVMF GDB_ARGS CODEC LEVEL LAUNCH

RUN_DEPS := $(IMAGE_DEPS) $(filter $(O)/%,$(KERNEL) $(INITRD))

.PHONY: run debug
run: $(RUN_DEPS) $(O)/sevemu.rom ## repack a kernel and boot it through OVMF as an SEV-ES guest; Ctrl-A X ends it
	$(Q)CMDLINE=$(call quote,$(value CMDLINE)) \
		APPEND=$(call quote,$(value APPEND)) tools/run

debug: $(RUN_DEPS) ## repack a kernel and boot it by BIOS, stopped, with gdb attached to the stub [GDB_ARGS=]
	$(Q)CMDLINE=$(call quote,$(value CMDLINE)) \
		APPEND=$(call quote,$(value APPEND)) tools/debug

# ---- Tests. `make check-SUITE` runs one suite. `tests/check --help` says how to run
# some of its cases, and how a suite is described.
#
#   check-lint        gcc and clang, static checkers, formatting
#   check-unit        the stub's files and the tools on the host
#   check-payload     the test kernel: each of its checks notices what it is for
#   check-boot        boots in QEMU: every loader, every entry, bad images
#   check-kaslr       payloads anywhere in memory, and what Linux logs
#   check-bootparams  the zero page of the 16-bit entry, compared with the stock stage
#   check-install     installed files, the example, the kernel hook
#   check-sevemu      sevemu's own tests
#   check-sev         the stub as SEV and SEV-ES guest
#   check-hostile     the stub under a hypervisor that lies
#   check-fuzz        fuzzers over the stub's own files
#   check-builds      other compilers and options, booted
#   check-spoilt      damaged images, booted
#   check-stack       how deep the stub's stacks become

SUITES := lint unit payload boot kaslr bootparams install sevemu sev hostile fuzz builds stack spoilt

.PHONY: check $(SUITES:%=check-%) lint
check: $(SUITES:%=check-deps-%) ## run every test
	$(Q)tests/check $(SUITES)

$(SUITES:%=check-%): check-%: check-deps-%
	$(Q)tests/check $*

#   FUZZ_TIME=N   fuzz: seconds for each target (600)
#   STOCK_ZSTD=FILE  bench: a stock bzImage packed with zstd (Debian unstable's)
#   GDB_ARGS=     debug: more arguments for gdb

bench: ## measure against Debian's stock images, 15 minutes [STOCK_ZSTD=<bzImage>]

lint: check-lint ## build with gcc and clang, run every static checker

.PHONY: check-deps-lint
check-deps-lint: $(IMAGE_DEPS) $(O)/boot/test.img

# ---- The rest.

.PHONY: clean distclean help

clean: ## remove what was built, keep what was fetched
	$(Q)cd $(O) 2>/dev/null && rm -rf -- $$(ls -A | grep -vxE 'zstd|lz4|kernels|kexec') || true

distclean: ## remove the build directory
	rm -rf $(O)

help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p; s/^#   (check-[a-z]+) +/\1\t/p' \
		Makefile tools/*.mk tests/*/rules.mk | \
		awk -F'\t' '{ printf "  make %-17s %s\n", $$1, $$2 }'
	@echo 'Variables, and what they are if not given:'
	@sed -nE 's/^#   ([A-Z ])/  \1/p' Makefile
