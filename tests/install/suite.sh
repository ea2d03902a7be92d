# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite install installs into directories of $O/install and uses what is there as
# a stranger's build system would: from outside of the source tree, and without any
# file of it. It also checks the Debian package's files.
#
# INSTALL_SOAK=1 plays the cases that take minutes instead: the build of the packages,
# GRUB with the entries that the hook makes, and firmware's lines of docs/peers.md.

# && and || are the flow of many checks here.
# shellcheck disable=SC2015

# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/install/package.sh
. tests/install/package.sh
# shellcheck source=tests/install/peers.sh
. tests/install/peers.sh

top=$PWD
case $O in
/*) ;;
*) O=$top/$O ;;
esac
# What prepare() makes: a directory for packages, whose name has a blank, and an
# installation in a prefix.
stage=$O/install/'a stage'
prefix=$O/install/prefix
ovmf=/usr/share/ovmf/OVMF.fd
# By earlyprintk= the stub says at which entry it was reached.
menu_options='console=ttyS0 earlyprintk=ttyS0 no_timer_check panic=-1'

# Names and functions: the case a-b runs do_a_b.
cases()
{
	if [ -n "${INSTALL_SOAK:-}" ]; then
		cat <<-END
			package-build
			hook-menu-grub
			peers-ovmf-job
			peers-ovmf-disk
			peers-linux-snp
			peers-coconut
			peers-kut
		END
		return
	fi
	cat <<-END
		example-check
		example-es
		example-sev
		ci-script
		ci-script-status
		ci-script-panic
		ci-script-kinds
		ci-script-job
		ci-job
		ci-job-fails
		walkthrough
		walkthrough-pie
		example-plain
		example-cmdline
		example
		staged
		no-way-back
		links
		same-image
		install-into-source
		uninstall
		foreign-environment
		versions
		manual
		hook
		hook-cmdline
		hook-keeps
		hook-removes
		hook-refuses
		hook-lenient
		hook-path
		hook-existing
		hook-fresh
		hook-room
		hook-leftovers
		hook-uninstalled
		hook-undone
		hook-menu-systemd
		hook-grub
		hook-plugin
		hook-entries
		jobs-yaml
		peers-linux-job
		peers-jobs
		package-source
		package-files
		package-control
		sevemu-alone
	END
}

prepare()
{
	rm -rf "$O/install"
	mkdir -p "$O/install"
	in_tree install DESTDIR="$stage" PREFIX=/usr
	in_tree install PREFIX="$prefix"
}

# Runs the case in a directory of its own. What the function prints is the reason if it
# fails.
run_case()
{
	tmp=$O/install/$test
	rm -rf "$tmp"
	mkdir -p "$tmp"
	case $test in
	hook*) need run-parts ;;
	esac
	if ("do_$(echo "$test" | tr - _)") >"$tmp/said" 2>&1; then
		pass "$test"
	else
		die "$(grep . "$tmp/said" | tail -n 3 | tr '\n' '/')"
	fi
}

# Runs make as a user would, without the variables of the make that has started this.
fresh_make()
{
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u O make "$@"
}

in_tree()
{
	(cd "$top" && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s O="$O" "$@")
}

# All files are there, with their modes.
do_staged()
{
	for file in bin/mkpayload bin/sevemu bin/sevemu-run bin/sevstub-hook bin/sevstub-mkimage; do
		[ -x "$stage/usr/$file" ] || {
			echo "no $file"
			return 1
		}
	done
	for file in lib/sevstub/sevstub.a lib/sevstub/linker.ld lib/sevstub/VERSION \
		lib/sevstub/sevstub.mk share/sevemu/sevemu.rom share/sevemu/VERSION \
		share/man/man1/mkpayload.1 share/man/man1/sevemu.1 \
		share/man/man1/sevstub-mkimage.1 share/man/man1/sevstub-hook.1 \
		share/doc/sevstub/docs/integration.md; do
		[ -r "$stage/usr/$file" ] && [ ! -x "$stage/usr/$file" ] || {
			echo "no $file, or it is executable"
			return 1
		}
	done
}

# No installed text may have the path of the source tree or of the build directory. A
# path counts only as a whole: /tree is in -I/tree/include, but not in /usr/tree or /tree-2.
do_no_way_back()
{
	for path in "$top" "$O"; do
		! grep -rIE -e "(^|[^A-Za-z0-9._/-])[A-Za-z0-9._-]*$(quoted "$path")(/|[^A-Za-z0-9._-]|\$)" \
			"$stage" || return 1
	done
}

# The links between pages, and to their pictures, lead to installed files. Links to
# tests/ are about the source tree.
do_links()
{
	(cd "$stage/usr/share/doc/sevstub" &&
		for page in *.md docs/*.md; do
			grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' |
				grep -vE '^(https?:|(\.\./)?tests/|\.\./\.clang)' |
				while IFS= read -r link; do
					[ -e "$(dirname "$page")/$link" ] ||
						echo "$page: no $link"
				done
		done) >"$tmp/links"
	cat "$tmp/links"
	[ ! -s "$tmp/links" ]
}

# `make install` refuses the source tree, whose tools would take themselves for installed ones.
do_install_into_source()
{
	in_tree install PREFIX="$top/tests/.." 2>"$tmp/refused" && return 1
	grep -q "PREFIX is the source tree" "$tmp/refused" && [ ! -e "$top/bin" ]
}

# `make uninstall` removes all that was installed, and nothing else.
do_uninstall()
{
	stage=$tmp/'a stage'
	in_tree install DESTDIR="$stage" PREFIX=/usr || return 1
	: >"$stage/usr/bin/other"
	in_tree uninstall DESTDIR="$stage" PREFIX=/usr || return 1
	left=$(cd "$stage" && find . ! -type d)
	[ "$left" = ./usr/bin/other ] || {
		echo "left: $left"
		return 1
	}
	[ ! -e "$stage/usr/lib/sevstub" ] &&
		[ ! -e "$stage/usr/share/doc/sevstub" ]
}

# The installed tools make the same image as those of the source tree, also where
# paths have blanks.
do_same_image()
{
	mkdir "$tmp/a b"
	"$stage/usr/bin/sevstub-mkimage" -o "$tmp/a b/an image" \
		"$O/payload/test.elf" || return 1
	cmp "$tmp/a b/an image" "$O/boot/test.img"
}

# The caller's variables O and CC mean nothing to the installed tools.
do_foreign_environment()
{
	kernel=$O/payload/test.elf
	env O=/nowhere CC='gcc -pipe' "$prefix/bin/sevstub-mkimage" \
		-o "$tmp/foreign.img" "$kernel" &&
		cmp "$tmp/foreign.img" "$O/boot/test.img"
}

# An installed tool prints the version, and so does a Makefile that includes
# sevstub.mk.
do_versions()
{
	version=$(cat "$top/VERSION")
	[ "$("$prefix/bin/mkpayload" --version)" = "mkpayload (sevstub) $version" ] &&
		[ "$("$prefix/bin/sevstub-mkimage" --version)" = \
			"sevstub-mkimage (sevstub) $version" ] &&
		[ "$("$prefix/bin/sevstub-hook" --version)" = \
			"sevstub-hook (sevstub) $version" ] || return 1
	cat >"$tmp/version.mk" <<-END
		include $prefix/lib/sevstub/sevstub.mk
		version: ; @echo "\$(SEVSTUB_VERSION)"
	END
	[ "$(fresh_make -s -f "$tmp/version.mk" version)" = "$version" ]
}

# Every option of a program is in its manual page, and groff, where it is installed,
# has no complaint about the page.
do_manual()
{
	page=$prefix/share/man/man1/sevstub-mkimage.1
	"$prefix/bin/sevstub-mkimage" --help >"$tmp/help" || return 1
	grep -oE -- '(^|[^-a-z])--?[a-z]+' "$tmp/help" | grep -oE -- '-.*' |
		sort -u | while IFS= read -r option; do
		escaped=$(printf '%s' "$option" | sed 's/-/\\\\-/g')
		grep -qE -- "\\.B[IR].*$escaped" "$page" || {
			echo "$option is not in $page"
			return 1
		}
	done || return 1
	if command -v groff >/dev/null; then
		groff -man -Tutf8 -ww -z "$page" 2>"$tmp/groff" || return 1
		[ ! -s "$tmp/groff" ] || {
			cat "$tmp/groff"
			return 1
		}
	fi
}

# Builds the example from its copy in the installed documentation, in $tmp/hello.
do_example()
{
	cp -R "$prefix/share/doc/sevstub/examples/hello-kernel" "$tmp/hello" &&
		cd "$tmp/hello" && fresh_make SEVSTUB="$prefix"
}

# boot_example TARGET REGEX: boots the example, and a line must match.
boot_example()
{
	do_example || return 1
	limited env -u MAKEFLAGS -u MAKELEVEL -u O \
		make -s SEVSTUB="$prefix" "$1" >"$tmp/log" || return 1
	tr -d '\r' <"$tmp/log" | grep -qE "$2" || {
		cat "$tmp/log"
		return 1
	}
}

do_example_plain()
{
	boot_example run '^hello: I am a plain guest with 255 MiB'
}

do_example_es()
{
	boot_example run-es '^hello: I am an SEV-ES guest'
}

do_example_sev()
{
	boot_example run-sev '^hello: I am an SEV guest'
}

do_example_check()
{
	boot_example run-snp '^hello: I am an SEV-SNP guest'
	boot_example check '^hello: booted three times'
}

# A command line with a dollar and quotes goes into the image as it is.
do_example_cmdline()
{
	do_example || return 1
	cd "$tmp/hello" && rm hello.img &&
		fresh_make -s SEVSTUB="$prefix" "SEVSTUB_CMDLINE=a\$\$b \"c\" d'e" &&
		grep -aqF "a\$b \"c\" d'e" hello.img
}

# ---- The commands of docs/integration.md, as they are written there.

# doc_file NAME [PAGE]: the block of code below the comment that names it.
doc_file()
{
	awk -v name="$1" '
	$0 == "<!-- " name " -->" { wanted = 1; next }
	wanted && /^```/ { if (inside) exit; inside = 1; next }
	inside { print }' "$prefix/share/doc/sevstub/docs/${2:-integration.md}"
}

# Writes the page's files into $tmp/own.
write_own()
{
	mkdir "$tmp/own" && cd "$tmp/own" || return 1
	for file in kernel.S build.sh build-pie.sh run.sh ci.sh; do
		doc_file "$file" >"$tmp/file"
		mv "$tmp/file" "$file"
		[ -s "$file" ] || {
			echo "integration.md has no $file"
			return 1
		}
	done
}

# build_and_run SCRIPT ENTRY: ENTRY is a regular expression for the address at which
# the stub enters the kernel.
build_and_run()
{
	write_own || return 1
	PATH=$prefix/bin:$PATH sh "$1" || return 1
	PATH=$prefix/bin:$PATH limited sh run.sh >run.log
	tr -d '\r' <run.log >run.text
	grep -q "^sevstub: entering the payload at $2\$" run.text &&
		grep -q '^own: here I am$' run.text || {
		cat run.text
		return 1
	}
}

do_walkthrough()
{
	build_and_run build.sh 0x2001000 || return 1
	# The lines on the console are those that the document shows.
	sed -n 's/^    \(sevstub: .*\|own: .*\)/\1/p' \
		"$prefix/share/doc/sevstub/docs/integration.md" | head -n 4 >shown
	[ "$(grep -c . shown)" -eq 4 ] && grep -E '^(sevstub|own): ' run.text | diff shown -
}

do_walkthrough_pie()
{
	build_and_run build-pie.sh '0x[0-9a-f]*000'
}

# The job for a Linux kernel: the script sees the kind of guest.
ci_script()
{
	kernel=$top/$O/kernels/cloud/vmlinuz
	case $O in
	/*) kernel=$O/kernels/cloud/vmlinuz ;;
	esac
	cd "$tmp" || return 1
	cat >script <<-'END'
		#!/bin/sh
		dmesg | grep 'Memory Encryption'
		echo "script: with $(cat /extra)"
		exit 7
	END
	echo a-file >extra
	status=0
	"$prefix/bin/sevemu-run" --script script --add extra "$@" "$kernel" \
		>out 2>&1 || status=$?
	tail -n 3 out
}

do_ci_script()
{
	ci_script --sev es --strict --report ci.json && [ "$status" -eq 7 ] &&
		grep -q 'Memory Encryption Features active: AMD SEV SEV-ES' sevemu-run.log &&
		grep -q 'script: with a-file' sevemu-run.log && [ -s ci.json ]
}

# A successful script, behind sevstub.
do_ci_script_status()
{
	kernel=$O/kernels/cloud/vmlinuz
	cd "$tmp" && printf '#!/bin/sh\necho script: here\n' >script &&
		"$prefix/bin/sevemu-run" --repack --script script --log log "$kernel" >out 2>&1 &&
		grep -q '^script: here' log
}

do_ci_script_panic()
{
	ci_script --append rdinit=/nothing
	[ "$status" -eq 125 ] && grep -q "the script did not end: sevemu's status is 16" out
}

do_ci_script_kinds()
{
	ci_script --sev sev && [ "$status" -eq 7 ] &&
		grep -q 'Memory Encryption Features active: AMD SEV.$' sevemu-run.log || return 1
	ci_script --sev off && [ "$status" -eq 7 ] &&
		! grep -q 'Memory Encryption Features active' sevemu-run.log
}

do_ci_job_fails()
{
	do_example && write_own && cp "$tmp/hello/hello.elf" . &&
		! PATH=$prefix/bin:$PATH limited sh ci.sh \
		hello.elf 'hello: I am somebody else' >fails.log 2>&1 &&
		grep -q 'did not say: hello: I am somebody' fails.log
}

# ---- The hook of a distribution's kernels.

# hook KIND [ACTION]: calls the hooks as a kernel's package does. apt's PATH has
# nothing of $prefix.
hook()
{
	PATH=${hook_path:-/usr/sbin:/usr/bin:/sbin:/bin} \
		DEB_MAINT_PARAMS=${2:+"'$2' ''"} run-parts --exit-on-error \
		--arg=1.2.3-test --arg="$root/boot/vmlinuz-1.2.3-test" \
		"$root/etc/kernel/$1.d"
}

# in_root ARGUMENT...: calls sevstub-hook for the system $root. The scripts in that
# system must pass the root on, because they are called outside of it.
in_root()
{
	"$prefix/bin/sevstub-hook" --root "$root" "$@"
}

# Makes $root, a system with the hook and a kernel.
hook_root()
{
	root=$tmp/root
	mkdir -p "$root/boot" "$root/etc/default" "$root/etc/grub.d"
	in_root install || return 1
	for script in "$root"/etc/kernel/*.d/* "$root"/etc/grub.d/*; do
		sed -i "s,^exec \"[^\"]*\",& --root $root," "$script"
	done
	cp "$O/payload/test.elf" "$root/boot/vmlinuz-1.2.3-test"
}

do_hook()
{
	hook_root && hook postinst configure || return 1
	"$prefix/bin/sevstub-mkimage" -o "$tmp/expected.img" \
		"$root/boot/vmlinuz-1.2.3-test" || return 1
	cmp "$root/boot/sevstub-1.2.3-test" "$tmp/expected.img" &&
		cmp "$root/boot/vmlinuz-1.2.3-test" "$O/payload/test.elf"
}

do_hook_cmdline()
{
	hook_root || return 1
	echo "SEVSTUB_CMDLINE='from the hook'" >"$root/etc/default/sevstub"
	hook postinst && grep -aqF 'from the hook' "$root/boot/sevstub-1.2.3-test"
}

do_hook_keeps()
{
	hook_root && hook postinst configure &&
		hook postrm upgrade && [ -e "$root/boot/sevstub-1.2.3-test" ] &&
		hook postinst abort-upgrade && [ -e "$root/boot/sevstub-1.2.3-test" ]
}

do_hook_removes()
{
	hook_root && hook postinst configure &&
		hook postrm remove && [ ! -e "$root/boot/sevstub-1.2.3-test" ] &&
		[ -e "$root/boot/vmlinuz-1.2.3-test" ]
}

# With SEVSTUB_STRICT the hook refuses a bad kernel, and removes the image of the kernel
# that was there before.
do_hook_refuses()
{
	hook_root && hook postinst || return 1
	echo SEVSTUB_STRICT=yes >"$root/etc/default/sevstub"
	echo "not a kernel" >"$root/boot/vmlinuz-1.2.3-test"
	! hook postinst configure && [ ! -e "$root/boot/sevstub-1.2.3-test" ]
}

# no_image WORDS: without SEVSTUB_STRICT the hook says why there is no image, succeeds,
# and leaves nothing behind.
no_image()
{
	hook postinst configure >"$tmp/hook" 2>&1 || {
		echo "status $?"
		return 1
	}
	cat "$tmp/hook"
	grep -qF -e "$1" "$tmp/hook" &&
		grep -qF 'the stock kernel is not affected' "$tmp/hook" &&
		[ "$(ls -A "$root/boot")" = vmlinuz-1.2.3-test ]
}

do_hook_lenient()
{
	hook_root && hook postinst || return 1
	echo "not a kernel" >"$root/boot/vmlinuz-1.2.3-test"
	no_image "no image of $root/boot/vmlinuz-1.2.3-test was made" || return 1
	rm "$root/boot/vmlinuz-1.2.3-test"
	hook postinst configure 2>"$tmp/hook" && grep -qF 'cannot be read' "$tmp/hook" ||
		return 1
	echo SEVSTUB_MKIMAGE=/nowhere >"$root/etc/default/sevstub"
	: >"$root/boot/vmlinuz-1.2.3-test"
	no_image '/nowhere: not found: set SEVSTUB_MKIMAGE in' || return 1
	echo 'SEVSTUB_CMDLINE="' >"$root/etc/default/sevstub"
	: >"$root/boot/sevstub-1.2.3-test"
	no_image 'etc/default/sevstub: is no shell script without errors' || return 1
	# GRUB's menu then has no entries of sevstub, and grub-mkconfig goes on.
	"$root/etc/grub.d/11_sevstub" >"$tmp/grub.cfg" 2>/dev/null && [ ! -s "$tmp/grub.cfg" ] ||
		return 1
	printf '%s\n' SEVSTUB_STRICT=yes if >"$root/etc/default/sevstub"
	! hook postinst configure >"$tmp/hook" 2>&1 && in_root remove && in_root install 2>"$tmp/hook"
	[ $? -eq 2 ] && grep -qF 'is no shell script without errors' "$tmp/hook" || return 1
	: >"$root/etc/default/sevstub"
	hook_root || return 1
	echo "not a kernel" >"$root/boot/vmlinuz-1.2.3-test"
	# These are no mistakes of a shell script.
	# shellcheck disable=SC2016 # the script's variable
	printf '%s\n' 'SEVSTUB_CMDLINE="root=$NOT_SET"' 'SEVSTUB_LEVEL=$(cat /nowhere)' 'false' \
		>"$root/etc/default/sevstub"
	no_image "no image of $root/boot/vmlinuz-1.2.3-test was made" || return 1
	: >"$root/etc/default/sevstub"
	TMPDIR=/nowhere no_image 'no temporary directory can be made in /nowhere' || return 1
	# A directory cannot be removed as an image is.
	mkdir "$root/boot/sevstub-1.2.3-test"
	for occasion in "postinst configure" "postrm remove"; do
		# shellcheck disable=SC2086 # two words
		hook $occasion >"$tmp/hook" 2>&1 &&
			grep -qF 'sevstub-1.2.3-test: cannot be removed' "$tmp/hook" || return 1
	done
}

# The hook finds sevstub-mkimage with apt's PATH, which does not lead to it.
do_hook_path()
{
	if PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v sevstub-mkimage >/dev/null; then
		skip "$test" "this system has sevstub-mkimage of its own in apt's PATH"
		exit 0
	fi
	hook_root && hook postinst configure && [ -s "$root/boot/sevstub-1.2.3-test" ]
}

# Kernels that are there already get an image from `install`.
do_hook_existing()
{
	root=$tmp/root
	mkdir -p "$root/boot"
	for version in 1.0-a 1.0-b; do
		cp "$O/payload/test.elf" "$root/boot/vmlinuz-$version"
	done
	in_root install && [ -s "$root/boot/sevstub-1.0-a" ] &&
		[ -s "$root/boot/sevstub-1.0-b" ]
}

# A fresh system has no /etc/kernel/postrm.d.
do_hook_fresh()
{
	root=$tmp/root
	mkdir -p "$root"
	in_root install && [ -x "$root/etc/kernel/postrm.d/zz-sevstub" ] &&
		[ ! -e "$root/etc/grub.d" ]
}

# Programs that stand in for df and cp: no room, and a copy that stops half way.
do_hook_room()
{
	hook_root && mkdir "$tmp/bin" || return 1
	hook_path=$tmp/bin:/usr/sbin:/usr/bin:/sbin:/bin
	printf '#!/bin/sh\necho Filesystem\necho /dev/x 1000 990 10 99%% /boot\n' >"$tmp/bin/df"
	chmod +x "$tmp/bin/df"
	no_image 'and 10 KiB are free: remove an old kernel' || return 1
	rm "$tmp/bin/df"
	cat >"$tmp/bin/cp" <<-END
		#!/bin/sh
		case \$2 in "$root"/*) echo half >"\$2"; exit 1 ;; esac
		exec /bin/cp "\$@"
	END
	chmod +x "$tmp/bin/cp"
	no_image 'sevstub-1.2.3-test: cannot be written'
}

do_hook_leftovers()
{
	hook_root && : >"$root/boot/sevstub-1.2.3-test.tmp" && hook postrm remove &&
		[ "$(ls -A "$root/boot")" = vmlinuz-1.2.3-test ]
}

# Without the program the scripts do nothing.
do_hook_uninstalled()
{
	hook_root || return 1
	sed -i "s,$prefix/bin,/nowhere," "$root"/etc/kernel/*.d/* "$root"/etc/grub.d/*
	hook postinst configure && hook postrm remove &&
		[ "$(ls -A "$root/boot")" = vmlinuz-1.2.3-test ] &&
		[ -z "$("$root/etc/grub.d/11_sevstub")" ]
}

# `remove` leaves a system as it was before `install`.
do_hook_undone()
{
	hook_root && hook postinst configure && in_root remove || return 1
	left=$(cd "$root" && find . ! -type d)
	[ "$left" = ./boot/vmlinuz-1.2.3-test ] || {
		echo "left: $left"
		return 1
	}
}

# The entry as grub-mkconfig makes it for /boot on a SATA disk: grub-probe knows hints for the
# search of the file system, and GRUB's library prints an if with several lines.
grub_of_disk()
{
	cat >"$tmp/grub-probe" <<-'END'
		#!/bin/sh
		case $* in
		*--target=partmap*) echo gpt ;;
		*--target=fs_uuid*) echo 1234-ABCD ;;
		*--target=fs*) echo ext2 ;;
		*--target=hints_string*) echo --hint-bios=hd0,gpt2 --hint-efi=hd0,gpt2 ;;
		*--target=compatibility_hint*) echo hd0,gpt2 ;;
		esac
	END
	chmod 755 "$tmp/grub-probe"
	env grub_probe="$tmp/grub-probe" GRUB_DEVICE_BOOT=/dev/sda2 GRUB_DEVICE=/dev/sda3 \
		GRUB_DEVICE_UUID=1-2 GRUB_DISABLE_LINUX_UUID=true \
		"$root/etc/grub.d/11_sevstub" >"$tmp/disk.cfg" &&
		grub-script-check "$tmp/disk.cfg" || return 1
	cat "$tmp/disk.cfg"
	grep -q 'search .*--hint-bios=hd0,gpt2 .*1234-ABCD' "$tmp/disk.cfg" &&
		grep -q '^linux .*/boot/sevstub-1.2.3-test root=/dev/sda3 ro' "$tmp/disk.cfg" ||
		return 1
	# Where grub-probe cannot open the disk, for example in a chroot, GRUB's own scripts make
	# their entries all the same, and the kernel's package must not stay half configured.
	printf '#!/bin/sh\necho "grub-probe: cannot open the disk" >&2\nexit 1\n' >"$tmp/grub-probe"
	env grub_probe="$tmp/grub-probe" GRUB_DEVICE_BOOT=/dev/sda2 GRUB_DEVICE=/dev/sda3 \
		GRUB_DEVICE_UUID=1-2 "$root/etc/grub.d/11_sevstub" >"$tmp/disk.cfg" &&
		grep -q '^linux .*/boot/sevstub-1.2.3-test' "$tmp/disk.cfg"
}

