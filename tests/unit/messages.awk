# SPDX-License-Identifier: MIT
#
# messages.awk FILE... - prints each message that the sources FILE can print, as
# docs/messages.md writes it: a number is N, a string is TEXT, and the final
# newline is left out. tests/unit/test_messages.sh compares both.

# Splits the text of a call's arguments at its top-level commas into args[].
# Strings that stand next to each other become one.
function split_args(text, args,		i, c, depth, inside, n)
{
	n = 1
	args[1] = ""
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "\"" && substr(text, i - 1, 1) != "\\")
			inside = !inside
		if (!inside && c ~ /[[(]/)
			depth++
		if (!inside && c ~ /[])]/)
			depth--
		if (!inside && !depth && c == ",")
			args[++n] = ""
		else
			args[n] = args[n] c
	}
	return n
}

# The text from after an opening bracket to the one that closes it.
function arguments(text,	i, c, depth, inside)
{
	depth = 1
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "\"" && substr(text, i - 1, 1) != "\\")
			inside = !inside
		if (inside)
			continue
		if (c == "(")
			depth++
		if (c == ")" && !--depth)
			return substr(text, 1, i - 1)
	}
	return text
}

# Sets choice[] to the strings of an argument: one, both of a conditional
# expression, or TEXT if the argument is a variable.
function strings(arg, choice,	n, s)
{
	n = 0
	gsub(/"[ \t]*"/, "", arg)
	while (match(arg, /"([^"\\]|\\.)*"/)) {
		s = substr(arg, RSTART + 1, RLENGTH - 2)
		arg = substr(arg, RSTART + RLENGTH)
		gsub(/\\[rn]/, "", s)
		gsub(/%0?[0-9]*l?[udx]/, "N", s)
		gsub(/%[sc]/, "TEXT", s)
		choice[++n] = s
	}
	if (!n)
		choice[n = 1] = "TEXT"
	return n
}

function message(what, detail,		a, b, i, j, n, m)
{
	n = strings(what, a)
	m = strings(detail, b)
	for (i = 1; i <= n; i++)
		for (j = 1; j <= m; j++)
			print a[i] ": " b[j]
}

# A whole message in one string. Lines that continue a report have no prefix.
function line(text,	a, i, n)
{
	n = strings(text, a)
	for (i = 1; i <= n; i++)
		if (sub(/^sevstub: /, "", a[i]) && a[i] != "TEXT: ")
			print a[i]
}

function calls(text,	name, args, n)
{
	while (match(text, /[^a-z_](error|error_with|no_room|refuse|refuse_payload|efi_fail|con_printf|info|print)\(/)) {
		name = substr(text, RSTART + 1, RLENGTH - 2)
		text = substr(text, RSTART + RLENGTH)
		split("", args)
		n = split_args(arguments(text), args)
		if (name == "error_with" && text !~ /^unsigned/) {
			name = "error"
			args[1] = args[2]
			args[2] = args[3]
			args[3] = args[4]
		}
		if (text ~ /^(const|unsigned|struct|void)/ || args[1] ~ /^ *why->/)
			continue
		# The parameter of a function whose calls are read themselves.
		if (name == "error" && (args[1] ~ /^ *why\./ || args[3] ~ /^ *detail *$/))
			continue
		is_why = args[1] ~ /^ *why *$/
		# efi/memory.c's no_room() takes the detail; misc.c's has no text.
		if (name == "no_room" && args[1] ~ /"/)
			message("\"not enough room\"", args[1])
		else if (name == "no_room")
			continue
		else if (name == "error" || name == "efi_fail")
			message(args[1], args[2])
		else if (name == "refuse_payload")
			message(args[2], args[3])
		else if (name == "refuse")
			message("\"SEV\"", args[2])
		else
			line(args[1])
	}
}

# Comments speak of functions, too.
{
	line_of_code = ""
	while ((at = index($0, inside ? "*/" : "/*"))) {
		if (!inside)
			line_of_code = line_of_code substr($0, 1, at - 1)
		inside = !inside
		$0 = substr($0, at + 2)
	}
	if (!inside)
		line_of_code = line_of_code $0
	$0 = line_of_code
}
# In assembly a message is .ascii lines, if it is long, and then .asciz. Eight zeros
# stand for a number.
/^[ \t]*\.asci[iz][ \t]+"/ {
	if (/"sevstub: /)
		assembly = ""
	part = $0
	sub(/^[ \t]*\.asci[iz][ \t]+/, "", part)
	assembly = assembly part
	if (/\.asciz/) {
		gsub(/00000000/, "N", assembly)
		line(assembly)
		assembly = ""
	}
}
{ gsub(/[ \t]+/, " "); whole = whole " " $0 }
END { calls(whole) }
