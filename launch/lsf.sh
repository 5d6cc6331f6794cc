#!/usr/bin/env bash
# Tested with stubs only: written from the documentation of IBM Spectrum LSF 10.1.
#
# A training job for LSF that is resumed until it is done. The arguments of the script are the options of dnn_train:
#
#   bsub < launch/lsf.sh                                                  # with them in DNN_OPTIONS, divided by blanks
#   bsub -n 8 -W 8:00 -r -Q 75 -wa USR1 -wt 2 launch/lsf.sh --data /path/to/data.csv --output /path/to/run
#
# One rank a core. dnn_run restarts it after a crash. Two minutes before its time is up it writes a checkpoint and exits
# with 75, with which LSF requeues it (-Q), as often as the queue's MAX_JOB_REQUEUE allows; LSF reruns it (-r) when it
# loses the host it was started on. Without --output and --config it writes into runs/lsf-JOBID; a --config file without
# output is refused.
#
# dnn_train and dnn_run are taken from the PATH, or from build and launch below the folder in which bsub was called;
# DNN_TRAIN=/path/to/dnn_train names another one, beside which dnn_run is looked for, too.
#BSUB -J dnn_train
#BSUB -n 8
#BSUB -W 8:00
#BSUB -o dnn_train-%J.log
#BSUB -r
#BSUB -Q "75"
#BSUB -wa USR1
#BSUB -wt 2
set -euo pipefail

PATH=$PATH:${LS_SUBCWD:-.}/build:${LS_SUBCWD:-.}/launch
if ! program=$(command -v "${DNN_TRAIN:-dnn_train}"); then
  echo "lsf.sh: no ${DNN_TRAIN:-dnn_train} in the PATH or ./build; set DNN_TRAIN=/path/to/dnn_train" >&2
  exit 2
fi
PATH=$PATH:${program%/*}
if ! runner=$(command -v dnn_run); then
  echo "lsf.sh: no dnn_run in the PATH, ./launch or ${program%/*}; put its folder into the PATH" >&2
  exit 2
fi
read -ra options <<<"${DNN_OPTIONS:-}"
options+=("$@")
[[ " ${options[*]} " == *" --output"[\ =]* || " ${options[*]} " == *" --config"[\ =]* ]] ||
  options+=(--output "runs/lsf-$LSB_JOBID")

# mpirun asks LSF for the hosts by itself.
"$runner" --grace 90 mpirun "$program" "${options[@]}" --job "lsf-$LSB_JOBID" &
job=$! asked=""
trap 'asked=1; kill -USR1 "$job" 2>/dev/null || true' USR1
trap 'kill -USR1 "$job" 2>/dev/null || true' TERM INT  # bkill
code=0
# wait returns early when a signal is taken.
while wait "$job" || code=$?; kill -0 "$job" 2>/dev/null; do code=0; done
# Only the warning asks to go on later: a job that was killed stays ended.
[[ $code -ne 75 || -n $asked ]] || code=143
exit "$code"
