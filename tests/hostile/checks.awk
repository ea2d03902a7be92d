# SPDX-License-Identifier: MIT
#
# checks.awk FILE... - finds the checks in source files of the stub. A check is
# a branch that ends in a termination, an error or a refusal. Prints one line a
# check, its fields separated by tabs:
#
#	file	function.number		line	source text
#
# The number counts the checks of that function in the order of the source. No
# name of a variable and no formatting enters into function.number.
#
# With -v remove=FUNCTION.NUMBER it prints instead the file that has this check,
# with the check taken out. The names of all files are needed then, too, because
# a jump in assembly may lead into another file.
#
# C (*.c, *.h). A check is an operand (of ||) of an `if` whose body ends in an
# exit (see is_exit()). An exit that no `if` governs is one check: a default
# case, or the last statement of a function. In a function that returns bool,
# each operand (of &&) of a `return` that compares or negates is one check.
#
# Assembly (*.S). A check is a conditional jump of which only one way leads to
# the guest's end: to HLT, or to a loop that asks the hypervisor to terminate.

FNR == 1 { files[++n_files] = FILENAME }
{ text_of[FILENAME] = text_of[FILENAME] $0 "\n" }

END {
	for (f = 1; f <= n_files; f++)
		if (files[f] ~ /\.S$/)
			read_assembly(files[f])
	follow_jumps()
	for (f = 1; f <= n_files; f++) {
		file = files[f]
		text = text_of[file]
		if (file ~ /\.S$/)
			assembly()
		else
			c_file()
	}
	if (remove && !removed) {
		print "checks.awk: no check " remove >"/dev/stderr"
		exit 1
	}
}

# Counts a check in function @name at @line, whose source text is @what.
# Returns true if it is the check to remove.
function found(name, line, what,    id) {
	id = name "." ++count[name]
	if (remove) {
		removed = removed || id == remove
		return id == remove
	}
	gsub(/[ \t\n]+/, " ", what)
	print file "\t" id "\t" line "\t" what
	return 0
}

# ---- C.

# Returns @s with comments and strings replaced by blanks of the same length.
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

# Returns the position of the bracket that closes the one at position @at.
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

# Whether @statement ends the guest or refuses what the function was given.
# check_emulated() returns in the unit tests only.
function is_exit(statement) {
	return statement ~ /^(terminate|sev_es_terminate|refuse|error|check_emulated)\(/ ||
	       statement ~ /^return (X86_TRAP_|false|-E|.*INSN_(INVALID|TRUNCATED))/
}

# Whether the last statement of @body, which `if (@condition)` governs, is an
# exit. `if (x) return x;` is one, because it hands on a callee's refusal.
function ends_it(body, condition) {
	sub(/[ \t\n;}]*$/, "", body)
	sub(/.*[;{}][ \t\n]*/, "", body)
	gsub(/[ \t\n]+/, " ", condition)
	return is_exit(body) ||
	       condition ~ /^[a-z_]+$/ && body == "return " condition
}

