#!/bin/sh
# Prints the size of the page of generated cohorts, the time to write it, and the time until it can be used in Chromium.
#
#   docs/page.sh [SIZES]     numbers of studies, default 10,100,1000,10000
#
# Needs Go and chromium. The time to load is that from navigation to a filled table: the median of five, with the files
# in the cache of the system.
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
T2MAP_PAGE_SIZES="${1:-10,100,1000,10000}" go test ./report -count 1 -timeout 0 -run '^TestPageCost$' -v >"$log" 2>&1 ||
	{ cat "$log"; exit 1; }
sed -n 's/^ *page_cost_test.go:[0-9]*: //p' "$log"
if grep -q -e '--- SKIP' -e 'no tests to run' "$log"; then
	echo "nothing was measured"
	exit 1
fi
