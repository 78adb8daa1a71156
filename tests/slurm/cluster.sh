#!/usr/bin/env bash
# A real SLURM of one node for the tests: controller, node daemon and munge, all of whose files lie
# in one folder, so that a SLURM of this machine is neither read nor changed.
#
#   cluster.sh install       Debian's packages, as root; nothing is started
#   cluster.sh up FOLDER     start; then `export SLURM_CONF=FOLDER/slurm.conf PATH=FOLDER/bin:$PATH`
#   cluster.sh down FOLDER   stop, with every job that still runs
#
# Partitions: `cpu` (default) and `gpu`, on the same node, and `far`, on a node that is down and has
# no GPU. The GPU is declared, not real.
# FOLDER/stall/RULE makes the next job of a rule hang before its first step (task_prolog.sh).
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
here=$(cd "$(dirname "$0")" && pwd)

install() {
    [ "$(id -u)" = 0 ] || { echo "installing packages needs root" >&2; exit 1; }
    # Debian starts what it installs; its own daemons are not wanted here.
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends slurm-wlm munge >/dev/null
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

configure() {
    local folder=$1 node user cores memory
    node=$(hostname -s)
    user=$(id -un)
    # More than there are, so that a job that hangs holds up no other.
    cores=$(($(nproc) + 2))
    memory=$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
    cat >"$folder/slurm.conf" <<CONF
ClusterName=poseloop
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
TaskProlog=$here/task_prolog.sh
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
# Finished jobs stay visible to squeue, for there is no data base of jobs.
MinJobAge=3600
KillWait=2
SlurmdParameters=config_overrides
ReturnToService=2
GresTypes=gpu
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory Gres=gpu:1 State=UNKNOWN
# Another node, which never answers, without a GPU.
NodeName=far NodeAddr=127.0.0.2 CPUs=1 RealMemory=1000 State=DOWN
PartitionName=cpu Nodes=$node Default=YES MaxTime=2-00:00:00 State=UP
PartitionName=gpu Nodes=$node MaxTime=2-00:00:00 State=UP
PartitionName=far Nodes=far MaxTime=30:00 State=UP
CONF
    echo "Name=gpu File=/dev/null" >"$folder/gres.conf"
    # Inside a job Snakemake's plugin takes SLURM_CONF, as most of SLURM's variables, from srun.
    printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$folder/slurm.conf" "$(command -v srun)" \
        >"$folder/bin/srun"
    chmod +x "$folder/bin/srun"
}

start_munge() {
    local munge=$1/munge
    (umask 077 && head -c 128 /dev/urandom >"$munge/key")
    # --force: the socket lies in a folder of the test's, not of the system's.
    munged --force --key-file "$munge/key" --socket "$munge/socket" --pid-file "$munge/pid" \
        --log-file "$munge/log" --seed-file "$munge/seed" --num-threads 1
}

up() {
    local folder=$1
    mkdir -p "$folder"/{bin,munge,state,spool,stall}
    configure "$folder"
    export SLURM_CONF=$folder/slurm.conf
    start_munge "$folder"
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF"
    for _ in $(seq 60); do
        [ "$(sinfo --noheader --partition gpu --format %T 2>/dev/null)" != idle ] || return 0
        sleep 0.5
    done
    echo "no node came up; see $folder/*.log" >&2
    exit 1
}

down() {
    local folder=$1 name pid
    export SLURM_CONF=$folder/slurm.conf
    scancel --user "$(id -un)" 2>/dev/null || true
    for name in slurmd.pid slurmctld.pid munge/pid; do
        [ -s "$folder/$name" ] || continue
        pid=$(cat "$folder/$name")
        kill "$pid" 2>/dev/null || continue
        for _ in $(seq 100); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
    done
}

case "${1:-} $#" in
"install 1") install ;;
"up 2") up "$(realpath "$2")" ;;
"down 2") down "$(realpath "$2")" ;;
*)
    echo "usage: $0 install | up FOLDER | down FOLDER" >&2
    exit 2
    ;;
esac
