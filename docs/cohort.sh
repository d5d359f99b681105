#!/bin/sh
# Maps cohorts of small studies (24 × 24 × 5 voxels, 7 echoes, 36 files each) and prints what
# a study costs in each: processor time, and the most memory that the run had at a time.
#
#   docs/cohort.sh [SIZES [OPTION...]]     default 36,360,1500,3000; options are those of t2map run
#
# T2MAP measures another program than the one that is built from here. Needs Go alone. The studies
# stay in $T2MAP_BENCH, by default t2map-cohort in the folder for temporary files: 3,000 take 1 GB.
set -eu
cd "$(dirname "$0")/.."
work=${T2MAP_BENCH:-${TMPDIR:-/tmp}/t2map-cohort}
mkdir -p "$work"
go build -o "$work/cohort" docs/cohort.go
if [ -z "${T2MAP:-}" ]; then
	T2MAP=$work/t2map
	go build -o "$T2MAP" ./cmd/t2map
fi
sizes=${1:-36,360,1500,3000}
[ $# -eq 0 ] || shift
exec "$work/cohort" -t2map "$T2MAP" -work "$work" -sizes "$sizes" -- "$@"
