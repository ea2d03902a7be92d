# SPDX-License-Identifier: MIT
#
# registers.awk - reads registers.list and the assembler text of the stub's C files, as a
# compiler writes it with -S, and prints each place where a value that must stay in
# registers could come from the stack.
#
#	awk -v file=NAME -v rows=ROWS -f registers.awk TEXT
#
# NAME is the C file, and ROWS a file with the rows of registers.list, as tests/list.awk
# prints them. A region begins and ends where its row says (registers.list explains the
# words). The region's instructions are those on a path from a beginning to an end that
# passes no other beginning. Among these
#
# - no instruction may read the stack, by %rsp, a frame pointer, or another register that
#   holds an address of the stack. At an end `ret` the registers that a function keeps for
#   its caller may be popped;
# - no function may be called but those that the row names, and those that do not return;
# - no register may be read that was set before the beginning and may have been on the stack,
#   because a function that was called has saved it there, or because it was read from there.
#   The registers in HOLD() are exempt, and as many others as the row names values.
#
# No path may lead from a function's start to an end without a beginning. A row whose region
# has no beginning or no end is an error, too.

BEGIN {
	split("ax bx cx dx si di bp sp", names, " ")
	for (i in names) {
		reg = names[i]
		full["r" reg] = full["e" reg] = full[reg] = "r" reg
		low = substr(reg, 1, 1)
		if (reg ~ /x$/)
			full[low "l"] = full[low "h"] = "r" reg
		else
			full[reg "l"] = "r" reg
	}
	for (i = 8; i < 16; i++)
		full["r" i] = full["r" i "d"] = full["r" i "w"] = full["r" i "b"] = "r" i
	split("rbx rbp r12 r13 r14 r15", names, " ")
	for (i in names)
		kept[names[i]] = 1
	split("rax rcx rdx rsi rdi r8 r9 r10 r11", names, " ")
	for (i in names)
		lost[names[i]] = 1
	for (reg in kept)
		any[reg] = 1
	for (reg in lost)
		any[reg] = 1
	split("terminate error error_with refuse finish report", names, " ")
	for (i in names)
		ends_boot[names[i]] = 1

	while ((getline row < rows) > 0) {
		split(row, value, "\t")
		if (value[1] == "answer")
			answers[value[2]] = 1
		if (value[5] == "saves-nothing")
			saves_nothing[substr(value[4], 7)] = 1
		if (value[1] != "region" || value[3] != file)
			continue
		sub(/^[^\t]*\t/, "", row)
		split(row, value, "\t")
		regions++
		region[regions] = value[1]
		from[regions] = value[3]
		to[regions] = value[4]
		calls[regions] = " " value[5] " "
		may_be_old[regions] = value[6] == "-" ? 0 : split(value[6], names, ",")
	}
}

# ---- Reading.

function add(name, operands) {
	count++
	for (name_of in full)
		if (index(operands, "%" name_of))
			uses[count, full[name_of]] = 1
	op[count] = name
	args[count] = operands
	line[count] = source_line
	inside[count] = current
	if (starts_function) {
		first[count] = 1
		starts_function = 0
	}
}

/^[ \t]*\.type[ \t].*@function/ {
	name = $2
	sub(/,.*/, "", name)
	is_function[name] = 1
	next
}

/^[ \t]*\.loc[ \t]/ { source_line = $3 }

/^[ \t]+# (hold|release) [a-z0-9_]+( %[a-z0-9]+)*$/ {
	add($2, $3)
	for (n = 4; n <= NF; n++)
		held[count, register($n)] = 1
	next
}

/^[A-Za-z_.$0-9]+:/ {
	name = $1
	sub(/:.*/, "", name)
	target[name] = count + 1
	if (name in is_function) {
		current = plain(name)
		starts_function = 1
		if (name ~ /\.cold/)
			cold[count + 1] = 1
	}
	next
}

