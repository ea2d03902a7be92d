# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154,SC2034 # suite.sh sets log, test and row, and reads input and status
#
# The cases of the suite sevemu that boot an installed Debian from a disk, to its login
# prompt, and a kernel from the network. sevemu/tests/suite.sh reads this file, sets $log,
# $test and $row, and has sevemu() and check_run().

# need_debian: makes $O/debian/disk (make-debian) unless it is there, and skips the case if
# that is not possible on this machine. Cases that run at the same time wait for the first.
need_debian()
{
	need flock mcopy
	mkdir -p "$O/debian"
	made=0
	why=$(
		exec 9>"$O/debian/lock"
		flock 9
		[ -e "$O/debian/disk" ] || sevemu/tests/make-debian "$O/debian/disk" 9>&-
	) || made=$?
	case $made in
	0) ;;
	3)
		skip "$test" "$why"
		exit 0
		;;
	*) die "make-debian: $why" ;;
	esac
}

# device KIND: QEMU's options for a disk or a network card, of virtio, ahci, nvme or e1000.
# The disk has the file $log.disk.
device()
{
	virtio=disable-legacy=on,iommu_platform=true
	drive="-drive if=none,id=d,format=raw,file=$log.disk"
	case $1 in
	disk-virtio) echo "$drive -device virtio-blk-pci,drive=d,$virtio,bootindex=0" ;;
	disk-ahci) echo "$drive -device ahci,id=a -device ide-hd,drive=d,bus=a.0,bootindex=0" ;;
	disk-nvme) echo "$drive -device nvme,drive=d,serial=1,bootindex=0" ;;
	net-virtio) echo "-device virtio-net-pci,netdev=n,romfile=,$virtio" ;;
	net-e1000) echo "-device e1000,netdev=n,romfile=" ;;
	esac
}

# await REGEX: waits until a line of the console matches, and fails if $job has ended.
await()
{
	until grep -qaE -e "$1" "$log.console" 2>/dev/null; do
		kill -0 "$job" 2>/dev/null || return 1
		sleep 1
	done
}

# do_soak_debian NAME LOADER OPTIONS DISK NETWORK, and END, which $row has as the last column:
# firmware starts the loader grub, systemd-boot or shim from a disk with Debian. Root logs
# in at the serial port, and the command `report` of make-debian prints what the guest has.
# END is the command that ends the system, poweroff or reboot. With shim Secure Boot is on.
do_soak_debian()
{
	need_debian
	# Making the disk is not a part of the boot.
	children_time
	made=$used
	disk=$4 network=${5%%"$tab"*} end=${row##*"$tab"}
	choose_firmware "$3"
	firmware="--firmware $firmware" kernel=cloud-amd64 secure=disabled
	# The cloud kernel has no drivers for these.
	case $disk$network in *ahci* | *e1000*) kernel=amd64 ;; esac
	case $2 in
	grub) loader=EFI/debian/grubx64.efi ;;
	systemd-boot) loader=EFI/systemd/systemd-bootx64.efi ;;
	shim)
		loader=EFI/debian/shimx64.efi secure=enabled
		folder=${OVMF_FOLDER:-/usr/share/OVMF}
		need_files "$folder/OVMF_CODE.fd" "$folder/OVMF_VARS.ms.fd"
		cp "$folder/OVMF_VARS.ms.fd" "$log.vars"
		firmware="--firmware $folder/OVMF_CODE.fd --vars $log.vars"
		;;
	esac
	cp --sparse=always "$O/debian/disk" "$log.disk"
	cat >"$log.grub" <<-END
		search.fs_label debian root
		set kernel=$kernel
		export kernel
		set prefix=(\$root)/boot/grub
		configfile \$prefix/grub.cfg
	END
	mcopy -n -i "$log.disk@@1M" "::/$loader" "$log.efi"
	mcopy -i "$log.disk@@1M" "$log.efi" ::/EFI/BOOT/BOOTX64.EFI
	mcopy -i "$log.disk@@1M" "$log.grub" ::/EFI/debian/grub.cfg
	rm -f "$log.efi" "$log.input" "$log.console"
	mkfifo "$log.input"
	exec 9<>"$log.input"
	input=$log.input
	# shellcheck disable=SC2046,SC2086 # several options
	sevemu --strict --timeout "$((4 * hang))" $options $firmware -- $(device "disk-$disk") \
		-netdev "user,id=n,restrict=on,guestfwd=tcp:10.0.2.100:80-cmd:echo hello" \
		$(device "net-$network") &
	job=$!
	# shellcheck disable=SC2015 # a failure of any of them ends the conversation
	await 'debian login: ' && echo root >&9 && await 'root@debian:.*# ' &&
		echo "report; systemctl $end" >&9 || :
	wait "$job" || :
	exec 9>&-
	status=$(cat "$log.status")
	rm -f "$log.disk" "$log.input"
	children_time
	used=$((used - made))
	case $end in
	poweroff) check_run 0 'reboot: Power down' end=power-off ;;
	reboot) check_run 16 'reboot: Restarting system' end=reset ;;
	esac
	memory='AMD SEV SEV-ES'
	case $3 in *'--sev sev'*) memory='AMD SEV *' ;; esac
	case $disk in virtio) name=vda2 ;; ahci) name=sda2 ;; nvme) name=nvme0n1p2 ;; esac
	case $network in virtio) driver=virtio_net ;; e1000) driver=e1000 ;; esac
	for line in "kernel .*[0-9]-$kernel" "Memory Encryption Features active: $memory" \
		"secureboot: Secure boot $secure" "root /dev/$name ext4" \
		"network $driver 10\\.0\\.2\\.15 .*" 'web hello' 'failed units 0'; do
		grep -qaxE -e "report: $line" "$log.console" || die "no line matches: report: $line"
	done
	pass "$test" "$((used / 100)) s"
}

# do_soak_pxe NAME OPTIONS REGEX REPORT: OVMF loads the program of make_program by DHCP and
# TFTP with its own driver for the virtio card.
do_soak_pxe()
{
	choose_firmware "$2"
	rm -rf "$log.tftp"
	mkdir "$log.tftp"
	make_program "$log.tftp/boot.efi"
	# shellcheck disable=SC2046,SC2086 # several options
	sevemu --strict --timeout "$((4 * hang))" $options --firmware "$firmware" \
		-- $(device net-virtio),bootindex=0 \
		-netdev "user,id=n,restrict=on,tftp=$(realpath "$log.tftp"),bootfile=boot.efi"
	rm -r "$log.tftp"
	children_time
	check_run 0 "$3" "$4"
	grep -qa 'NBP file downloaded successfully' "$log.console" || die "no download"
	grep -qa 'userspace: reached' "$log.console" || die "userspace is not reached"
	pass "$test" "$((used / 100)) s"
}
