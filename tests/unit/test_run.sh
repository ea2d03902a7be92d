#!/bin/sh
# SPDX-License-Identifier: MIT
#
# make run: which machine it starts for which variables, what it refuses before
# it compresses anything, what counts as success, when it makes the image again, and
# that signals end it. A script stands in for QEMU; only the last test boots, with all
# variables at their defaults but the kernel's.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

tree=$O
ln -s "$tree/sevemu.rom" "$dir/"
make_image run.img "$tree/payload/tiny.elf"
mkdir "$dir/bin" "$dir/empty"
for tool in sh dirname cat sed grep tee rm env; do
	ln -s "$(command -v "$tool")" "$dir/empty/"
done
echo "an initrd" >"$dir/initramfs.cpio.gz"
echo "firmware" >"$dir/OVMF,1.fd"

# Writes its arguments to a file, and prints what a guest would print.
cat >"$dir/bin/qemu-system-x86_64" <<'END'
#!/bin/sh
if [ "$*" = --version ]; then
	echo "QEMU emulator version ${GUEST_QEMU-7.2.22 (Debian)}"
	exit 0
fi
printf '%s\n' "$@" >"$O/arguments"
[ -z "${GUEST_HANGS:-}" ] || { echo $$ >"$GUEST_HANGS"; exec sleep 1000; }
echo "${GUEST_SAYS-userspace: reached}"
# sevemu.rom ends QEMU with 33 when the guest powers off; a plain machine ends with 0.
case " $* " in *sevemu-log*) off=33 ;; *) off=0 ;; esac
# sevemu.rom writes a report with its status S first; QEMU's status is 2 * (16 + S) + 1.
ends=${GUEST_ENDS:-$off}
report=$(sed -n 's/^file,path=\(.*\),id=sevemu-report$/\1/p' "$O/arguments")
[ -z "$report" ] || [ "$ends" -lt 33 ] ||
	printf '{"sev":"es","end":"halt","status":%s,"reason":""}\n' $(((ends - 33) / 2)) >"$report"
exit "$ends"
END
chmod +x "$dir/bin/qemu-system-x86_64"

# run VARIABLE=VALUE...: tools/run as make calls it; sets $status. $dir/checked is
# there if make would have made the image.
run() {
	status=0
	rm -f "$dir/arguments" "$dir/checked"
	# shellcheck disable=SC2016 # for the inner shell
	env PATH="$dir/bin:$PATH" O="$dir" KERNEL="$tree/payload/tiny.elf" \
		INITRD="$dir/initramfs.cpio.gz" APPEND="a word" QEMU_ARGS= \
		SEV=es OVMF="$dir/OVMF,1.fd" ACCEL=tcg CBITPOS=51 "$@" \
		sh -c 'tools/run --check && : >"$O/checked" && tools/run' \
		>"$dir/out" 2>&1 </dev/null || status=$?
}

# starts NAME "WORD..." "WORD...": tools/run has started a machine, with these words
# among its arguments, and without those.
starts() {
	if [ "$status" -ne 0 ] || [ ! -e "$dir/arguments" ]; then
		fail "run.$1" "status $status: $(tail -n 2 "$dir/out" | tr '\n' ' ')"
		return 0
	fi
	: >"$dir/found"
	for word in $2; do
		grep -qF -e "$word" "$dir/arguments" ||
			echo "no $word;" >>"$dir/found"
	done
	for word in $3; do
		! grep -qF -e "$word" "$dir/arguments" ||
			echo "$word;" >>"$dir/found"
	done
	nothing "run.$1" "$dir/found"
}

