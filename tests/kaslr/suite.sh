# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite kaslr boots payloads that may lie anywhere, again and again. Its cases
# are in tests/kaslr/cases.list; the console of case X is $O/kaslr/X.log.
#
# The relocatable test kernel undoes the relocation of its own bytes and compares
# them with what was linked, and it checks all that it is handed. It resets the
# machine until it has been booted as often as t.boots= says.

# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/image.sh
. tests/image.sh

list=tests/kaslr/cases.list
out=$O/kaslr
facts='t.addr=any t.virt=any t.wiped=1'
moves=$O/boot/moves.img
cloud=$O/boot/cloud.img
initrd=$O/initramfs.cpio.gz
ovmf=/usr/share/ovmf/OVMF.fd

cases()
{
	rows "$list" case | cut -f 1
}

prepare()
{
	mkdir -p "$out"
}

run_case()
{
	log=$out/$test.log
	rm -f "$log"*
	eval "$(row "$list" case "$test" | cut -f 2)"
}

# qemu STATUS ARGUMENT...: one machine, which boots $boots times. Its console goes to
# $log; the case fails if QEMU ends with another status. A machine that boots again and
# again counts as hung only after HANG for each ten boots.
boots=1
qemu() {
	want=$1
	shift
	status=0
	timeout --foreground -k 5 $((hang * (1 + boots / 10))) \
		qemu-system-x86_64 -accel tcg -nodefaults -display none \
		-serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 \
		"$@" >"$log" 2>"$log.stderr" </dev/null || status=$?
	# Firmware moves the cursor with bytes that are not text.
	tr -d '\r' <"$log" | tr -c '\n\t -~' '?' >"$log.text"
	mv "$log.text" "$log"
	[ "$status" -eq "$want" ] ||
		die "status $status, not $want: $(tail -n 1 "$log")"
}

# values NAME: the values of that fact in the log, one a line, sorted, each once.
values() {
	sed -n "s/.*payload: self: $1 \(0x[0-9a-f]*\).*/\1/p" "$log" | sort -u
}

count() {
	grep -c . || :
}

# check_boots BOOTS LEAST: the log has BOOTS boots, at no fewer than LEAST physical
# and LEAST virtual addresses.
check_boots() {
	boots=$(grep -c 'payload: self: at' "$log" || :)
	[ "$boots" -eq "$1" ] || die "$boots boots, not $1"
	! grep -q 'payload: FAIL' "$log" ||
		die "$(grep -m 1 'payload: FAIL' "$log")"
	places=$(values at | count)
	moved=$(values 'moved by' | count)
	[ "$places" -ge "$2" ] || die "$boots boots, $places places"
	[ "$moved" -ge "$2" ] || die "$boots boots, $moved virtual addresses"
}

# check_both_sides ADDRESS: counts the places in $above and $below.
check_both_sides() {
	above=0
	below=0
	for at in $(values at); do
		if [ $((at)) -ge $(($1)) ]; then
			above=$((above + 1))
		else
			below=$((below + 1))
		fi
	done
}

# ---- The test kernel, plain.

# do_plain MEMORY BOOTS ARGUMENT...: places above 4 GiB, and below it in 50 boots or
# more. In a machine of 64 GiB only a twentieth of the places is below.
do_plain() {
	memory=$1 boots=$2
	shift 2
	case $* in
	*reserve=off*) need_overcommit ;;
	esac
	qemu 33 -m "$memory" -cpu max -kernel "$moves" \
		-append "$facts t.boots=$boots t.entry=16 t.mem=$memory" "$@"
	check_boots "$boots" $((boots / 2))
	check_both_sides 0x100000000
	if [ "$above" -eq 0 ] || [ $((below + 50)) -le "$boots" ]; then
		die "$above above 4 GiB, $below below"
	fi
	pass "$test" "$boots boots, $places places, $above of them above 4 GiB"
}

# do_efi BOOTS: the firmware allocates the place.
do_efi() {
	boots=$1
	qemu 33 -m 5G -bios "$ovmf" -kernel "$moves" \
		-append "$facts t.boots=$1 t.entry=1"
	check_boots "$1" 2
	pass "$test" "$1 boots, $places places"
}

# short BOOTS CMDLINE ARGUMENT...: boots a kernel with 32-bit addresses, whose places must all be
# below 2 GiB. A kernel that is not relocated does not end QEMU.
short() {
	left=$1 append=$2
	shift 2
	while [ "$left" -gt 0 ]; do
		qemu 33 -m 5G -kernel "$out/short.img" -append "earlyprintk=ttyS0 $append" "$@"
		at=$(sed -n 's/^sevstub: entering the payload at //p' "$log")
		grep -q '^short: relocated' "$log" || die "at $at: $(tail -n 1 "$log")"
		[ "$((at))" -lt $((0x80000000)) ] || die "at $at"
		echo "$at" >>"$log.places"
		left=$((left - 1))
	done
}

