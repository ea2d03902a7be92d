# SPDX-License-Identifier: MIT
#
# plot.awk - a figure's rows as plot.gp wants them: bars from the top down, each
# with its name and its ratio. Of the rows of one kernel or entry, which begin
# with the same words, those that have the same ratio become one; if that is all
# of them, it has only these words for a name.

BEGIN {
	FS = OFS = "\t"
}

$5 != "-" {
	group = $1
	sub(/[,:].*/, "", group)
	ratios[group, $5]++
	if (ratios[group, $5] > 1)
		next
	count++
	different[group]++
	name[count] = $1
	of[count] = group
	ratio[count] = $5
}

END {
	for (i = 1; i <= count; i++) {
		if (different[of[i]] == 1 && ratios[of[i], ratio[i]] > 1)
			name[i] = of[i]
		print -i, name[i], ratio[i]
	}
}
