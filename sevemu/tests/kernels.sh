# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # suite.sh sets log, test and row
#
# The cases of the suite sevemu that boot stock kernels: directly, by firmware from the
# host's file or from a disk, with several processors, and kvm-unit-tests. sevemu/tests/suite.sh
# reads this file, sets $log, $test and $row, and has sevemu(), check_run() and check_report().

# The budgets of a boot of Debian's kernel, directly and through OVMF, in seconds of
# processor time. Other work on the machine does not stretch processor time.
direct_budget=15
ovmf_budget=60

# Sets $used to the processor time of all children that have ended, in hundredths of a
# second. `times` must run in this shell: in a pipe it would count another one's.
children_time()
{
	times >"$log.times"
	used=$(awk 'NR == 2 {
		gsub(/[ms]/, " ")
		printf "%d", ($1 * 60 + $2 + $3 * 60 + $4) * 100
	}' "$log.times")
}

# do_boot NAME OPTIONS STATUS REGEX REPORT
do_boot()
{
	budget=$direct_budget
	options=${2%@APPEND=*}
	append=
	[ "$options" = "$2" ] || append=${2#*@APPEND=}
	case $options in
	*%amdsev*)
		budget=$ovmf_budget
		need_files "$O/ovmf/OVMF.amdsev.fd"
		echo 'a secret' >"$log.secret"
		options="${options%%%*} --firmware $O/ovmf/OVMF.amdsev.fd --secret $log.secret"
		;;
	*ovmf*)
		budget=$ovmf_budget
		options="$options --firmware $OVMF"
		;;
	esac
	# shellcheck disable=SC2086 # several options
	sevemu --strict $options \
		--kernel "$O/kernels/cloud/vmlinuz" \
		--initrd "$O/initramfs.cpio.gz" \
		--append "console=ttyS0 quiet $append"
	children_time
	check_run "$3" "$4" "$5"
	grep -qa 'userspace: reached' "$log.console" || die "userspace is not reached"
	[ "$used" -le $((budget * 100)) ] ||
		die "took $((used / 100)) s of processor time, the budget is $budget"
	pass "$test" "$((used / 100)) s"
}

do_soak_boot()
{
	do_boot "$@"
}

do_soak_disk()
{
	do_disk "$@"
}

do_soak_clean()
{
	do_clean "$@"
}

# make_program FILE: an EFI program that starts Debian's cloud kernel with the initramfs (a
# unified kernel image).
make_program()
{
	need objcopy
	need_files /usr/lib/systemd/boot/efi/linuxx64.efi.stub
	printf 'console=ttyS0 quiet' >"$log.cmdline"
	tests/boot/make-uki "$1" "cmdline=$log.cmdline" "linux=$O/kernels/cloud/vmlinuz" \
		"initrd=$O/initramfs.cpio.gz"
}

# make_disk FILE: a FAT disk from which firmware starts the program of make_program.
make_disk()
{
	need mkfs.vfat mcopy
	make_program "$log.efi"
	rm -f "$1"
	truncate -s 64M "$1"
	mkfs.vfat "$1" >"$log.mkfs"
	mmd -i "$1" ::/EFI ::/EFI/BOOT
	mcopy -i "$1" "$log.efi" ::/EFI/BOOT/BOOTX64.EFI
	rm "$log.efi"
}

# choose_firmware OPTIONS: sets $firmware to the file of OVMF that %ovmf in the options means,
# that of Debian unstable, or to $OVMF, and $options to the options without %ovmf.
choose_firmware()
{
	options=$(echo "$1" | sed 's/%ovmf//')
	firmware=$OVMF
	case $1 in *%ovmf*) firmware=$O/ovmf/OVMF.fd ;; esac
	need_files "$firmware"
}

# do_disk NAME OPTIONS DEVICES REGEX REPORT: firmware boots from a disk, %disk in QEMU's
# options DEVICES. A comma of QEMU's options is a semicolon there.
do_disk()
{
	choose_firmware "$2"
	make_disk "$log.disk"
	devices=$(echo "$3" | tr ';' ',' |
		sed "s|%disk|-drive if=none,id=d,format=raw,file=$log.disk|")
	# shellcheck disable=SC2086 # several options
	sevemu --strict $options --firmware "$firmware" -- $devices
	rm "$log.disk"
	check_run 0 "$4" "$5"
	grep -qa 'userspace: reached' "$log.console" || die "userspace is not reached"
	pass "$test"
}

