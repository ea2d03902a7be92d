# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite loaders starts our image of Debian's cloud kernel and Debian's own image
# with the same hand-over, and compares what the kernel reports from userspace: zero
# page, command line, memory map, initrd and setup_data. tests/loaders/generate makes
# the hand-over of case N from the number N, and the test loader carries it out. If a
# row of tests/loaders/differ.list fits the hand-over, our image must refuse it with
# the row's message instead.
#
# LOADERS_SOAK=1 plays 240 hand-overs instead of 20. What case N printed is in
# $O/loaders/N.own and $O/loaders/N.stock.

# shellcheck source=tests/lib.sh
. tests/lib.sh
# shellcheck source=tests/image.sh
. tests/image.sh

QEMU=${QEMU:-qemu-system-x86_64}
out=$O/loaders
own=$O/boot/cloud.img
stock=$O/kernels/cloud/vmlinuz
initrd=$O/initramfs.cpio.gz
INIT_SIZE_OFFSET=608
# What tests/loaders/generate has chosen.
object='' type='' place='' machine='' options='' words=''

cases()
{
	last=20
	[ -z "${LOADERS_SOAK:-}" ] || last=240
	seq 1 "$last"
}

prepare()
{
	mkdir -p "$out"
	for list in bootparams/fields loaders/differ; do
		rows "tests/$list.list" field
	done >"$out/fields"
	rows tests/loaders/differ.list refused >"$out/refused"
}

# refusal: the message with which our image must refuse the hand-over, if any.
refusal()
{
	awk -F '\t' -v object="$object" -v type="$type" -v place="$place" '
	function fits(pattern, value)
	{
		return pattern == "-" || value ~ "^(" pattern ")$"
	}
	fits($1, object) && fits($2, type) && fits($3, place) {
		print $4
		exit
	}' "$out/refused"
}

# start IMAGE CONSOLE: starts QEMU in the background and sets $pid.
start()
{
	: >"$2"
	# shellcheck disable=SC2086 # several arguments
	"$QEMU" -accel tcg -nodefaults -no-reboot -display none $machine \
		-serial "file:$2" -kernel "$O/payload/loader.bin" \
		-device "loader,file=$1,addr=0x8000000,force-raw=on" \
		-initrd "$initrd" -append \
		"$options -- console=ttyS0 quiet no_timer_check panic=-1 zeropage=1 handed=1 $words" \
		</dev/null >"$2.qemu" 2>&1 &
	pid=$!
}

# wait_for CONSOLE [REGEX]: waits until QEMU ends, until a line of the console matches, or
# for $hang seconds. Sets $status to QEMU's exit status, "seen" or "hangs". QEMU has ended
# afterwards, because it is killed if need be.
wait_for()
{
	status=
	tries=0
	while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt $((hang * 10)) ]; do
		if [ -n "${2:-}" ] && grep -qaE -- "$2" "$1"; then
			status=seen
			break
		fi
		sleep 0.1
		tries=$((tries + 1))
	done
	if kill -KILL "$pid" 2>/dev/null; then
		status=${status:-hangs}
	fi
	ended=0
	wait "$pid" || ended=$?
	status=${status:-$ended}
	pid=
}

cleanup()
{
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
}

# report CONSOLE: what the kernel reports, a fact a line: of the zero page only bytes
# that are not 0 and that the lists of fields do not excuse. The first setup_data node has a
# copy of the zero page, so its digest is left out.
report()
{
	tr -d '\r' <"$1" | awk -v fields="$out/fields" '
	function hex(text,    i, n) {
		for (i = 3; i <= length(text); i++)
			n = n * 16 + index("0123456789abcdef",
				substr(text, i, 1)) - 1
		return n
	}
	BEGIN {
		while ((getline line <fields) > 0) {
			split(line, field, "\t")
			for (i = 0; i < field[2]; i++)
				may[hex(field[1]) + i] = 1
		}
	}
	/^zeropage:/ {
		sub(/^zeropage: */, "")
		for (i = 1; i <= NF; i++) {
			if ($i != "00" && !(at in may))
				printf "zero page 0x%03x: %s\n", at, $i
			at++
		}
	}
	/^handed: setup_data 0x74657374 / { $4 = "" }
	/^(userspace|handed): /
	END { print "zero page: " at + 0 " bytes" }'
}

run_case()
{
	pid=
	trap cleanup EXIT
	trap 'exit 1' HUP INT TERM
	tests/loaders/generate "$test" "$(number "$own" "$INIT_SIZE_OFFSET" 4)" \
		"$(number "$stock" "$INIT_SIZE_OFFSET" 4)" >"$out/$test"
	# shellcheck source=/dev/null # assignments
	. "$out/$test"
	what="$object in $type, $place"

	message=$(refusal)
	if [ -n "$message" ]; then
		start "$own" "$out/$test.own"
		wait_for "$out/$test.own" "^sevstub: .*$message"
		[ "$status" = seen ] ||
			die "$what: our image does not say '$message': $(last_line own)"
		! grep -qaE '^userspace: ' "$out/$test.own" || die "$what: it boots"
		pass "$test" "$what: refused"
		return
	fi
	for side in own stock; do
		image=$own
		[ "$side" = own ] || image=$stock
		start "$image" "$out/$test.$side"
		wait_for "$out/$test.$side"
		[ "$status" = 0 ] ||
			die "$what: $side: status $status: $(last_line "$side")"
		grep -qa '^userspace: reached' "$out/$test.$side" ||
			die "$what: $side: no userspace: $(last_line "$side")"
		report "$out/$test.$side" >"$out/$test.$side.report"
	done
	grep -q '^zero page: 4096 bytes' "$out/$test.own.report" ||
		die "$what: the kernel does not print its zero page"
	differs=$(diff "$out/$test.own.report" "$out/$test.stock.report" |
		sed -n 's/^</own:/p; s/^>/stock:/p' | head -n 4 | tr '\n' ';')
	[ -z "$differs" ] || die "$what: $differs"
	pass "$test" "$what: $(grep -c . "$out/$test.own.report") facts"
}

# last_line SIDE: the last line of its console.
last_line()
{
	tr -d '\r' <"$out/$test.$1" | tr -c '\n\t -~' '?' | grep . | tail -n 1
}
