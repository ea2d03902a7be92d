#!/bin/sh
# SPDX-License-Identifier: MIT
#
# make run: which machine it starts for which variables, what it refuses before
# it compresses anything, and what counts as success. A script stands in for QEMU;
# only the last test boots, with all variables at their defaults but the kernel's.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

tree=$O
ln -s "$tree/mkpayload" "$tree/sevstub.a" "$tree/sevemu.rom" "$dir/"
mkdir "$dir/bin" "$dir/empty"
for tool in sh dirname cat sed grep tee rm env; do
	ln -s "$(command -v "$tool")" "$dir/empty/"
done
echo "an initrd" >"$dir/initramfs.cpio.gz"
echo "firmware" >"$dir/OVMF,1.fd"

# Writes its arguments to a file, and prints what a guest would print.
cat >"$dir/bin/qemu-system-x86_64" <<'END'
#!/bin/sh
printf '%s\n' "$@" >"$O/arguments"
echo "${GUEST_SAYS-userspace: reached}"
exit "${GUEST_ENDS:-0}"
END
chmod +x "$dir/bin/qemu-system-x86_64"

# run VARIABLE=VALUE...: tools/run as make calls it; sets $status.
run() {
	status=0
	rm -f "$dir/arguments" "$dir/run.img"
	env PATH="$dir/bin:$PATH" O="$dir" KERNEL="$tree/payload/tiny.elf" \
		INITRD="$dir/initramfs.cpio.gz" APPEND="a word" QEMU_ARGS= \
		SEV=es OVMF="$dir/OVMF,1.fd" ACCEL=tcg CBITPOS=51 "$@" \
		tools/run >"$dir/out" 2>&1 </dev/null || status=$?
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
starts default "tcg opt/sevemu/config,string=sev=es opt/sevemu/firmware,file=$dir/OVMF,,1.fd run.img initramfs.cpio.gz" "kvm mon:stdio"
run OVMF=off
starts es_direct "opt/sevemu/config,string=sev=es mode=direct64" "firmware"
run SEV=sev
starts sev "opt/sevemu/config,string=sev=sev opt/sevemu/firmware" "kvm"
run SEV=off
starts plain "tcg -bios OVMF,1.fd run.img mon:stdio" "sevemu kvm sev-guest"
run SEV=off OVMF=off
starts plain_bios "tcg run.img" "sevemu -bios pflash"
run SEV=off INITRD=
starts no_initrd "run.img" "-initrd"
run SEV=off QEMU_ARGS="-m 77M"
starts qemu_args "77M" "sevemu"
# The image that is run is made as make image would.
run SEV=off CODEC=lz4 LEVEL=3 CMDLINE="built in"
tools/mkimage --codec lz4 --level 3 --cmdline "built in" -o "$dir/lz4.img" \
	"$tree/payload/tiny.elf" >/dev/null 2>&1
cmp "$dir/lz4.img" "$dir/run.img" >"$dir/found" 2>&1 || :
nothing run.codec "$dir/found"
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
		[ -e "$dir/run.img" ] || ! grep -qE -e "$2" "$dir/out"; then
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

run SEV=off GUEST_SAYS="panic"
fails no_userspace "did not get to userspace"
run SEV=off GUEST_ENDS=3
fails machine_failed "ended with status 3"
run GUEST_ENDS=3
fails sevemu_failed "ended with status 13"
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
