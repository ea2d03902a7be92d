# SPDX-License-Identifier: MIT
#
# missed.awk - prints the rows of a figure's .tsv file (tests/bench/run) that miss their
# target. -v percent= says by how many percent a value may exceed its target.

BEGIN {
	FS = "\t"
}

# "at most N of ours" limits our figure, "at most N" its ratio to the stock image's.
$6 ~ /^at most / {
	split($6, word, " ")
	value = $6 ~ / of ours$/ ? $3 : $5
	if (value == "-" || value > word[3] * (100 + percent) / 100)
		print $1 ": " value ", must be " $6
}
