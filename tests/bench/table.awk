# SPDX-License-Identifier: MIT
#
# table.awk - prints a figure's rows as a table in Markdown. -v ours= and -v other= are the titles
# of the first two columns of figures, -v percent= by how many percent a value may exceed its target.

BEGIN {
	FS = "\t"
	print "| what | unit | " ours " | " other " | ratio: left / right | target |"
	print "|---|---|--:|--:|--:|---|"
}

# A target is "at most N of ours", which limits our figure, or "at most N", which limits the
# ratio. The table says which of both, and what a value may have on top. page.awk reads
# these words again.
function target(text,    limit)
{
	if (text == "-")
		return text
	text = sub(/ of ours$/, "", text) ? "ours " text : "ratio " text
	limit = text
	sub(/.* /, "", limit)
	return percent > 0 ? sprintf("%s (a test fails above %.12g)", text,
				     limit * (1 + percent / 100)) : text
}

{
	print "| " $1 " | " $2 " | " $3 " | " $4 " | " $5 " | " target($6) " |"
}