# root is a subvolume of btrfs, or a data set of ZFS. GRUB's library and grub-probe are replaced
# by ones that say so.
grub_of_subvolume()
{
	mkdir -p "$tmp/lib"
	# shellcheck disable=SC2016 # the library's variables
	echo 'make_system_path_relative_to_its_root() { echo "$subvolume${1#/}"; }' \
		>"$tmp/lib/grub-mkconfig_lib"
	printf '#!/bin/sh\necho pool\n' >"$tmp/grub-probe"
	for fs in btrfs zfs; do
		subvolume=/@rootfs
		[ "$fs" = btrfs ] || subvolume=/ROOT/debian@
		env GRUB_DEVICE_UUID=1-2 GRUB_CMDLINE_LINUX=quiet pkgdatadir="$tmp/lib" \
			grub_probe="$tmp/grub-probe" subvolume="$subvolume" GRUB_FS="$fs" \
			"$root/etc/grub.d/11_sevstub" >"$tmp/$fs.cfg" || return 1
	done
	# A release comes before its candidate and before the kernel .old that it has replaced, which
	# starts with the same initrd. Without an initrd Linux knows no UUID of a file system.
	for version in 6.2.0-rc3 6.2.0.old 6.2.0; do
		: >"$root/boot/sevstub-$version"
	done
	: >"$root/boot/initrd.img-6.2.0"
	env GRUB_DEVICE=/dev/sda3 GRUB_DEVICE_UUID=1-2 pkgdatadir=/nowhere \
		"$root/etc/grub.d/11_sevstub" >"$tmp/order.cfg" || return 1
	[ "$(sed -n "s/.*--id 'sevstub-6.2.0\(.*\)' {/<\1>/p" "$tmp/order.cfg" | tr '\n' ' ')" = \
		'<> <.old> <-rc3> ' ] &&
		[ "$(grep -c '^initrd /boot/initrd.img-6.2.0$' "$tmp/order.cfg")" -eq 2 ] &&
		grep -q '^linux /boot/sevstub-6.2.0-rc3 root=/dev/sda3 ro' "$tmp/order.cfg" || return 1
	# grub-mkconfig gives the partition's identifier where the administrator has allowed it.
	env GRUB_DEVICE=/dev/sda3 GRUB_DEVICE_UUID=1-2 GRUB_DEVICE_PARTUUID=3-4 \
		GRUB_DISABLE_LINUX_PARTUUID=false pkgdatadir=/nowhere \
		"$root/etc/grub.d/11_sevstub" >"$tmp/partition.cfg" || return 1
	grep -q '^linux /boot/sevstub-6.2.0-rc3 root=PARTUUID=3-4 ro' "$tmp/partition.cfg" || return 1
	rm "$root"/boot/*6.2.0*
	grep -q ' root=UUID=1-2 ro rootflags=subvol=@rootfs quiet' "$tmp/btrfs.cfg" &&
		grep -q ' root=ZFS=pool/ROOT/debian ro quiet' "$tmp/zfs.cfg"
}

# GRUB's menu has an entry for the image, after the stock one, and GRUB can read it.
do_hook_grub()
{
	need grub-script-check
	hook_root && hook postinst configure && : >"$root/boot/initrd.img-1.2.3-test" ||
		return 1
	entries="env GRUB_DEVICE_UUID=1-2 GRUB_CMDLINE_LINUX=quiet pkgdatadir=/nowhere"
	$entries "$root/etc/grub.d/11_sevstub" >"$tmp/grub.cfg" &&
		grub-script-check "$tmp/grub.cfg" || return 1
	cat "$tmp/grub.cfg"
	grep -q "^menuentry 'Linux, with Linux 1.2.3-test behind sevstub' --id 'sevstub-1.2.3-test' {" \
		"$tmp/grub.cfg" &&
		grep -q '^linux /boot/sevstub-1.2.3-test root=UUID=1-2 ro quiet' "$tmp/grub.cfg" &&
		grep -q '^initrd /boot/initrd.img-1.2.3-test' "$tmp/grub.cfg" &&
		! grep -q default "$tmp/grub.cfg" || return 1
	# With GRUB's own library, which reads variables that grub-mkconfig does not set.
	in_root grub 2>"$tmp/by-hand" | grep -q "^menuentry 'Linux, with Linux 1.2.3-test behind" || {
		cat "$tmp/by-hand"
		return 1
	}
	grub_of_disk && grub_of_subvolume || return 1
	echo SEVSTUB_DEFAULT=yes >"$root/etc/default/sevstub"
	$entries "$root/etc/grub.d/11_sevstub" >"$tmp/grub.cfg" &&
		grub-script-check "$tmp/grub.cfg" &&
		grep -q 'set default=sevstub-1.2.3-test' "$tmp/grub.cfg" &&
		grep -qF "if [ -z \"\${boot_once}\" ]; then" "$tmp/grub.cfg" &&
		grep -q '^set fallback=0' "$tmp/grub.cfg"
}

# kernel-install calls the plugin after the one that writes the stock entry.
do_hook_plugin()
{
	need kernel-install
	hook_root || return 1
	mkdir -p "$root/esp/loader/entries" "$root/esp/token/1.2.3-test" "$tmp/conf"
	printf 'layout=bls\nBOOT_ROOT=%s\n' "$root/esp" >"$tmp/conf/install.conf"
	echo token >"$tmp/conf/entry-token"
	echo quiet >"$tmp/conf/cmdline"
	loader=/usr/lib/kernel/install.d/90-loaderentry.install
	[ -e "$loader" ] || {
		skip "$test" "there is no $loader"
		exit 0
	}
	echo SEVSTUB_TRIES=3 >"$root/etc/default/sevstub"
	by_systemd()
	{
		KERNEL_INSTALL_CONF_ROOT=$tmp/conf BOOT_ROOT=$root/esp \
			KERNEL_INSTALL_PLUGINS="$loader $root/etc/kernel/install.d/95-sevstub.install" \
			kernel-install "$@"
	}
	by_systemd add 1.2.3-test "$root/boot/vmlinuz-1.2.3-test" || return 1
	entry=$root/esp/loader/entries/token-1.2.3-test_sevstub+3.conf
	find "$root/esp"
	cat "$entry"
	cmp "$root/esp/token/1.2.3-test/linux" "$root/boot/vmlinuz-1.2.3-test" &&
		[ -s "$root/esp/token/1.2.3-test/sevstub" ] &&
		grep -q '^title .* (sevstub)$' "$entry" &&
		[ "$(sed -n 's,^linux  *,,p' "$entry")" = \
			"$(sed -n 's,^linux  *\(.*\)/linux$,\1/sevstub,p' \
				"$root/esp/loader/entries/token-1.2.3-test.conf")" ] || return 1
	by_systemd remove 1.2.3-test || return 1
	[ -z "$(find "$root/esp" ! -type d)" ] || return 1
	# Only the entry of this version is copied, not that of another one whose name begins so, and
	# none whose name has an empty counter.
	mkdir -p "$root/esp/token/1.2.3-test"
	for other in +deb13 ++3; do
		other=$root/esp/loader/entries/token-1.2.3-test$other.conf
		echo 'title Another' >"$other"
		"$root/etc/kernel/install.d/95-sevstub.install" add 1.2.3-test \
			"$root/esp/token/1.2.3-test" "$root/boot/vmlinuz-1.2.3-test" 2>"$tmp/plugin" &&
			grep -qF "has no entry token-1.2.3-test.conf to copy" "$tmp/plugin" || return 1
		rm "$other"
	done
	# An entry of this name that starts another kernel stays as it is.
	printf '%s\n' 'title Another' 'linux /another/linux' | tee "$tmp/another" >"$entry"
	by_systemd add 1.2.3-test "$root/boot/vmlinuz-1.2.3-test" 2>"$tmp/plugin" &&
		grep -qF "$entry: is the entry of another kernel" "$tmp/plugin" &&
		cmp "$entry" "$tmp/another" && [ ! -e "$root/esp/token/1.2.3-test/sevstub" ] || return 1
	rm "$entry"
	# systemd-boot would take an entry without tries for one that has failed.
	for tries in 0 -1 three; do
		echo "SEVSTUB_TRIES=$tries" >"$root/etc/default/sevstub"
		by_systemd add 1.2.3-test "$root/boot/vmlinuz-1.2.3-test" 2>"$tmp/plugin" &&
			grep -qF 'SEVSTUB_TRIES is no number from 1 on' "$tmp/plugin" &&
			[ -z "$(find "$root/esp" -name '*sevstub*')" ] || return 1
	done
	echo SEVSTUB_TRIES=3 >"$root/etc/default/sevstub"
	# If the entry cannot be written, there is no image either.
	mkdir -p "$root/esp/token/1.2.3-test" "$entry.tmp"
	by_systemd add 1.2.3-test "$root/boot/vmlinuz-1.2.3-test" 2>"$tmp/plugin" &&
		grep -qF "$entry: cannot be written" "$tmp/plugin" &&
		[ ! -e "$entry" ] && [ ! -e "$root/esp/token/1.2.3-test/sevstub" ] &&
		[ -s "$root/esp/token/1.2.3-test/linux" ]
}

# The path that kernel-install writes in front of an image on the partition $1: efi and elsewhere
# are no mount points here.
path_of()
{
	[ "$1" != efi ] || echo /efi
	[ "$1" != elsewhere ] || echo /elsewhere
}

# Entries of systemd-boot that were there before sevstub: `install` adds an entry after
# each, which is not the default, and `remove` leaves what was there.
do_hook_entries()
{
	root=$tmp/root
	# kernel-install's settings can name another boot partition, and so can its environment.
	mkdir -p "$root/etc/kernel/install.conf.d"
	echo 'BOOT_ROOT = "/mnt/the esp/" # a comment' >"$root/etc/kernel/install.conf.d/10-esp.conf"
	for esp in boot/efi efi 'mnt/the esp' elsewhere; do
		path=$(path_of "$esp")
		mkdir -p "$root/$esp/loader/entries" "$root/$esp/token/1.0+deb-a"
		cp "$O/payload/test.elf" "$root/$esp/token/1.0+deb-a/linux"
		printf '%s\n' 'title Test' 'version 1.0+deb-a' 'sort-key test' \
			"linux $path/token/1.0+deb-a/linux" "initrd $path/token/1.0+deb-a/initrd" \
			>"$root/$esp/loader/entries/token-1.0+deb-a.conf"
		printf '%s\n' 'title Shell' 'efi /shell.efi' >"$root/$esp/loader/entries/shell.conf"
		# A stock entry whose name looks like one of sevstub.
		mkdir -p "$root/$esp/vm-sevstub/1.0"
		cp "$O/payload/test.elf" "$root/$esp/vm-sevstub/1.0/linux"
		printf '%s\n' 'title VM' 'version 1.0' "linux $path/vm-sevstub/1.0/linux" \
			>"$root/$esp/loader/entries/vm-sevstub-1.0.conf"
	done
	find "$root" ! -type d | sort >"$tmp/before"
	in_root install || return 1
	for esp in boot/efi efi 'mnt/the esp'; do
		path=$(path_of "$esp")
		entry=$root/$esp/loader/entries/token-1.0+deb-a-sevstub.conf
		cat "$entry"
		[ -s "$root/$esp/token/1.0+deb-a/sevstub" ] &&
			[ -s "$root/$esp/vm-sevstub/1.0/sevstub" ] &&
			grep -qx "linux $path/vm-sevstub/1.0/sevstub" \
				"$root/$esp/loader/entries/vm-sevstub-1.0-sevstub.conf" &&
			grep -qx 'title Test (sevstub)' "$entry" &&
			grep -qx 'sort-key test-sevstub' "$entry" &&
			grep -qx "linux $path/token/1.0+deb-a/sevstub" "$entry" &&
			grep -qx "initrd $path/token/1.0+deb-a/initrd" "$entry" &&
			[ "$(grep -c . "$root/$esp/loader/entries/token-1.0+deb-a.conf")" -eq 5 ] ||
			return 1
	done
	boot=$root/elsewhere
	[ -z "$(find "$boot" -name '*[-_]sevstub.conf')" ] || return 1
	KERNEL_INSTALL_LAYOUT=bls KERNEL_INSTALL_BOOT_ROOT=$boot// KERNEL_INSTALL_ENTRY_TOKEN=token \
		in_root plugin add 1.0+deb-a "$boot/token/1.0+deb-a" "$boot/token/1.0+deb-a/linux" &&
		[ -s "$boot/loader/entries/token-1.0+deb-a-sevstub.conf" ] || return 1
	mkdir -p "$root/etc/default"
	echo SEVSTUB_DEFAULT=yes >"$root/etc/default/sevstub" && in_root install || return 1
	[ -s "$boot/loader/entries/token-1.0+deb-a_sevstub.conf" ] &&
		[ ! -e "$boot/loader/entries/token-1.0+deb-a-sevstub.conf" ] || return 1
	entry=$root/efi/loader/entries/token-1.0+deb-a_sevstub.conf
	grep -qx 'sort-key test' "$entry" &&
		[ ! -e "$root/efi/loader/entries/token-1.0+deb-a-sevstub.conf" ] || return 1
	echo SEVSTUB_DEFAULT=false >"$root/etc/default/sevstub" && in_root install || return 1
	grep -qx 'sort-key test-sevstub' "$root/efi/loader/entries/token-1.0+deb-a-sevstub.conf" &&
		[ ! -e "$entry" ] || return 1
	# `remove` names an entry that it cannot remove, and removes the rest.
	mkdir "$tmp/bin"
	cat >"$tmp/bin/rm" <<-'END'
		#!/bin/sh
		case "$*" in */efi/loader/entries/vm-sevstub-1.0-sevstub.conf) exit 1 ;; esac
		exec /bin/rm "$@"
	END
	chmod +x "$tmp/bin/rm"
	PATH=$tmp/bin:$PATH in_root remove 2>"$tmp/removed" || return 1
	for esp in boot/efi efi; do
		grep -qF "$root/$esp/loader/entries/vm-sevstub-1.0-sevstub.conf: cannot be removed" \
			"$tmp/removed" &&
			[ ! -e "$root/$esp/loader/entries/token-1.0+deb-a-sevstub.conf" ] || return 1
	done
	rm -r "$root/etc/default" && in_root remove || return 1
	find "$root" ! -type d | sort | diff "$tmp/before" -
}

