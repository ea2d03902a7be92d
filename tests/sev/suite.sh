# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite sev boots the stub as an SEV guest on sevemu. Its cases are in
# tests/sev/cases.list; what case X printed is in $O/sev/log/X.*, and the values of
# sevemu's report, a line each, in X.figures.

# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/image.sh
. tests/image.sh
# shellcheck source=tests/sev/budgets.sh
. tests/sev/budgets.sh

list=tests/sev/cases.list
out=$O/sev/log
initrd=$O/initramfs.cpio.gz
features_sev='Memory Encryption Features active: AMD SEV *$'
features_es='Memory Encryption Features active: AMD SEV SEV-ES'
features_snp='Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP'

# ---- One run of sevemu.

# sevemu OPTIONS...: sets $status, and makes $log.console, $log.log and $log.figures.
sevemu() {
	status=0
	rm -f "$log.report"
	SEVEMU_ROM=$O/sevemu.rom sevemu/sevemu --strict --timeout "$hang" \
		--report "$log.report" "$@" \
		>"$log.raw" 2>"$log.log" </dev/null || status=$?
	tr -d '\r' <"$log.raw" >"$log.console"
	rm "$log.raw"
	: >"$log.figures"
	[ ! -s "$log.report" ] || figures "$log.report" >"$log.figures"
}

check_status() {
	[ "$status" -eq "$1" ] ||
		die "status $status, not $1: $(tail -n 1 "$log.log")"
}

# said REGEX: a line of the console or of sevemu's log matches.
said() {
	grep -qaE -e "$1" "$log.console" "$log.log"
}

must_say() {
	said "$1" || die "no line matches: $1"
}

must_not_say() {
	! said "$1" || die "a line matches: $1"
}

# ---- What is known of an image.

# read_image FILE: sets $entry_offset, $link, $align, $relocatable and $bytes
# (decompressed) from the payload's header.
read_image() {
	head=$(payload_header "$1") || die "no payload header in $1"
	relocatable=$(($(number "$1" $((head + 12)) 4) & 2))
	link=$(number "$1" $((head + 16)) 8)
	align=$(number "$1" $((head + 24)) 8)
	entry_offset=$(number "$1" $((head + 32)) 8)
	bytes=$(($(number "$1" $((head + 40)) 8) + $(number "$1" $((head + 56)) 8)))
}

# payload_entry LOAD: the address at which the payload of the image that was read is
# entered, if the image is loaded at LOAD. `-` is the address that sevemu chooses.
payload_entry() {
	start=$link
	[ "$1" = - ] || [ "$relocatable" -eq 0 ] ||
		start=$((($1 + align - 1) / align * align))
	[ "$start" -ge "$link" ] || start=$link
	echo $((start + entry_offset))
}

# ghcb_address NAME: where the moved stub of that image has its GHCB page. The
# image's payload must not be relocatable.
ghcb_address() {
	elf=$O/boot/$1.elf
	printf '0x%x' $((link + $(symbol "$elf" image_init_size) -
		$(symbol "$elf" _end) + $(symbol "$elf" ghcb_page)))
}

# ---- Kinds of cases.

# Checks the figures up to the payload's entry. If the payload's entry has the address
# of the stub's 32-bit entry, sevemu's marker is reached too early. The figures up to
# the first virtual address then stand in, because Linux shares no page before it.
check_entry_figures() {
	at=marker
	[ "$entry" = 64 ] || [ "$load" != - ] || [ "$relocatable" -eq 0 ] ||
		at=kernel_va
	case $sev in
	es)
		check_figures "$log.figures" "$at.to_shared=1 $at.to_private=1"
		[ "$at" = marker ] || return 0
		[ "$console" = talks ] ||
			check_figures "$log.figures" "marker.vmgexit_total<=exits-$entry"
		;;
	*) check_figures "$log.figures" "$at.to_shared=0 $at.vc_total=0 $at.vmgexit_total=0" ;;
	esac
}

