# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite sevemu tests the emulator with a guest of its own, which has a case for
# each exit and rule, and with stock kernels and stock firmware. Its cases are in
# sevemu/tests/cases.list; what case X printed is in $O/sevemu-tests/X.*.

# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=sevemu/tests/kernels.sh
. sevemu/tests/kernels.sh
# shellcheck source=sevemu/tests/debian.sh
. sevemu/tests/debian.sh

OVMF=${OVMF:-/usr/share/ovmf/OVMF.fd}
export OVMF
list=sevemu/tests/cases.list
out=$O/sevemu-tests
guest_memory=128M
# What the guest's serial port reads.
input=/dev/null

# Prints a line for each case, with a tab between: the section of the list, the
# case's name, and the columns. A case of the test guest has the options of sevemu in
# its name, because one case of the guest may have several rows.
expand()
{
	rows "$list" | awk -F '\t' '{
		name = $2
		if ($1 == "lie") {
			name = "lie." $2 ($3 == "-" ? "" : $3)
			gsub(/[: ]/, "-", name)
		}
		if ($1 == "guest" || $1 == "firmware" || $1 == "flash" || $1 == "dma") {
			options = $3
			gsub(/ *--/, "-", options)
			gsub(/ *[:%]/, "-", options)
			gsub(/ /, "-", options)
			gsub(/,/, "+", options)
			sub(/^-*/, "", options)
			if (options != "")
				name = name "." options
			if ($1 != "guest")
				name = $1 "." name
		}
		row = ""
		for (i = 2; i <= NF; i++)
			row = row "\t" $i
		print $1 "\t" name row
	}'
}

# The longest first, roughly: boots of kernels, then the groups.
cases()
{
	expand | awk -F '\t' -v soak="${SEVEMU_SOAK:-}" '($1 ~ /^soak/) == (soak != "") {
		print ($1 ~ /^(boot|disk|clean|snp|smp|soak|soak-[a-z]*|twice|panic|run)$/ ? 1 : $1 == "group" ? 2 : 3) "\t" $2
	}' | sort -s -n -k 1,1 | cut -f 2
}

prepare()
{
	mkdir -p "$out"
}

# Calls the function do_SECTION with the row's columns; an empty one is ''.
run_case()
{
	log=$out/$test
	row=$(expand | awk -F '\t' -v name="$test" '$2 == name')
	kind=${row%%"$tab"*}
	IFS=$tab read -r _ _ a b c d e <<-END
		$row
	END
	"do_$(echo "$kind" | tr - _)" "$(given "$a")" "$(given "$b")" "$(given "$c")" "$(given "$d")" \
		"$(given "$e")"
}

# sevemu OPTIONS...: sets $status, and makes $log.console, $log.log and $log.report.
sevemu()
{
	status=0
	rm -f "$log.report"
	SEVEMU_ROM=$O/sevemu.rom sevemu/sevemu --timeout "$hang" \
		--report "$log.report" "$@" \
		>"$log.console" 2>"$log.log" <"$input" || status=$?
	echo "$status" >"$log.status"
	# A line of the console ends with CR LF.
	tr -d '\r' <"$log.console" >"$log.console.tr"
	mv "$log.console.tr" "$log.console"
}

# check_report CHECKS: the last run's report is one JSON object, and the checks hold.
check_report()
{
	figures "$log.report" >"$log.figures" 2>"$log.jq" ||
		die "report: $(tail -n 1 "$log.jq")"
	check_figures "$log.figures" "$1"
}

# check_run STATUS REGEX REPORT: the last run ended as it should.
check_run()
{
	[ "$status" -eq "$1" ] ||
		die "status $status, not $1: $(tail -n 1 "$log.log")"
	grep -qaE -e "$2" "$log.console" "$log.log" ||
		die "no line matches: $2"
	check_report "$3"
}

# run_guest CASE OPTIONS
run_guest()
{
	# shellcheck disable=SC2086 # several options
	sevemu --test-hooks --kernel "$O/sevemu-guest.img" \
		--append "case=$1" $2 -- -m "$guest_memory"
}

