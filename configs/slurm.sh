#!/bin/bash
# A run as a job array of Slurm, a part a job, and the merge when all parts are done:
#
#     bash configs/slurm.sh configs/cluster.yaml /shared/out/news 16
#
# A part that is preempted finishes the batch in hand (SIGTERM, 120 seconds before the end), is queued again, on whichever
# node, and goes on where it was. Give sbatch its partition, account and time by SBATCH_PARTITION, SBATCH_ACCOUNT,
# SBATCH_TIMELIMIT.
set -euo pipefail
config=$1 out=$2 parts=$3
mekong=${MEKONG:-.venv/bin/mekong}

array=$(sbatch --parsable --array="1-$parts" --requeue --open-mode=append --signal=TERM@120 \
    --job-name=mekong --gpus-per-task=1 --ntasks=1 --cpus-per-task=8 \
    --wrap "exec $mekong run '$config' --out '$out' --shard \$SLURM_ARRAY_TASK_ID/$parts")
sbatch --dependency="afterok:$array" --job-name=mekong-merge --ntasks=1 --cpus-per-task=32 \
    --wrap "exec $mekong merge '$out'"
