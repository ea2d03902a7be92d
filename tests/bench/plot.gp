# SPDX-License-Identifier: MIT
#
# plot.gp - a figure's ratios as bars: gnuplot -e "name='...'; dir='...'".
# Shorter is better, but for the decoder's throughput.

set terminal svg size 900,520 font "sans-serif,11" background "white"
set output dir . "/" . name . ".svg"
set datafile separator "\t"
set datafile missing "-"
set title name . ": ours / other (1 = equal)"
set style fill solid 0.6 border -1
set boxwidth 0.6
set yrange [0:*]
set xtics rotate by -35 scale 0 font ",9"
set bmargin 14
set lmargin 16
set grid ytics
set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb "red" dt 2
unset key
plot dir . "/" . name . ".tsv" using 0:5:xtic(1) with boxes lc rgb "#4477aa", \
	"" using 0:5:5 with labels offset 0,0.6 font ",9"
