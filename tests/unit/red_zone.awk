# SPDX-License-Identifier: MIT
#
# red_zone.awk - reads a disassembly (objdump -d --no-show-raw-insn) and prints each
# access below the stack pointer, where an exception would overwrite the data. The
# access goes through %rsp with a negative displacement, or through a frame pointer with
# a displacement beyond the room that the function has made on the stack.

function hex(text,    i, n) {
	for (i = 1; i <= length(text); i++)
		n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return n
}

# displacement TEXT: the number after "-0x" in the text that match() has found.
function displacement(text) {
	text = substr(text, RSTART + 3, RLENGTH - 3)
	sub(/\(.*/, "", text)
	return hex(text)
}

function end_of_function() {
	if (framed && deepest > room)
		print name ": " deepest_insn ", and room for " room " bytes"
	framed = room = deepest = 0
}

/^[0-9a-f]+ <.*>:$/ {
	end_of_function()
	name = $2
	gsub(/[<>:]/, "", name)
	next
}

/^ *[0-9a-f]+:\t/ {
	insn = $0
	sub(/^[^\t]*\t/, "", insn)
	sub(/ *[#<].*/, "", insn)

	if (insn ~ /-0x[0-9a-f]+\(%[re]sp/ && insn !~ /^lea .*,%[re]sp$/)
		print name ": " insn
	if (insn ~ /^mov +%rsp,%rbp$/) {
		framed = 1
		room = 0
	}
	if (framed && insn ~ /^push/)
		room += 8
	if (framed && match(insn, /^sub +\$0x[0-9a-f]+,%rsp$/)) {
		size = insn
		sub(/.*0x/, "", size)
		sub(/,.*/, "", size)
		room += hex(size)
	}
	if (framed && match(insn, /-0x[0-9a-f]+\(%rbp/)) {
		size = displacement(insn)
		if (size > deepest) {
			deepest = size
			deepest_insn = insn
		}
	}
}

END {
	end_of_function()
}
