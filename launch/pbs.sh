#!/usr/bin/env bash
# Not run by the project's tests: written from the documentation of PBS Professional and OpenPBS.
#
# A training job for PBS that is resumed until it is done. PBS gives a script no arguments, so dnn_train's options are in
# a variable, divided by blanks:
#
#   qsub -v DNN_OPTIONS="--config /path/to/run.toml --output /path/to/run" launch/pbs.sh
#
# One rank a core. dnn_run restarts it after a crash. Two minutes before its time is up it writes a checkpoint and
# submits itself again, up to DNN_REQUEUES times (20); PBS reruns it (-r y) when it is preempted or loses a node.
#
# dnn_train and dnn_run are taken from the PATH, or from build and launch below the folder in which qsub was called;
# DNN_TRAIN=/path/to/dnn_train and DNN_SCRIPT=/path/to/pbs.sh name others.
#PBS -N dnn_train
#PBS -l select=1:ncpus=8:mpiprocs=8
#PBS -l walltime=08:00:00
#PBS -j oe
#PBS -r y
set -euo pipefail
cd "$PBS_O_WORKDIR"

PATH=$PATH:$PBS_O_WORKDIR/build:$PBS_O_WORKDIR/launch
if ! program=$(command -v "${DNN_TRAIN:-dnn_train}") || ! runner=$(command -v dnn_run); then
  echo "pbs.sh: no dnn_train or dnn_run in the PATH, ./build or ./launch; set DNN_TRAIN=/path/to/dnn_train" >&2
  exit 2
fi
read -ra options <<<"${DNN_OPTIONS:-}"
[[ " ${options[*]} " == *" --output"[\ =]* || " ${options[*]} " == *" --config"[\ =]* ]] ||
  options+=(--output "runs/pbs-${DNN_FIRST_JOB:-$PBS_JOBID}")

# An mpirun that was built for PBS asks it for the hosts.
launcher=(mpirun)
ompi_info 2>/dev/null | grep -q 'MCA plm: tm' || launcher+=(--hostfile "$PBS_NODEFILE")

"$runner" --grace 90 "${launcher[@]}" "$program" "${options[@]}" --job "pbs-${DNN_FIRST_JOB:-$PBS_JOBID}" &
job=$! asked=""
trap 'asked=1; kill -USR1 "$job" 2>/dev/null || true' USR1
trap 'kill -USR1 "$job" 2>/dev/null || true' TERM  # PBS ends the job, and reruns it where it is to be rerun

IFS=: read -r hours minutes seconds < <(qstat -f "$PBS_JOBID" | sed -n 's/.*Resource_List.walltime = //p')
left=$((10#$hours * 3600 + 10#$minutes * 60 + 10#$seconds - 120))
((left <= 0)) || { sleep "$left" && kill -USR1 $$; } &
timer=$!

code=0
# wait returns early when a signal is taken.
while wait "$job" || code=$?; kill -0 "$job" 2>/dev/null; do code=0; done
kill "$timer" 2>/dev/null || true

if [[ $code -eq 75 && -n $asked ]]; then
  count=${DNN_RESTART_COUNT:-0}
  if ((count >= ${DNN_REQUEUES:-20})); then
    echo "pbs.sh: stopped with a checkpoint, and not submitted again: it has been $count times" >&2
  else
    export DNN_RESTART_COUNT=$((count + 1)) DNN_FIRST_JOB=${DNN_FIRST_JOB:-$PBS_JOBID}
    qsub -V "${DNN_SCRIPT:-launch/pbs.sh}"
  fi
fi
exit "$code"