# make_loader_disk FILE LOADER APPEND: a FAT disk from which the real loader grub, systemd-boot
# or shim, which starts GRUB, starts Debian's cloud kernel.
make_loader_disk()
{
	need mkfs.vfat mmd mcopy grub-mkstandalone
	files="/usr/lib/systemd/boot/efi/systemd-bootx64.efi /usr/lib/shim/shimx64.efi"
	# shellcheck disable=SC2086 # several files
	need_files $files
	cat >"$log.grub" <<-END
		search --file /vmlinuz --set root
		linux /vmlinuz console=ttyS0 quiet $3
		initrd /initrd
		boot
	END
	printf 'timeout 0\ndefault linux\n' >"$log.loader"
	printf 'linux /vmlinuz\ninitrd /initrd\noptions console=ttyS0 quiet %s\n' "$3" >"$log.entry"
	grub-mkstandalone -O x86_64-efi -o "$log.efi" --fonts= --locales= --themes= \
		--install-modules="part_gpt fat linux search search_fs_file normal boot" \
		--modules="part_gpt fat linux search search_fs_file normal boot" \
		"boot/grub/grub.cfg=$log.grub" >"$log.mk" 2>&1 || die "$(tail -n 1 "$log.mk")"
	rm -f "$1"
	truncate -s 96M "$1"
	mkfs.vfat -F 32 "$1" >"$log.mk"
	mmd -i "$1" ::/EFI ::/EFI/BOOT ::/loader ::/loader/entries
	case $2 in
	grub) mcopy -i "$1" "$log.efi" ::/EFI/BOOT/BOOTX64.EFI ;;
	systemd-boot) mcopy -i "$1" "${files% *}" ::/EFI/BOOT/BOOTX64.EFI ;;
	shim)
		mcopy -i "$1" "${files#* }" ::/EFI/BOOT/BOOTX64.EFI
		mcopy -i "$1" "$log.efi" ::/EFI/BOOT/grubx64.efi
		;;
	esac
	mcopy -i "$1" "$log.loader" ::/loader/loader.conf
	mcopy -i "$1" "$log.entry" ::/loader/entries/linux.conf
	mcopy -i "$1" "$O/kernels/cloud/vmlinuz" ::/vmlinuz
	mcopy -i "$1" "$O/initramfs.cpio.gz" ::/initrd
	rm "$log.efi"
}

# do_soak_loader NAME LOADER OPTIONS STATUS DEVICES REGEX: the columns as for do_disk.
# @APPEND= adds to the kernel's command line.
do_soak_loader()
{
	append=
	case $3 in *@APPEND=*) append=${3#*@APPEND=} ;; esac
	make_loader_disk "$log.disk" "$2" "$append"
	devices=$(echo "${5%%"$tab"*}" | tr ';' ',' |
		sed "s|%disk|-drive if=none,id=d,format=raw,file=$log.disk|")
	# shellcheck disable=SC2086 # several options
	sevemu --strict ${3%@APPEND=*} --firmware "$OVMF" -- $devices
	rm "$log.disk"
	check_run "$4" "${row##*"$tab"}" "mode=ovmf"
	grep -qa 'userspace: reached' "$log.console" || die "userspace is not reached"
	pass "$test"
}

# do_soak_tpm NAME OPTIONS DEVICE REGEX REPORT: firmware and Debian's cloud kernel with the TPM
# of swtpm, which QEMU presents as DEVICE.
do_soak_tpm()
{
	need swtpm
	state=$(mktemp -d)
	swtpm socket --tpm2 --flags startup-clear --terminate --tpmstate "dir=$state" \
		--ctrl "type=unixio,path=$state/socket" >"$log.swtpm" 2>&1 &
	tpm=$!
	for try in 1 1 1 2 5; do
		[ ! -S "$state/socket" ] || break
		sleep "$try"
	done
	# shellcheck disable=SC2086 # several options
	sevemu --strict $2 --firmware "$OVMF" --kernel "$O/kernels/cloud/vmlinuz" \
		--initrd "$O/initramfs.cpio.gz" --append "console=ttyS0 loglevel=4" \
		-- -chardev "socket,id=tpm,path=$state/socket" \
		-tpmdev emulator,id=swtpm,chardev=tpm -device "$3,tpmdev=swtpm"
	kill "$tpm" 2>/dev/null || :
	rm -rf "$state"
	check_run 0 "$4" "$5"
	grep -qa 'userspace: reached' "$log.console" || die "userspace is not reached"
	pass "$test"
}

# do_soak_vars NAME OPTIONS CODE VARS REGEX: Debian's cloud kernel through firmware in two
# files, twice. The first run adds the variable BootOrder to the file.
do_soak_vars()
{
	folder=${OVMF_FOLDER:-/usr/share/OVMF}
	need_files "$folder/$3" "$folder/$4"
	cp "$folder/$4" "$log.vars"
	for run in 1 2; do
		# shellcheck disable=SC2086 # several options
		sevemu --strict $2 --firmware "$folder/$3" --vars "$log.vars" \
			--kernel "$O/kernels/cloud/vmlinuz" --initrd "$O/initramfs.cpio.gz" \
			--append "console=ttyS0 loglevel=4"
		check_run 0 "$5" "end=power-off"
		grep -qa 'userspace: reached' "$log.console" || die "userspace is not reached"
		tr -d '\000' <"$log.vars" | grep -qa BootOrder || die "run $run: no BootOrder"
	done
	rm "$log.vars"
	pass "$test"
}