# Three fifths of the memory are above 2 GiB. With nokaslr OVMF uses the link address itself.
do_short() {
	"$O/mkpayload" --report "$out/short.img" >"$log.report"
	grep -q '^memory: .* at or above 0x1000000, ending at or below 0x7ffff000$' "$log.report" ||
		die "$(grep '^memory' "$log.report")"
	short 8 ''
	short 4 '' -bios "$ovmf"
	places=$(sort -u "$log.places" | count)
	[ "$places" -ge 6 ] || die "12 boots, $places places"
	short 1 nokaslr
	short 1 nokaslr -bios "$ovmf"
	# All RAM below 2 GiB is reserved but the place whose end has the address 2^31, which a
	# signed number of 32 bits cannot hold.
	end=0x$(nm "$out/short.elf" | sed -n 's/ . stack_top$//p')
	short 1 "memmap=$((0x80000000 - (end - 0x1000000)))\$0"
	pass "$test" "12 boots, $places places"
}

# do_options OPTIONS LOW HIGH ARGUMENT...: the kernel options leave only the memory
# from LOW to HIGH, and each place must be in it.
do_options() {
	options=$1 low=$2 high=$3
	boots=20
	shift 3
	qemu 33 -m 5G -cpu max -kernel "$moves" \
		-append "$facts t.boots=20 t.entry=16 $options" "$@"
	check_boots 20 5
	for at in $(values at); do
		if [ $((at)) -lt $((low)) ] || [ $((at)) -ge $((high)) ]; then
			die "$at is not in $low-$high"
		fi
	done
	pass "$test"
}

# do_srat OPTIONS LOW HIGH: the same with an SRAT of two memory ranges of 256 MiB, of
# which the second one may be unplugged. The table's body is 12 reserved bytes, and
# for each range type, length, domain, base, size and flags.
do_srat() {
	{
		printf '%012d' 0 | tr 0 '\0'
		printf '\1\50\0\0\0\0\0\0\0\0\0\20\0\0\0\0\0\0\0\20\0\0\0\0'
		printf '\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0'
		printf '\1\50\0\0\0\0\0\0\0\0\0\40\0\0\0\0\0\0\0\20\0\0\0\0'
		printf '\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0'
	} >"$log.srat"
	do_options "$1" "$2" "$3" -acpitable "sig=SRAT,data=$log.srat"
}

# do_loader LOADER-OPTIONS KERNEL-OPTIONS: the test loader uses other entries, and
# puts things above 4 GiB.
do_loader() {
	boots=10
	qemu 33 -m 5G -cpu max -kernel "$O/payload/loader.bin" \
		-initrd "$initrd" \
		-device "loader,file=$moves,addr=0x8000000,force-raw=on" \
		-append "$1 -- $facts t.boots=10 $2 $(initrd_fact "$initrd")"
	check_boots 10 5
	pass "$test"
}

# do_handover SCRATCH SIZE LOW HIGH DIFFERENT: kexec hands memory over (KHO) with one
# scratch area. The payload must always lie in LOW-HIGH, at so many different addresses
# or more. The node of setup_data is at 0x98000, its device tree at 0x99000, and the
# list of scratch areas at 0x9a000.
do_handover() {
	boots=20
	set -- "$@" "zp=0x250,8,0x98000 setup_data=0"
	for poke in 0x98000,8,0 0x98008,4,10 0x9800c,4,32 0x98010,8,0x99000 \
		0x98018,8,0x100 0x98020,8,0x9a000 0x98028,8,16 \
		"0x9a000,8,$1" "0x9a008,8,$2"; do
		set -- "$1" "$2" "$3" "$4" "$5" "$6 poke=$poke"
	done
	qemu 33 -m 5G -cpu max -kernel "$O/payload/loader.bin" \
		-device "loader,file=$moves,addr=0x8000000,force-raw=on" \
		-append "entry=64 $6 -- $facts t.boots=20 t.entry=64 t.setup_data=1"
	for at in $(values at); do
		if [ $((at)) -lt $(($3)) ] || [ $((at)) -ge $(($4)) ]; then
			die "$at is not in $3-$4"
		fi
	done
	[ "$(values at | wc -l)" -ge "$5" ] ||
		die "only $(values at | wc -l) addresses, not $5"
	pass "$test"
}

# do_stays MEMORY OPTIONS: with nokaslr, or without another place, the payload runs
# where it was linked.
do_stays() {
	qemu 33 -m "$1" -kernel "$moves" -append "t.entry=16 $2"
	pass "$test"
}

# ---- The test kernel on sevemu.

# sevemu ENTRY CMDLINE: one boot of the SEV guest $kind with the options $guest, whose
# console is appended to $log.
kind=es guest=
sevemu() {
	status=0
	# shellcheck disable=SC2086 # several options
	SEVEMU_ROM=$O/sevemu.rom sevemu/sevemu --strict --timeout "$hang" --sev "$kind" \
		$guest --report "$log.report" --mode "direct$1" --kernel "$moves" \
		--append "t.sev=$kind t.cbit=51 $2" >"$log.console" \
		2>"$log.stderr" </dev/null || status=$?
	tr -d '\r' <"$log.console" >>"$log"
	[ "$status" -eq 0 ] ||
		die "status $status: $(tail -n 1 "$log.stderr")"
}

