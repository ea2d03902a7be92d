# SPDX-License-Identifier: MIT
#
# plot.gp - draws one figure as dir/name.svg from the rows in dir/name.tsv:
# gnuplot -e "name='...'; dir='...'; here='...'", where here is the directory
# of this file.
#
# A figure has one or more panels, each with one unit. A row of a panel has a
# bar for our image and a bar for Debian's, with their values in them. A red
# line at our bar is its target, and the name of the row has the target in words.
# The axis is logarithmic where the largest value of a panel is more than 30 times
# the smallest.

ours = "#33669a"
theirs = "#c4c4c4"
red = "#cc3311"
dark = "#222222"

# Pixels.
width = 800
left = name eq "exits" ? 372 : 292
right = 24
row = 44
above = 12
below = 64			# the axis of a panel
key_height = 28			# of the picture, at its top

table = dir . "/" . name . ".tsv"
set output dir . "/" . name . ".svg"
set datafile separator "\t"
set style fill solid 1.0 noborder
set border 3 lc rgb "#444444"
set tics nomirror textcolor rgb dark
set grid xtics lc rgb "#dddddd" lt 1
rows(only) = sprintf("< awk -v only='%s' -f %s/plot.awk %s", only, here, table)
# 1234567 is printed as 1,234,567; numbers with a point stay as they are.
number(s) = strstrt(s, ".") || real(s) < 1000 ? s : \
	real(s) < 1e6 ? sprintf("%d,%03d", s / 1000, int(s) % 1000) : \
	sprintf("%d,%03d,%03d", s / 1000000, int(s) / 1000 % 1000, int(s) % 1000)
# "at most 10 of ours" is an amount, "at most 0.9" a share of the other figure.
target(t) = strstrt(t, " of ours") ? \
	sprintf("%s %s %s", word(t, 1), word(t, 2), number(word(t, 3))) : t . " of " . other
label(what, t) = t eq "-" || t eq "" ? what : what . "\ntarget: " . target(t)
max(a, b) = a > b ? a : b
min(a, b) = a < b ? a : b
# Converts pixels below the top of the picture to gnuplot's screen coordinate.
at(y) = 1 - 1.0 * y / height

# For each panel: which rows it shows (plot.awk's `only`), the text at its axis.
array only[3] = ["", "", ""]
array axis[3] = ["", "", ""]
panels = 1
other = "Debian's image"
if (name eq "decoder") {
	panels = 2
	other = "libzstd.so"
	only[1] = "MB/s"
	axis[1] = "throughput, MB/s of CPU time; longer is better"
	only[2] = "ratio"
	axis[2] = "throughput divided by libzstd.so's; further right is better"
}
if (name eq "instructions") {
	axis[1] = "millions of instructions of the guest; shorter is better"
}
if (name eq "exits") {
	axis[1] = "number of VMGEXITs or #VCs; shorter is better"
}
if (name eq "bytes") {
	panels = 3
	only[1] = "image less payload"
	axis[1] = "image less payload, bytes; shorter is better"
	only[2] = "image"
	axis[2] = "image, bytes; shorter is better"
	only[3] = "launch measurement"
	axis[3] = "launch measurement, ms; shorter is better"
}
if (name eq "wall") {
	axis[1] = "wall time from QEMU's start to its end, ms; shorter is better"
}

# stats runs before any range is set, because it skips values outside of ranges.
array count[3]
array low[3]
array high[3]
height = key_height
if (name eq "growth") {
	height = 380
	stats rows("instructions for each MiB") using 3 nooutput name "A"
	stats rows("instructions for each MiB") using 5 nooutput name "B"
} else {
	do for [i = 1:panels] {
		stats rows(only[i]) using 3 nooutput name "A"
		stats rows(only[i]) using 4 nooutput name "B"
		count[i] = A_records
		low[i] = min(A_min, B_min)
		high[i] = max(A_max, B_max)
		height = height + above + row * count[i] + below
	}
}

set terminal svg size width,height font "sans-serif,12" noenhanced background "white"
set multiplot

# Draw the key by hand, because gnuplot breaks its own key into several lines.
unset key
key(i) = 1.0 * (left + i) / width
do for [i = 0:1] {
	set object i + 1 rectangle from screen key(150 * i), screen at(20) \
		to screen key(150 * i + 22), screen at(10) fc rgb (i ? theirs : ours)
	set label i + 1 (i ? other : "sevstub") \
		at screen key(150 * i + 28), screen at(15) textcolor rgb dark
}
if (name eq "growth") {
	unset object 2
	unset label 2
}
if (name ne "wall") {
	set object 3 rectangle from screen key(300), screen at(23) \
		to screen key(303), screen at(7) fc rgb red
	set label 3 (name eq "growth" ? "target: at most as at 1 MiB" : "target of sevstub") \
		at screen key(310), screen at(15) textcolor rgb dark
}