# do_group NAME OPTIONS: the guest's cases become results. What the guest skips does
# not exist in that mode, and is no result.
do_group()
{
	run_guest all "$2"
	sed -n "s|^ok \(.*\)|PASS sevemu/$test.\1|p
		s|^not ok \([^:]*\): \(.*\)|FAIL sevemu/$test.\1: \2|p" \
		"$log.console" | awk '$1 != "FAIL" || !seen[$2]++'
	last=$(tail -n 1 "$log.console")
	if ! grep -q '^ok ' "$log.console" || [ "$last" != "done" ]; then
		die "ends early, status $status, after: $last"
	elif [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$log.console"; then
		die "status $status"
	fi
	check_report sev
	pass "$test"
}

# do_dma CASE OPTIONS STATUS REGEX REPORT: a case of the test guest with the device edu.
do_dma()
{
	# shellcheck disable=SC2086 # several options
	sevemu --test-hooks --kernel "$O/sevemu-guest.img" --append "case=$1" $2 \
		-- -m "$guest_memory" -device edu
	check_run "$3" "$4" "$5"
	pass "$test"
}

# do_guest CASE OPTIONS STATUS REGEX REPORT
do_guest()
{
	run_guest "$1" "$2"
	check_run "$3" "$4" "$5"
	pass "$test"
}

# do_console NAME CASE OPTIONS STATUS REGEX, and the checks of the report, which $row has
# as the last column. The shell must not expand the options' regular expressions.
do_console()
{
	set -f
	run_guest "$2" "$3"
	check_run "$4" "${5%%"$tab"*}" "${row##*"$tab"}"
	pass "$test"
}

# do_refused NAME OPTIONS REGEX
do_refused()
{
	# shellcheck disable=SC2086 # several options
	sevemu $2 --kernel "$O/sevemu-guest.img"
	[ "$status" -eq 2 ] || die "status $status, not 2"
	grep -qE -e "$3" "$log.log" || die "the message is: $(head -n 1 "$log.log")"
	pass "$test"
}

# The system's split firmware, joined: its code can be a 32-bit build, which must be said,
# or it boots.
do_joined()
{
	folder=${OVMF_FOLDER:-/usr/share/OVMF}
	for file in OVMF_VARS_4M.fd OVMF_CODE_4M.fd; do
		[ -r "$folder/$file" ] || {
			skip "$test" "there is no $folder/$file"
			return
		}
	done
	cat "$folder/OVMF_VARS_4M.fd" "$folder/OVMF_CODE_4M.fd" >"$log.fd"
	# Newer firmware starts kernels with an EFI entry only, so the test guest will not do.
	sevemu --kernel "$O/kernels/cloud/vmlinuz" --initrd "$O/initramfs.cpio.gz" \
		--append 'console=ttyS0 quiet' --firmware "$log.fd"
	[ "$status" -eq 12 ] || [ "$status" -eq 0 ] || die "status $status, neither 12 nor 0"
	[ "$status" -eq 0 ] || grep -qE -e "$1" "$log.log" ||
		die "the message is: $(head -n 1 "$log.log")"
	[ "$status" -ne 0 ] || grep -qa 'userspace: reached' "$log.console" ||
		die "userspace is not reached"
	pass "$test"
}

# do_kernel NAME FILE REGEX: %split is firmware without variables, %cut a truncated kernel
# for firmware, %joined see do_joined. %smm is firmware that needs SMM, as a descriptor of
# QEMU says. The others give --vars a wrong file: %own is for firmware with variables,
# %other has no variables, %odd has not whole pages, %snp is for an SNP guest.
do_kernel()
{
	[ "$2" != %joined ] || {
		do_joined "$3"
		return
	}
	case $2 in
	%O/*) sevemu --kernel "$O/${2#%O/}" ;;
	%split)
		{
			head -c 40 /dev/zero
			printf _FVH
			head -c 65492 /dev/zero
		} >"$log.fd"
		sevemu --kernel "$O/sevemu-guest.img" --firmware "$log.fd"
		;;
	%smm)
		rm -rf "$log.config"
		mkdir -p "$log.config/qemu/firmware"
		cp "$O/sevemu-firmware.img" "$log.config/code.fd"
		cp "$log.config/code.fd" "$log.fd"
		printf '"filename": "%s",\n"requires-smm"\n' "$(realpath "$log.config/code.fd")" \
			>"$log.config/qemu/firmware/50-smm.json"
		XDG_CONFIG_HOME=$log.config
		export XDG_CONFIG_HOME
		sevemu --firmware "$log.fd"
		;;
	%own | %other | %odd | %snp)
		cp "$O/sevemu-firmware.img" "$log.fd"
		make_vars "$log.vars" 16
		kind=es
		case $2 in
		%own) cp "$log.vars" "$log.fd" ;;
		%other) cp "$log.fd" "$log.vars" ;;
		%odd) echo >>"$log.vars" ;;
		%snp) kind=snp ;;
		esac
		sevemu --sev "$kind" --firmware "$log.fd" --vars "$log.vars"
		;;
	%cut)
		head -c 20000 "$O/sevemu-guest.img" >"$log.img"
		sevemu --kernel "$log.img" --firmware "$OVMF"
		;;
	*) sevemu --kernel "$2" ;;
	esac
	[ "$status" -eq 2 ] || die "status $status, not 2"
	grep -qE -e "$3" "$log.log" || die "the message is: $(head -n 1 "$log.log")"
	pass "$test"
}

# firmware_image CASE: makes $log.fd, the test guest as firmware. The image begins with its
# command line.
firmware_image()
{
	cp "$O/sevemu-firmware.img" "$log.fd"
	printf 'case=%s' "$1" | dd of="$log.fd" conv=notrunc status=none
}

# do_firmware CASE OPTIONS STATUS REGEX REPORT: at the end of the options, %N is the image's
# size in KiB, with zeroes in front of the image, and %secret is --secret with a file and a kernel.
do_firmware()
{
	firmware_image "$1"
	options=$2
	case $2 in *%[0-9]*)
		kib=${2##*%} options=${2% %*}
		head -c $((kib * 1024 - $(wc -c <"$log.fd"))) /dev/zero >"$log.wide"
		cat "$log.fd" >>"$log.wide"
		mv "$log.wide" "$log.fd"
		;;
	esac
	# The secret of the case ends-launch-areas.
	printf 87654321 >"$log.secret"
	case $options in
	*%secret) options="${options%%%*} --secret $log.secret --kernel $O/sevemu-guest.img" ;;
	esac
	# shellcheck disable=SC2086 # several options
	sevemu --test-hooks --firmware "$log.fd" $options -- -m "$guest_memory"
	rm "$log.fd"
	check_run "$3" "$4" "$5"
	pass "$test"
}

# make_vars FILE KIB: a file that begins as that of firmware's variables does.
make_vars()
{
	{
		head -c 16 /dev/zero
		printf '\215\053\361\377\226\166\213\114\251\205\047\107\007\133\117\120'
		head -c $(($2 * 1024 - 32)) /dev/zero
	} >"$1"
}

# do_flash CASE OPTIONS STATUS REGEX REPORT: the test guest as firmware, with variables in a
# file of their own, which counts the runs of the case at 0x2000: the second one finds what
# the first one has written.
do_flash()
{
	firmware_image "$1"
	make_vars "$log.vars" 16
	for run in 1 2; do
		# shellcheck disable=SC2086 # several options
		sevemu --test-hooks --firmware "$log.fd" --vars "$log.vars" $2 -- -m "$guest_memory"
		check_run "$3" "$(echo "$4" | sed "s/%run/$run/")" "$5"
	done
	pass "$test"
}

# shellcheck disable=SC2016 # gdb expands the registers
# do_gdb NAME OPTIONS: gdb stops the guest at a function, sees its registers, its private
# memory and its stack, steps, and lets it go on.
do_gdb()
{
	need gdb
	port=$((20000 + $$ % 20000))
	run_guest hlt-wakes "$2 --gdb $port" &
	job=$!
	for try in 1 2 3 4 5; do
		sleep "$try"
		! limited gdb -nx -batch -ex 'set remotetimeout 60' \
			-ex "target remote 127.0.0.1:$port" -ex 'break con_str' -ex continue \
			-ex 'printf "stopped at %#lx\n", $rip' -ex 'printf "text %s.\n", $rdi' \
			-ex backtrace -ex stepi -ex 'printf "then at %#lx\n", $rip' \
			-ex 'set var $rax = 0x1234' -ex 'printf "rax %#lx\n", $rax' \
			-ex delete -ex continue "$O/sevemu-guest/guest.elf" \
			>"$log.gdb" 2>&1 </dev/null || ! grep -q 'stopped at' "$log.gdb" || break
	done
	wait "$job" || :
	status=$(cat "$log.status")
	check_run 0 '^ok hlt-wakes$' "end=pass"
	for line in "stopped at $(guest_symbol con_str | sed 's/0x0*/0x/')" 'text ok .' \
		'#1 .* in run_case' 'then at 0x' 'rax 0x1234' 'exited normally'; do
		grep -q "$line" "$log.gdb" || die "gdb does not say: $line"
	done
	pass "$test"
}

# do_soak_seeds NAME CASE OPTIONS FIRST LAST: a case of the test guest in many orders of
# its processors.
do_soak_seeds()
{
	seed=$4
	exits=0
	while [ "$seed" -le "$5" ]; do
		run_guest "$2" "$3 --seed $seed"
		[ "$status" -eq 0 ] || die "seed $seed: status $status: $(tail -n 1 "$log.log")"
		figures "$log.report" >"$log.figures"
		exits=$((exits + $(figure "$log.figures" exits)))
		seed=$((seed + 1))
	done
	pass "$test" "seeds $4 to $5, $exits exits"
}

# do_lie LIE OPTIONS STATUS REGEX
do_lie()
{
	boot_snp sid "--attack $1 $2 @APPEND=nokaslr"
	check_run "$3" "$4" sev
	pass "$test"
}

# do_sweep NAME LIE FIRST LAST STEP: without --strict, so that only the RMP can notice.
do_sweep()
{
	need_files "$O/kernels/sid/vmlinuz"
	n=$3
	ends=
	while [ "$n" -le "$4" ]; do
		sevemu --sev snp --attack "$2:$n" --kernel "$O/kernels/sid/vmlinuz" \
			--initrd "$O/initramfs.cpio.gz" --append "console=ttyS0 quiet nokaslr"
		case $status in
		10 | 11 | 12) ends="$ends $status" ;;
		# The host cannot resolve the nested page fault that it has made.
		13)
			if [ "$2" != snp-alias ] || grep -q 'has had no occasion' "$log.log"; then
				die "$2:$n: $(tail -n 1 "$log.log")"
			fi
			ends="$ends $status"
			;;
		*) die "$2:$n: status $status: $(tail -n 1 "$log.log")" ;;
		esac
		n=$((n + $5))
	done
	pass "$test" "$(echo "$ends" | wc -w) runs"
}

