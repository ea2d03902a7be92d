# SPDX-License-Identifier: MIT
#
# table.awk - prints a figure's rows as a table in Markdown. -v other= is the title of
# the column beside ours.

BEGIN {
	FS = "\t"
	print "| what | unit | ours (sevstub) | " other " | ratio of both | target for the ratio, or for ours |"
	print "|---|---|--:|--:|--:|---|"
}

{
	print "| " $1 " | " $2 " | " $3 " | " $4 " | " $5 " | " $6 " |"
}
