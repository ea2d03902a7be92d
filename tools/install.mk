# SPDX-License-Identifier: MIT
#
# make install, make uninstall. Everything finds everything else by its place
# below PREFIX, so that DESTDIR is only a place to pack from.

PREFIX ?= /usr/local

# $(call files_to,DIRECTORY,MODE,FILES): FILE:DESTINATION:MODE each.
files_to = $(foreach file,$(3),$(file):$(1)/$(notdir $(file)):$(2))

SHARED := share/doc/sevstub
# U-Boot's mkimage has the short name.
INSTALLED := \
	tools/mkimage:bin/sevstub-mkimage:755 \
	$(call files_to,bin,755,$(O)/mkpayload sevemu/sevemu) \
	$(call files_to,lib/sevstub,644,$(O)/sevstub.a linker.ld tools/sevstub.mk) \
	$(call files_to,share/sevemu,644,$(O)/sevemu.rom) \
	$(call files_to,share/man/man1,644,$(wildcard docs/*.1) sevemu/sevemu.1) \
	$(call files_to,$(SHARED),644,README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE) \
	$(call files_to,$(SHARED)/docs,644,$(wildcard docs/*)) \
	$(call files_to,$(SHARED)/examples/hello-kernel,644,examples/hello-kernel/Makefile \
		$(wildcard examples/hello-kernel/*.[chS])) \
	$(call files_to,$(SHARED)/examples/kernel-hook,755,$(wildcard examples/kernel-hook/*))

# $(call part,N,FILE:DESTINATION:MODE)
part = $(word $(1),$(subst :, ,$(2)))
# A path below PREFIX, as one word for the shell.
below_prefix = $(call quote,$(DESTDIR)$(PREFIX)/$(1))

define newline


endef

.PHONY: install uninstall
install: $(O)/mkpayload $(O)/sevstub.a $(O)/sevemu.rom ## DESTDIR= PREFIX=: stub, mkimage, mkpayload, sevemu, manuals, examples
	$(foreach entry,$(INSTALLED),$(Q)install -D -m $(call part,3,$(entry)) \
		$(call part,1,$(entry)) $(call below_prefix,$(call part,2,$(entry)))$(newline))

# Directories of our own only, and only if nothing else is left in them.
uninstall: ## DESTDIR= PREFIX=: remove what install put there
	$(foreach entry,$(INSTALLED),$(Q)rm -f $(call below_prefix,$(call part,2,$(entry)))$(newline))
	$(Q)for dir in $(foreach dir,lib/sevstub share/sevemu $(SHARED),$(call below_prefix,$(dir))); do \
		[ ! -d "$$dir" ] || find "$$dir" -depth -type d -empty -delete; \
	done
