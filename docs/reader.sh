#!/bin/sh
# Times what a reader waits for in the page of t2map read, on the benchmark study in Chromium: until a study is open, a
# slice has changed, a decay is drawn and the means of a stroke are there; and prints the memory of the tab.
# docs/reader.md holds what it printed.
#
#   docs/reader.sh
#
# Needs Go, chromium and python3 with numpy, scipy, pydicom and nibabel (Debian: chromium python3-numpy python3-scipy
# python3-pydicom python3-nibabel), and ../shared/bench beside the repository. The processor draws the images (WebGL by
# SwiftShader); a graphics unit is faster.
set -eu
cd "$(dirname "$0")/.."
bench=$(cd ../shared/bench && pwd)
work=${T2MAP_BENCH:-${TMPDIR:-/tmp}/t2map-bench}
mkdir -p "$work"
work=$(cd "$work" && pwd)
[ -f "$work/study1/study.json" ] || /usr/bin/python3 "$bench/gen_study.py" "$work/study1" >/dev/null
if [ ! -d "$work/study" ]; then
	mkdir "$work/study"
	cp -r "$work/study1/dicom" "$work/study/dicom"
	cp "$work/study1/nifti/labels.nii.gz" "$work/study/"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
T2MAP_SPEEDS="$work/study" go test ./reader -run '^TestSpeeds$' -count 1 -v >"$log" 2>&1 || { cat "$log"; exit 1; }
if ! grep -q '^study opened' "$log"; then
	cat "$log"
	echo "nothing was measured"
	exit 1
fi
echo "$(nproc) processors"
grep -E '^(study|with|slice|click|stroke|memory) ' "$log"
