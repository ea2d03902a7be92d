# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite hostile boots the test kernel under a hypervisor that lies, which sevemu
# plays and judges. Its cases are the rows of tests/hostile/cases.list and two more:
# `ends` plays the attacks of ends.list, each with a known outcome, and `checks`
# compares checks.list and leaks.list with the stub's source. What case X printed is in
# $O/hostile/X.log.
#
# HOSTILE_SOAK=1 plays the rows of the list's section [soak] instead, which takes two
# hours. HOSTILE_IMAGE is another image of the test kernel, without its `.img`.
# HOSTILE_ENDS is a regular expression: `ends` plays only the machines that match.
#
# tests/hostile/replay plays one job again, as a FAIL line says.

# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/image.sh
. tests/image.sh

HOSTILE_IMAGE=${HOSTILE_IMAGE:-$O/boot/test}
OVMF=${OVMF:-/usr/share/ovmf/OVMF.fd}
export HOSTILE_IMAGE
list=tests/hostile/cases.list
section=check
[ -z "${HOSTILE_SOAK:-}" ] || section=soak
out=$O/hostile
memory=256M
# A job is hundreds or thousands of boots, so it counts as hung after twelve times the
# seconds of one boot.
limit=$((12 * hang))
# A case has several jobs.
# shellcheck disable=SC2034 # tests/check reads it
case_limit=$((4 * limit))

cases()
{
	[ "$section" = soak ] || printf '%s\n' ends checks
	rows "$list" "$section" | cut -f 1
}

prepare()
{
	mkdir -p "$out"
}

# ---- One machine.

# find_places: sets the addresses that sevemu has to know, from the stub's symbols and
# from the payload's header.
find_places() {
	boots=$HOSTILE_IMAGE
	# Firmware needs the low memory for itself.
	[ "${mode_of#*/ovmf}" = "$mode_of" ] || boots=$O/boot/high
	! has_chance || boots=${HOSTILE_IMAGE%/*}/moves
	image=$boots.img
	head=$(payload_header "$image") || die "no payload header in $image"
	link=$(number "$image" $((head + 16)) 8)
	end=$((link + $(number "$image" $((head + 48)) 8)))
	moved=$((link + $(symbol "$boots.elf" image_init_size) -
		$(symbol "$boots.elf" _end)))
	ghcb=$((moved + $(symbol "$boots.elf" ghcb_page)))
	# The first function that runs after the stub has proven its own page tables.
	proof=$((moved + $(symbol "$boots.elf" idt_load_stage2)))
	# The gates follow 16 bytes with the operand of LIDT, see struct idt in include/idt.h.
	idt=$((moved + $(symbol "$boots.elf" idt) + 16))
	find_memory
	! has_chance || find_chance
}

# has_chance: the stub chooses the payload's address at random.
has_chance() {
	case $append_of in *t.virt=any*) return 0 ;; esac
	return 1
}

# find_chance: the addresses for a payload at a random address. Of that payload sevemu
# knows only the size in its file, and where the stub draws the random number: the one
# RDRAND besides those that prove the C-bit.
find_chance() {
	end=$((link + $(number "$image" $((head + 40)) 8)))
	rdrand=$(objdump -d "$boots.elf" | awk '/^[0-9a-f]+ <.*>:$/ { proof = /cbit|cr3_proven/ }
		/\trdrand / && !proof { sub(":", "", $1); print $1 }')
	[ "$(echo "$rdrand" | wc -w)" -eq 1 ] ||
		die "not one RDRAND for KASLR in $boots.elf: $rdrand"
	chance=$((moved + 0x$rdrand))
	for function in seeds kaslr_finish payload_decode relocate; do
		chance=$chance,$((moved + $(symbol "$boots.elf" "$function")))
	done
}

# between START END...: the ranges between these places in the moved image, made larger to
# whole blocks of 16 bytes, as sevemu's --memory takes them. A place is SYMBOL or
# SYMBOL+OFFSET.
between() {
	plus=
	while [ $# -gt 0 ]; do
		printf '%s%s-%s' "$plus" $(($(place "$1") & ~15)) \
			$((($(place "$2") + 15) & ~15))
		plus=+
		shift 2
	done
}

place() {
	offset=${1#"${1%+*}"}
	echo $((moved + $(symbol "$boots.elf" "${1%+*}") + ${offset:-0}))
}

# end_of SYMBOL: the end of a variable, as between takes it.
end_of() {
	size=$(nm -S "$boots.elf" | sed -n "s/^[0-9a-f]* \([0-9a-f]*\) b $1\$/\1/p")
	echo "$1+$((0x$size))"
}

# find_memory: sets $memory_of, all that sevemu's --memory takes.
find_memory() {
	status=$(symbol "$boots.elf" sev_guest)
	# The loader puts a relocatable image at the payload's address, and any other one at
	# code32_start (offset 0x214). Firmware's image does not move.
	loaded=$link
	[ "$(number "$image" $((0x234)) 1)" -ne 0 ] || loaded=$(number "$image" $((0x214)) 4)
	loaded=$((loaded + status - $(symbol "$boots.elf" startup_32)))
	[ "${mode_of#*/ovmf}" = "$mode_of" ] || loaded=$((moved + status))
	workspace_end=$(end_of workspace)
	areas_end=$(end_of areas)

	# What the stub decides by: .data and .bss without what follows below, and the zero
	# page and the command line, where sevemu puts them.
	set -- _data early_stack early_stack_end _edata moved_gdt_ptr moved_idt+528 \
		double_fault_stack_end ghcb_page "$areas_end" stack_overrun
	! has_chance || set -- "$@" areas "$areas_end"
	decisions=$(between "$@")
	[ "${mode_of#*/ovmf}" != "$mode_of" ] || decisions=$decisions+0x10000-0x11000+0x20000-0x20100
	stacks=$(between early_stack early_stack_end _bss double_fault_stack_end \
		stack_guard+4096 stack_end)
	tables=$(between page_table_pool _end)
	# The first range of the code begins with the image.
	code=$(between startup_32 payload_start _text _erodata)
	# The compressed payload, the decoder's workspace, and what it decodes to, if that
	# has a known address.
	output=$(between payload_start payload_end workspace "$workspace_end")
	has_chance || output=$output+$link-$((link + ($(number "$image" $((head + 40)) 8) & ~15)))
	memory_of=$loaded+$((moved + status)),$decisions,$stacks,$tables,$code,$output
}