# do_clean NAME KERNEL OPTIONS REGEX ABSENT: the kernel logs a line that matches REGEX, and
# none that matches ABSENT.
do_clean()
{
	need_files "$O/kernels/$2/vmlinuz"
	# shellcheck disable=SC2086 # several options
	sevemu --strict $3 --kernel "$O/kernels/$2/vmlinuz" \
		--initrd "$O/initramfs.cpio.gz" --append "console=ttyS0 loglevel=7"
	check_run 0 "$4" "end=power-off"
	absent=$(grep -aE -m 1 -e "$5" "$log.console" || :)
	[ -z "$absent" ] || die "the kernel says: $absent"
	pass "$test"
}

# do_once NAME OPTIONS STATUS REGEX: Debian's cloud kernel under attack in a single run.
do_once()
{
	# shellcheck disable=SC2086 # several options
	sevemu $2 --attack-once --kernel "$O/kernels/cloud/vmlinuz" \
		--initrd "$O/initramfs.cpio.gz" --append "console=ttyS0 quiet panic=-1 nokaslr"
	check_run "$3" "$4" "sev=es"
	pass "$test"
}

# boot_snp KERNEL OPTIONS: boots one of Debian's kernels, with sevemu's options and
# what @APPEND= adds to the command line. Sets $status. A case with a known answer of one
# version has KERNEL@VERSION, or %old for OVMF of Debian 12; it is skipped on other systems.
boot_snp()
{
	kernel=$O/kernels/${1%@*}
	options=${2%@APPEND=*}
	append=
	[ "$options" = "$2" ] || append=${2#*@APPEND=}
	firmware=
	case $options in
	*%ovmf*) firmware=$O/ovmf/OVMF.fd ;;
	*%amdsev*) firmware=$O/ovmf/OVMF.amdsev.fd ;;
	*%old*) firmware=$OVMF ;;
	esac
	need_files "$kernel/vmlinuz" ${firmware:+"$firmware"}
	case $1:$(cat "$kernel/version") in
	*@*:*"-${1#*@}."*) ;;
	*@*)
		skip "$test" "the answer of Linux ${1#*@} is known, not that of $(cat "$kernel/version")"
		exit 0
		;;
	esac
	case $options:$(sha256sum <"$OVMF") in
	*%old*:7b456907*) ;;
	*%old*)
		skip "$test" "the answer of Debian 12's OVMF is known, not that of $OVMF here"
		exit 0
		;;
	esac
	options=$(echo "$options" | sed 's/%[a-z]*//')
	# shellcheck disable=SC2086 # several options
	sevemu --strict --sev snp $options ${firmware:+--firmware "$firmware"} \
		--kernel "$kernel/vmlinuz" --initrd "$O/initramfs.cpio.gz" \
		--append "console=ttyS0 quiet $append"
}

# do_snp NAME KERNEL OPTIONS STATUS REGEX, and the checks of the report, which $row has
# as the last column.
do_snp()
{
	boot_snp "$2" "$3"
	version=$(cat "$O/kernels/${2%@*}/version")
	checks=
	for check in ${row##*"$tab"}; do
		case $check in
		[0-9]*:*)
			# The version is in the package's name and in its version.
			case $version in *"=${check%%:*}-"*) checks="$checks ${check#*:}" ;; esac
			;;
		*) checks="$checks $check" ;;
		esac
	done
	check_run "$4" "${5%%"$tab"*}" "$checks"
	[ "$4" -ne 0 ] || grep -qa 'userspace: reached' "$log.console" ||
		die "userspace is not reached"
	pass "$test"
}

do_soak()
{
	do_snp "$@"
}

# check_load: the load of the initramfs has ended on each processor.
check_load()
{
	ended=$(grep -ac 'load of processor [0-9]* ended' "$log.console" || :)
	processors=$(grep -c '^vcpus\.[0-9]*\.exits=' "$log.figures" || :)
	[ "$ended" -eq "$processors" ] ||
		die "the load ended on $ended processors of $processors"
}

