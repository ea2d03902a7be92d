#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The image as EFI firmware and the tools of Secure Boot see it: the PE header
# read field by field (PE format, "COFF File Header" and on), by objdump, and
# by sbsign. A loader lays out memory as the file is. Only .sbat, which shim reads in the
# file, is elsewhere in memory.

set -eu
# shellcheck source=tests/unit/image.sh
. tests/unit/image.sh

make_image tiny "$O/payload/tiny.elf"
make_image cloud "$O/kernels/cloud/vmlinuz" --level 1

CODE=$((0x20))
EXECUTE=$((0x20000000))
READ=$((0x40000000))
WRITE=$((0x80000000))

# field NAME OFFSET SIZE WANTED: a field of the header at $pe in $image.
field() {
	got=$(number $((pe + $2)) "$3" "$image")
	[ "$got" = "$(($4))" ] || echo "$1 is $got, not $(($4));" >>"$dir/found"
}

for name in tiny cloud; do
	elf=$dir/$name.elf
	image=$dir/$name
	size=$(wc -c <"$image")
	start=$(symbol setup_start "$elf")
	memory=$((($(symbol _end "$elf") + 4095) / 4096 * 4096))
	sbat=$((($(symbol _esbat "$elf") - $(symbol _sbat "$elf") + 511) / 512 * 512))

	: >"$dir/found"
	pe=0
	field dos_magic 0 2 0x5a4d
	field linux_magic 0x38 4 0x818223cd
	pe=$(number 0x3c 4 "$image")
	field signature 0 4 0x4550
	field Machine 4 2 0x8664
	field SizeOfOptionalHeader 20 2 112+6*8
	# The image is executable, and its relocations count as not stripped.
	field Characteristics 22 2 0x206
	field Magic 24 2 0x20b
	field AddressOfEntryPoint 40 4 "$(symbol efi_pe_entry "$elf")"
	field ImageBase 48 8 0
	field SectionAlignment 56 4 4096
	field FileAlignment 60 4 512
	# From version 1 on the image takes its initrd by LoadFile2.
	field MajorImageVersion 68 2 3
	field SizeOfImage 80 4 "$memory+(sbat+4095)/4096*4096"
	field SizeOfHeaders 84 4 "$start"
	field CheckSum 88 4 0
	field Subsystem 92 2 10
	field DllCharacteristics 94 2 0x100
	field NumberOfRvaAndSizes 132 4 6
	nothing "pe.header.$name" "$dir/found"

	# All data directories are empty: no relocations, and no signature yet.
	is "pe.directories.$name" \
		"$(bytes $((pe + 136)) 48 "$image" | tr -d 0)" ""

	# The sections follow each other, from the end of the header to the end of the
	# file, and have the same place in memory. .sbat comes last in memory.
	count=$(number $((pe + 6)) 2 "$image")
	table=$((pe + 184))
	is "pe.table_fits.$name" "$((table + 40 * count <= 0x1ef))" 1
	: >"$dir/found"
	at=$start
	end=$start
	names=
	entry_in=
	entry=$(symbol efi_pe_entry "$elf")
	while [ "$count" -gt 0 ]; do
		section=$(tail -c +$((table + 1)) "$image" | head -c 8 |
			tr -d '\0')
		names="$names $section"
		vsize=$(number $((table + 8)) 4 "$image")
		va=$(number $((table + 12)) 4 "$image")
		raw=$(number $((table + 16)) 4 "$image")
		offset=$(number $((table + 20)) 4 "$image")
		flags=$(number $((table + 36)) 4 "$image")
		place=$offset
		[ "$section" != .sbat ] || place=$memory
		[ "$va" -eq "$place" ] && [ $((va % 4096)) -eq 0 ] &&
			[ "$va" -ge "$end" ] &&
			[ $((raw % 512)) -eq 0 ] && [ "$offset" -eq "$at" ] ||
			echo "$section: at $va, file offset $offset, $raw bytes;" \
				>>"$dir/found"
		at=$((offset + raw))
		end=$((va + vsize))
		[ "$vsize" -eq "$raw" ] || [ "$end" -eq "$memory" ] ||
			echo "$section: $vsize bytes in memory;" >>"$dir/found"
		case $section in
		.text) wanted=$((EXECUTE | READ)) ;;
		.data) wanted=$((READ | WRITE)) ;;
		*) wanted=$READ ;;
		esac
		[ $((flags & (EXECUTE | READ | WRITE))) -eq "$wanted" ] ||
			echo "$section: flags $flags;" >>"$dir/found"
		[ $((flags & EXECUTE ? flags & CODE : 1)) -ne 0 ] ||
			echo "$section: executable, not code;" >>"$dir/found"
		if [ "$entry" -ge "$va" ] &&
			[ "$entry" -lt $((va + vsize)) ]; then
			entry_in=$((flags & EXECUTE ? 1 : 0))
		fi
		table=$((table + 40))
		count=$((count - 1))
	done
	is "pe.names.$name" "$names" " .setup .text .rodata .data .sbat"
	nothing "pe.sections.$name" "$dir/found"
	is "pe.file_end.$name" "$at" "$size"
	is "pe.memory_end.$name" "$end" "$((memory + sbat))"
	is "pe.entry_executable.$name" "$entry_in" 1

	# objdump reads the same sections.
	objdump -h "$image" >"$dir/objdump" 2>&1 || :
	is "pe.objdump.$name" \
		"$(awk '$2 ~ /^\./ { printf "%s ", $2; getline; print }' \
			"$dir/objdump" | sed 's/CONTENTS, ALLOC, LOAD, //' |
			tr -s ' \n' '  ')" \
		".setup READONLY, DATA .text READONLY, CODE .rodata READONLY, DATA .data DATA .sbat READONLY, DATA "