# sevemu JOB: plays the job on the machine of the row that was read. Sets $status, and
# appends to $log and $log.console.
sevemu() {
	mode=$mode_of
	sev=${mode%%/*} cbit=${mode##*/}
	mode=${mode#*/}
	append="t.quiet=1 t.sev=$sev t.cbit=$cbit"
	machine="--mode direct${mode%/*}"
	if has_chance; then
		machine="$machine --chance $chance"
		# The payload lands in some fifty places, and sevemu's snapshot has to hold
		# all of them.
		memory=160M
		append="$append t.addr=any"
	else
		append="nokaslr $append"
	fi
	places="$link-$end,$ghcb,$proof"
	if [ "$mode" = "ovmf/$cbit" ]; then
		machine="--firmware $OVMF"
		places="$places,$idt"
		append="$append t.entry=1"
	elif [ "$sev" = es ]; then
		append="$append t.ghcb=$ghcb"
	else
		places="$link-$end,0,$proof"
	fi
	status=0
	# shellcheck disable=SC2086 # several options
	SEVEMU_ROM=$O/sevemu.rom sevemu/sevemu --strict --timeout "$limit" \
		--sev "$sev" $machine --cbit "$cbit" $options \
		--marker "$link" --watch "$places" --memory "$memory_of" \
		--kernel "$boots.img" --append "$append $append_of" \
		"--${1%% *}" "${1#* }" -- -m "$memory" \
		>>"$log.console" 2>>"$log" </dev/null || status=$?
}

# read_row NAME: sets $mode_of, $options, $append_of and $jobs from that row of the
# list. Fails if there is no such row.
read_row() {
	rows "$list" | awk -F '\t' -v name="$1" '$2 == name' >"$out/$test.row"
	IFS=$tab read -r _ _ mode_of options append_of jobs <"$out/$test.row" || return 1
	options=$(given "$options")
	append_of=$(given "$append_of")
}

# ---- A row of the list.

# judge STATUS: sevemu writes to its log a FAIL line for each run that was not allowed,
# and the figures of each job.
judge() {
	grep -a '^sevemu: FAIL ' "$log" >"$log.fail" || :
	head -n 20 "$log.fail" | while read -r _ _ what rest; do
		number=${rest%%:*}
		job="hostile $number"
		case $what in
		seed) ;;
		attack) job="attack $(printf '%s' "$rest" | cut -d' ' -f2 | sed 's/:$//')" ;;
		*) job="attack $what:$number" ;;
		esac
		fail "$test" "$what $rest; replay: tests/hostile/replay $test $job"
	done
	[ ! -s "$log.fail" ] || exit 1
	if [ "$1" -ne 0 ] || ! grep -qa '^sevemu: ends ' "$log"; then
		die "status $1: $(tail -n 1 "$log")"
	fi
	covered=$(coverage "$log")
	# A soak has to change every block by which the stub decides.
	case $section,$covered in
	check,* | soak,) ;;
	*) echo "$covered" | awk '{
		for (i = 1; i <= NF; i++) {
			split($i, part, /[=\/]/)
			if (part[1] ~ /^blocks/)
				decides = 1
			if (part[1] ~ /^blocks/ && part[2] == part[3])
				all = 1
		}
	}
	END { exit decides && !all }' || die "no window changed all blocks: $covered" ;;
	esac
	pass "$test" "$(totals "$log")${covered:+; $covered}"
}

