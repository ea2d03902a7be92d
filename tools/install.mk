# SPDX-License-Identifier: MIT
#
# install.mk - `make install`, `make uninstall` and `make dist`. Installed files find
# each other by their places below PREFIX. Hence a package's build can install into
# DESTDIR, and the files still work after DESTDIR is stripped from their paths.

PREFIX ?= /usr/local

# $(call files_to,DIRECTORY,MODE,FILES): a word FILE:DESTINATION:MODE for each
# file, with DESTINATION below PREFIX.
files_to = $(foreach file,$(3),$(file):$(1)/$(notdir $(file)):$(2))

SHARED := share/doc/sevstub
# tools/mkimage and tools/hook are installed under other names. U-Boot's tools install a
# program called mkimage.
INSTALLED := \
	tools/mkimage:bin/sevstub-mkimage:755 \
	tools/hook:bin/sevstub-hook:755 \
	$(call files_to,bin,755,$(O)/mkpayload sevemu/sevemu sevemu/sevemu-run) \
	$(call files_to,lib/sevstub,644,$(O)/sevstub.a linker.ld tools/sevstub.mk VERSION) \
	$(call files_to,share/sevemu,644,$(O)/sevemu.rom VERSION) \
	$(call files_to,share/man/man1,644,$(wildcard docs/*.1) sevemu/sevemu.1 sevemu/sevemu-run.1) \
	$(call files_to,$(SHARED),644,README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE) \
	$(call files_to,$(SHARED)/docs,644,$(wildcard docs/*)) \
	$(call files_to,$(SHARED)/examples/hello-kernel,644,examples/hello-kernel/Makefile \
		$(wildcard examples/hello-kernel/*.[chS]))

# $(call part,N,FILE:DESTINATION:MODE): the Nth of the three parts, from 1.
part = $(word $(1),$(subst :, ,$(2)))
# $(call below_prefix,PATH): where PATH is installed, as one word of a shell
# command.
below_prefix = $(call quote,$(DESTDIR)$(PREFIX)/$(1))

define newline


endef

.PHONY: install uninstall
install: $(O)/mkpayload $(O)/sevstub.a $(O)/sevemu.rom ## [DESTDIR=] [PREFIX=]: install stub, mkimage, mkpayload, sevemu, manuals, examples
	$(Q)[ "$$(realpath -m $(call below_prefix,.))" != "$$(realpath .)" ] || { \
		echo "install: PREFIX is the source tree; give another directory" >&2; exit 1; }
	$(foreach entry,$(INSTALLED),$(Q)install -D -m $(call part,3,$(entry)) \
		$(call part,1,$(entry)) $(call below_prefix,$(call part,2,$(entry)))$(newline))

# Removes the directories that only sevstub uses, if they are empty then.
uninstall: ## [DESTDIR=] [PREFIX=]: remove what install put there
	$(foreach entry,$(INSTALLED),$(Q)rm -f $(call below_prefix,$(call part,2,$(entry)))$(newline))
	$(Q)for dir in $(foreach dir,lib/sevstub share/sevemu $(SHARED),$(call below_prefix,$(dir))); do \
		[ ! -d "$$dir" ] || find "$$dir" -depth -type d -empty -delete; \
	done

# The source package has the sources of both decoders, so its build needs no network.
DIST ?= $(O)/dist
.PHONY: dist
dist: | $(ZSTD_SRC)/.stamp $(LZ4_SRC)/.stamp ## [DIST=]: make Debian's source package, with the sources of zstd and lz4
	$(Q)sh tools/dist $(call quote,$(DIST)) $(call quote,$(ZSTD_SRC)) $(call quote,$(LZ4_SRC))
