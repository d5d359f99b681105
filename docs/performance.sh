#!/bin/sh
# Times `t2map run` against the practical limit in C on the benchmark study, in
# turns, in one run, and prints medians and their ratio. docs/performance.md holds
# what it printed.
#
#   docs/performance.sh [ROUNDS]      default 7
#
# Needs gcc, libdeflate-dev, GNU time and python3 with numpy, scipy, pydicom and
# nibabel (Debian: libdeflate-dev time python3-numpy python3-scipy python3-pydicom
# python3-nibabel), and ../shared/bench beside the repository.
set -eu
rounds=${1:-7}
cd "$(dirname "$0")/.."
bench=$(cd ../shared/bench && pwd)
work=${T2MAP_BENCH:-${TMPDIR:-/tmp}/t2map-bench}
mkdir -p "$work"
cp "$bench"/* "$work"
go build -o "$work/t2map" ./cmd/t2map
cd "$work"
[ -x pipeline ] || sh build.sh >build.log 2>&1
[ -f study1/study.json ] || /usr/bin/python3 gen_study.py study1 >/dev/null
if [ ! -d study ]; then
	mkdir study
	cp -r study1/dicom study/dicom
	cp study1/nifti/labels.nii.gz study/
fi

# timed NAME COMMAND… appends "seconds kilobytes" to NAME.txt.
timed() {
	name=$1
	shift
	command time -f '%e %M' -o line.txt "$@" >out.txt 2>&1 || { cat out.txt; exit 1; }
	tail -n 1 line.txt >>"$name.txt"
}
rm -f c-*.txt t2map-*.txt
for _ in $(seq "$rounds"); do
	timed c-full ./pipeline study1/dicom study1/raw/labels.u8 c.nii.gz 2 full
	rm -rf results
	timed t2map-full ./t2map run study --out results --scheme compartments --maps full --quiet
	timed c-mask ./pipeline study1/dicom study1/raw/labels.u8 c.nii.gz 2 mask
	rm -rf results
	timed t2map-mask ./t2map run study --out results --scheme compartments --maps mask --quiet
done

median() { sort -n "$1.txt" | awk '{v[NR]=$1} END {print (v[int((NR+1)/2)]+v[int(NR/2)+1])/2}'; }
peak() { awk '$2>m {m=$2} END {printf "%.0f", m/1024}' "$1.txt"; }
echo "median of $rounds rounds, wall time in s; peak memory in MiB; $(nproc) processors"
for maps in full mask; do
	c=$(median c-$maps) t=$(median t2map-$maps)
	awk -v m=$maps -v c="$c" -v t="$t" -v pc="$(peak c-$maps)" -v pt="$(peak t2map-$maps)" \
		'BEGIN {printf "--maps %s: C %.2f s %d MiB, t2map %.2f s %d MiB, ratio %.2f\n", m, c, pc, t, pt, t/c}'
done
