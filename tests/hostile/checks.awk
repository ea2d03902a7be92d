# SPDX-License-Identifier: MIT
#
# checks.awk FILE - finds every check in a file of the stub: each branch that ends
# in a termination, an error or a refusal. Prints a line for each: function, then
# what is looked at. With -v remove=N it prints the file instead, without the Nth.
#
# C: the operands (of ||) of an `if` whose body ends so; a body that no `if`
# governs (default cases, the last statement of a function); results of decoders
# (the operands of && after `return`, in insn.c). Assembly: conditional jumps to
# such a place, or past one.

{ text = text $0 "\n" }

END {
	count = 0
	if (FILENAME ~ /\.S$/)
		assembly()
	else
		c_file()
	if (remove)
		printf "%s", result
}

# ---- C.

# The same text with comments and strings blanked out, so that positions agree.
function blank(s,    out, i, c, n) {
	n = length(s)
	out = ""
	while (match(s, /\/\*|"/)) {
		out = out substr(s, 1, RSTART - 1)
		if (substr(s, RSTART, 1) == "\"") {
			s = substr(s, RSTART + 1)
			match(s, /(^|[^\\])"/)
		} else {
			s = substr(s, RSTART)
			match(s, /\*\//)
		}
		i = RSTART + RLENGTH - 1
		c = substr(s, 1, i)
		gsub(/[^\n]/, " ", c)
		out = out c
		s = substr(s, i + 1)
		if (length(out) < n - length(s))
			out = out " "
	}
	return out s
}

# The position of the bracket that closes the one at @at.
function closing(at,    depth, c, open, close_) {
	open = substr(code, at, 1)
	close_ = open == "(" ? ")" : "}"
	for (depth = 0; at <= length(code); at++) {
		c = substr(code, at, 1)
		if (c == open)
			depth++
		else if (c == close_ && !--depth)
			return at
	}
	return 0
}

function skip_blanks(at) {
	while (substr(code, at, 1) ~ /[ \t\n]/)
		at++
	return at
}

# Does this statement, or the last one of this block, end the matter?
function ends_it(body) {
	sub(/[ \t\n;}]*$/, "", body)
	sub(/.*[;{}][ \t\n]*/, "", body)
	return is_exit(body)
}

function is_exit(statement) {
	return statement ~ /^(terminate|sev_es_terminate|refuse|error)\(/ ||
	       statement ~ /^return (X86_TRAP_|vector|false|-E|.*INSN_(INVALID|TRUNCATED))/
}

# The name and the type of the function that position @at is in.
function enclosing(at,    head, n, lines, i) {
	head = substr(code, 1, at)
	n = split(head, lines, "\n")
	for (i = n; i > 0; i--) {
		if (lines[i] ~ /^#define ghcb_output/) {
			type = ""
			return "ghcb_output"
		}
		if (lines[i] ~ /^[a-z].*\(/) {
			type = lines[i]
			sub(/[a-z_0-9]+\(.*/, "", type)
			head = substr(lines[i], length(type) + 1)
			sub(/\(.*/, "", head)
			return head
		}
	}
	return ""
}

# A check at [@from, @to]: @with takes its place.
function check(from, to, with,    what) {
	count++
	what = substr(text, from, to - from + 1)
	gsub(/[ \t\n]+/, " ", what)
	if (!remove) {
		print enclosing(from) "\t" what
	} else if (count == remove) {
		result = substr(text, 1, from - 1) with substr(text, to + 1)
	}
}

# Each operand between @from and @to, at the top level of brackets.
function operands(from, to, operator, with,    at, start, depth, c) {
	start = from
	for (at = from; at <= to; at++) {
		c = substr(code, at, 1)
		if (c == "(")
			depth++
		else if (c == ")")
			depth--
		else if (!depth && substr(code, at, 2) == operator) {
			operand(start, at - 1, with)
			start = at + 2
			at++
		}
	}
	operand(start, to, with)
}

function operand(from, to, with) {
	from = skip_blanks(from)
	while (substr(code, to, 1) ~ /[ \t\n]/)
		to--
	check(from, to, with)
}

function c_file(    at, rest, open, close_, body, end, statement) {
	code = blank(text)
	result = text
	at = 1
	while (match(substr(code, at), /[^a-z_](if \(|terminate\(|sev_es_terminate\(|refuse\(|error\(|return )/)) {
		at += RSTART
		rest = substr(code, at)
		if (rest ~ /^if \(/) {
			open = at + 3
			close_ = closing(open)
			body = skip_blanks(close_ + 1)
			end = body + index(substr(code, body), ";") - 1
			if (substr(code, body, 1) == "{")
				end = closing(body)
			if (ends_it(substr(code, body, end - body + 1))) {
				operands(open + 1, close_ - 1, "||", "0")
				governed[end] = 1
				# What is inside has been seen to, but for its own checks.
				if (substr(code, body, 1) != "{") {
					at = end
					continue
				}
			}
			at = open
			continue
		}
		end = at + index(rest, ";") - 1
		statement = substr(code, at, end - at + 1)
		uncondition(at, end, statement)
		at += 3
	}
}

# An end that no `if` governs.
function uncondition(at, end, statement,    before, name, from) {
	name = enclosing(at)
	if (name == "ghcb_output") {
		if (statement ~ /^terminate/)
			check(at - 1, at - 1 + index(substr(code, at - 1), "0)"),
			      "es.ghcb->field")
		return
	}
	if (type ~ /noreturn/ || governed[end] || substr(code, end + 1) ~ /^[ \t\n]*}/ &&
	    governed[skip_blanks(end + 1)])
		return
	if (FILENAME ~ /insn\.c$/ && type ~ /bool/ && statement ~ /^return .*(!|==)/ &&
	    statement !~ /decode_/) {
		from = at + length("return ")
		operands(from, end - 1, "&&", "true")
		return
	}
	if (!is_exit(statement) || statement ~ /return vector/)
		return
	# A statement, not a definition or the operand of something.
	before = substr(code, 1, at - 1)
	sub(/[ \t\n]*$/, "", before)
	if (before !~ /[;{}:]$/)
		return
	if (statement ~ /return false/)
		check(at, end, "return true;")
	else if (statement ~ /INSN_/)
		check(at, end, "return INSN_OK;")
	else if (type ~ /void/)
		check(at, end, "return;")
	else
		check(at, end, "return 0;")
}

# ---- Assembly.

function assembly(    n, lines, i, j, name, line, bad, what, with) {
	bad = "(early_terminate|exception_32|truncated_32|truncated_64|early_error|" \
	      "\\.Lcbit_wrong|\\.Lcbit_range|\\.Lno_room|\\.Lno_long_mode|\\.Lproof_wrong_64|\\.Lproof_failed_64)"
	n = split(text, lines, "\n")
	for (i = 1; i < n; i++) {
		line = lines[i]
		with = ""
		if (line ~ /^FUNC\(/) {
			name = line
			gsub(/^FUNC\(|\).*/, "", name)
		}
		if (line ~ "^\tj[a-z]+\t" bad "$" && line !~ /^\tjmp/) {
			with = "\tnop"
		} else if (line ~ /^\tj[a-z]+\t/ && line !~ /^\tjmp/ &&
			   (lines[i + 1] ~ /^\tmovl\t\$GHCB_MSR_TERM/ ||
			    lines[i + 1] ~ /^\tleal\t[a-z_0-9]*message/ ||
			    (lines[i + 1] ~ /^\.L/ && lines[i + 2] ~ /^\tleal\t[a-z_]*message/) ||
			    (lines[i + 1] ~ /^\.L/ && lines[i + 2] ~ /^\tmovl\t\$GHCB_MSR_TERM/))) {
			with = line
			sub(/j[a-z]+/, "jmp", with)
		}
		if (with) {
			count++
			# The comparison that it belongs to.
			for (j = i - 1; lines[j] ~ /^\tmov[a-z]*\t|^\t?\/\*|^$/; j--)
				;
			what = lines[j] "; " line
			gsub(/[ \t]+/, " ", what)
			sub(/^ /, "", what)
			gsub(/; /, ";", what)
			if (!remove)
				print name "\t" what
			else if (count == remove)
				line = with
		}
		result = result line "\n"
	}
}