do_soak_sweep()
{
	do_sweep "$@"
}

# A symbol of the test guest, as sevemu's options take addresses.
guest_symbol()
{
	nm "$O/sevemu-guest/guest.elf" | awk -v name="$1" '$3 == name { print "0x" $1 }'
}

# do_campaign NAME CASE OPTIONS STATUS REGEX: many runs of a victim under a host that
# attacks. %pages in the options are two of its pages, for --memory.
do_campaign()
{
	pages=$(guest_symbol victim_pages)
	memory="--memory $pages+$pages,$pages-$((pages + 8192))"
	options=$(echo "$3" | sed "s/%pages/$memory/")
	run_guest "$2" "--sev snp --marker $(guest_symbol victim_over) \
		--watch 0-0,0,$(guest_symbol victim_ready) $options"
	[ "$status" -eq "$4" ] || die "status $status, not $4: $(tail -n 1 "$log.log")"
	grep -qE -e "$5" "$log.log" || die "no line matches: $5"
	pass "$test" "$(sed -n 's/^sevemu: ends runs=\([0-9]*\) .*/\1/p' "$log.log") runs"
}

do_soak_campaign()
{
	do_campaign "$@"
}

# do_digest NAME OPTIONS DIGEST: %code in the options is the code of the split pair.
do_digest()
{
	firmware=$OVMF
	case $2 in *%code*) firmware=${OVMF_FOLDER:-/usr/share/OVMF}/OVMF_CODE_4M.fd ;; esac
	case $(sha256sum <"$firmware") in
	7b456907* | b157d97b*) ;;
	*)
		skip "$test" "$firmware is not the one of Debian 12 of which the digests are known"
		return
		;;
	esac
	# With so little memory firmware ends at once. The digest does not depend on it.
	# shellcheck disable=SC2086 # several options
	sevemu --measure ${2% %code} --firmware "$firmware" --kernel "$O/sevemu-guest.img" -- -m 48M
	check_report "launch_digest=$3"
	pass "$test"
}

