# SPDX-License-Identifier: MIT
#
# table.awk - prints a figure's rows as a table in Markdown. -v other= is the title of
# the column beside ours.

BEGIN {
	FS = "\t"
	print "| what | unit | ours (sevstub) | " other " | ratio: ours / the other | target |"
	print "|---|---|--:|--:|--:|---|"
}

# A target is "at most N of ours", which limits our figure, or "at most N", which limits the
# ratio. The table says which of both.
function target(text)
{
	if (text == "-")
		return text
	return sub(/ of ours$/, "", text) ? "ours " text : "ratio " text
}

{
	print "| " $1 " | " $2 " | " $3 " | " $4 " | " $5 " | " target($6) " |"
}
