# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite boot boots the images of tests/boot/cases.list in QEMU and looks at the
# console. The log of case X is $O/boot/X.log.
#
# QEMU writes the console to a file that the case watches. Its monitor stays open, to
# ask a machine that should have stopped whether it really has.

# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/image.sh
. tests/image.sh

CASES=${CASES:-tests/boot/cases.list}
QEMU=${QEMU:-qemu-system-x86_64}
# QEMU's exit status after the test kernel has written 0x10 to isa-debug-exit.
STATUS_PASS=33
# Seconds for which a machine that has printed its last line is watched: it must not
# reset. This is not a limit of time for the machine.
SETTLE=0.5

# Prints a line for each case: the list's columns with a tab between, and one line
# for each combination of alternatives. The values of alternatives are appended to
# the case's name, and so is the image's name if it begins with the case's name.
expand()
{
	rows "$CASES" case | awk -F '\t' -v list="$CASES" '
	function fail(why)
	{
		printf "%s: %s\n", list, why >"/dev/stderr"
		failed = 1
		exit 1
	}
	# What a value adds to the name: letters, digits, dots and equal signs.
	function label(value)
	{
		gsub(/-(cpu|machine) /, "", value)
		gsub(/[^A-Za-z0-9.=]+/, "-", value)
		gsub(/^-|-$/, "", value)
		sub("^" $1 "-", "", value)
		return value == "" ? "default" : value
	}
	function multiply(column, name, row,    alternatives, n, i,
			  value, longer)
	{
		if (column > columns) {
			if (name in seen)
				fail("a second case " name)
			seen[name] = 1
			print name row
			return
		}
		n = 1
		alternatives[1] = $column
		if (multiple[column] != "")
			n = split($column, alternatives, multiple[column])
		for (i = 1; i <= n; i++) {
			value = alternatives[i]
			longer = name
			if (n > 1 || index(value, $1 "-") == 1)
				longer = name "-" label(value)
			multiply(column + 1, longer, row "\t" value)
		}
	}
	BEGIN {
		columns = 9
		multiple[2] = multiple[3] = multiple[4] = multiple[6] = " +"
		multiple[5] = " / "
	}
	{
		if ($1 !~ /^[a-z0-9-]+$/)
			fail("a bad name: " $1)
		if ($8 !~ /^(pass|userspace|(text|ends):.+)$/)
			fail("a bad outcome: " $8)
		multiply(2, $1, "")
	}
	END { exit failed }'
}

cases()
{
	table=$(expand)
	printf '%s\n' "$table" | cut -f 1
}

# The names of all images that the cases boot, for rules.mk.
images()
{
	expand | cut -f 2 | sort -u
}

prepare()
{
	mkdir -p "$O/boot"
}

# ---- One boot.