# do_computed NAME SEV MODE OPTIONS: the digest is the one that digest.pl computes. MODE is a
# direct mode, or the firmware's name in $O/ovmf.
do_computed()
{
	need perl
	head -c 12345 "$O/sevemu.rom" >"$log.initrd"
	case $3 in
	direct*)
		sevemu/tests/digest.pl image "$log.img" "$O/sevemu-guest.img"
		rm -f "$log.ram"
		# shellcheck disable=SC2086 # several options
		sevemu --measure --sev "$2" --mode "$3" $4 --kernel "$log.img" \
			--initrd "$log.initrd" --append "one two=3" -- -m 96M \
			-object "memory-backend-file,id=ram,size=96M,mem-path=$log.ram,share=on" \
			-machine memory-backend=ram,acpi=off
		cbit=51 validated=all
		case $4 in *47*) cbit=47 ;; esac
		case $4 in *loaded*) validated=loaded ;; esac
		digest=$(sevemu/tests/digest.pl direct "$2" "$cbit" "$3" "$validated" "$log.img" \
			"$log.initrd" "$log.ram")
		rm "$log.ram"
		;;
	*)
		need_files "$O/ovmf/$3"
		initrd=
		case $4 in *%initrd*) initrd=$log.initrd ;; esac
		sevemu --measure --sev "$2" --firmware "$O/ovmf/$3" \
			--kernel "$O/sevemu-guest.img" ${initrd:+--initrd "$initrd"} \
			--append "${4#%initrd }" -- -m 48M
		digest=$(sevemu/tests/digest.pl firmware "$2" "$O/ovmf/$3" \
			"$O/sevemu-guest.img" "$initrd" "${4#%initrd }" $((48 << 20)))
		;;
	esac
	check_report "launch_digest=$digest"
	pass "$test"
}

