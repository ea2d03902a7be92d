# SPDX-License-Identifier: MIT
#
# plot.gp - draws the ratios of a benchmark's table DIR/NAME.tsv to DIR/NAME.svg:
#
#	gnuplot -e "name='NAME'; dir='DIR'; here='HERE'" plot.gp
#
# HERE is the directory of this file. The figure has a bar for each row. "growth"
# has lines over the payload's size instead.

table = dir . "/" . name . ".tsv"
set output dir . "/" . name . ".svg"
set datafile separator "\t"
set style fill solid 0.6 border -1

if (name eq "growth") {
	set terminal svg size 900,420 font "sans-serif,12" background "white"
	set title "growth: cost of each MiB of payload, as a share of what it is at 1 MiB"
	set xlabel "payload, MiB"
	set logscale x 2
	set xrange [0.8:1280]
	set xtics (1, 4, 16, 64, 256, 1024)
	set yrange [0:1.2]
	set grid ytics
	set key center right
	rows(what) = "< grep '" . what . "' " . table
	plot rows("instructions") using (column(1) + 0):5 with linespoints \
		lw 2 pt 7 lc rgb "#4477aa" title "instructions", \
		rows("page tables") using (column(1) + 0):5 with linespoints \
		lw 2 pt 5 lc rgb "#cc6677" title "page tables"
} else {
	bars = "< awk -f " . here . "/plot.awk " . table
	stats bars using 3 nooutput
	set terminal svg size 900,(110 + 34 * STATS_records) \
		font "sans-serif,12" background "white"
	against = "Debian's own image; shorter is better"
	if (name eq "decoder") {
		against = "libzstd.so; longer is better"
	}
	set title name . ": ours / " . against
	set lmargin 50
	set rmargin 6
	set xrange [0:(STATS_max > 1 ? STATS_max : 1) * 1.15]
	set yrange [-STATS_records - 0.6:-0.4]
	set ytics scale 0
	set grid xtics
	set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb "red" dt 2
	set style textbox opaque noborder margins 0.2,0.2
	unset key
	plot bars using (0):1:(0):3:($1 - 0.3):($1 + 0.3):ytic(2) \
		with boxxyerror lc rgb "#4477aa", \
		"" using 3:1:(sprintf("%.3f", column(3))) with labels left boxed offset 0.8,0
}