do_sevemu() {
	: >"$log"
	boot=0
	while [ "$boot" -lt "$1" ]; do
		sevemu $((boot % 2 ? 32 : 64)) "$facts earlyprintk=ttyS0"
		boot=$((boot + 1))
	done
	check_boots "$1" $(($1 / 2))
	# The host owns the console, and must not learn the address from it.
	told=$(grep -c '^sevstub: decompressing and entering the payload$' "$log" || :)
	[ "$told" -eq "$1" ] || die "$told boots of $1 enter without an address"
	! grep -q '^sevstub:.* at 0x' "$log" ||
		die "$(grep -m 1 '^sevstub:.* at 0x' "$log")"
	pass "$test" "$1 boots, $places places"
}

# do_snp BOOTS: an SNP guest. The stub accepts the memory in which it then chooses a place.
do_snp() {
	kind=snp guest='--validated loaded --rmp 2m'
	facts="$facts t.handed=any"
	do_sevemu "$1"
}

# Two boots that differ only in KASLR: the difference in exits is what KASLR costs.
do_exits() {
	: >"$log"
	sevemu 64 't.quiet=1 nokaslr'
	without=$(exits)
	sevemu 64 "t.quiet=1 $facts"
	with=$(exits)
	extra=$(budget exits-kaslr)
	[ "${with:-0}" -gt 0 ] || die "no exits at all"
	[ "$with" -le $((without + extra)) ] ||
		die "$with exits with KASLR, $without without"
	pass "$test" "$((with - without)) more exits"
}

# The number of exits of the last boot on sevemu.
exits() {
	figures "$log.report" >"$log.figures"
	figure "$log.figures" vmgexit_total
}

# ---- Debian's kernel.

# offset ARGUMENT...: the offset that the kernel prints when it panics.
offset() {
	qemu 0 -no-reboot -m 512M "$@"
	grep -o 'Kernel Offset: [^ ]*' "$log" | cut -d ' ' -f 3
}

do_debian() {
	append='console=ttyS0 no_timer_check panic=-1'
	none=$(offset -kernel "$cloud" -append "$append nokaslr")
	one=$(offset -kernel "$cloud" -append "$append")
	two=$(offset -kernel "$cloud" -append "$append")
	[ "$none" = disabled ] || die "with nokaslr the offset is '$none'"
	case $one$two in
	0x*0x*) ;;
	*) die "the offsets are '$one' and '$two'" ;;
	esac
	[ "$one" != "$two" ] || die "two boots, one offset: $one"
	pass "$test" "$one, $two"
}

do_debian_efi() {
	append='console=ttyS0 no_timer_check panic=-1 earlyprintk=ttyS0'
	one=$(offset -bios "$ovmf" -kernel "$cloud" \
		-append "$append")
	first=$(grep -o 'entering the payload at 0x[0-9a-f]*' "$log")
	two=$(offset -bios "$ovmf" -kernel "$cloud" \
		-append "$append")
	second=$(grep -o 'entering the payload at 0x[0-9a-f]*' "$log")
	[ "$one" != "$two" ] || die "two boots, one offset: $one"
	[ "$first" != "$second" ] || die "two boots, one place: $first"
	pass "$test" "$one, $two"
}

# The kernel's log without what differs from boot to boot, sorted.
masked() {
	sed -E -e 's/^\[ *[0-9]+\.[0-9]+\] //' -e 's/0x[0-9a-f]+/ADDR/g' \
		-e 's/[0-9a-f]{8,}/ADDR/g' -e 's/[0-9]+(\.[0-9]+)?/N/g' "$log" |
		sort
}

# A line that only one of the two kernels logs must match tests/kaslr/log.expected.
do_log() {
	append='console=ttyS0 no_timer_check nokaslr reboot=t'
	for kernel in "$O/kernels/cloud/vmlinuz" "$cloud"; do
		qemu 0 -no-reboot -m 512M -vga std -kernel "$kernel" \
			-initrd "$initrd" -append "$append"
		grep -q '^userspace: reached' "$log" || die "$kernel: no userspace"
		masked >"$log.${kernel##*/}"
	done
	grep -v '^#' tests/kaslr/log.expected >"$log.expected"
	comm -3 "$log.vmlinuz" "$log.cloud.img" | tr -d '\t' |
		grep -vEf "$log.expected" >"$log.differs" || :
	[ ! -s "$log.differs" ] || die "$(head -n 1 "$log.differs")"
	lines=$(count <"$log.vmlinuz")
	[ "$lines" -gt 200 ] || die "only $lines lines"
	pass "$test" "$lines lines"
}