run_case()
{
	log=$O/boot/$test.log
	console=$O/boot/$test.console
	dir=$(mktemp -d)
	pid=
	trap cleanup EXIT
	trap 'exit 1' HUP INT TERM
	expand | awk -F '\t' -v name="$test" '$1 == name' >"$dir/row"
	IFS=$tab read -r _ image entry memory qemu initrd cmdline expect also \
		<"$dir/row"
	image=$O/boot/$image.img
	case $initrd in
	yes) initrd=$O/initramfs.cpio.gz ;;
	*) initrd= ;;
	esac
	case $qemu in
	*reserve=off*) need_overcommit ;;
	esac
	reason=$(unable)
	if [ -n "$reason" ]; then
		skip "$test" "$reason"
		exit 0
	fi

	: >"$dir/args"
	: >"$dir/stderr"
	: >"$dir/monitor"
	: >"$console"
	[ -r "$image" ] || fails "there is no $image: make check-deps-boot makes it"

	case $entry in
	*+tpm) start_tpm ;;
	esac
	expand_cmdline >"$dir/cmdline"
	tests/boot/qemu-args "$entry" "$image" "$memory" \
		"$(cat "$dir/cmdline")" "$initrd" >"$dir/args"
	[ "$qemu" = - ] || printf '%s\n' "$qemu" | tr -s ' ' '\n' >>"$dir/args"
	printf '%s\n' -serial "file:$console" -monitor stdio >>"$dir/args"
	set --
	while IFS= read -r argument; do
		set -- "$@" "$argument"
	done <"$dir/args"

	mkfifo "$dir/commands"
	start=$(seconds)
	"$QEMU" "$@" <"$dir/commands" >"$dir/monitor" 2>"$dir/stderr" &
	pid=$!
	# The pipe stays open as long as this shell lives, because the monitor must not read
	# an end of file.
	exec 9>"$dir/commands"

	case $expect in
	text:*)
		watch "${expect#text:}"
		[ "$state" != timeout ] || fails "not a word of it after $hang s"
		if [ "$state" = seen ]; then
			sleep "$SETTLE"
			alive || state=ended
		fi
		if [ "$state" = ended ]; then
			reap
			fails "the machine was reset or ended (QEMU's exit status $status)"
		fi
		ask || fails "QEMU's monitor does not answer"
		reap
		grep -q 'VM status: running' "$dir/monitor" ||
			fails "QEMU stopped the machine"
		grep -q 'HLT=1' "$dir/monitor" || fails "the machine does not halt"
		;;
	*)
		watch ''
		[ "$state" != timeout ] || fails "does not end within $hang s"
		reap
		[ -s "$console" ] ||
			fails "silence (QEMU's exit status $status: $(tail -n 1 "$dir/stderr"))"
		case $expect in
		pass)
			want=$STATUS_PASS
			has='^payload: (passed|tiny)$'
			;;
		userspace)
			want=0
			has='^userspace: reached'
			;;
		ends:*)
			want=0
			has=${expect#ends:}
			;;
		esac
		console_has "$has" || fails "no line '$has' (QEMU's exit status $status)"
		[ "$status" -eq "$want" ] ||
			fails "QEMU's exit status is $status and not $want"
		;;
	esac

	# shellcheck disable=SC2016 # awk's own $0
	printf '%s\n' "$also" | awk '{ gsub(/ & /, "\n"); print }' >"$dir/also"
	case $entry in
	*+tpm)
		# OVMF adds initrd=initrd after the command line; that of 2026 adds it
		# in front.
		line=$(cat "$dir/cmdline")
		sed -i "s/{pcr9}/($(pcr_9 "$line initrd=initrd")|$(pcr_9 "initrd=initrd $line"))/" \
			"$dir/also"
		;;
	esac
	sed -i "s/{grub-linux}/$(grub_linux)/" "$dir/also"
	while IFS= read -r pattern; do
		case $pattern in
		-) ;;
		!*)
			! console_has "${pattern#!}" ||
				fails "'${pattern#!}' must not be there"
			;;
		*)
			console_has "$pattern" || fails "'$pattern' is not there"
			;;
		esac
	done <"$dir/also"

	entered=$(console_text | sed -n 's/^sevstub: \(.* entry\), loader .*/\1/p' | tail -n 1)
	info="$(since "$start") s${entered:+, $entered}"
	write_log "PASS: $info"
	pass "$test" "$info"
}

cleanup()
{
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
	rm -rf "$dir" "$console"
}

seconds()
{
	read -r uptime _ </proc/uptime
	echo "$uptime"
}

# since START: the seconds since then, with one decimal.
since()
{
	awk -v from="$1" -v to="$(seconds)" 'BEGIN { printf "%.1f", to - from }'
}

# The console without carriage returns, without the sequences by which EFI firmware
# moves the cursor and sets colours, and with a ? for each other byte that is not text.
escape=$(printf '\033')
console_text()
{
	sed "s/$escape\[[0-9;=]*[A-Za-z]//g" "$console" | tr -d '\r' |
		tr -c '\n\t -~' '?'
}

console_has()
{
	console_text | grep -qE -- "$1"
}

alive()
{
	kill -0 "$pid" 2>/dev/null
}

# Asks a machine that still runs for its state, and ends it. Fails if QEMU does not
# end within $hang seconds.
ask()
{
	asked=$(seconds)
	printf 'info status\ninfo registers\nquit\n' >&9
	while alive && ! is_over "$asked"; do
		sleep 0.1
	done
	! alive
}

# is_over START: more than $hang seconds have passed since then.
is_over()
{
	awk -v t="$(since "$1")" -v limit="$hang" 'BEGIN { exit t < limit }'
}

# fails REASON: ends the case as failed, with the last lines of the console.
fails()
{
	[ -z "$pid" ] || ! alive || ask || :
	last=$(console_text | grep . | tail -n 3 | tr '\n' '/' |
		sed 's:/$::; s:/: / :g')
	reason="$1; console: ${last:-nothing at all}"
	write_log "FAIL: $reason"
	die "$reason"
}