# do_matrix IMAGE ENTRY CBIT GHCB SEV RDTSC CONSOLE LOAD
do_matrix() {
	entry=$2 sev=$5 console=$7 load=$8
	options="--mode direct$2 --cbit $3 --ghcb-max $4 --sev $5"
	[ "$6" = native ] || options="$options --rdtsc"
	[ "$8" = - ] || options="$options --load $8"
	append=nokaslr
	[ "$7" = quiet ] || append="$append earlyprintk=ttyS0"
	read_image "$O/boot/$1.img"
	case $1 in
	cloud | generic)
		append="$append console=ttyS0 quiet"
		;;
	*)
		append="$append t.quiet=1 t.sev=$5 $(initrd_fact "$initrd")"
		[ "$5" = off ] || append="$append t.cbit=$3"
		[ "$5" != es ] || append="$append t.ghcb=$(ghcb_address "$1")"
		;;
	esac
	# shellcheck disable=SC2086 # several options
	sevemu $options --marker "$(payload_entry "$load")" \
		--kernel "$O/boot/$1.img" --initrd "$initrd" \
		--append "$append"

	check_status 0
	case $1 in
	cloud | generic)
		must_say 'userspace: reached'
		case $5 in
		es) must_say "$features_es" ;;
		sev) must_say "$features_sev" ;;
		off) must_not_say 'Memory Encryption' ;;
		esac
		;;
	*)
		must_say '^payload: passed$'
		check_figures "$log.figures" end=pass
		;;
	esac
	if [ "$7" = talks ]; then
		must_say '^sevstub: [0-9]+ bytes of payload'
		# The hypervisor reads an SEV-ES guest's console.
		case $5 in
		es) must_say '^sevstub: decompressing and entering the payload$' ;;
		*) must_say '^sevstub: entering the payload at' ;;
		esac
	else
		must_not_say '^sevstub:'
	fi
	check_entry_figures
	pass "$test"
}

# do_kexec NAME CBIT SEV OPTIONS
do_kexec() {
	sevemu --sev "$3" --cbit "$2" --mode direct64 \
		--kernel "$O/boot/cloud.img" --initrd "$O/boot/kexec.img" \
		--append "console=ttyS0 quiet kexec=$4 -- console=ttyS0 quiet earlyprintk=ttyS0"
	check_status 0
	must_say "^kexec: from .*: $4"
	must_say '^sevstub: 64-bit entry, loader type 0xd0'
	must_say 'userspace: reached'
	case $3 in
	es) must_say "$features_es" ;;
	sev) must_say "$features_sev" ;;
	esac
	pass "$test"
}

# do_ovmf IMAGE CBIT CONSOLE
do_ovmf() {
	append="console=ttyS0 quiet"
	expected='userspace: reached'
	case $1 in
	cloud | generic) ;;
	*)
		append="t.sev=es t.cbit=$2 t.entry=1 $(initrd_fact "$initrd")"
		expected='^payload: passed$'
		;;
	esac
	[ "$3" != talks ] || append="$append earlyprintk=ttyS0"
	sevemu --sev es --cbit "$2" --firmware /usr/share/ovmf/OVMF.fd \
		--kernel "$O/boot/$1.img" --initrd "$initrd" \
		--append "$append"
	check_status 0
	must_say "$expected"
	if [ "$3" = talks ]; then
		must_say 'sevstub: EFI entry'
		# KASLR may have chosen the address, and the hypervisor reads the console.
		must_say '^sevstub: decompressing and entering the payload$'
	else
		must_not_say 'sevstub:'
	fi
	case $1 in
	cloud | generic) must_say "$features_es" ;;
	esac
	pass "$test"
}

# do_smp NAME ENTRY OPTIONS
do_smp() {
	# shellcheck disable=SC2086 # several options
	case $2 in
	direct) sevemu --sev es --smp 2 $3 --kernel "$O/boot/cloud.img" --initrd "$initrd" \
		--append "console=ttyS0 quiet earlyprintk=ttyS0 cpus=1" ;;
	ovmf) sevemu --sev es --smp 2 --firmware /usr/share/ovmf/OVMF.fd \
		--kernel "$O/boot/cloud.img" --initrd "$initrd" \
		--append "console=ttyS0 quiet earlyprintk=ttyS0 cpus=1" ;;
	esac
	check_status 0
	must_say '^sevstub: decompressing and entering the payload'
	must_say '^userspace: processors 0-1$'
	pass "$test"
}

