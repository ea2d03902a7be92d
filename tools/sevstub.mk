# SPDX-License-Identifier: MIT
#
# sevstub.mk - for the Makefile of a kernel: include it from where sevstub is
# installed, and it makes bootable images.
#
#	include /usr/local/lib/sevstub/sevstub.mk
#	all: kernel.img			# from kernel.elf, by the rule below
#
# SEVSTUB_CMDLINE is built into the images, for loaders that pass no command
# line; SEVSTUB_FLAGS are more options of sevstub-mkimage(1). What else it defines:
#
#	SEVSTUB_MKIMAGE, SEVSTUB_SEVEMU	the programs
#	SEVSTUB_FILES			what an image is made of besides its kernel

# Before any other include: the last makefile read is this one.
SEVSTUB_PREFIX := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)

SEVSTUB_MKIMAGE := $(SEVSTUB_PREFIX)/bin/sevstub-mkimage
SEVSTUB_SEVEMU := $(SEVSTUB_PREFIX)/bin/sevemu
SEVSTUB_FILES := $(SEVSTUB_MKIMAGE) $(addprefix $(SEVSTUB_PREFIX)/, \
	bin/mkpayload lib/sevstub/sevstub.a lib/sevstub/linker.ld)

# As written, and one word for the shell whatever is in it.
sevstub_quote = '$(subst ','\'',$(1))'

%.img: %.elf $(SEVSTUB_FILES)
	$(SEVSTUB_MKIMAGE) --cmdline $(call sevstub_quote,$(SEVSTUB_CMDLINE)) \
		$(SEVSTUB_FLAGS) -o $@ $<