# do_smp NAME KERNEL OPTIONS STATUS REGEX, and the checks of the report, which $row has as
# the last column: boots a kernel with several processors.
do_smp()
{
	kernel=$O/kernels/$2
	options=${3%@APPEND=*}
	append=${3#*@APPEND=}
	firmware=
	case $options in
	*%ovmf*) firmware=$O/ovmf/OVMF.fd ;;
	*%old*) firmware=$OVMF ;;
	esac
	need_files "$kernel/vmlinuz" ${firmware:+"$firmware"}
	options=$(echo "$options" | sed 's/%[a-z]*//')
	# shellcheck disable=SC2086 # several options
	sevemu --strict $options ${firmware:+--firmware "$firmware"} \
		--kernel "$kernel/vmlinuz" --initrd "$O/initramfs.cpio.gz" \
		--append "console=ttyS0 quiet panic=-1 $append"
	children_time
	check_run "$4" "${5%%"$tab"*}" "${row##*"$tab"}"
	# Each processor works to the end of a load.
	case $append in
	*load=*) check_load ;;
	esac
	pass "$test" "$((used / 100)) s"
}

do_soak_smp()
{
	do_smp "$@"
}

# do_soak_load NAME KERNEL OPTIONS DISK: each processor works for a minute, and reads a disk,
# virtio or nvme, through the memory that the kernel shares with devices. A second disk is
# bound to its driver again and again, which makes pages shared and private meanwhile.
do_soak_load()
{
	kernel=$O/kernels/$2
	need_files "$kernel/vmlinuz"
	cp "$O/initramfs.cpio.gz" "$log.initrd"
	case $4 in
	virtio)
		if [ ! -e "$kernel/modules/virtio_blk.ko" ]; then
			skip "$test" "no modules in $kernel/modules: remove $kernel and make it again"
			return
		fi
		(cd "$kernel" && find modules | cpio --quiet -o -H newc) | gzip >>"$log.initrd"
		name=vda driver=virtio-pci
		device=virtio-blk-pci,iommu_platform=on,disable-legacy=on
		;;
	nvme) name=nvme0n1 driver=nvme device=nvme ;;
	esac
	seq 1000000 | head -c 4M >"$log.disk"
	sum=$(head -c 1M "$log.disk" | md5sum)
	line="console=ttyS0 quiet panic=-1 tsc=nowatchdog load=60 disk=$name"
	# shellcheck disable=SC2086 # several options
	sevemu --strict $3 --kernel "$kernel/vmlinuz" --initrd "$log.initrd" \
		--append "$line rebind=$driver/0000:00:08.0" -- \
		-drive "if=none,id=a,format=raw,readonly=on,file=$log.disk" \
		-device "$device,drive=a,serial=a,addr=7" \
		-drive "if=none,id=b,format=raw,readonly=on,file=$log.disk" \
		-device "$device,drive=b,serial=b,addr=8"
	rm "$log.disk" "$log.initrd"
	children_time
	check_run 0 "^userspace: disk $sum" end=power-off
	! grep -qa 'wrong bytes' "$log.console" || die "a read of the disk returned wrong bytes"
	check_load
	bound=$(sed -n 's/^userspace: \([0-9]*\) times bound.*/\1/p' "$log.console")
	[ "${bound:-0}" -ge 1 ] || die "the second disk was bound ${bound:-0} times"
	pass "$test" "$((used / 100)) s, the second disk was bound $bound times"
}

# do_soak_kut NAME CASE OPTIONS STATUS REGEX, and the checks of the report, which $row has as the
# last column: a case of kvm-unit-tests, which OVMF starts from a disk. It passes, unless the
# row says how it ends. A few cases print neither a summary nor a result.
do_soak_kut()
{
	if [ ! -r "${KUT:-}/x86/$2.efi" ]; then
		skip "$test" "KUT names no folder with x86/$2.efi of kvm-unit-tests"
		return
	fi
	need mkfs.vfat mmd mcopy
	rm -f "$log.disk"
	truncate -s 64M "$log.disk"
	mkfs.vfat -F 32 "$log.disk" >/dev/null
	mmd -i "$log.disk" ::/EFI ::/EFI/BOOT
	mcopy -i "$log.disk" "$KUT/x86/$2.efi" ::/EFI/BOOT/BOOTX64.EFI
	# shellcheck disable=SC2086 # several options
	sevemu $3 --success-port 0xf4:0 --firmware "$OVMF" \
		-- -device pc-testdev -drive "file=$log.disk,format=raw,if=ide"
	rm -f "$log.disk"
	regex=$(given "${5%%"$tab"*}") report=$(given "${row##*"$tab"}")
	check_run "${4:-0}" "${regex:-^(SUMMARY: [0-9]+ tests|enabling apic|Dummy Hello)}" \
		"${report:-end=pass}"
	! grep -qa '^FAIL' "$log.console" || die "$(grep -am 1 '^FAIL' "$log.console")"
	pass "$test"
}
