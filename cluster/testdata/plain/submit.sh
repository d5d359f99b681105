#!/bin/sh
# Written by t2map cluster slurm. Submits the array and the job that merges, and prints their numbers.
# With an argument, such as 3,5-7, it submits these shards only.
set -eu
cd -P -- "$(dirname -- "$0")"
logs=$(pwd | sed 's/%/%%/g') # Slurm replaces %a and others in the names of logs
shards=${1:-1-8}
array=$(sbatch --parsable --array="$shards" --output="$logs/shard-%a.log" array.sh)
array=${array%%;*} # without the name of the cluster
echo "array $array"
merge=$(sbatch --parsable --dependency=afterok:"$array" --kill-on-invalid-dep=yes --output="$logs/merge.log" merge.sh)
echo "merge ${merge%%;*}"