done

# Revocation data (shim's SBAT.md): lines of six fields. The first line names SBAT.
sbat=$(symbol _sbat "$dir/tiny.elf")
tail -c +$((sbat + 1)) "$dir/tiny" |
	head -c $(($(symbol _esbat "$dir/tiny.elf") - sbat)) >"$dir/sbat"
is pe.sbat "$(head -n 1 "$dir/sbat" | cut -d , -f 1-2)" sbat,1
# shim refuses a field without text.
awk -F , 'NF != 6 || $2 !~ /^[1-9][0-9]*$/ || /(^|,)(,|$)/' "$dir/sbat" >"$dir/found"
nothing pe.sbat_fields "$dir/found" "$(grep -c , "$dir/sbat") lines"
is pe.sbat_own "$(grep -c '^sevstub,' "$dir/sbat")" 1

# ---- signing, with a key for this test only

sign() {
	sbsign --key "$dir/key" --cert "$dir/cert" --output "$2" "$1" \
		>"$dir/sbsign" 2>&1
}

if command -v sbsign >/dev/null && command -v openssl >/dev/null; then
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test -days 2 \
		-keyout "$dir/key" -out "$dir/cert" 2>/dev/null
	if ! sign "$dir/cloud" "$dir/signed"; then
		fail pe.sign "$(excerpt "$dir/sbsign")"
		exit 1
	fi
	# sbsign warns about gaps between sections and about odd sizes.
	grep -i warning "$dir/sbsign" >"$dir/found" || :
	nothing pe.sign "$dir/found"

	if sbverify --cert "$dir/cert" "$dir/signed" >"$dir/found" 2>&1; then
		pass pe.verify
	else
		fail pe.verify "$(excerpt "$dir/found")"
	fi
	# A changed byte breaks the signature: one in the setup header, one at the end.
	for at in $((0x1f1)) $(($(wc -c <"$dir/cloud") - 1)); do
		cp "$dir/signed" "$dir/damaged"
		printf '\125' | dd of="$dir/damaged" bs=1 seek="$at" \
			conv=notrunc status=none
		if sbverify --cert "$dir/cert" "$dir/damaged" \
			>"$dir/found" 2>&1; then
			fail "pe.verify_damaged.$at" "verified"
		else
			pass "pe.verify_damaged.$at"
		fi
	done

	# Signing changes only the PE header's checksum and its directory of
	# certificates.
	head -c "$(wc -c <"$dir/cloud")" "$dir/signed" | cmp -l - "$dir/cloud" |
		awk '{ print $1 - 1 }' >"$dir/changed"
	pe=$(number 0x3c 4 "$dir/cloud")
	awk -v pe="$pe" '($1 < pe + 88 || $1 >= pe + 92) &&
		($1 < pe + 168 || $1 >= pe + 176)' "$dir/changed" >"$dir/found"
	nothing pe.signed_is_the_same "$dir/found" \
		"$(wc -l <"$dir/changed") bytes of checksum and directory"
else
	skip pe.sign "sbsign or openssl is not installed"
fi

exit "$failed"