# menu_kernel DIRECTORY: puts Debian's kernel there, as `linux`, with an initramfs.
menu_kernel()
{
	need mcopy mkfs.vfat qemu-system-x86_64
	[ -e "$ovmf" ] || {
		skip "$test" "there is no $ovmf"
		exit 0
	}
	mkdir -p "$1"
	cp "$O/kernels/cloud/vmlinuz" "$1/linux"
	cp "$O/initramfs.cpio.gz" "$1/initrd"
}

# menu_disk DIRECTORY BOOTLOADER: makes the disk $disk, from which EFI firmware starts the
# program BOOTLOADER, and whose other files are those of DIRECTORY.
menu_disk()
{
	disk=$tmp/disk
	mkdir -p "$1/EFI/BOOT"
	cp "$2" "$1/EFI/BOOT/BOOTX64.EFI"
	rm -f "$disk"
	truncate -s 64M "$disk"
	mkfs.vfat "$disk" >"$tmp/mkfs"
	mcopy -s -i "$disk" "$1"/* ::/
}

# menu_boot WHO: starts $disk, which the boot loader can write, and fails if WHO does
# not decompress the kernel: stock, or sevstub, which says so because of earlyprintk=.
menu_boot()
{
	limited qemu-system-x86_64 -accel tcg -nodefaults -no-reboot -display none -m 512M \
		-bios "$ovmf" -drive "if=virtio,format=raw,file=$disk" \
		-serial "file:$tmp/console" </dev/null || return 1
	who=stock
	tr -d '\r' <"$tmp/console" | tr -c '\n\t -~' '?' >"$tmp/text"
	! grep -qE 'sevstub: .* entry, loader type' "$tmp/text" || who=sevstub
	grep -q '^userspace: reached' "$tmp/text" && [ "$who" = "$1" ] || {
		tail -n 5 "$tmp/text"
		echo "$who has booted, and not $1"
		return 1
	}
}

# systemd-boot starts the entry that was made: while it is a default that has tries left,
# and after that the stock entry.
do_hook_menu_systemd()
{
	root=$tmp/root
	menu_kernel "$root/efi/token/1.0-a"
	systemd=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
	[ -e "$systemd" ] || {
		skip "$test" "there is no $systemd"
		exit 0
	}
	mkdir -p "$root/efi/loader/entries" "$root/etc/default"
	printf '%s\n' 'title Test' 'version 1.0-a' 'sort-key test' 'linux /token/1.0-a/linux' \
		'initrd /token/1.0-a/initrd' "options $menu_options" \
		>"$root/efi/loader/entries/token-1.0-a.conf"
	echo 'timeout 0' >"$root/efi/loader/loader.conf"
	in_root install || return 1
	menu_disk "$root/efi" "$systemd"
	menu_boot stock || return 1
	echo SEVSTUB_TRIES=1 >"$root/etc/default/sevstub"
	in_root install || return 1
	menu_disk "$root/efi" "$systemd"
	menu_boot sevstub && menu_boot stock || return 1
	in_root remove || return 1
	menu_disk "$root/efi" "$systemd"
	menu_boot stock
}

# GRUB starts the image as the menu's default, and the stock entry, which is the menu's
# first, if the image cannot be loaded. It also starts the entry that grub-reboot has chosen.
do_hook_menu_grub()
{
	need grub-mkstandalone
	hook_root || return 1
	menu_kernel "$tmp/kernel"
	mv "$tmp/kernel/linux" "$root/boot/vmlinuz-1.2.3-test"
	mv "$tmp/kernel/initrd" "$root/boot/initrd.img-1.2.3-test"
	hook postinst configure || return 1
	menu_grub && menu_boot stock || return 1
	echo SEVSTUB_DEFAULT=yes >"$root/etc/default/sevstub"
	menu_grub && menu_boot sevstub || return 1
	menu_grub stock && menu_boot stock || return 1
	: >"$root/boot/sevstub-1.2.3-test"
	menu_grub && menu_boot stock || return 1
	rm "$root/etc/default/sevstub"
	hook postinst configure || return 1
	menu_grub sevstub-1.2.3-test && menu_boot sevstub
}

# menu_grub [ENTRY]: makes $disk, with a menu that has a stock entry and those of
# sevstub-hook. ENTRY is the next boot's entry, as grub-reboot leaves it to 00_header,
# the first part of Debian's menu.
menu_grub()
{
	{
		echo "set next_entry=${1:-}"
		cat <<-'END'
			if [ "${next_entry}" ]; then
				set default="${next_entry}"
				set next_entry=
				set boot_once=true
			fi
		END
		echo 'search --set=root --file /boot/vmlinuz-1.2.3-test'
		echo 'set timeout=0'
		echo 'menuentry stock {'
		echo "linux /boot/vmlinuz-1.2.3-test $menu_options"
		echo 'initrd /boot/initrd.img-1.2.3-test'
		echo '}'
		env GRUB_CMDLINE_LINUX="$menu_options" pkgdatadir=/nowhere \
			"$root/etc/grub.d/11_sevstub"
	} >"$tmp/grub.cfg" || return 1
	grub-mkstandalone -O x86_64-efi --locales='' --fonts='' --themes='' \
		--modules='part_gpt part_msdos fat linux search_fs_file normal echo' \
		-o "$tmp/grub.efi" "boot/grub/grub.cfg=$tmp/grub.cfg" || return 1
	rm -rf "$tmp/esp"
	mkdir "$tmp/esp"
	cp -r "$root/boot" "$tmp/esp/boot"
	menu_disk "$tmp/esp" "$tmp/grub.efi"
}
