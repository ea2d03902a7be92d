# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite stack finds out how deep the stub's stacks can become: computed from the
# compiler's call graph, and measured in boots by the test kernel, which finds the
# stack as the stub has left it. The boot test code-stack-overflow runs into the guard
# page.
#
# On top of what an entry needs come an exception where the stack is deepest, and an
# NMI where the exception's handler is deepest. Hardware does not nest further. A
# hypervisor that injects NMIs can nest without bound, which ends the guest
# (docs/sev-es.md). The stub decodes the payload on the lower half of the stack, and does all
# else on the upper half (lib/fresh_stack_64.S). Each half must suffice.

# shellcheck source=tests/lib.sh
. tests/lib.sh

# Bytes that the processor and exception_common push, with alignment and the call.
FRAME=$(((22 + 2) * 8 + 16))

cases()
{
	printf '%s\n' boot sev-es computed early
}

# stack_size NAME: that constant of include/setup.h, in bytes.
stack_size()
{
	sed -nE "s/^#define $1[[:blank:]]+([0-9]+).*/\1/p" include/setup.h
}

# depth ENTRY EARLY: sets $bytes and $path. EARLY is 1 for the code that runs before
# the image has moved.
depth()
{
	rows tests/stack/calls.list >"$O/stack/$test.calls"
	line=$(find "$O/stack/stub" -name '*.ci' -exec awk -v entry="$1" -v early="$2" \
		-f tests/stack/depth.awk "$O/stack/$test.calls" {} +) ||
		die "the depth of $1 cannot be computed"
	bytes=${line%% *}
	path=${line#* }
}

# compute ENTRY: sets $handler, $bytes, $path and $sum, what ENTRY needs after the image
# has moved, with a #VC and an NMI on top.
compute()
{
	depth do_exception 0
	handler=$bytes
	depth "$1" 0
	sum=$((bytes + 2 * (FRAME + handler)))
}

# judge HOLDS TEXT: the case passes if HOLDS is 1.
judge()
{
	[ "$1" -eq 1 ] || die "$2"
	pass "$test" "$2"
}

# measured LOG: the depth that the test kernel has printed.
measured()
{
	used=$(sed -nE 's/.*payload: stack: ([0-9]+) and ([0-9]+) of [0-9]+ bytes used.*/\1 \2/p' \
		"$1" | tail -n 1)
	[ -n "$used" ] || die "the test kernel prints no stack use in $1"
	compute extract_kernel
	upper=$sum
	compute misc.c:unpack
	judge $((${used% *} <= upper && ${used#* } <= sum && ${used#* } > 0)) \
		"$used bytes used of the halves, computed were $upper and $sum"
}

run_case()
{
	case $test in
	computed)
		half=$(($(stack_size STACK_SIZE) / 2))
		compute extract_kernel
		upper="$bytes bytes, with #VC and NMI $sum, of $half: $path"
		[ "$sum" -le "$half" ] || die "$upper"
		compute misc.c:unpack
		judge $((sum <= half)) \
			"$upper; $bytes bytes, with #VC and NMI $sum, of $half: $path"
		;;
	early)
		size=$(stack_size EARLY_STACK_SIZE)
		depth do_exception 1
		handler=$bytes
		depth place_image 1
		sum=$((bytes + FRAME + handler))
		judge $((sum <= size)) \
			"$bytes bytes, with an exception $sum, of $size: $path"
		;;
	boot)
		tests/check boot/verbose-64 >"$O/stack/boot.log" ||
			die "$(grep -m 1 '^FAIL' "$O/stack/boot.log")"
		measured "$O/boot/verbose-64.log"
		;;
	sev-es)
		# Only if the test kernel passes does it print the stack's use.
		SEVEMU_ROM=$O/sevemu.rom sevemu/sevemu --strict --timeout "$hang" \
			--sev es --kernel "$O/boot/test.img" \
			--append "nokaslr earlyprintk=ttyS0 t.sev=es t.cbit=51" \
			>"$O/stack/sev.log" 2>&1 </dev/null || :
		measured "$O/stack/sev.log"
		;;
	esac
}
