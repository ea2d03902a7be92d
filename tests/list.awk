# SPDX-License-Identifier: MIT
#
# list.awk - the reader of every *.list file. `rows` in lib.sh calls it.
#
#	# comment		is ignored, as is an empty line
#	[SECTION] A | B | C	starts a section: the rows below are of this kind
#				and have these columns
#	one | two | three	a row: as many values as its section has columns
#	    more of three	a line that starts with a blank continues the row
#				above; one blank joins the two lines
#
# The separator is a bar between blanks. A bar without a blank on each side belongs
# to the value. "-" stands for an empty value.
#
# Prints each row with a tab between its values; an empty value stays "-". With
# -v section=NAME only the rows of that section are printed. Without it all rows
# are printed, and the section's name comes first. A row with another number of
# values, or without a section, is an error: the message goes to stderr, and the
# exit status is 1.

function complain(line, why)
{
	printf "%s:%d: %s\n", FILENAME, line, why >"/dev/stderr"
	failed = 1
}

# Prints the row that the lines so far have made.
function finish_row(    values, n, i, text)
{
	if (row == "")
		return
	n = split(row, values, / +[|] +/)
	if (kind == "")
		complain(row_line, "a row above the first [SECTION]")
	else if (n != columns)
		complain(row_line, "not " columns " values but " n)
	else if (section == "" || section == kind) {
		text = section == "" ? kind "\t" : ""
		for (i = 1; i <= n; i++)
			text = text (i > 1 ? "\t" : "") values[i]
		print text
	}
	row = ""
}

{
	gsub(/\t/, " ")
	sub(/ +$/, "")
}

/^#/ || /^$/ { next }

/^\[/ {
	finish_row()
	if (!match($0, /^\[[a-z0-9-]+\] [^ ]/)) {
		complain(FNR, "not `[SECTION] COLUMN | COLUMN`: " $0)
		exit
	}
	kind = $1
	gsub(/[][]/, "", kind)
	columns = split($0, unused, / +[|] +/)
	next
}

/^ / {
	sub(/^ +/, "")
	if (row == "")
		complain(FNR, "there is no row to continue")
	row = row " " $0
	next
}

{
	finish_row()
	row = $0
	row_line = FNR
}

END {
	if (!failed)
		finish_row()
	exit failed
}
