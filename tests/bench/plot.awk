# SPDX-License-Identifier: MIT
#
# plot.awk - the rows of one figure as plot.gp reads them, from FIGURE.tsv.
#
# -v only=X keeps the rows with X as their unit, or with X after the colon of
# their name. Without it all rows are kept. Rows of one kernel, whose names begin
# with the same words, become one row if both figures agree within 1 %. If only
# one row of a kernel is left, its name is that of the kernel.
#
# A row printed is: place (-1 is the topmost), name, our figure, the other one,
# our target in the unit of the figures, the target in words, and 1. Without a
# target these last three are our figure, "-" and 0: gnuplot warns of a column
# that has no number in any row.

BEGIN {
	FS = OFS = "\t"
}

function near(a, b)
{
	return a == b || (a / b < 1.01 && b / a < 1.01)
}

{
	group = detail = $1
	sub(/[,:].*/, "", group)
	sub(/^[^:]*: /, "", detail)
	if (only != "" && only != $2 && only != detail)
		next
	for (i = 1; i <= count; i++) {
		if (of[i] == group && unit[i] == $2 && near(ours[i], $3) &&
		    near(other[i], $4)) {
			merged[group]++
			if (words[i] == "-")
				words[i] = $6
			next
		}
	}
	count++
	rows[group]++
	of[count] = group
	name[count] = only == detail ? group : $1
	unit[count] = $2
	ours[count] = $3
	other[count] = $4
	words[count] = $6
}

# A target is a ratio to the other figure, or, "of ours", an amount.
function target(i, parts)
{
	if (words[i] == "-")
		return ours[i]
	split(words[i], parts, " ")
	return words[i] ~ / of ours$/ ? parts[3] : parts[3] * other[i]
}

END {
	for (i = 1; i <= count; i++) {
		if (rows[of[i]] == 1 && merged[of[i]])
			name[i] = of[i]
		print -i, name[i], ours[i], other[i], target(i), words[i], \
			words[i] != "-"
	}
}
