# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # suite.sh and read_image set these variables
#
# The cases of the suite sev that compare exits, instructions and bytes with
# tests/bench/budgets. tests/sev/suite.sh reads this file.

# other_kernel NAME: prints a reason if kernel NAME is of another version than the one for
# which tests/bench/budgets has values. On other releases of Debian it is.
other_kernel() {
	case $(cat "$O/kernels/$1/version") in
	*-6.1.*) ;;
	*) echo "the budget is that of Linux 6.1, $1 is $(cat "$O/kernels/$1/version")" ;;
	esac
}

# Prints a reason if the compiler is another one than that of tests/bench/budgets.
other_compiler() {
	version=$(gcc -dumpversion)
	[ "$version" = 12 ] || echo "the budget is that of gcc 12, this is gcc $version"
}

# do_budget NAME IMAGE ENTRY
do_budget() {
	load=-
	append="nokaslr quiet console=ttyS0"
	case $2 in
	# Without an initrd the kernel panics early.
	cloud* | generic) append="$append panic=-1" ;;
	*) append="$append t.quiet=1 t.sev=es t.cbit=51" ;;
	esac
	read_image "$O/boot/$2.img"
	# Not where the stub's entry is, see check_entry_figures.
	if [ "$3" = 32 ] && [ "$relocatable" -ne 0 ]; then
		load=$((link + align / 2))
	fi
	# shellcheck disable=SC2046 # two words or none
	sevemu --icount --mode "direct$3" --marker "$(payload_entry "$load")" \
		$([ "$load" = - ] || echo "--load $load") \
		--kernel "$O/boot/$2.img" --append "$append"
	exits=$(figure "$log.figures" marker.vmgexit_total)
	used=$(figure "$log.figures" marker.instructions)
	own=$(figure "$log.figures" marker.hypervisor_instructions)
	[ -n "$used" ] || die "the payload's entry is not reached: $(
		tail -n 1 "$log.log")"
	used=$((used - own))
	at_most "VMGEXITs" "$exits" "exits-$3"
	case $2 in
	cloud* | generic)
		reason=$(other_kernel "${2%-*}")
		[ -n "$reason" ] || reason=$(other_compiler)
		if [ -n "$reason" ]; then
			skip "$test" "$exits VMGEXITs, instructions not compared: $reason"
			return
		fi
		at_most "instructions for 1000 bytes" $((used / (bytes / 1000))) \
			"per-1000-$1" 2
		;;
	*) at_most instructions "$used" "instructions-$1" 2 ;;
	esac
	pass "$test" "$exits VMGEXITs, $used instructions"
}

# The bytes of an image without the compressed payload and the padding after it. The
# padding depends on the payload's length; the hard limit allows a page for it.
do_size() {
	elf=$O/boot/test.elf
	size=$(($(symbol "$elf" setup_end) +
		$(symbol "$elf" payload_start) - $(symbol "$elf" startup_32) +
		$(symbol "$elf" payload_header_size) +
		$(symbol "$elf" image_file_end) - $(symbol "$elf" _text)))
	at_most "bytes besides the payload" "$size" stub-bytes 2
	at_most "bytes besides the payload with padding" $((size + 4095)) \
		stub-bytes-limit
	pass "$test" "$size bytes"
}

# The bytes of the images of Debian's kernels.
do_bytes() {
	for name in cloud generic; do
		reason=$(other_kernel "$name")
		if [ -n "$reason" ]; then
			skip "$test" "$reason"
			return
		fi
		size=$(wc -c <"$O/boot/$name.img")
		at_most "bytes of the image $name" "$size" "image-bytes-$name" 2
	done
	pass "$test"
}

# loaded FILE...: the bytes of the object files' sections that become part of an image.
loaded() {
	(cd "$O/stub" && size -A "$@") | awk '
		/^\./ && !/^\.(bss|debug|comment|note)/ { sum += $2 }
		END { print sum + 0 }'
}

# The bytes of each feature, and that each object file is counted once.
do_ledger() {
	counted=$log.counted
	: >"$counted"
	reason=$(other_compiler)
	if [ -n "$reason" ]; then
		skip "$test" "$reason"
		return
	fi
	rows tests/bench/budgets ledger >"$log.rows"
	while IFS=$tab read -r feature allowed objects; do
		# shellcheck disable=SC2086 # several files
		size=$(loaded $objects)
		[ "$size" -le $((allowed + allowed * 2 / 100)) ] ||
			die "$feature: $size bytes, the ledger has $allowed"
		# shellcheck disable=SC2086 # several files
		printf '%s\n' $objects >>"$counted"
		total=$((${total:-0} + size))
	done <"$log.rows"
	(cd "$O/stub" && find . -name '*.o' | sed 's,^\./,,' | sort) >"$log.objects"
	sort "$counted" | cmp -s - "$log.objects" || die "not in the ledger, or twice: $(
		sort "$counted" | comm -3 - "$log.objects" | tr -s '\t\n' '  ')"
	[ "$(loaded payload/filter-check.o payload/unfilter.o)" -le \
		$((1536 - 288)) ] || die "the filter takes more than 1.5 KiB"
	pass "$test" "$total bytes of $(wc -l <"$log.rows") features"
}