/^[ \t]+[a-z]/ {
	text = $0
	sub(/[ \t]*#.*/, "", text)
	pieces = split(text, piece, ";")
	for (p = 1; p <= pieces; p++) {
		insn = piece[p]
		gsub(/^[ \t]+|[ \t]+$/, "", insn)
		while (sub(/^(rep|repz|repe|repnz|repne|lock|notrack|data16)([ \t]+|$)/, "", insn))
			;
		if (insn == "")
			continue
		name = insn
		sub(/[ \t].*/, "", name)
		sub(/^[^ \t]*[ \t]*/, "", insn)
		add(name, insn)
	}
}

# ---- Operands.

# Splits the operands of instruction i at commas outside of parentheses into arg[].
function split_operands(i,    text, n, c, depth, k) {
	text = args[i]
	n = 1
	arg[1] = ""
	depth = 0
	for (k = 1; k <= length(text); k++) {
		c = substr(text, k, 1)
		if (c == "(")
			depth++
		if (c == ")")
			depth--
		if (c == "," && !depth)
			arg[++n] = ""
		else if (c != " " && c != "\t")
			arg[n] = arg[n] c
	}
	return text == "" ? 0 : n
}

# The 64-bit name of a register operand, or "".
function register(text) {
	if (text !~ /^%/)
		return ""
	text = substr(text, 2)
	return text in full ? full[text] : ""
}

# The name of a function without what a compiler appends to that of a copy.
function plain(name) {
	sub(/\.(constprop|isra|part|cold)[.0-9]*$/, "", name)
	return name
}

# Whether a memory operand addresses the stack at instruction i.
function on_stack(i, text,    part, n, k) {
	if (!match(text, /\([^)]*\)$/))
		return 0
	n = split(substr(text, RSTART + 1, RLENGTH - 2), part, ",")
	for (k = 1; k <= n; k++)
		if (register(part[k]) == "rsp" ||
		    (register(part[k]) != "" && (i SUBSEP register(part[k])) in stacked))
			return 1
	return 0
}

function is_store(i) {
	return op[i] ~ /^(mov([bwlq]|abs|absq|ups|aps|dqu|dqa|d)?|set[a-z]+|stos[bwlq])$/
}

# Whether instruction i reads the stack.
function reads_stack(i,    n, k) {
	if (op[i] ~ /^(pop|leave|popf)/)
		return 1
	if (op[i] ~ /^(lea|nop|clflush|prefetch|invlpg|push[lq]?$|ret|hold|release)/) {
		n = split_operands(i)
		return op[i] ~ /^push/ && n && on_stack(i, arg[1])
	}
	if (op[i] ~ /^(movs|lods|cmps)[bwlq]?$/ && args[i] == "")
		return (i SUBSEP "rsi") in stacked
	n = split_operands(i)
	for (k = 1; k <= n; k++)
		if (on_stack(i, arg[k]) && !(k == n && is_store(i)))
			return 1
	return 0
}

# Whether instruction i only restores a register for the caller, or takes the room for the
# alignment of the stack away, right before the function ends. At an end `ret-rax` RDX is no
# part of the result, and RAX is no parameter of a function that is jumped to.
function restores(r, i,    reg, k) {
	reg = register(args[i])
	if (op[i] !~ /^popq?$/ || !(reg in kept || reg ~ /^r[ac]x$/ ||
				    (reg == "rdx" && to[r] == "ret-rax")))
		return 0
	for (k = i + 1; !is_call(k) && op[k] !~ /^(j|ret)/ && !((k SUBSEP reg) in uses); k++)
		;
	if (op[k] ~ /^ret/)
		return reg != "rax"
	return op[k] ~ /^jmp/ && is_tail_call(k) && reg != "rcx" && reg != "rdx"
}

function is_call(i) {
	return op[i] ~ /^call/ || is_tail_call(i)
}

function is_tail_call(i) {
	return op[i] ~ /^j/ && (args[i] in is_function || !(args[i] in target))
}

function callee(i,    name) {
	name = args[i]
	sub(/@PLT$/, "", name)
	return plain(name)
}

# ---- Paths.

function add_edge(i, next_one) {
	if (next_one > count)
		return
	out[i, ++outs[i]] = next_one
	into[next_one, ++ins[next_one]] = i
}

function connect(    i) {
	for (i = 1; i <= count; i++) {
		if (op[i] ~ /^j/ && !is_tail_call(i))
			add_edge(i, target[args[i]])
		if (op[i] ~ /^(jmp|ret|ud2)/ ||
		    (op[i] ~ /^call/ && callee(i) in ends_boot))
			continue
		if (!((i + 1) in first))
			add_edge(i, i + 1)
	}
}