run
starts default "tcg opt/sevemu/config,string=sev=es opt/sevemu/firmware,file=$dir/OVMF,,1.fd run.img initramfs.cpio.gz" "sev-guest mon:stdio"
run OVMF=off
starts es_direct "opt/sevemu/config,string=sev=es mode=direct64" "firmware"
run SEV=sev
starts sev "tcg opt/sevemu/config,string=sev=sev opt/sevemu/firmware" "sev-guest"
run SEV=off
starts plain "tcg -bios OVMF,1.fd run.img mon:stdio" "sevemu kvm sev-guest"
run SEV=off OVMF=off
starts plain_bios "tcg run.img" "sevemu -bios pflash"
run SEV=off INITRD=
starts no_initrd "run.img" "-initrd"
run SEV=off QEMU_ARGS="-m 77M"
starts qemu_args "77M" "sevemu"
run ACCEL=kvm SEV=off
starts kvm_plain "kvm host -bios" "tcg sevemu sev-guest"
run ACCEL=kvm SEV=off OVMF=off
starts kvm_bios "kvm host" "tcg -bios"
# Hosts with SEV and SEV-ES, and one whose module has them turned off.
mkdir "$dir/kvm" "$dir/kvm-off"
echo Y | tee "$dir/kvm/sev" >"$dir/kvm/sev_es"
echo N | tee "$dir/kvm-off/sev" >"$dir/kvm-off/sev_es"
export KVM_AMD="$dir/kvm"
run ACCEL=kvm CBITPOS=47
starts kvm_es "kvm host sev-guest policy=0x5 cbitpos=47 pflash,format=raw,unit=0,readonly=on,file=$dir/OVMF,,1.fd" "tcg sevemu"
run ACCEL=kvm SEV=sev
starts kvm_sev "kvm sev-guest policy=0x1 cbitpos=51" "tcg sevemu"

# refuses NAME REGEX: tools/run has ended with status 2 and a message, and has
# compressed nothing.
refuses() {
	if [ "$status" -ne 2 ] || [ -e "$dir/arguments" ] ||
		[ -e "$dir/checked" ] || ! grep -qE -e "$2" "$dir/out"; then
		fail "run.$1" "status $status: $(excerpt "$dir/out")"
	else
		pass "run.$1"
	fi
}

run SEV=snp
refuses bad_sev "SEV='snp': not one of es sev off"
run SEV=
refuses no_sev "SEV='': not one of"
run ACCEL=xen
refuses bad_accel "ACCEL='xen': not one of tcg kvm"
run CBITPOS=5x
refuses bad_cbitpos "CBITPOS='5x': not a number"
run KERNEL=/nowhere
refuses no_kernel "KERNEL='/nowhere': cannot be read"
run INITRD=/nowhere
refuses no_initrd_file "INITRD='/nowhere': cannot be read"
run OVMF=/nowhere
refuses no_ovmf "OVMF='/nowhere': cannot be read: install ovmf, or .*OVMF=off"
run ACCEL=kvm OVMF=off
refuses kvm_needs_firmware "SEV=es with ACCEL=kvm needs firmware"
run ACCEL=kvm KVM_AMD="$dir/kvm-off"
refuses kvm_no_es "this host has no SEV-ES \($(quoted "$dir")/kvm-off/sev_es\)"
run ACCEL=kvm SEV=sev KVM_AMD="$dir/kvm-off"
refuses kvm_no_sev "this host has no SEV \($(quoted "$dir")/kvm-off/sev\)"
run ACCEL=kvm KVM_AMD=/nowhere
refuses kvm_no_module "this host has no SEV-ES \(/nowhere/sev_es\)"
run PATH="$dir/empty"
refuses no_qemu "no qemu-system-x86_64: install qemu-system-x86"

# fails NAME REGEX: the machine was started, but tools/run reports a failure.
fails() {
	if [ "$status" -eq 0 ] || ! grep -qE -e "$2" "$dir/out"; then
		fail "run.$1" "status $status: $(excerpt "$dir/out")"
	else
		pass "run.$1"
	fi
}

