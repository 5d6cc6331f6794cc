#!/usr/bin/env bash
# Tested with stubs only: written from the documentation of PBS Professional and OpenPBS.
#
# A training job for PBS that is resumed until it is done. PBS gives a script no arguments, so dnn_train's options are in
# a variable, divided by blanks:
#
#   qsub -v DNN_OPTIONS="--config /path/to/run.toml --output /path/to/run" launch/pbs.sh
#
# One rank a core. dnn_run restarts it after a crash. Two minutes before its time is up it writes a checkpoint and
# submits itself again, up to DNN_REQUEUES times (20); PBS reruns it (-r y) when it is preempted or loses a node. The next
# job gets this one's queue, account, select, place and walltime, where qstat runs on the node; write other options below,
# instead of giving them to qsub. Without --output and --config it writes into runs/pbs-JOBID; a --config file without
# output is refused.
#
# dnn_train and dnn_run are taken from the PATH, or from build and launch below the folder in which qsub was called;
# DNN_TRAIN=/path/to/dnn_train names another one, beside which dnn_run is looked for, too, and DNN_SCRIPT=/path/to/pbs.sh
# what is submitted again.
#PBS -N dnn_train
#PBS -l select=1:ncpus=8:mpiprocs=8
#PBS -l walltime=08:00:00
#PBS -j oe
#PBS -r y
set -euo pipefail
cd "$PBS_O_WORKDIR"

PATH=$PATH:$PBS_O_WORKDIR/build:$PBS_O_WORKDIR/launch
if ! program=$(command -v "${DNN_TRAIN:-dnn_train}"); then
  echo "pbs.sh: no ${DNN_TRAIN:-dnn_train} in the PATH or ./build; set DNN_TRAIN=/path/to/dnn_train" >&2
  exit 2
fi
PATH=$PATH:${program%/*}
if ! runner=$(command -v dnn_run); then
  echo "pbs.sh: no dnn_run in the PATH, ./launch or ${program%/*}; put its folder into the PATH" >&2
  exit 2
fi
for name in DNN_REQUEUES DNN_RESTART_COUNT; do
  if [[ ! ${!name:-0} =~ ^(0|[1-9][0-9]{0,8})$ ]]; then
    echo "pbs.sh: $name=${!name} is no whole number" >&2
    exit 2
  fi
done
# This script, to submit again: PBS runs a copy of it.
scripts=("${DNN_SCRIPT:-${BASH_SOURCE[0]:-}}")
[[ -n ${DNN_SCRIPT:-} ]] || scripts+=(launch/pbs.sh "${program%/bin/*}/share/dnn_train/pbs.sh")
for script in "${scripts[@]}"; do
  [[ ! -f $script ]] || break
done
if [[ ! -f $script ]]; then
  echo "pbs.sh: ${DNN_SCRIPT:-launch/pbs.sh} is not there to be submitted again; set DNN_SCRIPT=/path/to/pbs.sh" >&2
  exit 2
fi
read -ra options <<<"${DNN_OPTIONS:-}"
[[ " ${options[*]} " == *" --output"[\ =]* || " ${options[*]} " == *" --config"[\ =]* ]] ||
  options+=(--output "runs/pbs-${DNN_FIRST_JOB:-$PBS_JOBID}")

# An mpirun that was built for PBS asks it for the hosts.
launcher=(mpirun)
ompi_info 2>/dev/null | grep 'MCA plm: tm' >/dev/null || launcher+=(--hostfile "$PBS_NODEFILE")

"$runner" --grace 90 "${launcher[@]}" "$program" "${options[@]}" --job "pbs-${DNN_FIRST_JOB:-$PBS_JOBID}" &
job=$! asked=""
trap 'asked=1; kill -USR1 "$job" 2>/dev/null || true' USR1
trap 'kill -USR1 "$job" 2>/dev/null || true' TERM  # PBS ends the job, and reruns it where it is to be rerun

# What PBS knows of this job; long lines go on after a tab.
status=$(qstat -f "$PBS_JOBID" 2>/dev/null | sed ':all;N;$!ball;s/\n\t//g') || true
field() {
  sed -n "s/^ *$1 = //p" <<<"$status"
}

left=0 timer=""
[[ ! $(field Resource_List.walltime) =~ ^([0-9]+):([0-9]+):([0-9]+)$ ]] ||
  left=$((10#${BASH_REMATCH[1]} * 3600 + 10#${BASH_REMATCH[2]} * 60 + 10#${BASH_REMATCH[3]} - 120))
if ((left > 0)); then
  (trap 'kill $!' TERM; sleep "$left" & wait $! && kill -USR1 $$) &
  timer=$!
else
  echo "pbs.sh: no walltime of more than two minutes is known: no checkpoint before the limit" >&2
fi

code=0
# wait returns early when a signal is taken.
while wait "$job" || code=$?; kill -0 "$job" 2>/dev/null; do code=0; done
[[ -z $timer ]] || { kill "$timer" && wait "$timer"; } 2>/dev/null || true

if [[ $code -eq 75 && -n $asked ]]; then
  count=${DNN_RESTART_COUNT:-0}
  if ((count >= ${DNN_REQUEUES:-20})); then
    echo "pbs.sh: stopped with a checkpoint, and not submitted again: it has been $count times" >&2
  else
    export DNN_RESTART_COUNT=$((count + 1)) DNN_FIRST_JOB=${DNN_FIRST_JOB:-$PBS_JOBID}
    same=(-V)
    [[ -z ${PBS_O_QUEUE:-} ]] || same+=(-q "$PBS_O_QUEUE")
    [[ -z $(field Account_Name) ]] || same+=(-A "$(field Account_Name)")
    for resource in select place walltime; do
      value=$(field "Resource_List.$resource")
      [[ -z $value ]] || same+=(-l "$resource=$value")
    done
    qsub "${same[@]}" "$script" ||
      echo "pbs.sh: stopped with a checkpoint, and not submitted again: qsub failed; submit it again to resume" >&2
  fi
fi
exit "$code"