# coverage LOG: WINDOW=PLAYED/BLOCKS for each window that changed blocks.
coverage() {
	sed -n 's/^sevemu: \([a-z-]*\) last=[0-9]* blocks=\([0-9]*\) played=\([0-9]*\) .*/\1=\3\/\2/p' \
		"$1" | paste -sd' ' -
}

# totals LOG...: the figures of all jobs, added up.
totals() {
	cat "$@" | awk '/^sevemu: ends / {
		for (i = 3; i <= NF; i++) {
			split($i, pair, "=")
			if (!(pair[1] in sum))
				order[++n] = pair[1]
			sum[pair[1]] += pair[2]
		}
	}
	END {
		for (i = 1; i <= n; i++)
			printf "%s%s=%u", (i > 1 ? " " : ""), order[i], sum[order[i]]
		if (!("not-allowed" in sum))
			printf " not-allowed=0"
		print ""
	}'
}

run_case() {
	log=$out/$test.log
	rm -f "$log" "$log.console"
	case $test in
	ends | checks)
		"do_$test"
		return
		;;
	esac
	read_row "$test"
	worst=0
	find_places
	saved=$IFS
	IFS=,
	for job in $jobs; do
		IFS=$saved
		sevemu "${job# }"
		[ "$status" -eq 0 ] || worst=$status
	done
	judge "$worst"
}

# ---- The attacks of ends.list, and the lists of checks.

# Each attack of ends.list must end as the list says.
do_ends() {
	rows tests/hostile/ends.list end >"$out/ends.list"
	count=0
	wrong=
	cut -f 1 "$out/ends.list" | sort -u |
		grep -E -e "${HOSTILE_ENDS:-.}" >"$out/ends.rows"
	while read -r on; do
		read_row "$on"
		log=$out/ends.$on.log
		rm -f "$log" "$log.console"
		find_places
		awk -F '\t' -v on="$on" '$1 == on { print $2 ": " $3 }' "$out/ends.list" \
			>"$log.expected"
		sevemu "attack $(sed 's/: .*//' "$log.expected" | paste -sd, -)"
		sed -n 's/^sevemu: \(FAIL \)\{0,1\}attack [0-9]*: //p' "$log" >"$log.ends"
		diff "$log.expected" "$log.ends" | sed -n 's/^> //p' >"$log.differ"
		while read -r line; do
			wrong=yes
			fail "ends.$on" "$line, not $(grep "^${line%% *}" "$log.expected")"
		done <"$log.differ"
		[ -n "$wrong" ] || cmp -s "$log.expected" "$log.ends" || {
			wrong=yes
			fail "ends.$on" "$(tail -n 1 "$log")"
		}
		count=$((count + $(wc -l <"$log.expected")))
	done <"$out/ends.rows"
	[ -z "$wrong" ] || exit 1
	pass "$test" "$count attacks"
}

# Every check that checks.awk finds in the stub must be in checks.list, where
# `mutants` notes which test fails without it. Each row of leaks.list must find one
# line of the stub.
do_checks() {
	tests/hostile/mutants --check >"$out/checks.differences" ||
		[ -s "$out/checks.differences" ] || fail "$test" "mutants --check does not run"
	while IFS= read -r why; do
		fail "$test" "$why"
	done <"$out/checks.differences"
	rows tests/hostile/leaks.list leak >"$out/leaks"
	while IFS=$tab read -r _ file behind _; do
		[ "$(grep -c "$behind" "$file")" -eq 1 ] ||
			fail "$test" "not one line of $file matches $behind: leaks.list"
	done <"$out/leaks"
	[ "$failed" -eq 0 ] || exit 1
	pass "$test" "$(tests/hostile/mutants --list | wc -l)"
}

# ---- After the last case: what was played, over all rows.

finish() {
	while read -r test; do
		case $test in
		ends | checks) ;;
		*)
			read_row "$test"
			case $jobs in
			attack*) cat "$out/$test.log" >>"$out/played.attacks" ;;
			*) cat "$out/$test.log" >>"$out/played.seeds" ;;
			esac
			;;
		esac
	done
	for what in attacks seeds; do
		[ ! -e "$out/played.$what" ] ||
			printf 'hostile: %s: %s\n' "$what" "$(totals "$out/played.$what")"
		rm -f "$out/played.$what"
	done
}
