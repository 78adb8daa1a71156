#!/bin/sh
# Runs on the node before each step of a job. Where the cluster's folder holds stall/RULE, the job of
# that rule, which Snakemake names in the job's comment, hangs, once: a node that does not answer.
stall=$(dirname "$SLURM_CONF")/stall
comment=$(squeue --noheader --jobs "$SLURM_JOB_ID" --format %k)
for mark in "$stall"/*; do
    rule=$(basename "$mark")
    case "$comment" in
    "rule_$rule" | "rule_${rule}_wildcards"*)
        if rm "$mark" 2>/dev/null; then
            sleep 3600
        fi
        ;;
    esac
done
