# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# peers.sh - the cases of the suite install that run the lines of docs/peers.md, and the
# CI jobs of both pages, as they are written there. suite.sh reads this file, and has the variables $top, $prefix and
# $tmp, and doc_file.

# && and || are the flow of many checks here. suite.sh assigns the variables.
# shellcheck disable=SC2015,SC2154

# peer_tree FILE...: enters a directory that looks like a peer's source tree, with these
# files of the page $page. The results of the peer's build are Debian's kernel and firmware.
page=peers.md
peer_tree()
{
	mkdir -p "$tmp/tree" && cd "$tmp/tree" || return 1
	for file; do
		doc_file "$file" "$page" >../file
		mv ../file "$file"
		[ -s "$file" ] || {
			echo "$page has no $file"
			return 1
		}
	done
	mkdir -p arch/x86/boot Build/OvmfX64/DEBUG_GCC/FV x86
	ln -sf "$O/kernels/cloud/vmlinuz" arch/x86/boot/bzImage
	ln -sf "$O/initramfs.cpio.gz" initramfs.cpio.gz
	ln -sf "$ovmf" Build/OvmfX64/DEBUG_GCC/FV/OVMF.fd
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

# job_commands FILE: the commands of a job for GitHub or GitLab, one a line. GitHub puts a
# value of the matrix into the command, and GitLab into a variable.
job_commands()
{
	# shellcheck disable=SC2016 # GitHub's variable
	sed -nE 's/^(      - run:|    -) //; t command; d
		:command; s/^"(.*)"$/\1/; s/\$\{\{ matrix\.sev \}\}/"$SEV"/; p' "$1"
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
		PATH=$tmp/bin:$prefix/bin:$PATH SEV=off SEVSTUB=here sh -e -c "$command" </dev/null \
			>>"$tmp/log" 2>&1 || {
			tail -n 2 "$tmp/log"
			return 1
		}
	done <commands || return 1
	grep -qx 'bootstrap install PREFIX=/usr/local' "$tmp/called"
}

# The jobs of the documents and of this project can be read as YAML, and each of their commands
# is a text. An unquoted command with a colon and a blank in it would be a mapping.
do_jobs_yaml()
{
	perl -MYAML::XS -e 1 2>/dev/null || {
		skip "$test" "perl's module YAML::XS is not installed"
		exit 0
	}
	mkdir "$tmp/jobs"
	cp .github/workflows/ci.yml .gitlab-ci.yml "$tmp/jobs/"
	awk -v dir="$tmp/jobs/" '
		/^```/ { file = /^```yaml/ ? dir "block" ++blocks ".yml" : "" ; next }
		file != "" { print >file }' docs/*.md
	perl -MYAML::XS=LoadFile -e '
		sub check {
			my ($file, $key, $value) = @_;
			if (ref $value eq "HASH") {
				die "$file: $key: a mapping instead of a command\n"
					if $key =~ /^(before_|after_|)script$/ ||
						$key eq "steps" && ref $value->{run};
				check($file, $_, $value->{$_}) for keys %$value;
			} elsif (ref $value eq "ARRAY") {
				check($file, $key, $_) for @$value;
			}
		}
		for my $file (@ARGV) {
			check($file, "", eval { LoadFile($file) } || die "$file: $@");
		}
		print scalar @ARGV, " jobs\n"' "$tmp"/jobs/.gitlab-ci.yml "$tmp"/jobs/*.yml
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

# same_jobs KIND: the job for GitLab has the commands of the one for GitHub, and gets
# sevstub by git.
same_jobs()
{
	for site in github gitlab; do
		peer_tree "$1-$site.yml" || return 1
		job_commands "$1-$site.yml" >"$site"
	done
	# shellcheck disable=SC2016 # as it stands in the job
	grep -qx 'git clone --depth 1 "$SEVSTUB" sevstub' gitlab || return 1
	for site in github gitlab; do
		grep -vE '^(git clone|apt-get update)' "$site" >"$site.same"
	done
	[ -s github.same ] && diff github.same gitlab.same
}

do_peers_jobs()
{
	same_jobs linux && same_jobs ovmf && page=integration.md && same_jobs script &&
		same_jobs ci
}

# The jobs of integration.md: a script in a kernel of Linux, and another kernel.
do_ci_script_job()
{
	page=integration.md
	peer_tree script-github.yml && printf '#!/bin/sh\necho script: here\n' >test.sh &&
		run_job script-github.yml apt-get git make && grep -q '^script: here' sevemu-run.log
}

do_ci_job()
{
	page=integration.md
	do_example && peer_tree ci-github.yml ci.sh && cp "$tmp/hello/hello.elf" kernel.elf &&
		run_job ci-github.yml apt-get git make && grep -qx 'make kernel.elf' "$tmp/called" &&
		[ -s ci.json ]
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
