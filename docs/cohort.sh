#!/bin/sh
# Maps cohorts of small studies (24 × 24 × 5 voxels, 7 echoes, 36 files each) and prints what
# each costs: processor time, wall time and the most memory that the run had at a time; the same
# of a second run with nothing to do and of t2map tables; and the size of the results.
#
#   docs/cohort.sh [SIZES [OPTION...]]     default 36,360,1500,3000; options are those of t2map run
#
# T2MAP names another program to measure than the one that is built from here. Needs Go alone. The
# studies stay in $T2MAP_COHORT, by default t2map-cohort in the folder for temporary files:
# those of all four cohorts take 1 GB. With T2MAP_COHORT_ROUNDS every cohort is mapped so many times,
# in turns, and the least time of each is printed.
set -eu
cd "$(dirname "$0")/.."
export T2MAP_COHORT="${T2MAP_COHORT:-${TMPDIR:-/tmp}/t2map-cohort}"
export T2MAP_COHORT_SIZES="${1:-36,360,1500,3000}"
[ $# -eq 0 ] || shift
export T2MAP_COHORT_OPTIONS="$*"
mkdir -p "$T2MAP_COHORT"
go test -c -o "$T2MAP_COHORT/cohort.test" ./cmd/t2map
if [ -z "${T2MAP:-}" ]; then
	T2MAP="$T2MAP_COHORT/t2map"
	go build -o "$T2MAP" ./cmd/t2map
fi
export T2MAP
"$T2MAP_COHORT/cohort.test" -test.timeout 0 -test.run '^TestCohortMade$' >/dev/null
"$T2MAP_COHORT/cohort.test" -test.timeout 0 -test.run '^TestCohortMapped$'