# do_snp NAME IMAGE OPTIONS CONSOLE FIGURES: an SNP guest. In the options, %sid is
# Debian unstable's OVMF, and %amdsev the one that checks the hashes of image, initrd and
# command line.
do_snp() {
	options=$(echo "$3" | sed "s,%sid,--firmware $O/ovmf/OVMF.fd,
		s,%amdsev,--firmware $O/ovmf/OVMF.amdsev.fd,")
	case $3 in
	*%sid*) need_files "$O/ovmf/OVMF.fd" ;;
	*%amdsev*) need_files "$O/ovmf/OVMF.amdsev.fd" ;;
	esac
	case $2 in trixie* | sid*) need_files "$O/boot/$2.img" ;; esac
	append="console=ttyS0 quiet"
	expected='userspace: reached'
	case $2 in
	test*)
		append="t.quiet=1 t.sev=snp t.cbit=51 t.handed=any $(initrd_fact "$initrd")"
		expected='^payload: passed$'
		;;
	esac
	[ "$4" = quiet ] || append="$append earlyprintk=ttyS0"
	read_image "$O/boot/$2.img"
	# shellcheck disable=SC2086 # several options
	sevemu --sev snp $options --marker "$(payload_entry -)" \
		--kernel "$O/boot/$2.img" --initrd "$initrd" --append "$append nokaslr"
	check_status 0
	must_say "$expected"
	case $2 in
	test*) ;;
	*) must_say "$features_snp" ;;
	esac
	if [ "$4" = talks ]; then
		must_say '^sevstub: decompressing and entering the payload$'
	else
		must_not_say 'sevstub:'
	fi
	[ "$5" = - ] || check_figures "$log.figures" "$5"
	pass "$test"
}

do_soak_snp() {
	do_snp "$@"
}

