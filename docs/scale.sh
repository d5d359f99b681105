#!/bin/sh
# Measures what docs/scale.md says: cohorts of 10 to 10,000 small studies, and runs that are killed,
# whose disk is full, or that write into one folder at once.
#
#   docs/scale.sh [SIZES]      default 10,100,1000,10000
#
# Needs Go, Chromium for the page's load time, and the right to mount a file system for the full disks. It ends with 1
# if a test fails or is skipped. The studies and results take 5 GB below the folder for temporary files, see
# docs/cohort.sh.
set -eu
cd "$(dirname "$0")/.."
sizes="${1:-10,100,1000,10000}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# checked runs tests and prints what they measure.
checked() {
	status=0
	go test -count=1 -timeout 0 -v "$@" >"$log" 2>&1 || status=$?
	grep -E '^(---|ok|FAIL)|_test\.go:' "$log" || status=1
	if [ "$status" -ne 0 ] || grep -q -e '--- SKIP' -e 'no tests to run' "$log"; then
		echo "a test failed, was skipped or is not there: go test $*"
		exit 1
	fi
}

docs/cohort.sh "$sizes"
echo
docs/page.sh "$sizes"
echo
echo "50 kills at random moments, ten disks of random size, three runs at once"
export T2MAP_KILLS=50 T2MAP_FULL_DISKS=10
checked ./cmd/t2map -run 'KilledAtAnyMoment|FullDiskOfAnySize|TwoRunsAtOnce'
echo
echo "what verify finds: a replaced study, a damaged result, a changed line of the record"
checked ./batch -run 'Verify'