# Marks register reg as an address of the stack before instruction i.
function stack_in(i, reg) {
	if (!((i, reg) in stacked)) {
		stacked[i, reg] = 1
		again = 1
	}
}

# Which register instruction i sets to an address of the stack, or "".
function makes_stack_address(i, n) {
	if (op[i] ~ /^lea/ && on_stack(i, arg[1]))
		return register(arg[2])
	if (op[i] ~ /^movq?$/ && register(arg[1]) != "" &&
	    (register(arg[1]) == "rsp" || (i SUBSEP register(arg[1])) in stacked))
		return register(arg[2])
	return ""
}

# Whether instruction i gives register reg a value that is no address of the stack.
function overwrites(i, n, reg) {
	if (op[i] ~ /^call/)
		return reg in lost
	if (op[i] ~ /^(rdmsr|cpuid)/ && reg ~ /^r[ad]x$/)
		return 1
	if (op[i] ~ /^(mov|lea|set|pop|cmov)/ && register(arg[n]) == reg)
		return op[i] !~ /^cmov/
	return op[i] ~ /^(xor|sub|sbb)/ && arg[1] == arg[2] && register(arg[1]) == reg
}

# Finds out which registers hold addresses of the stack before each instruction.
function follow_stack(    i, k, n, reg, made) {
	do {
		again = 0
		for (i = 1; i <= count; i++) {
			n = split_operands(i)
			made = makes_stack_address(i, n)
			for (k = 1; k <= outs[i]; k++) {
				if (made != "")
					stack_in(out[i, k], made)
				for (reg in kept)
					if ((i, reg) in stacked && !overwrites(i, n, reg))
						stack_in(out[i, k], reg)
				for (reg in lost)
					if ((i, reg) in stacked && !overwrites(i, n, reg))
						stack_in(out[i, k], reg)
			}
		}
	} while (again)
}

# ---- Regions.

function begins(r, i,    name) {
	if (op[i] == "hold" && args[i] == region[r])
		return 1
	name = from[r]
	if (sub(/^entry:/, "", name))
		return i in first && inside[i] == name && !(i in cold)
	if (!sub(/^behind:/, "", name))
		return 0
	if (match(name, /@/)) {
		if (inside[i] != substr(name, RSTART + 1))
			return 0
		name = substr(name, 1, RSTART - 1)
	}
	return op[i - 1] ~ /^call/ && index("," name ",", "," callee(i - 1) ",")
}

function finishes(r, i) {
	if (op[i] == "release" && args[i] == region[r])
		return 1
	if (to[r] ~ /^ret/)
		return op[i] ~ /^ret/
	if (to[r] == "call")
		return is_call(i)
	return to[r] ~ /^call:/ && is_call(i) &&
	       index("," substr(to[r], 6) ",", "," callee(i) ",")
}

# Sets seen[] for what can be reached from the instructions in stack[1..n], against the
# direction of the code if back is 1, and not beyond the instructions in stop[].
function reach(n, back,    i, k, j, edges) {
	for (k = 1; k <= n; k++)
		seen[queue[k]] = 1
	while (n) {
		i = queue[n--]
		edges = back ? ins[i] : outs[i]
		for (k = 1; k <= edges; k++) {
			j = back ? into[i, k] : out[i, k]
			if (j in seen)
				continue
			seen[j] = 1
			if (!(j in stop))
				queue[++n] = j
		}
	}
}

# Whether instruction i puts a register on the stack that a function keeps for its caller.
function saves(i,    n) {
	n = split_operands(i)
	return (op[i] ~ /^push/ && register(arg[1]) in kept) ||
	       (is_store(i) && register(arg[1]) in kept && on_stack(i, arg[n]))
}

# Whether function name is in the text, reads no stack and puts no register of its caller
# there, and calls no function that does. clang pops RCX to align the stack.
function is_clean(name,    i, found, good) {
	if (name in clean)
		return clean[name]
	clean[name] = good = 1
	for (i = 1; i <= count; i++) {
		if (inside[i] != name)
			continue
		found = 1
		if (saves(i) || (reads_stack(i) && !(op[i] ~ /^pop/ &&
		    register(args[i]) == "rcx" && op[i + 1] ~ /^ret/)) ||
		    (is_call(i) && !(callee(i) in ends_boot) && !is_clean(callee(i))))
			good = 0
	}
	return clean[name] = found && good
}