# do_snp_disk NAME DISK IMAGE OPTIONS QEMU REGEX: Debian unstable's OVMF starts the image
# from a disk that make-disk makes, as an SNP guest. In QEMU's options, %virtio, %nvme and
# %ahci are the disk on such a controller.
do_snp_disk() {
	need mkfs.vfat mcopy objcopy
	need_files "$O/ovmf/OVMF.fd" "$O/boot/$3.img"
	options=$4
	[ "$4" != - ] || options=
	expected='userspace: reached'
	append='console=ttyS0 quiet earlyprintk=ttyS0'
	[ "$3" != high ] || {
		expected='^payload: passed$'
		append="earlyprintk=ttyS0 t.sev=snp t.cbit=51 t.entry=1 t.handed=any"
		append="$append $(initrd_fact "$initrd")"
	}
	DISK_IMAGE=$O/boot/$3.img DISK_OPTIONS=$append tests/boot/make-disk "$2" "$log.disk"
	drive="-drive if=none,id=d,format=raw,file=$log.disk -device"
	devices=$(echo "$5" | sed "
		s|%virtio|$drive virtio-blk-pci,drive=d,disable-legacy=on,iommu_platform=true,bootindex=0|
		s|%nvme|$drive nvme,drive=d,serial=1,bootindex=0|
		s|%ahci|-device ahci,id=a $drive ide-hd,drive=d,bus=a.0,bootindex=0|")
	# shellcheck disable=SC2086 # several options
	sevemu --sev snp --firmware "$O/ovmf/OVMF.fd" $options -- $devices
	rm "$log.disk"
	check_status 0
	must_say "$expected"
	must_say 'sevstub: EFI entry'
	must_say "$6"
	[ "$3" = high ] || must_say "$features_snp"
	pass "$test"
}

do_soak_snp_disk() {
	do_snp_disk "$@"
}

# do_snp_lied NAME OPTIONS ATTACK STATUS REGEX: the host of an SNP guest lies.
do_snp_lied() {
	options=$2
	[ "$2" != - ] || options=
	# shellcheck disable=SC2086 # several options
	sevemu --sev snp --load 0x1000000 $options --attack "$3" --kernel "$O/boot/test.img" \
		--append "nokaslr t.quiet=1 t.sev=snp t.cbit=51 t.handed=any"
	check_status "$4"
	must_say "$5"
	pass "$test"
}

# do_snp_campaign NAME ENTRY OPTIONS: many runs under a host that attacks, each of
# which must end in an allowed way.
do_snp_campaign() {
	read_image "$O/boot/test.img"
	ghcb=$(ghcb_address test)
	end=$((link + $(number "$O/boot/test.img" $((head + 48)) 8)))
	proof=$((ghcb - $(symbol "$O/boot/test.elf" ghcb_page) +
		$(symbol "$O/boot/test.elf" idt_load_stage2)))
	# The marker is where the 32-bit entry of an image at its preferred address would be.
	load=
	[ "$2" = 32 ] || load="--load 0x1000000"
	# shellcheck disable=SC2086 # several options
	sevemu --sev snp --timeout $((10 * hang)) $load --mode "direct$2" --marker "$link" \
		--watch "$link-$end,$((ghcb)),$proof" --kernel "$O/boot/test.img" \
		--append "nokaslr t.quiet=1 t.sev=snp t.cbit=51 t.handed=any" $3
	check_status 0
	must_say '^sevemu: all [0-9]+ runs ended in an allowed way'
	must_say '^sevemu: ends .* terminated-'
	pass "$test" "$(sed -n 's/^sevemu: ends runs=\([0-9]*\) .*/\1 runs/p' "$log.log")"
}

do_soak_snp_campaign() {
	do_snp_campaign "$@"
}

# do_la57 IMAGE ENTRY CBIT SEV NO5LVL
do_la57() {
	on=1 no5lvl=
	options="--la57 --cbit $3 --sev $4"
	case $2 in
	ovmf) options="$options --firmware /usr/share/ovmf/OVMF.fd" ;;
	*) options="$options --mode direct$2" ;;
	esac
	append="nokaslr console=ttyS0 quiet t.sev=$4 $(initrd_fact "$initrd")"
	[ "$4" = off ] || append="$append t.cbit=$3"
	[ "$5" = - ] || {
		on=0 no5lvl=-$5
		append="$append $5"
	}
	# noapic: docs/emulator.md, "What it cannot show".
	[ "$1" != cloud ] || append="$append noapic"
	read_image "$O/boot/$1.img"
	# shellcheck disable=SC2086 # several options
	sevemu $options --marker "$(payload_entry -)" \
		--kernel "$O/boot/$1.img" --initrd "$initrd" \
		--append "$append t.la57=$on"

	check_status 0
	case $1-$on in
	cloud-1) must_say '^userspace: la57' ;;
	cloud-0)
		must_say '^userspace:'
		must_not_say '^userspace: la57'
		;;
	*) must_say '^payload: passed$' ;;
	esac
	case $2-$4 in
	64-es | 32-es)
		# See check_entry_figures for the 32-bit entry of Linux.
		[ "$1-$2" = cloud-32 ] || check_figures "$log.figures" \
			"marker.vmgexit_total<=exits-$2$no5lvl marker.to_shared=1"
		;;
	esac
	pass "$test"
}

# do_lied NAME ENTRY SEV ATTACK REGEX: sevemu plays the attack, run by run. It has to
# know where the payload, the GHCB and the end of the C-bit's proof are.
do_lied() {
	read_image "$O/boot/test.img"
	ghcb=$(ghcb_address test)
	end=$((link + $(number "$O/boot/test.img" $((head + 48)) 8)))
	proof=$((ghcb - $(symbol "$O/boot/test.elf" ghcb_page) +
		$(symbol "$O/boot/test.elf" idt_load_stage2)))
	append="nokaslr t.quiet=1 t.sev=$3 t.cbit=51"
	[ "$3" = sev ] || append="$append t.ghcb=$ghcb"
	sevemu --mode "direct$2" --sev "$3" --attack "$4" --marker "$link" \
		--watch "$link-$end,$((ghcb)),$proof" --kernel "$O/boot/test.img" \
		--append "$append"
	check_status 0
	must_say "$5"
	pass "$test"
}

# do_stop NAME IMAGE OPTIONS STATUS REGEX
do_stop() {
	# shellcheck disable=SC2086 # several options
	sevemu $3 --kernel "$O/boot/$2.img" --append quiet
	check_status "$4"
	must_say "$5"
	must_not_say '^payload:'
	pass "$test"
}

