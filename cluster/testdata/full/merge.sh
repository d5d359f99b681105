#!/bin/sh
#SBATCH --job-name=t2map-merge
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --mem=4096M
#SBATCH --time=4:00:00
#SBATCH --partition=short
#SBATCH --account=lab-7
#SBATCH --requeue
#SBATCH --open-mode=append
# Written by t2map cluster slurm. Writes the tables when all shards have ended. Submit it with submit.sh.
cd -- '/home/lab' || exit 2
exec '/opt/t2map' merge --wait -- results
