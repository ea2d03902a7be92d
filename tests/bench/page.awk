# SPDX-License-Identifier: MIT
#
# page.awk - prints the rows of a figure's table in docs/performance.md in the format of
# the figure's .tsv file (tests/bench/run), from which table.awk made the table.
# -v figure= is the figure's name: the first word of the heading above the table.

/^<!-- bench: end -->/ {
	inside = 0
}

inside && /^### / {
	name = tolower($2)
	sub(/:$/, "", name)
}

inside && name == figure && /^\| / && !/^\| what \|/ {
	gsub(/^\| | \|$/, "")
	count = split($0, cell, / \| /)
	# What target() of table.awk wrote.
	sub(/ [(]a test fails above [0-9.]+[)]$/, "", cell[6])
	sub(/^ratio /, "", cell[6])
	if (sub(/^ours /, "", cell[6]))
		cell[6] = cell[6] " of ours"
	for (i = 1; i <= count; i++)
		printf "%s%s", cell[i], i < count ? "\t" : "\n"
}

/^<!-- bench: begin -->/ {
	inside = 1
}