# do_test NAME OPTIONS CMDLINE REGEX
do_test() {
	# shellcheck disable=SC2086 # several options
	sevemu $2 --kernel "$O/boot/test.img" --append "t.quiet=1 $3"
	check_status 1
	must_say "^payload: FAIL $4"
	others=$(grep -a '^payload: FAIL' "$log.console" |
		grep -cvE "^payload: FAIL $4" || :)
	[ "$others" -eq 0 ] || die "the kernel reports another failure, see $log.console"
	pass "$test"
}

# sevemu_nae OPTIONS CMDLINE: runs the NAE self-test with the devices that it needs.
sevemu_nae() {
	rm -f "$log.debugcon"
	# shellcheck disable=SC2086 # several options
	sevemu $1 --kernel "$O/sev/nae.img" --append "console=ttyS0 $2" -- \
		-device bochs-display \
		-chardev "file,path=$log.debugcon,id=nae" \
		-device isa-debugcon,iobase=0x402,chardev=nae
}

# What the self-test's case rep-outsb-many writes: 5000 bytes of a pattern, twice.
debugcon_pattern() {
	awk 'BEGIN {
		for (pass = 0; pass < 2; pass++)
			for (i = 0; i < 5000; i++)
				printf "%c", 32 + i % 95
	}'
}

# do_nae NAME OPTIONS MAY-SKIP GP: the self-test's result lines become ours. A case that
# was skipped for another reason fails, and so does one without an exit in an SEV-ES
# guest.
do_nae() {
	sevemu_nae "$2" ''
	awk -v name="$1" -v may="$3" -v es="$(figure "$log.figures" sev)" '
	BEGIN { words = split(may, word, " ") }
	function expected(    i) {
		for (i = 1; i <= words; i++)
			if (index($0, word[i]))
				return 1
		return 0
	}
	!/^(PASS|FAIL|SKIP) nae\// { next }
	{ sub("nae/", "sev/" name ".") }
	/^SKIP/ && !expected() { sub(/^SKIP/, "FAIL") }
	/^SKIP/ { next }
	/^PASS/ && / 0 exits$/ && es == "es" {
		sub(/^PASS/, "FAIL")
	}
	/^PASS/ && es != "es" { sub(/:.*/, "") }
	{ print }' "$log.console" >"$log.results"
	cat "$log.results"
	must_say '^PASS nae/'
	[ "$4" = - ] || must_say "^nae: #GP of RDPMC $4"
	[ "$(tail -n 1 "$log.console")" = "nae: done" ] ||
		die "ends early, status $status: $(tail -n 1 "$log.log")"
	debugcon_pattern | cmp -s - "$log.debugcon" ||
		die "what rep-outsb-many wrote did not arrive"
	! grep -q '^FAIL' "$log.results" || exit 1
	check_status 0
	pass "$test"
}

# do_end CASE OPTIONS STATUS REGEX REPORT
do_end() {
	sevemu_nae "$2" "nae=$1"
	check_status "$3"
	must_say "$4"
	must_not_say '^nae: survived'
	check_figures "$log.figures" "$5"
	pass "$test"
}

# listed COLUMN: the steps of docs/requirements.md that have a place in that column, in
# their order.
listed() {
	# shellcheck disable=SC2016 # the backquotes are the document's
	sed -nE 's/^\| `([^`]*)` \| ([0-9-]+) \| ([0-9-]+) \| [^|]+ \|$/\2\t\3\t\1/p' \
		docs/requirements.md | awk -F '\t' -v column="$1" \
		'$column != "-" { print $column "\t" $3 }' | sort -n | cut -f 2
}

# listed_values: NAME VALUE, a line each, of the tables of docs/requirements.md whose
# second column is a number. A row may have several names and as many values.
listed_values() {
	# shellcheck disable=SC2016 # the backquotes are the document's
	sed -nE 's/^\| (`[a-z0-9_` ]+) \| ([0-9a-fx ]+) \| [^|]+ \|$/\1|\2/p' \
		docs/requirements.md | tr -d '`' | awk -F '|' '{
			names = split($1, name, " ")
			split($2, value, " ")
			for (i = 1; i <= names; i++)
				print name[i], value[i]
		}'
}