# Returns the name of the function, or of the macro that is used like one, in
# which position @at is. Sets `type` to what the function returns.
function enclosing(at,    head, n, lines, i) {
	head = substr(code, 1, at)
	n = split(head, lines, "\n")
	for (i = n; i > 0; i--) {
		type = ""
		if (lines[i] ~ /^#define [a-z_0-9]+\(/) {
			head = substr(lines[i], length("#define ") + 1)
			sub(/\(.*/, "", head)
			return head
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

# A check whose text is at [@from, @to]; @with takes its place.
function check(from, to, with,    head, lines) {
	head = substr(code, 1, from)
	if (found(enclosing(from), split(head, lines, "\n"),
		  substr(text, from, to - from + 1)))
		printf "%s", substr(text, 1, from - 1) with substr(text, to + 1)
}

# Each operand between @from and @to that is not inside brackets is a check.
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
	split("", governed)
	at = 1
	while (match(substr(code, at), /[^a-z_](if \(|terminate\(|sev_es_terminate\(|refuse\(|error\(|check_emulated\(|return )/)) {
		at += RSTART
		rest = substr(code, at)
		if (rest ~ /^if \(/) {
			open = at + 3
			close_ = closing(open)
			body = skip_blanks(close_ + 1)
			end = body + index(substr(code, body), ";") - 1
			if (substr(code, body, 1) == "{")
				end = closing(body)
			if (ends_it(substr(code, body, end - body + 1),
				    substr(code, open + 1, close_ - open - 1))) {
				operands(open + 1, close_ - 1, "||", "0")
				governed[end] = 1
				# A block may have checks of its own.
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
		no_condition(at, end, statement)
		at += 3
	}
}

# Whether the @expression up to @end is one call of a function.
function is_call(at, end) {
	return substr(code, at) ~ /^[a-z_0-9]+\(/ &&
	       closing(at + index(substr(code, at), "(") - 1) == end
}

# A statement at [@at, @end] that no `if` governs: a check if it is an exit.
function no_condition(at, end, statement,    before, name, from) {
	name = enclosing(at)
	if (name == "ghcb_output") {
		# (terminate(...), 0) in a macro: what it would give without.
		if (statement ~ /^terminate/)
			check(at - 1, at - 1 + index(substr(code, at - 1), "0)"),
			      "ghcb()->field")
		return
	}
	if (type ~ /noreturn/ || governed[end] || substr(code, end + 1) ~ /^[ \t\n]*}/ &&
	    governed[skip_blanks(end + 1)])
		return
	from = at + length("return ")
	if (type ~ /bool/ && statement ~ /^return .*(!|==)/ && !is_call(from, end - 1)) {
		operands(from, end - 1, "&&", "true")
		return
	}
	if (!is_exit(statement))
		return
	# A statement of its own, not a definition or part of an expression.
	before = substr(code, 1, at - 1)
	sub(/[ \t\n]*$/, "", before)
	if (before !~ /[;{}:]$/)
		return
	if (statement ~ /^check_emulated/)
		check(at, end, ";")
	else if (statement ~ /return false/)
		check(at, end, "return true;")
	else if (statement ~ /INSN_/)
		check(at, end, "return INSN_OK;")
	else if (type ~ /void/)
		check(at, end, "return;")
	else
		check(at, end, "return 0;")
}

# ---- Assembly. An instruction is a line that begins with a tab and a small
# letter. Its number counts through all files.

# Splits @name into insn[], with labels in place[] and the files' limits.
function read_assembly(name,    n, lines, i, line, label) {
	n = split(text_of[name], lines, "\n")
	for (i = 1; i < n; i++) {
		line = lines[i]
		sub(/[ \t]*\/\*.*/, "", line)
		if (line ~ /^[.A-Za-z_0-9]+:/) {
			label = line
			sub(/:.*/, "", label)
			place[scope(name, label)] = n_insns + 1
			sub(/^[.A-Za-z_0-9]+:/, "", line)
		} else if (line ~ /^FUNC\(/) {
			label = line
			gsub(/^FUNC\(|\).*/, "", label)
			place[label] = n_insns + 1
		}
		if (line ~ /^[ \t]*([a-z]|SEND_TERM_REQUEST)/) {
			insn[++n_insns] = line
			file_of[n_insns] = name
			number_at[name, i] = n_insns
		}
	}
}

# A label that begins with .L belongs to its file.
function scope(name, label) {
	return label ~ /^\.L/ ? name SUBSEP label : label
}

# Returns the number of the instruction that jump @i leads to. A jump to an
# unknown place counts as a way out, as a return does.
function target(i,    words, n) {
	n = split(insn[i], words, /[ \t]+/)
	words[n] = scope(file_of[i], words[n])
	return words[n] in place ? place[words[n]] : 0
}

# Sets ends[i] if no way from instruction @i leads to a return or to another
# program, and terminates[i] if no way leads to HLT either.
function follow_jumps(    i, changed) {
	for (i = 1; i <= n_insns; i++)
		ends[i] = terminates[i] = 1
	do {
		changed = 0
		for (i = n_insns; i > 0; i--) {
			changed += ends[i] && !all_ways(i, ends, 0)
			changed += terminates[i] && !all_ways(i, terminates, 1)
			ends[i] = ends[i] && all_ways(i, ends, 0)
			terminates[i] = terminates[i] && all_ways(i, terminates, 1)
		}
	} while (changed)
}

function all_ways(i, good, not_halt) {
	# This macro asks the hypervisor to terminate the guest, again and again.
	if (insn[i] ~ /SEND_TERM_REQUEST/)
		return 1
	if (insn[i] ~ /^[ \t]*(i?ret|lret|ljmp|jmp[ \t]+\*)/)
		return 0
	if (not_halt && insn[i] ~ /^[ \t]*hlt/)
		return 0
	if (insn[i] ~ /^[ \t]*jmp/)
		return good[target(i)]
	if (insn[i] ~ /^[ \t]*(j|loop)/ && !good[target(i)])
		return 0
	return good[i + 1]
}

# Returns "target" or "next" for a conditional jump of which only this way leads
# to the guest's end, or only this way tells the hypervisor so.
function bad_way(i,    to) {
	if (insn[i] !~ /^[ \t]*j/ || insn[i] ~ /^[ \t]*jmp/)
		return ""
	to = target(i)
	if (ends[to] != ends[i + 1])
		return ends[to] ? "target" : "next"
	if (terminates[to] != terminates[i + 1])
		return terminates[to] ? "target" : "next"
	return ""
}

function assembly(    n, lines, i, j, k, name, line, bad, what, out, hit) {
	n = split(text, lines, "\n")
	for (i = 1; i < n; i++) {
		line = lines[i]
		if (line ~ /^FUNC\(/) {
			name = line
			gsub(/^FUNC\(|\).*/, "", name)
		}
		j = number_at[file, i]
		bad = j ? bad_way(j) : ""
		if (bad) {
			# The comparison that the jump belongs to.
			for (k = j - 1; insn[k] ~ /^[ \t]*mov/; k--)
				;
			what = insn[k] "; " insn[j]
			sub(/^[ \t]+/, "", what)
			if (found(name, i, what)) {
				hit = 1
				if (bad == "target")
					line = "\tnop"
				else
					sub(/j[a-z]+/, "jmp", line)
			}
		}
		out = out line "\n"
	}
	if (hit)
		printf "%s", out
}