# do_soak_speed NAME PERCENT: both boots run in this shell, one after the other. With --icount
# the number of timer interrupts does not depend on other work on the machine.
do_soak_speed()
{
	boot_snp sid "--icount @APPEND=nokaslr"
	[ "$status" -eq 0 ] || die "SEV-SNP: status $status"
	children_time
	snp=$used
	sevemu --strict --icount --sev es --kernel "$O/kernels/sid/vmlinuz" \
		--initrd "$O/initramfs.cpio.gz" --append "console=ttyS0 quiet nokaslr"
	[ "$status" -eq 0 ] || die "SEV-ES: status $status"
	children_time
	es=$((used - snp))
	[ $((snp * 100)) -le $((es * $2)) ] ||
		die "SEV-SNP took $((snp * 100 / es)) % of SEV-ES's processor time, allowed are $2"
	pass "$test" "$((snp * 100 / es)) % of SEV-ES's $((es / 100)) s"
}

# do_soak_speed_ovmf NAME PERCENT: QEMU boots the kernel by firmware without sevemu, and sevemu
# boots it as an SEV-ES guest, one after the other. Neither has --icount, with which firmware
# waits very long for a TPM that the first machine has not got.
do_soak_speed_ovmf()
{
	kernel=$O/kernels/cloud/vmlinuz initrd=$O/initramfs.cpio.gz line='console=ttyS0 quiet'
	need_files "$kernel" "$OVMF"
	qemu-system-x86_64 -machine pc -accel tcg -cpu EPYC,check=off -m 1G -display none \
		-monitor none -serial stdio -no-reboot -nodefaults -bios "$OVMF" \
		-kernel "$kernel" -initrd "$initrd" -append "$line" >"$log.plain" 2>&1 </dev/null ||
		die "QEMU without sevemu: status $?"
	grep -qa '^userspace' "$log.plain" || die "QEMU without sevemu reaches no userspace"
	children_time
	plain=$used
	sevemu --strict --sev es --firmware "$OVMF" --kernel "$kernel" --initrd "$initrd" \
		--append "$line"
	children_time
	check_run 0 'Features active: AMD SEV SEV-ES' 'sev=es mode=ovmf end=power-off'
	es=$((used - plain))
	[ $((es * 100)) -le $((plain * $2)) ] ||
		die "an SEV-ES boot took $((es * 100 / plain)) % of a plain boot's processor time, allowed are $2"
	pass "$test" "$((es * 100 / plain)) % of a plain boot's $((plain / 100)) s"
}

