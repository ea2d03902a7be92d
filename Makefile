# SPDX-License-Identifier: MIT
#
# Makefile - builds sevstub, its tools and its tests. `make help` lists the targets
# and these variables. Defaults are in parentheses.
#
#   O=DIR         build directory (build)
#   V=1           show the commands (0)
#   CC= LD= OBJCOPY= HOSTCC=  the tools (gcc, ld, objcopy, CC)
#   OPT=-O2       optimisation of the stub (-O2)
#   JOBS=N        tests that run in parallel (one for each CPU)
#   ZSTD_SRC=DIR  zstd's source (fetched)
#   LZ4_SRC=DIR   lz4's source (fetched)
#   PREFIX=DIR    install: the directory to install to (/usr/local)
#   DESTDIR=DIR   install: a package's root, put in front of PREFIX (none)

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

# The file VERSION is the one place that names the version: mkpayload, mkimage,
# images and sevstub.mk take theirs from it.
SEVSTUB_VERSION := $(file <VERSION)

export O JOBS

ifneq ($(words $(CURDIR) $(O)),2)
$(error make does not support blanks in paths: rename the source tree '$(CURDIR)' or choose another O='$(O)')
endif

# `make clean` empties the build directory, so it must not be the source tree.
ifeq ($(abspath $(O)),$(CURDIR))
$(error O='$(O)' is the source tree: choose a directory that holds nothing else)
endif

# $(call quote,TEXT): TEXT as one word of a shell command, whatever characters are
# in it.
quote = '$(subst ','\'',$(1))'

# Every target but these builds something. tools/build-dir then checks the build
# directory before the first step. `make -n` changes nothing.
ifneq ($(filter-out help clean distclean uninstall,$(or $(MAKECMDGOALS),all)),)
ifeq ($(findstring n,$(firstword -$(MAKEFLAGS))),)
REFUSED := $(shell sh tools/build-dir claim $(call quote,$(O)))
ifneq ($(REFUSED),)
$(error $(REFUSED))
endif
endif
endif

.DELETE_ON_ERROR:
.SUFFIXES:

.PHONY: all
all: stub $(O)/mkpayload sevemu ## build the stub, the host tools and sevemu

# The files that an image depends on besides its kernel.
IMAGE_DEPS := tools/mkimage linker.ld $(O)/sevstub.a $(O)/mkpayload