function say(i, r, text) {
	print file ":" line[i] ": " region[r] ": " text " (" inside[i] ")"
}

function examine(r,    i, n, begun, ended) {
	split("", start); split("", finish); split("", forward)
	for (i = 1; i <= count; i++) {
		if (begins(r, i))
			start[i] = 1
		if (finishes(r, i))
			finish[i] = 1
	}

	# An instruction can be both: the place behind a call, where the next one begins.
	split("", seen); split("", stop); split("", queue)
	n = 0
	for (i in start) {
		queue[++n] = i
		begun++
	}
	for (i in finish)
		stop[i] = 1
	reach(n, 0)
	for (i in seen)
		forward[i] = 1

	split("", seen); split("", stop); split("", queue)
	n = 0
	for (i in finish) {
		if (!(i in forward) && to[r] != "mark")
			continue
		ended++
		queue[++n] = i
	}
	for (i in start)
		stop[i] = 1
	# A beginning that is an end itself has been reached.
	for (i = n; i; i--)
		if (queue[i] in start) {
			seen[queue[i]] = 1
			queue[i] = queue[n--]
		}
	reach(n, 1)

	if (!begun || !ended) {
		print file ": " region[r] ": " (begun ? "no end" : "no beginning") " in the machine code"
		return
	}
	for (i = 1; i <= count; i++) {
		if (!(i in seen))
			continue
		if (i in first && !(i in start) && to[r] !~ /^(ret|call$)/)
			say(i, r, "a path to its end does not pass its beginning")
		if (!(i in forward) || op[i] == "hold" || op[i] == "release")
			continue
		if (i in finish && op[i] !~ /^call|^j/)
			continue
		if (op[i] ~ /^(jmp|call)/ && args[i] ~ /^\*/)
			say(i, r, "jumps to an address of a register or of memory: " op[i] " " args[i])
		if (is_call(i) && !(i in finish) && !(callee(i) in ends_boot) &&
		    index(calls[r], " " callee(i) " ") == 0 && !is_clean(callee(i)))
			say(i, r, "calls " callee(i))
		if (reads_stack(i) && !restores(r, i))
			say(i, r, "reads the stack: " op[i] " " args[i])
	}
}

# A function whose callers keep values in registers must put none of these on the stack.
function examine_saver(r,    i, found, name) {
	name = substr(from[r], 7)
	for (i = 1; i <= count; i++) {
		if (inside[i] != name)
			continue
		found = 1
		if (saves(i))
			say(i, r, "saves a register of its caller: " op[i] " " args[i])
	}
	if (!found)
		print file ": " region[r] ": there is no function " name
}

# ---- Old values. A register is old if its value may have been on the stack since it was set.

# Whether instruction i calls a function that may put its caller's registers on the stack.
function saves_registers(i) {
	return op[i] ~ /^call/ && !(callee(i) in ends_boot) &&
	       !(callee(i) in saves_nothing) && !is_clean(callee(i))
}

# Whether instruction i, with n operands, reads a register that is old before it.
function reads_old(i, n,    reg) {
	for (reg in any)
		if ((i, reg) in old && reads(i, n, reg))
			return 1
	return 0
}

# Whether register reg is old after instruction i, which has n operands.
function is_old_after(i, n, reg,    was_old) {
	was_old = (i, reg) in old
	if ((i, reg) in held)
		return 0
	if (op[i] ~ /^call/)
		return reg in kept && (was_old || saves_registers(i))
	if (!n || register(arg[n]) != reg || op[i] ~ /^(cmp|test|push|hold|release)/)
		return was_old && !overwrites(i, n, reg)
	if (op[i] ~ /^pop/ || (op[i] !~ /^lea/ && on_stack(i, arg[1])))
		return 1
	return reads_old(i, n)
}