if (name eq "growth") {
	set logscale x 2
	set xrange [0.5:2500]
	set xtics (1, 4, 16, 64, 256, 1024)
	set xlabel "payload, MiB"
	set grid lc rgb "#dddddd" lt 1
	set tmargin at screen at(key_height + 8)
	set bmargin at screen at(height - below)

	set lmargin at screen 76.0 / width
	set rmargin at screen 386.0 / width
	set ylabel "millions of instructions for each MiB"
	set format y "%.2f"
	set yrange [min(A_min, B_min) - 0.005 * B_max:max(A_max, B_max) + 0.004 * B_max]
	plot rows("instructions for each MiB") using (column(2) + 0):5 with lines \
		lw 2 lc rgb red notitle, \
		"" using (column(2) + 0):3 with linespoints lw 2 pt 7 ps 0.7 \
		lc rgb ours notitle, \
		"" using (column(2) + 0):($3 > A_min ? $3 : 1/0):3 with labels offset 0.6,0.9 notitle, \
		"" using (column(2) + 0):($3 > A_min ? 1/0 : $3):3 with labels offset 0,-1 notitle

	unset for [j = 1:3] object j
	unset for [j = 1:3] label j
	set lmargin at screen 476.0 / width
	set rmargin at screen 786.0 / width
	set ylabel "page tables for each MiB (logarithmic)"
	set logscale y
	set format y "%g"
	set yrange [0.003:11]
	plot rows("page tables for each MiB") using (column(2) + 0):5 with lines \
		lw 2 lc rgb red notitle, \
		"" using (column(2) + 0):3 with linespoints lw 2 pt 7 ps 0.7 \
		lc rgb ours notitle, \
		"" using (column(2) + 0):3:3 with labels left offset 0.4,0.8 notitle
} else {
	set lmargin at screen 1.0 * left / width
	set rmargin at screen 1.0 - 1.0 * right / width
	set ytics scale 0
	y = key_height
	do for [i = 1:panels] {
		set tmargin at screen at(y + above)
		set bmargin at screen at(y + above + row * count[i])
		set xlabel axis[i]
		set yrange [-count[i] - 0.5:-0.5]
		if (only[i] eq "ratio") {
			set format x "%.2f"
			set xtics 0.01
			set xrange [low[i] - 0.02:high[i] + 0.005]
			plot rows(only[i]) using 3:1:ytic(label(strcol(2), strcol(6))) \
				with points pt 7 ps 1.2 lc rgb ours notitle, \
				"" using 3:1:(strcol(3)) with labels left offset 1.2,0 notitle, \
				"" using 4:($1 - 0.4):(0):(0.8) with vectors nohead \
				lw 3 lc rgb theirs notitle, \
				"" using 5:($1 - 0.4):(0):(0.8) with vectors nohead \
				lw 3 lc rgb red notitle
		} else {
			set format x high[i] < 1e4 ? "%.0f" : "%.0s%c"
			set xtics autofreq
			if (high[i] > 30 * low[i]) {
				# The shortest bar has room for its value.
				set logscale x
				to = 1.1 * high[i]
				from = low[i] / (to / low[i]) ** 0.15
				set xlabel axis[i] . " (logarithmic)"
			} else {
				unset logscale x
				from = 0
				to = 1.04 * high[i]
			}
			set xrange [from:to]
			plot rows(only[i]) using (from):1:(from):3:1:($1 + 0.34):ytic(label(strcol(2), strcol(6))) \
				with boxxyerror lc rgb ours notitle, \
				"" using (from):1:(from):4:($1 - 0.34):1 \
				with boxxyerror lc rgb theirs notitle, \
				"" using 5:($1 - 0.02):(0):(0.42 * $7) with vectors nohead \
				lw 3 lc rgb red notitle, \
				"" using 3:($1 + 0.17):(number(strcol(3))) \
				with labels right offset -0.5,0 textcolor rgb "white" notitle, \
				"" using 4:($1 - 0.17):(number(strcol(4))) \
				with labels right offset -0.5,0 textcolor rgb dark notitle
		}
		y = y + above + row * count[i] + below
		unset for [j = 1:3] object j
		unset for [j = 1:3] label j
	}
}
unset multiplot
