#!/bin/sh
#SBATCH --job-name=t2map
#SBATCH --array=1-8%4
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --mem=4096M
#SBATCH --time=4:00:00
#SBATCH --partition=short
#SBATCH --account=lab-7
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@120
# Written by t2map cluster slurm. Each task maps one shard. Submit it with submit.sh.
set -u
cd -- '/home/lab' || exit 2

# Studies may take three quarters of the memory of the allocation.
memory=${SLURM_MEM_PER_NODE:-$((${SLURM_MEM_PER_CPU:-0} * ${SLURM_CPUS_PER_TASK:-1}))}
memory=$((memory * 3 / 4))
set -- --shard=auto/8 --out=results --scheme skm-tea -- /data/trial
[ "$memory" -eq 0 ] || set -- "--memory=$memory" "$@"
[ -z "${SLURM_CPUS_PER_TASK:-}" ] || set -- "--workers=$SLURM_CPUS_PER_TASK" "$@"

cancelled=no
# Slurm sends TERM to all processes of a task that is cancelled, and USR1 to this shell before the time limit.
trap 'cancelled=yes' TERM
'/opt/t2map' run "$@" &
shard=$!
trap 'kill -TERM "$shard"' USR1
while :; do # a signal ends wait, but not the shard
	wait "$shard"
	status=$?
	kill -0 "$shard" 2>/dev/null || break
done

# Not SLURM_JOB_ID: one task of an array has the number of the whole array there, and all tasks would start again.
job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
# 75: it should be tried again.
if [ "$status" -eq 75 ] && [ "$cancelled" = no ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 20 ]; then
	scontrol requeue "$job" && sleep 600 # until Slurm ends this script
fi
exit "$status"