# do_stopped NAME WHO SIGNAL STATUS REGEX, and the checks of the report, which $row has as
# the last column. A signal to sevemu or to QEMU ends a guest that hangs.
do_stopped()
{
	need pgrep
	# nohup makes a shell ignore SIGHUP. dash of Debian unstable then cannot trap it.
	# shellcheck disable=SC2016 # $$ is the inner shell's
	[ "$2" = qemu ] || [ "$(sh -c 'trap "echo caught" "$1"; kill -s "$1" $$; :' sh "$3")" = caught ] || {
		skip "$test" "SIG$3 is ignored here, and the shell cannot trap it"
		exit 0
	}
	rm -f "$log.console"
	run_guest says-and-hangs "" &
	job=$!
	for try in 1 2 3 4 5 6 7 8 9 10; do
		! grep -qs '^ok' "$log.console" || break
		sleep "$try"
	done
	target=$(pgrep -f "^[^ ]*qemu.*path=$log.report") || die "QEMU does not run"
	# The wrapper is QEMU's parent.
	[ "$2" = qemu ] || target=$(awk '{ print $4 }' "/proc/$target/stat")
	kill -s "$3" "$target"
	wait "$job" || :
	status=$(cat "$log.status")
	check_run "$4" "${5%%"$tab"*}" "${row##*"$tab"}"
	pass "$test"
}

# do_panic NAME OPTIONS STATUS REGEX REPORT
do_panic()
{
	# shellcheck disable=SC2086 # several options
	sevemu --kernel "$O/kernels/cloud/vmlinuz" $2
	check_run "$3" "$4" "$5"
	pass "$test"
}

# do_twice NAME WHAT OPTIONS
do_twice()
{
	for n in 1 2; do
		if [ "$2" = guest ]; then
			run_guest all "$3 --icount"
		else
			# shellcheck disable=SC2086 # several options
			sevemu $3 --icount \
				--kernel "$O/kernels/cloud/vmlinuz" \
				--initrd "$O/initramfs.cpio.gz" \
				--append "console=ttyS0 quiet"
		fi
		check_report "status=0 instructions"
		! grep -qx 'instructions=null' "$log.figures" ||
			die "no instructions are counted"
		mv "$log.report" "$log.report.$n"
	done
	cmp -s "$log.report.1" "$log.report.2" ||
		die "the reports differ, see $log.report.1 and .2"
	pass "$test"
}

do_soak_twice()
{
	do_twice "$@"
}

# Runs what `make install` puts into a directory, from another directory, by its own
# name and by a symbolic link.
do_installed()
{
	tree=$(pwd)
	guest=$(realpath "$O/sevemu-guest.img")
	root=$(realpath "$out")/root
	rm -rf "$root"
	make -s install O="$O" DESTDIR="$root" PREFIX=/usr >"$log.make" 2>&1 ||
		die "make install: $(tail -n 1 "$log.make")"
	mkdir "$root/elsewhere"
	ln -s ../usr/bin/sevemu "$root/elsewhere/link"
	cd "$root/elsewhere" || exit
	for program in ../usr/bin/sevemu ./link; do
		status=0
		(
			unset SEVEMU_ROM
			"$program" --strict --timeout "$hang" --test-hooks \
				--report report --trace trace --kernel "$guest" \
				--append case=cpuid -- -m "$guest_memory" \
				>console 2>log </dev/null
		) || status=$?
		if [ "$status" -ne 0 ] || ! grep -q '^ok cpuid' console; then
			die "$program: status $status: $(tail -n 1 log)"
		elif [ ! -s report ] || [ ! -s trace ]; then
			die "$program wrote no report or no trace"
		fi
		rm report trace
	done
	cd "$tree" || exit
	cmp -s sevemu/sevemu.1 "$root/usr/share/man/man1/sevemu.1" ||
		die "the man page is not there"
	pass "$test"
}

# do_run NAME OPTIONS REGEX: sevemu-run runs a script in Debian's kernel, whose console must
# have the line, and exits with the script's status. Its usage and its manual page name the
# values of --sev.
do_run()
{
	need busybox
	need cpio
	kind=$(echo "$2" | sed 's/.*--sev \([a-z]*\).*/\1/')
	sevemu/sevemu-run --help | grep -q -e "--sev [a-z|]*$kind" || die "--help has no --sev $kind"
	grep -q "sev.*| $kind" sevemu/sevemu-run.1 || die "sevemu-run.1 has no --sev $kind"
	printf '#!/bin/sh\ndmesg | grep "Memory Encryption"\nexit 7\n' >"$log.script"
	status=0
	# shellcheck disable=SC2086 # several options
	SEVEMU_ROM=$O/sevemu.rom sevemu/sevemu-run $2 --script "$log.script" --log "$log.console" \
		--timeout "$hang" "$O/kernels/trixie/vmlinuz" >"$log.log" 2>&1 || status=$?
	[ "$status" -eq 7 ] || die "status $status, not 7: $(tail -n 1 "$log.log")"
	grep -qa "$3" "$log.console" || die "no line matches: $3"
	pass "$test"
}