# write_log TEXT: makes the case's log: the text, QEMU's arguments, the console, and
# what QEMU and its monitor said.
write_log()
{
	{
		printf '# %s\n' "$1"
		printf '# %s' "$QEMU"
		tr '\n' ' ' <"$dir/args"
		echo
		console_text
		sed 's/^/qemu: /' "$dir/stderr"
		grep -v '^(qemu)' "$dir/monitor" | sed 's/^/monitor: /'
	} >"$log"
}

# The words of the command line by which the test kernel checks what it is handed
# (tests/payload/USAGE.md).
facts()
{
	case $entry in
	bios) printf 't.entry=16' ;;
	ovmf*) printf 't.entry=1' ;;
	*) printf 't.entry=%.2s' "$entry" ;;
	esac
	printf ' t.mem=%s' "$memory"
	case $entry in
	*+load=*)
		load=${entry#*+load=}
		printf ' t.load=%s' "${load%%+*}"
		;;
	esac
	[ -z "$initrd" ] || printf ' %s' "$(initrd_fact "$initrd")"
}

# The case's command line, with {facts} and {long} replaced.
expand_cmdline()
{
	case $cmdline in
	-) ;;
	*"{long}"*)
		printf '%s%01900d%s' "${cmdline%%"{long}"*}" 0 \
			"${cmdline#*"{long}"}"
		;;
	*"{facts}"*)
		printf '%s%s%s' "${cmdline%%"{facts}"*}" "$(facts)" \
			"${cmdline#*"{facts}"}"
		;;
	*) printf '%s' "$cmdline" ;;
	esac
}

sha256()
{
	openssl dgst -sha256 -binary
}

# has_linuxefi: this machine's GRUB has the command linuxefi. Debian's GRUB 2.06 has it.
# Debian's GRUB 2.12 does not, and its command linux boots by EFI.
has_linuxefi()
{
	grep -qs '^linuxefi:' /usr/lib/grub/x86_64-efi/command.lst
}

# unable: prints a reason if a program of this system cannot do what the case needs of it.
unable()
{
	case ${image##*/}:$cmdline:$(cat "$O/kernels/cloud/version") in
	disk-grub-linuxefi.img:*)
		has_linuxefi || echo "this version of GRUB has no command linuxefi"
		;;
	disk-secure-unsigned.img:*)
		! grep -qsa 'systemd-boot 257' /usr/lib/systemd/boot/efi/systemd-bootx64.efi ||
			echo "systemd-boot 257 has a #GP after firmware has refused an image"
		;;
	*:*--entry-32bit*:linux-*-7.*)
		echo "Linux 7 hangs in its kexec to a 32-bit entry, to that of its own image, too"
		;;
	esac
}

# What the stub says when GRUB's command linux starts it on EFI. GRUB 2.06 leaves boot
# services itself and enters the stub in 32-bit mode. From 2.12 on GRUB has firmware load the
# image and start it at its EFI entry.
grub_linux()
{
	if has_linuxefi; then
		echo '^sevstub: 32-bit entry, loader type 0x72'
	else
		echo '^sevstub: EFI entry, loader type 0x21'
	fi
}

# pcr_9 CMDLINE: the value of a TPM's PCR 9 after this command line and the initrd were
# measured into it. Measuring replaces the value by the digest of the old value and
# the digest of the data.
pcr_9()
{
	{
		{
			head -c 32 /dev/zero
			printf '%s\0' "$1" | iconv -f UTF-8 -t UTF-16LE | sha256
		} | sha256
		sha256 <"$initrd"
	} | sha256 | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F
}

# Starts a software TPM, which ends when QEMU does.
start_tpm()
{
	need swtpm
	mkdir "$dir/tpm"
	TPM_SOCKET=$dir/tpm/socket
	export TPM_SOCKET
	swtpm socket --tpm2 --tpmstate "dir=$dir/tpm" --daemon --terminate \
		--ctrl "type=unixio,path=$TPM_SOCKET" >"$dir/stderr" 2>&1 ||
		fails "swtpm does not start"
}

# watch REGEX: waits until QEMU ends, until a line of the console matches, or for $hang
# seconds. Sets $state to "ended", "seen" or "timeout". No line matches ''.
watch()
{
	state=
	while [ -z "$state" ]; do
		sleep 0.1
		if [ -n "$1" ] && console_has "$1"; then
			state=seen
		elif ! alive; then
			state=ended
		elif is_over "$start"; then
			state=timeout
		fi
	done
}

# Sets $status to the exit status of QEMU, which has ended or is about to.
reap()
{
	status=0
	wait "$pid" || status=$?
	pid=
}
