# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# peers.sh - the cases of the suite install that run the lines of docs/peers.md as they
# are written there. suite.sh reads this file, and has the variables $top, $prefix and
# $tmp, and doc_file.

# && and || are the flow of many checks here. suite.sh assigns the variables.
# shellcheck disable=SC2015,SC2154

# peer_tree FILE...: enters a directory that looks like a peer's source tree, with these
# files of the page. The results of the peer's build are Debian's kernel and firmware.
peer_tree()
{
	mkdir "$tmp/tree" && cd "$tmp/tree" || return 1
	for file; do
		doc_file "$file" peers.md >../file
		mv ../file "$file"
		[ -s "$file" ] || {
			echo "peers.md has no $file"
			return 1
		}
	done
	mkdir -p arch/x86/boot Build/OvmfX64/DEBUG_GCC/FV x86
	ln -s "$O/kernels/cloud/vmlinuz" arch/x86/boot/bzImage
	ln -s "$O/initramfs.cpio.gz" initramfs.cpio.gz
	ln -s "$ovmf" Build/OvmfX64/DEBUG_GCC/FV/OVMF.fd
}

# need_ovmf: skips the case and ends it if there is no firmware.
need_ovmf()
{
	[ -e "$ovmf" ] || {
		skip "$test" "there is no $ovmf"
		exit 0
	}
}

# peer FILE: runs a script of the page. Its time limits are those of the page.
peer()
{
	PATH=$prefix/bin:$PATH sh -eu "$1" >"$tmp/log" 2>&1 </dev/null || {
		status=$?
		tail -n 2 "$tmp/log"
		echo "$1: status $status"
		return 1
	}
}

# job_commands FILE: the commands of a job for GitHub or GitLab, one a line.
job_commands()
{
	sed -nE 's/^ +- run: //p; s/^    - ([^u])/\1/p' "$1"
}

# run_job FILE PROGRAM...: runs the job's commands, each in a shell of its own, as GitHub
# does. The PROGRAMs get packages and sources and build them, and are replaced by one that
# writes down how it was called.
run_job()
{
	file=$1
	shift
	mkdir "$tmp/bin"
	cat >"$tmp/bin/record" <<-END
		#!/bin/sh
		echo "\${0##*/} \$*" >>"$tmp/called"
	END
	chmod +x "$tmp/bin/record"
	for program; do
		ln -s record "$tmp/bin/$program"
	done
	mkdir -p scripts sevstub/tools
	printf '%s "$@"\n' "$tmp/bin/record" >scripts/config
	chmod +x scripts/config
	echo 'echo "bootstrap $*" >>'"$tmp/called" >sevstub/tools/bootstrap
	echo 'build() { :; }' >edksetup.sh
	job_commands "$file" >commands
	while IFS= read -r command; do
		echo "$command"
		PATH=$tmp/bin:$prefix/bin:$PATH SEVSTUB=here sh -e -c "$command" </dev/null \
			>>"$tmp/log" 2>&1 || {
			tail -n 2 "$tmp/log"
			return 1
		}
	done <commands || return 1
	grep -qx 'bootstrap install PREFIX=/usr/local' "$tmp/called"
}

do_peers_linux_job()
{
	peer_tree linux.sh linux-github.yml &&
		run_job linux-github.yml apt-get git make && [ -s es.json ] &&
		grep -q '^make -j [0-9]* bzImage$' "$tmp/called" &&
		grep -q 'Memory Encryption Features active: AMD SEV SEV-ES' "$tmp/log"
}

do_peers_ovmf_job()
{
	need_ovmf
	peer_tree ovmf.sh ovmf-github.yml && run_job ovmf-github.yml apt-get git make &&
		[ -s ovmf.json ] && grep -q 'Shell>' "$tmp/log"
}

# The job for GitLab has the commands of the one for GitHub, and gets sevstub by git.
do_peers_jobs()
{
	peer_tree linux-github.yml linux-gitlab.yml ovmf-github.yml ovmf-gitlab.yml || return 1
	for kind in linux ovmf; do
		for site in github gitlab; do
			job_commands "$kind-$site.yml" |
				grep -vE '^(git clone|apt-get update)' >"$site"
			[ -s "$site" ] || {
				echo "no commands in $kind-$site.yml"
				return 1
			}
		done
		diff github gitlab || return 1
	done
	# shellcheck disable=SC2016 # as it stands in the job
	[ "$(grep -c 'git clone --depth 1 "\$SEVSTUB" sevstub' ./*-gitlab.yml | grep -c ':1$')" -eq 2 ]
}

do_peers_linux_snp()
{
	peer_tree linux-snp.sh && peer linux-snp.sh &&
		grep -q '^userspace: .*SEV-SNP' "$tmp/log" && grep -q '"end":"power-off"' snp.json
}

do_peers_ovmf_disk()
{
	need_ovmf
	need mkfs.vfat mmd mcopy
	do_example && peer_tree ovmf-disk.sh && cp "$tmp/hello/hello.img" BOOTX64.EFI &&
		peer ovmf-disk.sh && grep -aq '^hello: I am an SEV-ES guest' "$tmp/log"
}

# Debian 12's kernel knows no SVSM.
do_peers_coconut()
{
	need_files "$O/kernels/trixie/vmlinuz"
	peer_tree coconut.sh && ln -s "$O/kernels/trixie/vmlinuz" bzImage && peer coconut.sh
}

do_peers_kut()
{
	need_ovmf
	need mkfs.vfat mmd mcopy
	[ -r "${KUT:-}/x86/smptest.efi" ] || {
		skip "$test" "KUT names no folder with x86/smptest.efi of kvm-unit-tests"
		exit 0
	}
	peer_tree kut.sh && cp "$KUT/x86/smptest.efi" x86/ && peer kut.sh
}
