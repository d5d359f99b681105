#!/bin/sh
# Measures what docs/scale.md says: cohorts of 10 to 10,000 small studies, and runs that are killed,
# whose disk is full, or that write into one folder at once.
#
#   docs/scale.sh [SIZES]      default 10,100,1000,10000
#
# Needs Go; the full disks need the right to mount a file system, and the page's load time needs
# Chromium. The studies and results take 5 GB below the folder for temporary files, see docs/cohort.sh.
set -eu
cd "$(dirname "$0")/.."
docs/cohort.sh "${1:-10,100,1000,10000}"
echo
echo "50 kills at random moments, ten disks of random size, three runs at once"
T2MAP_KILLS=50 T2MAP_FULL_DISKS=10 go test -count=1 -timeout 0 ./cmd/t2map \
	-run 'KilledAtAnyMoment|FullDiskOfAnySize|TwoRunsAtOnce' -v | grep -E '^(---|ok|FAIL)|endure_test'
echo
echo "what verify finds: a replaced study, a damaged result, a changed line of the record"
go test -count=1 ./batch -run 'Verify' -v | grep -E '^(---|ok|FAIL)'
