# SPDX-License-Identifier: MIT
#
# sevstub.mk - makes bootable images in a kernel's own Makefile, which includes
# this file from where sevstub is installed.
#
#	include /usr/local/lib/sevstub/sevstub.mk
#	all: kernel.img			# from kernel.elf, by the rule below
#
# The including Makefile may set:
#
#	SEVSTUB_CMDLINE	the command line to build into the images, for loaders
#			that pass none (none)
#	SEVSTUB_FLAGS	more options of sevstub-mkimage(1) (none)
#
# This file defines:
#
#	SEVSTUB_VERSION	sevstub's version, e.g. 0.1.0
#	SEVSTUB_MKIMAGE, SEVSTUB_SEVEMU	the programs' paths
#	SEVSTUB_FILES	the files that an image depends on besides its kernel

# MAKEFILE_LIST ends with the makefile that make read last. That is this file
# only as long as this file has included no other.
SEVSTUB_PREFIX := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)

SEVSTUB_VERSION := $(file <$(SEVSTUB_PREFIX)/lib/sevstub/VERSION)
SEVSTUB_MKIMAGE := $(SEVSTUB_PREFIX)/bin/sevstub-mkimage
SEVSTUB_SEVEMU := $(SEVSTUB_PREFIX)/bin/sevemu
SEVSTUB_FILES := $(SEVSTUB_MKIMAGE) $(addprefix $(SEVSTUB_PREFIX)/, \
	bin/mkpayload lib/sevstub/sevstub.a lib/sevstub/linker.ld)

# $(call sevstub_quote,TEXT): TEXT as one word of a shell command, whatever
# characters are in it.
sevstub_quote = '$(subst ','\'',$(1))'

%.img: %.elf $(SEVSTUB_FILES)
	$(SEVSTUB_MKIMAGE) --cmdline $(call sevstub_quote,$(SEVSTUB_CMDLINE)) \
		$(SEVSTUB_FLAGS) -o $@ $<
