#!/bin/sh
#SBATCH --job-name=t2map-merge
#SBATCH --ntasks=1
#SBATCH --requeue
#SBATCH --open-mode=append
# Written by t2map cluster slurm. Writes the tables when all shards have ended. Submit it with submit.sh.
set -u
cd -- '/home/lab' || exit 2

cancelled=no
trap 'cancelled=yes' TERM # which Slurm sends to all processes of a job that is cancelled
'/opt/t2map' merge --wait -- results
status=$?
job=$SLURM_JOB_ID
# 75: it should be tried again.
if [ "$status" -eq 75 ] && [ "$cancelled" = no ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 20 ]; then
	scontrol requeue "$job" && sleep 600 # until Slurm ends this script
fi
exit "$status"