# steps_of TRACE GHCB: the guest's steps up to the marker in the words of
# docs/requirements.md. A step that has no words is printed as the trace has it.
steps_of() {
	awk -v ghcb="$2" '
	$1 == "marker" { exit }
	$1 == "answer" || $1 == "reply" || ($1 == "raise" && $2 == 29) { next }
	$1 == "vc" && $2 == "0x72" { print "vc cpuid"; next }
	$1 == "vmgexit" && $2 == "msr" && $3 ~ /004$/ {
		value = substr("0000000000000000" substr($3, 3), length($3) - 1)
		register = index("048c", substr(value, 9, 1))
		print "msr cpuid 0x" substr(value, 1, 8), \
			substr("eaxebxecxedx", 3 * register - 2, 3)
		next
	}
	$1 == "vmgexit" && $2 == "msr" && $3 == "0x2" { print "msr sev-info"; next }
	$1 == "frame" && $2 == ghcb { print "page", $3; next }
	$1 == "note" && / walked / { print "walk without C-bit"; next }
	{ print }' "$1"
}

# Checks that the report of a boot has what the list has, in both directions.
check_report() {
	count() {
		grep -c "^$1" "$log.listed" || :
	}
	grep '^marker\.' "$log.figures" | grep -vE '^marker\.(exits|.*instructions|state\..*)=' |
		sed 's/^marker\.//' | while IFS='=' read -r key value; do
		case $key in
		vc_total | vc.cpuid) want=$(count 'vc ') ;;
		vmgexit_total) want=$(count 'msr ') ;;
		vmgexit_msr.cpuid) want=$(count 'msr cpuid ') ;;
		vmgexit_msr.sev-info) want=$(count 'msr sev-info') ;;
		to_shared) want=$(count 'page shared') ;;
		to_private) want=$(count 'page private') ;;
		private_by_rule) want=$(count 'walk ') ;;
		*) want=0 ;;
		esac
		[ "${value:-0}" = "$want" ] ||
			die "report: marker.$key is '$value', and the list has $want"
	done || exit 1
	listed_values | grep -v '^e820 ' >"$log.values"
	sed -n 's/^marker\.state\.\([^=]*\)=/\1 /p' "$log.figures" |
		while read -r name value; do
			[ "$name" != rflags ] || value=$(printf '0x%x' $((value & 0x600)))
			echo "$name $value"
		done >"$log.state"
	sort -o "$log.values" "$log.values"
	sort "$log.state" | comm -3 - "$log.values" >"$log.wrong"
	[ ! -s "$log.wrong" ] || die "registers: $(head -n 1 "$log.wrong")"
}

# boot_in MIB IMAGE: boots the image in a guest that has this much RAM. sevemu takes
# 32 MiB of the machine's memory.
boot_in() {
	sevemu --sev es --load 0x900000 --kernel "$2" \
		--append "nokaslr t.quiet=1 t.sev=es t.cbit=51" -- -m $((32 + $1))M
}

# RAM that ends with the 2 MiB in which the runtime range ends suffices; 2 MiB less do
# not. sevemu cannot give a guest RAM that ends elsewhere.
do_memory() {
	image=$O/boot/$2.img
	read_image "$image"
	init_size=$(number "$image" $((0x260)) 4)
	"$O/mkpayload" --report "$image" >"$log.mkpayload"
	grep -q "^memory: $init_size bytes (init_size)" "$log.mkpayload" ||
		die "mkpayload --report does not print init_size $init_size"
	mib=$(((link + init_size + 0x1fffff) >> 21 << 1))
	boot_in "$mib" "$image"
	check_status 0
	must_say '^payload: passed$'
	boot_in $((mib - 2)) "$image"
	check_status 10
	must_say "set 2 \\(sevstub\\), code $(listed_values | sed -n 's/^e820 //p') "
	pass "$test"
}