run SEV=off TERM=dumb GUEST_SAYS="$(printf 'a\033[2J\033[01;01H\033[=3hb')" INITRD=
is run.dumb "$(grep -c '^ab$' "$dir/out")" 1
run SEV=off GUEST_SAYS="panic"
fails no_userspace "did not get to userspace"
run SEV=off GUEST_ENDS=3
fails machine_failed "ended with status 3"
run GUEST_ENDS=3
fails sevemu_failed "ended with status 13"
run GUEST_ENDS=0
fails monitor "stopped by QEMU's monitor \(Ctrl-A X\)"
fails monitor_status "ended with status 130"
run GUEST_QEMU=8.2.2
fails qemu_unknown "has version 8.2, which was not tried .*SEVEMU_QEMU_VERSION=8.2 to go on"
run GUEST_QEMU=8.2.2 SEVEMU_QEMU_VERSION=8.2
starts qemu_allowed "run.img" ""
run GUEST_QEMU=10.0.13
starts qemu_10 "run.img" ""
run GUEST_QEMU=
fails qemu_no_version "has version unknown"
run GUEST_ENDS=67
fails halted "ended with status 17"
run SEV=off GUEST_SAYS="" INITRD="$dir/OVMF,1.fd"
starts other_initrd "run.img" ""

# At a terminal Ctrl-A X has to work, and the machine may run without a time limit.
if has_terminal; then
	env PATH="$dir/bin:$PATH" O="$dir" SEVEMU_ROM="$dir/sevemu.rom" \
		limited script -qec "sevemu/sevemu --timeout 0 --kernel '$dir/run.img'" \
		"$dir/typescript" >"$dir/out" 2>&1 </dev/null || :
	is run.terminal "$(grep -A 1 -xe -serial "$dir/arguments" | tail -n 1)" \
		mon:stdio
else
	skip run.terminal "script cannot make a pseudo-terminal here"
fi
run
is run.no_time_limit "$(grep -c -e '--timeout 0 ' "$dir/out")" 1

# ---- The image.

# image VARIABLE=VALUE...: makes the image as make run does. $made is "yes" if it was
# made now. Image files may not be changed in place, so a new one has a new inode.
cp "$tree/payload/tiny.elf" "$dir/kernel.elf"
cp "$tree/payload/tiny.elf" "$dir/a kernel.elf"
image() {
	before=$(stat -c %i "$tree/run.img" 2>/dev/null || :)
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s O="$tree" "$@" \
		"$tree/run.img" >"$dir/out" 2>&1 || fail run.image "$(excerpt "$dir/out")"
	made=yes
	[ "$(stat -c %i "$tree/run.img")" != "$before" ] || made=no
}
rm -f "$tree/run.img"
image KERNEL="$dir/kernel.elf" CODEC=lz4 LEVEL=3 CMDLINE="built in"
tools/mkimage --codec lz4 --level 3 --cmdline "built in" -o "$dir/lz4.img" \
	"$dir/kernel.elf" >/dev/null 2>&1
cmp "$dir/lz4.img" "$tree/run.img" >"$dir/found" 2>&1 || :
nothing run.codec "$dir/found"
image KERNEL="$dir/kernel.elf" CODEC=lz4 LEVEL=3 CMDLINE="built in"
is run.made_once "$made" no
image KERNEL="$dir/kernel.elf" CODEC=lz4 LEVEL=4 CMDLINE="built in"
is run.other_options "$made" yes
touch -d '+1 minute' "$dir/kernel.elf"
image KERNEL="$dir/kernel.elf" CODEC=lz4 LEVEL=4 CMDLINE="built in"
is run.other_kernel "$made" yes
image KERNEL="$dir/a kernel.elf"
is run.blank "$made" yes
rm -f "$tree/run.img"