# The wrapper, its usage and the man page have the same options. groff, where it is
# installed, has no complaint about the page.
do_manual()
{
	sed -n 's/^\t\(-h | \)\{0,1\}\(--[a-z0-9-]*\)).*/\2/p' sevemu/sevemu |
		grep -v -e '^--$' | sort >"$log.options"
	sevemu/sevemu --help | grep -o -e '--[a-z][a-z0-9-]*' | sort -u >"$log.usage"
	sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/{
		/^\.TP/{
			n
			s/\\-/-/g
			s/^\.[BIR]* "\{0,1\}\(--[a-z0-9][a-z0-9-]*\).*/\1/p
		}
	}' sevemu/sevemu.1 | sort >"$log.manual"
	if [ ! -s "$log.options" ] || ! cmp -s "$log.options" "$log.usage"; then
		die "--help has other options than the script"
	elif ! cmp -s "$log.options" "$log.manual"; then
		die "sevemu/sevemu.1 has other options than the script"
	fi
	need groff
	groff -man -Tutf8 -ww -z sevemu/sevemu.1 >"$log.groff" 2>&1 ||
		die "groff: $(head -n 1 "$log.groff")"
	[ ! -s "$log.groff" ] || die "groff: $(head -n 1 "$log.groff")"
	pass "$test"
}

# Each rule of rules.list is in the code.
do_rules()
{
	sevemu/tests/mutants --check >"$log.rules" || die "$(head -n 1 "$log.rules")"
	pass "$test"
}

# shellcheck disable=SC2013,SC2016 # single words; a page's backquotes
# report.c, the wrapper, the man page and docs/emulator.md have the same exit statuses,
# and report.c and docs/emulator.md the same words of the report for them.
do_statuses()
{
	sed -nE 's/^\t\[END_[A-Z_]+\] = \{ "([a-z-]+)", ([0-9]+) \},/\2 \1/p' sevemu/report.c \
		>"$log.code"
	# The wrapper's own status, 18, is for the same words as status 0: --expect asked for
	# another end than the good one that the report has.
	sed -n 's/^0 /18 /p' "$log.code" >"$log.18"
	cat "$log.18" >>"$log.code"
	sort "$log.code" >"$log.words"
	cut -d ' ' -f 1 "$log.code" | sort -u >"$log.numbers"
	sed -n '/^\.SH EXIT STATUS/,/^\.SH ENV/s/^\([0-9][0-9]*\)\( + .*\)\{0,1\}$/\1/p' \
		sevemu/sevemu.1 | sort -u >"$log.manual"
	cmp "$log.numbers" "$log.manual" >"$log.differ" 2>&1 ||
		die "sevemu.1: $(diff "$log.numbers" "$log.manual" | tr '\n' ' ')"
	sed -nE 's/^\| ([0-9]+)( \+ N)? \| ([^|]*) \|.*/\1 \3/p' docs/emulator.md |
		while read -r number words; do
			case $words in
			*'`'*) printf '%s' "$words" | grep -o '`[a-z-]*`' |
				tr -d '`' | sed "s/^/$number /" ;;
			*) echo "$number -" ;;
			esac
		done | sort >"$log.page"
	cmp "$log.words" "$log.page" >"$log.differ" 2>&1 ||
		die "emulator.md: $(diff "$log.words" "$log.page" | tr '\n' ' ')"
	# The names that --expect takes.
	for word in $(sed -nE 's/^\t([a-z-]+)\) wanted=[0-9]+ ;;/\1/p' sevemu/sevemu); do
		number=$(sed -nE "s/^\t$word\) wanted=([0-9]+) ;;/\1/p" sevemu/sevemu)
		[ "$word" = success ] || grep -qx "$number $word" "$log.words" ||
			die "--expect $word has status $number"
	done
	pass "$test"
}