include tools/fetch.mk tools/rules.mk tools/install.mk
include $(wildcard tests/*/rules.mk) sevemu/rules.mk $(wildcard sevemu/tests/guest.mk)
-include tests/unit/image.mk

# ---- The stub.

# $(call cc-option,OPTION): OPTION if the compiler accepts it, otherwise nothing.
cc-option = $(shell $(CC) -Werror $(1) -c -x c /dev/null -o /dev/null \
	2>/dev/null && echo $(1))

# The stub's code must run at any address. It must use no register that exception
# handlers do not save (but see DECODER_REGS). It must have no red zone, because an
# exception pushes its frame directly below %rsp.
STUB_CFLAGS := -std=gnu11 $(OPT) -g -ffreestanding \
	-fpie -fvisibility=hidden -fno-common \
	-mno-red-zone -fcf-protection=none \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-jump-tables \
	-fno-strict-aliasing -ffunction-sections -fdata-sections \
	-ffile-prefix-map=$(CURDIR)=. -Iinclude -I. -include include/hidden.h
# gcc must not delete a check of an argument because all callers pass good values: the
# hypervisor of an SEV-ES guest can change an argument that was on the stack.
STUB_CFLAGS += $(foreach option,-fno-ipa-bit-cp -fno-ipa-vrp,$(call cc-option,$(option)))
GENERAL_REGS := -mgeneral-regs-only

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wundef \
	-Wcast-qual -Wvla

WARNINGS += $(call cc-option,-Wstack-usage=1024)

STUB_C := misc.c loaded.c idt_64.c exception.c ident_map_64.c la57.c sev-es.c sev-snp.c sev-cpuid.c sev-vc.c insn.c \
	$(addprefix lib/,boot_params.c cmdline.c console-option.c console.c e820.c error.c string.c) \
	$(addprefix payload/,filter-check.c kaslr.c payload-check.c relocate.c srat.c unfilter.c unlz4.c unstore.c unzstd.c) \
	$(addprefix efi/,entry.c services.c initrd.c memory.c protect.c tables.c tpm.c)
STUB_S := bios/header.S bios/bios_call.S efi/handover_64.S head_64.S sev-head_64.S early_tables_64.S \
	idt_handlers_64.S la57_trampoline.S lib/fresh_stack_64.S
STUB_OBJS := $(STUB_C:%.c=$(O)/stub/%.o) $(STUB_S:%.S=$(O)/stub/%.o) \
	$(O)/stub/bios/setup.o $(O)/stub/payload/huf_decompress_amd64.o

# Without these flags the compiler turns the loops in memcpy() and the like into
# calls of the same functions.
CFLAGS_string.o := -fno-builtin \
	$(call cc-option,-fno-tree-loop-distribute-patterns)
# gnu-efi is used for its headers only. GNU_EFI_USE_MS_ABI makes EFIAPI functions
# use Microsoft's calling convention, as UEFI demands. gnu-efi 3.0.18 makes CHAR16 the
# type wchar_t, which must have 16 bits then.
EFI_FLAGS := -fshort-wchar -isystem /usr/include/efi -isystem /usr/include/efi/x86_64 \
	-DGNU_EFI_USE_MS_ABI
# efi/ runs on firmware's stack, which has at least 128 KiB (UEFI 2.10 2.3.4), so its
# functions may use more than the others.
$(patsubst %.c,$(O)/stub/%.o,$(filter efi/%.c,$(STUB_C))): \
	PART_CFLAGS := $(EFI_FLAGS) $(call cc-option,-Wstack-usage=2048)
# All code but the decoders and what they call is optimised for size. gcc 12 and clang
# support -Oz, which makes smaller code than -Os. With -Oz a compiler loads some constants by
# PUSH and POP. In between the hypervisor of an SEV-ES guest could exchange them on the stack,
# for example the length of a copy. -Oz is therefore for other code only. That of EFI's and the
# BIOS's entries runs before the stub has detected SEV, except for efi/memory.c. sev-snp.c runs
# in SNP guests only, whose memory is whole. insn.c and sev-cpuid.c serve handlers of #VC that
# refuse every instruction. lib/e820.c only reads a map that a hypervisor may have written.
# clang's -Os inlines more than its -Oz.
SMALL := -Os $(call cc-option,-mllvm -inline-threshold=0)
SMALLEST := $(or $(call cc-option,-Oz),-Os)
SMALLEST_C := sev-snp.c insn.c sev-cpuid.c lib/e820.c bios/setup.c \
	$(filter-out efi/memory.c,$(filter efi/%.c,$(STUB_C)))
HOT_C := lib/string.c payload/unfilter.c payload/unlz4.c payload/unzstd.c

# Only the decoders and unfilter() use XMM registers, for copies and comparisons of 16
# bytes. Exception handlers call neither and so need not save these registers. XMM15 has a
# number of ident_map_64.c before (include/table_pool.h).
# head_64.S enables SSE. Loops are not vectorised, because that adds 700 bytes and gains
# no speed.
DECODER_REGS := -msse2 -mno-mmx -mno-80387 $(call cc-option,-fno-tree-vectorize)
REGS_unzstd.o := $(DECODER_REGS)
REGS_unlz4.o := $(DECODER_REGS)
REGS_unfilter.o := $(DECODER_REGS)
# Aligned code would be 100 bytes larger in each of these, and no faster.
UNALIGNED := $(call cc-option,-falign-functions=1 -falign-loops=1 -falign-jumps=1)
CFLAGS_unfilter.o := $(UNALIGNED)
CFLAGS_string.o += $(UNALIGNED)

# The image has room for one of zstd's two Huffman decoders and one of its two
# sequence decoders. Each of them can decode every frame. DYNAMIC_BMI2 uses BMI2
# instructions where the processor has them.
ZSTD_FLAGS := -I$(ZSTD_SRC)/lib \
	-ffile-prefix-map=$(abspath $(ZSTD_SRC))=zstd -DDYNAMIC_BMI2=1 -DZSTD_LEGACY_SUPPORT=0 \
	-DZSTD_TRACE=0 -DZSTD_STRIP_ERROR_STRINGS \
	-DHUF_FORCE_DECOMPRESS_X1 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT
# -fwhole-program lets the compiler drop the functions that the three external ones
# do not need. Aligning code costs 2 KB and gains no speed. The stack use of 1.5 KB
# is measured by tests/stack, because the compiler cannot compute it.
# gcc 14 and later inline more than gcc 12 at -O2. The image has no room for that, so the
# limit for functions that are not declared inline is lower than their default.
CFLAGS_unzstd.o := $(ZSTD_FLAGS) -fno-builtin-memset \
	$(call cc-option,-fwhole-program) $(call cc-option,-Wno-stack-usage) \
	$(call cc-option,--param=max-inline-insns-auto=5) $(UNALIGNED)
# unzstd.c asks gcc to optimise a part of the file for size. clang cannot do that,
# so build all of the file for size. clang's larger code has no room for two others at -O2.
ifneq ($(findstring clang,$(shell $(CC) --version)),)
CFLAGS_unzstd.o += -Oz
CFLAGS_string.o += -Oz
CFLAGS_unfilter.o += -Os
endif

$(O)/stub/%.o: %.c Makefile
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' CC $@
	$(Q)$(CC) $(STUB_CFLAGS) $(or $(REGS_$(@F)),$(GENERAL_REGS)) $(WARNINGS) \
		$(if $(filter $(HOT_C),$<),,$(if $(filter $(SMALLEST_C),$<),$(SMALLEST),$(SMALL))) \
		$(PART_CFLAGS) $(CFLAGS_$(@F)) \
		-MMD -MP -c -o $@ $<

$(O)/stub/%.o: %.S Makefile
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' AS $@
	$(Q)$(CC) -D__ASSEMBLY__ -g -Iinclude -ffile-prefix-map=$(CURDIR)=. \
		$(PART_CFLAGS) -MMD -MP -c -o $@ $<

# header.S ends the image's version string with the stub's version, and includes sbat.csv.
$(O)/stub/bios/header.o: PART_CFLAGS := -DSEVSTUB_VERSION='"$(SEVSTUB_VERSION)"'
$(O)/stub/bios/header.o: VERSION efi/sbat.csv

$(O)/stub/payload/unzstd.o: | $(ZSTD_SRC)/.stamp
# zstd's file has two decoding loops in assembly. HUF_FORCE_DECOMPRESS_X1 needs the
# first only. sed removes the second, which is the last of the file, and saves 1.2 KB.
$(O)/stub/payload/huf_decompress_amd64.o: Makefile | $(ZSTD_SRC)/.stamp
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' AS $@
	$(Q)sed '/4X2.*:$$/,$$d; /4X2/d' \
		$(ZSTD_SRC)/lib/decompress/huf_decompress_amd64.S >$(@:.o=.S)
	$(Q)echo '#endif' >>$(@:.o=.S)
	$(Q)$(CC) $(ZSTD_FLAGS) -I$(ZSTD_SRC)/lib/decompress -c -o $@ $(@:.o=.S)

# -fwhole-program drops lz4's compressor, which is in the same file as the decoder.
CFLAGS_unlz4.o := -I$(LZ4_SRC)/lib \
	-ffile-prefix-map=$(abspath $(LZ4_SRC))=lz4 $(call cc-option,-fwhole-program) \
	-funroll-loops
$(O)/stub/payload/unlz4.o: | $(LZ4_SRC)/.stamp

# setup.c is real-mode code. The compiler writes 32-bit assembly (-m16), which is
# assembled to a 64-bit object, so that it can be linked with the others. The code's
# 32-bit address fields are sufficient, because it is linked at address 0.
SETUP_CFLAGS := -std=gnu11 -m16 -march=i386 -Os -ffreestanding -fno-pic -fno-pie \
	-mregparm=3 -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -fno-jump-tables -fno-strict-aliasing -Iinclude
# clang's 32-bit target does not search Debian's directory of x86-64 headers. -Oz is
# needed because the 16-bit code must fit into one page.
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
#   IMAGE=FILE    image: the image to write; must be given, as must KERNEL
#   CMDLINE=TEXT  image: command line for loaders that pass none (none)
#   CODEC=NAME    image: zstd, lz4, none, or auto: what boots soonest (zstd)
#   LEVEL=N       image: the codec's level (zstd 19, lz4 12)
#   LAUNCH=HOW    image, CODEC=auto: what measures it, psp, hash or none (psp)

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

# ---- Run an image.
#
#   KERNEL=FILE   run, debug: the kernel to boot (Debian's cloud kernel)
#   INITRD=FILE   run, debug: its initrd, or empty for none (an initrd that
#                 reports from userspace)
#   APPEND=TEXT   run, debug: its command line (console=ttyS0 quiet); make does
#                 not expand a $ in it, nor in CMDLINE
#   SEV=KIND      run: the guest: es, sev, or off for a plain guest (es)
#   OVMF=FILE     run: EFI firmware, or off to boot by BIOS (Debian's OVMF)
#   ACCEL=HOW     run: tcg needs no hardware and emulates SEV by sevemu; kvm
#                 uses the host's own SEV (tcg)
#   CBITPOS=N     run, ACCEL=kvm: the C-bit, CPUID 8000001F EBX 5:0 (51)
#   QEMU_ARGS=    run, debug: more arguments for QEMU (none)
#   CODEC= LEVEL= LAUNCH= CMDLINE=  run, debug: as for image

KERNEL ?= $(O)/kernels/cloud/vmlinuz
INITRD ?= $(O)/initramfs.cpio.gz
APPEND ?= console=ttyS0 quiet
SEV ?= es
OVMF ?= /usr/share/ovmf/OVMF.fd
ACCEL ?= tcg
CBITPOS ?= 51
QEMU_ARGS ?=
export KERNEL INITRD APPEND QEMU_ARGS SEV ACCEL CBITPOS OVMF GDB_ARGS

RUN_DEPS := $(IMAGE_DEPS) $(filter $(O)/%,$(KERNEL) $(INITRD))

# The image that run and debug start. It is made again if the kernel, the stub or the
# options in $(O)/run.options change. A kernel whose path make cannot take as a
# prerequisite counts as changed.
RUN_KERNEL := $(if $(strip $(filter-out 1,$(words $(KERNEL))) \
	$(foreach char,: % * ? [ \#,$(findstring $(char),$(KERNEL)))),FORCE,$(KERNEL))
RUN_OPTIONS = --cmdline $(call quote,$(value CMDLINE)) \
	--codec $(call quote,$(or $(CODEC),zstd)) \
	$(if $(LEVEL),--level $(call quote,$(LEVEL))) \
	$(if $(LAUNCH),--launch $(call quote,$(LAUNCH)))

.PHONY: FORCE
FORCE:
$(O)/run.options: FORCE
	@printf '%s\n' $(call quote,$(KERNEL)) $(RUN_OPTIONS) >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(O)/run.img: $(IMAGE_DEPS) $(RUN_KERNEL) $(O)/run.options
	$(Q)tools/mkimage $(RUN_OPTIONS) -o $@ --elf $(O)/run.elf \
		$(call quote,$(KERNEL))

.PHONY: run debug
run: $(RUN_DEPS) $(O)/sevemu.rom ## make an image of a kernel and boot it by OVMF as an SEV-ES guest; Ctrl-A X ends it
	$(Q)tools/run --check
	$(Q)$(MAKE) --no-print-directory $(O)/run.img
	$(Q)exec env APPEND=$(call quote,$(value APPEND)) tools/run

debug: $(RUN_DEPS) ## make an image of a kernel, boot it by BIOS and attach gdb to the stub [GDB_ARGS=]
	$(Q)$(MAKE) --no-print-directory $(O)/run.img
	$(Q)exec env APPEND=$(call quote,$(value APPEND)) tools/debug

# ---- Tests. `make check-SUITE` runs one suite. `tests/check --help` says how to run
# some of its cases, and how a suite is described.
#
#   check-lint        gcc and clang, static checkers, formatting
#   check-unit        the stub's files and the tools on the host
#   check-payload     the test kernel: each of its checks notices what it is for
#   check-boot        boots in QEMU: every loader, every entry, bad images
#   check-loaders     hand-overs of a test loader, compared with the stock image
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

SUITES := lint unit payload boot loaders kaslr bootparams install sevemu sev hostile fuzz builds stack spoilt

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

clean: ## remove everything built, keep everything fetched
	$(Q)sh tools/build-dir clean $(call quote,$(O))

distclean: ## remove the build directory
	$(Q)sh tools/build-dir distclean $(call quote,$(O))

help: ## print this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p; s/^#   (check-[a-z]+) +/\1\t/p' \
		Makefile tools/*.mk tests/*/rules.mk sevemu/tests/*.mk | \
		awk -F'\t' '{ printf "  make %-17s %s\n", $$1, $$2 }'
	@echo 'Variables, with their defaults in parentheses:'
	@sed -nE 's/^#   ([A-Z ])/  \1/p' Makefile
