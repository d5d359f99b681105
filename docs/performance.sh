#!/bin/sh
# Times t2map against the practical limit in C on the benchmark study, in turns, in
# one run, and prints medians and ratios: first the fit alone, on one thread, then
# the whole process. docs/performance.md holds what it printed; the plot of how the
# cost grows goes to docs/scaling.png.
#
#   docs/performance.sh [ROUNDS]      default 7
#
# Needs gcc, libdeflate-dev, GNU time, gnuplot and python3 with numpy, scipy, pydicom
# and nibabel (Debian: libdeflate-dev time gnuplot-nox python3-numpy python3-scipy
# python3-pydicom python3-nibabel), and ../shared/bench beside the repository.
set -eu
rounds=${1:-7}
cd "$(dirname "$0")/.."
docs=$PWD/docs
bench=$(cd ../shared/bench && pwd)
work=${T2MAP_BENCH:-${TMPDIR:-/tmp}/t2map-bench}
mkdir -p "$work"
cp "$bench"/* "$work"
go build -o "$work/t2map" ./cmd/t2map
go test -c -o "$work/t2fit.test" ./t2fit
cd "$work"
[ -x pipeline ] || sh build.sh >build.log 2>&1
[ -f study1/study.json ] || /usr/bin/python3 gen_study.py study1 >/dev/null
if [ ! -d study ]; then
	mkdir study
	cp -r study1/dicom study/dicom
	cp study1/nifti/labels.nii.gz study/
fi
rm -f fit-*.txt c-*.txt t2map-*.txt

# The median of a file's first column.
median() { sort -g "$1" | awk '{v[NR]=$1} END {print (v[int((NR+1)/2)]+v[int(NR/2)+1])/2}'; }

# fit_c PROGRAM MODE NAME appends the C program's ns/voxel to fit-NAME.txt.
fit_c() {
	OMP_NUM_THREADS=1 "./$1" study1/raw/me_int16.bin 30 7 384 384 "$2" 10 - study1/raw/foreground.u8 |
		awk '{for (i = 2; i <= NF; i++) if ($i == "ns/voxel") print $(i-1)}' >>"fit-$3.txt"
}

# fit_go BENCHMARK NAME appends t2map's. Both take the same voxels ten times and say the
# best.
fit_go() {
	T2MAP_BENCH_RAW=study1/raw ./t2fit.test -test.run '^$' -test.bench "^BenchmarkForeground\$/^$1\$" -test.benchtime 1x -test.count 10 |
		awk '{for (i = 2; i <= NF; i++) if ($i == "ns/voxel" && (!n++ || $(i-1) < best)) best = $(i-1)} END {print best}' >>"fit-$2.txt"
}
for _ in $(seq "$rounds"); do
	fit_c fit_avx2 vp_u c-nlls
	fit_go 'nlls$/vectors=true/kernel' nlls
	fit_c fit_avx2 wls c-loglinear
	fit_go 'loglinear$/vectors=true/kernel' loglinear
	fit_c fit_avx2 ols c-ols
	fit_go 'loglinear-unweighted$/vectors=true/kernel' ols
	# Without the collector, which would take a processor for the maps of earlier fits.
	GOGC=off fit_go 'nlls$/vectors=true/threads=1' nlls-1
	GOGC=off fit_go 'nlls$/vectors=true/threads=2' nlls-2
	fit_c fit_scalar vpd_u c-scalar
	GODEBUG=cpu.avx2=off fit_go 'nlls$/vectors=false/kernel' scalar
done
echo "the fit alone, foreground voxels, one thread; median of $rounds rounds in ns per voxel"
compare() { # NAME C OURS
	c=$(median "fit-$2.txt") t=$(median "fit-$3.txt")
	awk -v n="$1" -v c="$c" -v t="$t" 'BEGIN {printf "%-34s C %6.1f, t2map %6.1f, ratio %.2f\n", n, c, t, t/c}'
}
compare "nlls, AVX2" c-nlls nlls
compare "loglinear, AVX2" c-loglinear loglinear
compare "loglinear-unweighted, AVX2" c-ols ols
compare "nlls, scalar" c-scalar scalar
awk -v a="$(median fit-nlls-1.txt)" -v b="$(median fit-nlls-2.txt)" 'BEGIN {printf "nlls, two threads are %.2f times as fast as one\n", a/b}'

# timed NAME COMMAND… appends "seconds kilobytes" to NAME.txt.
timed() {
	name=$1
	shift
	command time -f '%e %M' -o line.txt "$@" >out.txt 2>&1 || { cat out.txt; exit 1; }
	tail -n 1 line.txt >>"$name.txt"
}
run() { # NAME OPTION…
	name=$1
	shift
	rm -rf results
	timed "$name" ./t2map run study --out results --scheme compartments --quiet "$@"
}
for _ in $(seq "$rounds"); do
	timed c-full ./pipeline study1/dicom study1/raw/labels.u8 c.nii.gz 2 full
	run t2map-full --maps full
	timed c-mask ./pipeline study1/dicom study1/raw/labels.u8 c.nii.gz 2 mask
	run t2map-mask --maps mask
	run t2map-rician --maps mask --method rician
	run t2map-epg --maps mask --method epg
done
peak() { awk '$2 > m {m = $2} END {printf "%.0f", m / 1024}' "$1.txt"; }
echo "the whole process; median of $rounds rounds, wall time in s; peak memory in MiB; $(nproc) processors"
for maps in full mask; do
	awk -v m=$maps -v c="$(median c-$maps.txt)" -v t="$(median t2map-$maps.txt)" -v pc="$(peak c-$maps)" -v pt="$(peak t2map-$maps)" \
		'BEGIN {printf "--maps %s: C %.2f s %d MiB, t2map %.2f s %d MiB, ratio %.2f\n", m, c, pc, t, pt, t/c}'
done
for method in rician epg; do
	echo "--maps mask --method $method: t2map $(median t2map-$method.txt) s"
done

./t2fit.test -test.run '^$' -test.bench Scaling -test.benchtime 3x -test.count 3 |
	awk '/ns\/voxel/ {split($1, name, /[\/=-]/); for (i = 2; i <= NF; i++) if ($i == "ns/voxel") v = $(i-1)
		k = name[2] " " name[3]; if (!(k in least) || v < least[k]) least[k] = v}
		END {for (k in least) print k, least[k]}' | sort -k1,1 -k2,2n >scaling.txt
grep '^matrix' scaling.txt | cut -d' ' -f2- >scaling-matrix.txt
grep '^echoes' scaling.txt | cut -d' ' -f2- >scaling-echoes.txt
echo "nlls, one thread, ns per voxel:"
cat scaling.txt
gnuplot <<EOF
set terminal pngcairo size 1200,480 font 'sans,12'
set output '$docs/scaling.png'
set multiplot layout 1,2
set grid lc rgb '#e4e4e4' lt 1
set border 3 lc rgb '#888888'
set tics nomirror
set yrange [0:*]
set ylabel 'nlls, one thread (ns per voxel)'
unset key
set xlabel 'voxels, as a multiple of 96 × 96 × 30'
set logscale x 2
plot 'scaling-matrix.txt' with linespoints lw 2 pt 7 ps 1.4 lc rgb '#0072b2'
unset logscale x
set xlabel 'echoes in the train'
plot 'scaling-echoes.txt' with linespoints lw 2 pt 7 ps 1.4 lc rgb '#0072b2'
EOF