# Finds out which registers are old before each instruction, in old[].
function follow_old(    i, k, j, n, reg, waiting) {
	for (i = count; i; i--)
		queue[++waiting] = i
	while (waiting) {
		i = queue[waiting--]
		n = split_operands(i)
		for (reg in any) {
			if (!is_old_after(i, n, reg))
				continue
			for (k = 1; k <= outs[i]; k++) {
				j = out[i, k]
				if (!((j, reg) in old)) {
					old[j, reg] = 1
					queue[++waiting] = j
				}
			}
		}
	}
}

# Whether register reg is old at a beginning in start[], and an instruction of inner[] reads it
# before one sets it. Leaves that instruction in reading.
function is_read_old(reg,    i, k, j, n, waiting, visited) {
	split("", visited)
	for (i in start)
		if ((i, reg) in old) {
			visited[i] = 1
			queue[++waiting] = i
		}
	while (waiting) {
		i = queue[waiting--]
		n = split_operands(i)
		if (reads(i, n, reg) && !((i, reg) in stacked) && op[i] !~ /^(push|hold|release)/) {
			reading = line[i] " " op[i] " " args[i]
			return 1
		}
		if (overwrites(i, n, reg) || (i, reg) in held || (i in finish && !(i in start)))
			continue
		for (k = 1; k <= outs[i]; k++) {
			j = out[i, k]
			if (j in inner && !(j in visited)) {
				visited[j] = 1
				queue[++waiting] = j
			}
		}
	}
	return 0
}

# Reports region r if it uses more old values than its row names. examine() has left the
# instructions of the region in seen[] and forward[].
function examine_old(r,    i, reg, number, text) {
	split("", inner)
	for (i in seen)
		if (i in forward)
			inner[i] = 1
	for (reg in any)
		if (is_read_old(reg)) {
			number++
			text = text ", " reading
		}
	if (number > may_be_old[r])
		print file ": " region[r] ": uses values that have been on the stack:" substr(text, 2)
}

# ---- Answers.

# Whether instruction i reads register reg.
function reads(i, n, reg,    k) {
	if (op[i] ~ /^(xor|sub|sbb)/ && register(arg[1]) == reg && register(arg[2]) == reg)
		return 0
	for (k = 1; k <= n; k++) {
		if (register(arg[k]) == reg && !(k == n && op[i] ~ /^(mov|set|lea|pop)/))
			return 1
		if (arg[k] ~ /\(/ && index(arg[k], "%" reg))
			return 1
	}
	return 0
}

# Follows the registers in held, " rax " behind a call, which have the answer, from
# instruction i on. In old the answer has outlived a call.
function follow_answer(i, held, old,    n, k, part, parts, reg, taken, to_reg, now) {
	if (((i, held, old) in followed) || held !~ /[a-z]/)
		return
	followed[i, held, old] = 1
	n = split_operands(i)
	parts = split(held, part, " ")
	taken = 0
	for (k = 1; k <= parts; k++)
		if (reads(i, n, part[k]))
			taken = 1
	if (taken && old)
		say_answer(i, "is used after another call: " op[i] " " args[i])
	if (taken && (op[i] ~ /^push/ || (is_store(i) && on_stack(i, arg[n]))))
		say_answer(i, "is put on the stack: " op[i] " " args[i])
	if (op[i] ~ /^ret/)
		return
	now = " "
	for (k = 1; k <= parts; k++)
		if (!overwrites(i, n, part[k]))
			now = now part[k] " "
	to_reg = n ? register(arg[n]) : ""
	if (taken && to_reg != "" && op[i] !~ /^(test|cmp|push)/ &&
	    index(now, " " to_reg " ") == 0)
		now = now to_reg " "
	if (is_call(i))
		old = 1
	for (k = 1; k <= outs[i]; k++)
		follow_answer(out[i, k], now, old)
}

function say_answer(i, text) {
	print file ":" line[i] ": the answer of " answer " " text " (" inside[i] ")"
}

END {
	connect()
	follow_stack()
	follow_old()
	for (i = 1; i <= count; i++) {
		answer = callee(i)
		if (op[i] !~ /^call/ || !(answer in answers))
			continue
		split("", followed)
		if (!((i + 1) in first))
			follow_answer(i + 1, " rax ", 0)
	}
	for (r = 1; r <= regions; r++) {
		if (to[r] == "saves-nothing")
			examine_saver(r)
		else {
			examine(r)
			if (from[r] !~ /^entry/)
				examine_old(r)
		}
	}
}
