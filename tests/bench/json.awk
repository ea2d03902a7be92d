# SPDX-License-Identifier: MIT
#
# json.awk - a figure's rows as an array of objects. No string has a quote.

BEGIN {
	FS = "\t"
	print "["
}

function value(s) {
	if (s == "-")
		return "null"
	return s ~ /^[0-9.]+$/ ? s : "\"" s "\""
}

{
	printf "%s  {\"case\": \"%s\", \"unit\": \"%s\", \"ours\": %s, ", \
		(NR > 1 ? ",\n" : ""), $1, $2, value($3)
	printf "\"other\": %s, \"ratio\": %s, \"target\": %s}", \
		value($4), value($5), value($6)
}

END {
	print "\n]"
}
