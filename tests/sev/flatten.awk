# SPDX-License-Identifier: MIT
#
# flatten.awk - of a report of sevemu's, with each comma made a newline: a line
# "a.b=value" for each value, and "a.b=" for an object that is empty. Reports
# have no arrays and no escapes.

{
	line = $0
	while (match(line, /^"[^"]*":\{/)) {
		path = path substr(line, 2, RLENGTH - 4) "."
		line = substr(line, RLENGTH + 1)
		depth++
	}
	sub(/^\{/, "", line)
	ends = gsub(/\}/, "", line)
	if (match(line, /^"[^"]*":/)) {
		name = substr(line, 2, RLENGTH - 3)
		value = substr(line, RLENGTH + 1)
		gsub(/"/, "", value)
		print path name "=" value
	} else if (line == "") {
		print substr(path, 1, length(path) - 1) "="
	}
	for (; ends > 0 && depth; ends--) {
		sub(/[^.]*\.$/, "", path)
		depth--
	}
}
