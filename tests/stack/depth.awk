# SPDX-License-Identifier: MIT
#
# depth.awk - computes the deepest stack below a function. The first file is
# calls.list as `rows` prints it, the others are gcc's call graphs (*.ci, from
# -fcallgraph-info=su). Set -v entry=FUNCTION. Prints "BYTES PATH"; fails over
# recursion, a frame of unknown size, or an unknown call by pointer.

function complain(what)
{
	print "stack: " what >"/dev/stderr"
	failed = 1
}

# The bytes that @name and the functions that it calls need. @second is set below a
# call that calls.list says comes only once on a stack; there it is not followed.
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
		complain("the stack use of " name " is not known: add it to calls.list")
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
	# The return address counts for the function that is called.
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

# A title without the suffix that gcc appends to a function that it has specialised.
function plain(title)
{
	gsub(/\.(constprop|isra)\.[0-9]+/, "", title)
	return title
}

/^pointer\t/ { pointer[$2] = $3; next }
/^frame\t/ { frame[$2] = $3; next }
/^once\t/ { once[$2, $3] = 1; next }
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
