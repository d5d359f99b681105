#!/bin/sh
#SBATCH --job-name=t2map-merge
#SBATCH --ntasks=1
#SBATCH --requeue
#SBATCH --open-mode=append
# Written by t2map cluster slurm. Writes the tables when all shards have ended. Submit it with submit.sh.
cd -- '/home/lab' || exit 2
exec '/opt/t2map' merge --wait -- results