# do_requirements NAME IMAGE ENTRY LOAD
do_requirements() {
	read_image "$O/boot/$2.img"
	# shellcheck disable=SC2046 # two words or none
	sevemu --sev es --mode "direct$3" --marker "$(payload_entry "$4")" \
		$([ "$4" = - ] || echo "--load $4") --trace "$log.trace" \
		--kernel "$O/boot/$2.img" --append "nokaslr t.quiet=1 t.sev=es t.cbit=51"
	check_status 0
	listed $(($3 == 64 ? 1 : 2)) >"$log.listed"
	steps_of "$log.trace" "$(ghcb_address "$2")" >"$log.steps"
	diff "$log.listed" "$log.steps" >"$log.diff" ||
		die "docs/requirements.md (<) and the boot (>) differ: $(sed -n 2p "$log.diff")"
	[ -s "$log.steps" ] || die "the boot has no steps"
	check_report
	pass "$test"
}

# The matrix of Debian's kernels is pairwise: for any two columns, each value of one
# has a boot with each value of the second.
do_pairs() {
	missing=$(expand | awk -F '\t' '
	$1 == "matrix" && $3 ~ /^(cloud|generic)$/ {
		for (i = 3; i <= NF; i++) {
			values[i, $i]
			for (j = i + 1; j <= NF; j++)
				met[i, $i, j, $j]
		}
	}
	END {
		for (a in values)
			for (b in values) {
				split(a, x, SUBSEP)
				split(b, y, SUBSEP)
				if (x[1] < y[1] && !((a, b) in met)) {
					print x[2] " and " y[2]
					exit
				}
			}
	}')
	[ -z "$missing" ] || die "no boot has both $missing"
	pass "$test"
}

# ---- All cases.

# Prints a line for each case, with a tab between: the section of the list, the
# case's name, and the columns. The columns of a matrix are multiplied out.
expand() {
	rows "$list" | awk -F '\t' '
	function multiply(column, name, row,    values, n, i, label) {
		if (column > NF) {
			print $1 "\t" name row
			return
		}
		n = split($column, values, / +/)
		for (i = 1; i <= n; i++) {
			label = values[i]
			if (column == 4)
				label = "c" label
			if (column == 5 && $1 == "matrix")
				label = "v" label
			multiply(column + 1, label == "-" ? name : name "-" label,
				 row "\t" values[i])
		}
	}
	function label(options) {
		gsub(/--sev es|--test-hooks/, "", options)
		gsub(/[^a-z0-9]+/, "-", options)
		sub(/-$/, "", options)
		return options
	}
	$1 == "matrix" || $1 == "la57" { multiply(2, $1, ""); next }
	{
		row = ""
		for (i = 2; i <= NF; i++)
			row = row "\t" $i
		name = $2
		if ($1 == "end")
			name = "end-" $2 label($3)
		if ($1 == "lied")
			name = $1 "-" $2
		if ($1 == "ovmf")
			name = "ovmf-" $2 "-c" $3 ($4 == "-" ? "" : "-" $4)
		if ($1 == "budget" || $1 == "test" || $1 == "stop" || $1 ~ /snp/)
			name = $1 "-" $2
		if ($1 == "requirements" || $1 == "memory")
			name = "requirements-" $2
		print $1 "\t" name row
	}'
	printf 'pairs\tmatrix-pairs\n'
	printf 'size\tbudget-size\n'
	printf 'bytes\tbudget-bytes\n'
	printf 'ledger\tbudget-ledger\n'
}

# The longest first, roughly: firmware, then Debian's kernels.
cases()
{
	# With SEV_SOAK set, only the cases that take long.
	expand | awk -F '\t' -v soak="${SEV_SOAK:-}" \
		'($1 ~ /^soak/) == (soak != "") { print $2 }' | awk '{
		print ($0 ~ /ovmf/ ? 1 : $0 ~ /cloud|generic|trixie|sid|nae|kexec/ ? 2 : 3) "\t" $0
	}' | sort -s -n -k 1,1 | cut -f 2
}

prepare()
{
	mkdir -p "$out"
}

# Calls the function do_SECTION with the row's columns. A - in the section's name is a _ there.
run_case()
{
	log=$out/$test
	row=$(expand | awk -F '\t' -v name="$test" '$2 == name')
	kind=${row%%"$tab"*}
	saved=$IFS
	IFS=$tab
	set -f
	# shellcheck disable=SC2086 # values between tabs
	set -- $row
	IFS=$saved
	set +f
	shift 2
	"do_$(echo "$kind" | tr - _)" "$@"
}
