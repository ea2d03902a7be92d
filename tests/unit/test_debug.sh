#!/bin/sh
# SPDX-License-Identifier: MIT
#
# make debug: gdb stops in extract_kernel(), in the copy of the stub that has moved, and
# prints the source line. Without gdb there is a message, and an empty INITRD is no initrd.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

# A PATH without any program has no gdb.
shell=$(command -v sh)
status=0
O=$dir PATH=/nowhere "$shell" tools/debug >"$dir/log" 2>&1 || status=$?
if [ "$status" -eq 2 ] && grep -qx 'debug: no gdb: install gdb, or .*' "$dir/log"; then
	pass debug-without-gdb
else
	fail debug-without-gdb "status $status: $(tail -n 1 "$dir/log")"
fi

for tool in gdb qemu-system-x86_64; do
	if ! command -v "$tool" >/dev/null; then
		skip debug "$tool is not installed"
		exit 0
	fi
done

# tools/debug writes into the build directory, so it gets another one.
ln -s "$O/mkpayload" "$O/sevstub.a" "$dir/"
echo >"$dir/initrd"
make_image run.img "$O/payload/tiny.elf"
mv "$dir/run.img.elf" "$dir/run.elf"
O=$dir INITRD='' APPEND='' QEMU_ARGS='' GDB_ARGS="-batch -ex continue -ex 'info registers rip'" \
	limited tools/debug >"$dir/log" 2>&1 || :
if grep -qE '^rip .*<extract_kernel' "$dir/log"; then
	pass debug-without-initrd
else
	fail debug-without-initrd "not stopped: $(tail -n 3 "$dir/log" | tr '\n' ' ')"
fi
O=$dir INITRD=$dir/initrd APPEND='' QEMU_ARGS='' \
	GDB_ARGS="-batch -ex continue -ex 'info registers rip' -ex backtrace" \
	limited tools/debug >"$dir/log" 2>&1 || :

# The expected address: the moved image ends where its range ends.
elf=$dir/run.elf
at=$(printf '0x%x' $(($(symbol extract_kernel "$elf") - \
	$(symbol _end "$elf") + $(symbol image_pref_address "$elf") + \
	$(symbol image_init_size "$elf"))))
line=$(grep -n '^u64 extract_kernel' misc.c | cut -d : -f 1)

if ! grep -qE "^rip +$at .*<extract_kernel" "$dir/log"; then
	fail debug "not stopped at $at: $(tail -n 3 "$dir/log" | tr '\n' ' ')"
elif ! grep -qE "^#0 +extract_kernel \(bp=0x[0-9a-f]+\) at .*misc\.c:[0-9]+" \
	"$dir/log"; then
	fail debug "no source line: $(grep '^#0' "$dir/log")"
elif [ "$(sed -nE 's/^#0 .*misc\.c:([0-9]+)$/\1/p' "$dir/log")" -lt "$line" ]; then
	fail debug "another line: $(grep '^#0' "$dir/log")"
else
	pass debug "$(grep '^#0' "$dir/log")"
fi

exit "$failed"
