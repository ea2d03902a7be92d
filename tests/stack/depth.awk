# SPDX-License-Identifier: MIT
#
# depth.awk - the deepest stack below a function, from gcc's -fcallgraph-info=su
# (*.ci) and calls.list, which comes first. Set -v entry=FUNCTION. Prints
# "BYTES PATH"; fails over recursion, a frame that is not known, or a call by
# pointer.

function complain(what)
{
	print "stack: " what >"/dev/stderr"
	failed = 1
}


# Bytes that @name and what it calls need. After a call of the list's it is not
# made again: @second.
function depth(name, second,    key, n, i, best, sub_depth, to)
{
	key = name SUBSEP second
	if (key in known)
		return known[key]
	if (on_path[key]++) {
		complain("recursion by way of " name)
		return 0
	}
	if (!(name in frame)) {
		complain("how much stack does " name " need?")
		frame[name] = 0
	}
	best = 0
	best_path[key] = ""
	n = calls[name]
	for (i = 1; i <= n; i++) {
		to = call[name, i]
		if (to == "__indirect_call") {
			if (!(name in pointer))
				complain(name " calls by pointer")
			if (!(name in pointer) || pointer[name] == "nothing")
				continue
			to = pointer[name]
		}
		if ((name, to) in once) {
			if (second)
				continue
			sub_depth = depth(to, 1)
			to = to SUBSEP 1
		} else {
			sub_depth = depth(to, second)
			to = to SUBSEP second
		}
		if (sub_depth > best) {
			best = sub_depth
			best_path[key] = to
		}
	}
	on_path[key] = 0
	# What a call pushes is the callee's.
	known[key] = frame[name] + best + 8
	return known[key]
}

function quoted(text, key)
{
	if (!match(text, key ": \"[^\"]*\""))
		return ""
	text = substr(text, RSTART + length(key) + 3)
	return substr(text, 1, index(text, "\"") - 1)
}

# A title without what gcc appends to a function that it has specialised.
function plain(title)
{
	gsub(/\.(constprop|isra)\.[0-9]+/, "", title)
	return title
}

/^pointer/ { pointer[$2] = $3; next }
/^frame/ { frame[$2] = $3; next }
/^once/ { once[$2, $3] = 1; next }
/^node:/ {
	label = quoted($0, "label")
	name = plain(quoted($0, "title"))
	if (match(label, /[0-9]+ bytes/)) {
		bytes = substr(label, RSTART, RLENGTH) + 0
		if (frame[name] < bytes)
			frame[name] = bytes
		if (label !~ /\((static|dynamic,bounded)\)/)
			complain(name " has a frame of a size that is not fixed")
	}
}
/^edge:/ {
	name = plain(quoted($0, "sourcename"))
	to = plain(quoted($0, "targetname"))
	if (!((name, to) in seen)) {
		seen[name, to] = 1
		call[name, ++calls[name]] = to
	}
}

END {
	early += 0
	bytes = depth(entry, early)
	path = entry
	for (key = best_path[entry SUBSEP early]; key != ""; key = best_path[key]) {
		name = key
		sub(SUBSEP ".*", "", name)
		sub(/^[^:]*:/, "", name)
		path = path " > " name
	}
	print bytes, path
	exit failed > 0
}
