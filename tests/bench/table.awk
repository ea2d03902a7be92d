# SPDX-License-Identifier: MIT
#
# table.awk - a figure's rows as a table in Markdown. -v other= names what ours
# is compared with.

BEGIN {
	FS = "\t"
	print "| what | unit | ours | " other " | ratio | target |"
	print "|---|---|--:|--:|--:|---|"
}

{
	print "| " $1 " | " $2 " | " $3 " | " $4 " | " $5 " | " $6 " |"
}
