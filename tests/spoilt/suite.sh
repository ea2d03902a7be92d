# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# The suite spoilt boots SPOILT_IMAGES (250) images of the test kernel that are
# spoilt: with damage to the payload's header and frame, or with fields of the header
# at extreme values and digests that hold, or with a filter that is not possible.
#
# The stub must refuse a damaged image with a message. It may refuse an image whose
# digests hold, or boot it as if nothing had happened: the test kernel knows its own
# bytes. Silence, a reset or a wrong payload is a failure. The images are the same in
# each run. tests/unit/test_images.c has 100,000 more, without booting them.

# shellcheck source=tests/lib.sh
. tests/lib.sh

QEMU=${QEMU:-qemu-system-x86_64}
out=$O/spoilt
images=${SPOILT_IMAGES:-250}

cases()
{
	echo boots
}

prepare()
{
	case $images in
	*[!0-9]* | 0* | '')
		echo "SPOILT_IMAGES='$images' is not a number of images"
		return 1
		;;
	esac
	rm -rf "$out"
	mkdir -p "$out"
}

# spoils COUNT: prints a line for each image: its number, "damage" or "sealed", and
# operations of tests/boot/corrupt.c.
spoils()
{
	awk -v count="$1" '
	function pick(n) { return int(rand() * n) }
	function extreme() {
		return values[1 + pick(split("0 1 0xffffffffffffffff " \
			"0x7fffffff 0x80000000 0x80000001 0x100000000 " \
			"0x1000 0x200000 0x400000 0x7ffffffffffff000", values))]
	}
	BEGIN {
		srand(7)
		n = split("magic version flags link_addr align entry_offset " \
			"file_size mem_size reloc_size margin comp_size " \
			"comp_digest header_digest", fields)
		for (i = 0; i < count; i++) {
			printf "%d ", i + 1
			field = fields[1 + pick(n - 1)]
			if (i >= int(count * 4 / 5)) {
				# The test kernel has one filter, for its code.
				split("kind stride columns reserved start size",
					parts)
				part = parts[1 + pick(6)]
				value = 2 + pick(254)
				if (part == "start")
					value = 2 ^ (20 + pick(12))
				if (part == "size")
					value = pick(2) ? 0 : 2 ^ (20 + pick(12))
				printf "sealed filter0_%s=%.0f header_digest\n",
					part, value
			} else if (i % 4 == 0) {
				print "damage flip@" pick(101)
			} else if (i % 4 == 1) {
				print "damage " fields[1 + pick(n)] "+" 1 + pick(4096)
			} else if (i % 4 == 2) {
				print "sealed " field "=" extreme() " header_digest"
			} else {
				sign = pick(2) ? "+" : "-"
				# Only a smaller size is wrong. A kernel may
				# have more memory than it uses.
				if (field == "mem_size")
					sign = "+"
				printf "sealed %s%s%.0f header_digest\n", field,
					sign, 2 ^ pick(34)
			}
		}
	}'
}

# boot NUMBER KIND OPERATION...: boots that image and prints "KIND:OUTCOME NUMBER
# OPERATION...".
boot()
{
	number=$1 kind=$2
	shift 2
	image=$out/$number.img
	console=$out/$number.console
	: >"$console"
	"$O/boot/corrupt" "$O/boot/test.img" "$image" "$@"
	tests/boot/qemu-args 64 "$image" 256M nokaslr "" >"$out/$number.args"
	saved=$IFS
	IFS='
'
	set -f
	# shellcheck disable=SC2046 # a line is an argument
	"$QEMU" $(cat "$out/$number.args") -serial "file:$console" \
		-monitor none </dev/null >"$out/$number.qemu" 2>&1 &
	pid=$!
	IFS=$saved
	tries=0
	while kill -0 "$pid" 2>/dev/null && ! grep -q '^sevstub: ..*: ' "$console" &&
		[ "$tries" -lt $((hang * 20)) ]; do
		sleep 0.05
		tries=$((tries + 1))
	done
	outcome=silence
	if grep -q '^sevstub: ..*: ' "$console"; then
		outcome=refused
		kill -KILL "$pid" 2>/dev/null || :
	else
		kill -KILL "$pid" 2>/dev/null || :
		status=0
		wait "$pid" 2>/dev/null || status=$?
		[ "$status" -ne 33 ] || outcome=passed
	fi
	rm -f "$image" "$out/$number.args"
	case $kind:$outcome in
	damage:refused | sealed:refused | sealed:passed)
		rm -f "$console" "$out/$number.qemu"
		;;
	esac
	echo "$kind:$outcome $number $*"
}

# boots SHARE: boots every $JOBS-th image.
boots()
{
	spoils "$images" | awk -v share="$1" -v jobs="$JOBS" 'NR % jobs == share % jobs' |
		while IFS= read -r line; do
			# shellcheck disable=SC2086 # operations
			boot $line
		done
}

run_case()
{
	share=0
	while [ "$share" -lt "$JOBS" ]; do
		boots "$share" >"$out/outcomes.$share" &
		share=$((share + 1))
	done
	wait
	cat "$out"/outcomes.* >"$out/outcomes"
	awk -v want="$images" '
	{ outcomes[$1]++ }
	$1 !~ /^(damage:refused|sealed:refused|sealed:passed)$/ && !bad { bad = $0 }
	END {
		text = sprintf("%d images booted, %d refused, %d sealed again and right",
			NR, outcomes["damage:refused"] + outcomes["sealed:refused"],
			outcomes["sealed:passed"])
		if (NR != want || bad) {
			print "FAIL spoilt/boots: " text ", but: " bad
			exit 1
		}
		print "PASS spoilt/boots: " text
	}' "$out/outcomes"
}
