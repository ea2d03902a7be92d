# SPDX-License-Identifier: MIT
#
# `make soak` also builds and tests the tree on other releases of Debian.

.PHONY: soak-systems
soak-systems: ## build and test in chroots of Debian 12, 13 and unstable; root and debootstrap
	$(Q)O=$(O) tests/systems/run

soak: soak-systems