# ---- Signals end the machine and leave no temporary files. $1 is the result's name,
# $2 the signal, $3 the expected status, the rest a command that starts the machine.
signalled() {
	name=$1 signal=$2 wanted=$3
	shift 3
	rm -rf "$dir/pid" "$dir/tmp"
	mkdir "$dir/tmp"
	# timeout leads a process group, as a terminal's job does. It passes the signal
	# to the command only.
	status=0
	PATH="$dir/bin:$PATH" O=$dir TMPDIR=$dir/tmp GUEST_HANGS=$dir/pid SEV=es \
		KERNEL=$tree/payload/tiny.elf INITRD='' APPEND='' QEMU_ARGS='' \
		OVMF=off ACCEL=tcg CBITPOS=51 SEVEMU_ROM=$dir/sevemu.rom \
		env "$@" >"$dir/out" 2>&1 </dev/null &
	command=$!
	tries=0
	while [ ! -s "$dir/pid" ] && [ "$tries" -lt 300 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	kill -s "$signal" "$command"
	wait "$command" 2>/dev/null || status=$?
	left=$(ls -A "$dir/tmp")
	if [ -s "$dir/pid" ] && ! kill -0 "$(cat "$dir/pid")" 2>/dev/null &&
		[ "$status" -eq "$wanted" ] && [ -z "$left" ]; then
		pass "run.$name"
	else
		fail "run.$name" "status $status, left '$left': $(excerpt "$dir/out")"
		kill "$(cat "$dir/pid")" 2>/dev/null || :
	fi
}
signalled sevemu_term TERM 143 sevemu/sevemu --timeout 0 --kernel "$dir/run.img"
signalled sevemu_hup HUP 129 sevemu/sevemu --timeout 0 --kernel "$dir/run.img"
signalled run_term TERM 143 tools/run
signalled run_plain_term TERM 143 SEV=off tools/run
signalled make_run_term TERM 143 -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
	make -s run O="$tree"

# Compressing this kernel takes seconds. mkimage ends mkpayload.
mkdir "$dir/mkimage"
status=0
TMPDIR=$dir/mkimage O=$tree tools/mkimage --level 22 -o "$dir/cut.img" \
	"$tree/kernels/cloud/vmlinuz" >"$dir/out" 2>&1 </dev/null &
command=$!
tries=0 packer=
while [ -z "$packer" ] && [ "$tries" -lt 300 ]; do
	sleep 0.1
	tries=$((tries + 1))
	packer=$(cat /proc/[0-9]*/status 2>/dev/null | awk -v parent="$command" '
		$1 == "Name:" { name = $2 }
		$1 == "Pid:" { pid = $2 }
		$1 == "PPid:" && $2 == parent && name == "mkpayload" { print pid }')
done
kill -s TERM "$command"
wait "$command" || status=$?
left=$(ls -A "$dir/mkimage")$(find "$dir" -name 'cut.img*')
if [ "$status" -eq 143 ] && [ -z "$left" ] && [ -n "$packer" ] &&
	! kill -0 "$packer" 2>/dev/null; then
	pass run.mkimage_term
else
	fail run.mkimage_term "status $status, left '$left', packer $packer"
fi

# A compiler that is not there is found out before anything is compressed.
mkdir "$dir/early"
status=0
O=$tree CC=nope tools/mkimage -o "$dir/early.img" "$tree/payload/tiny.elf" \
	>"$dir/out" 2>&1 || status=$?
is run.no_compiler "$status $(cat "$dir/out")" \
	"1 mkimage: nope: not found: name another one by CC, or install it"

# A real boot. The kernel reports what it was handed.
if [ ! -r /usr/share/ovmf/OVMF.fd ] ||
	! command -v qemu-system-x86_64 >/dev/null; then
	skip run.boot "there is no OVMF or no QEMU"
	exit "$failed"
fi
status=0
limited make -s run O="$tree" KERNEL="$tree/payload/high.elf" INITRD= \
	APPEND="t.sev=es t.cbit=51 t.entry=1" >"$dir/out" 2>"$dir/said" </dev/null ||
	status=$?
if [ "$status" -eq 0 ] && grep -q '^payload: passed' "$dir/out"; then
	pass run.boot
else
	fail run.boot "status $status: $(tail -qn 3 "$dir/out" "$dir/said" | tr '\n' ' ')"
fi

exit "$failed"
