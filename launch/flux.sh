#!/usr/bin/env bash
# Not run by the project's tests: written from the documentation of Flux (flux-core).
#
# A training job for Flux that is resumed until it is done. The arguments of the script are the options of dnn_train:
#
#   flux batch launch/flux.sh --data /path/to/data.csv --output /path/to/run
#
# One rank a core. Two minutes before its time is up it writes a checkpoint; then, and after a crash, it submits itself
# again, up to DNN_REQUEUES times (20). Without --output it writes into runs/flux-JOBID.
#
# dnn_train is taken from the PATH, or from build below the folder in which flux batch was called;
# DNN_TRAIN=/path/to/dnn_train and DNN_SCRIPT=/path/to/flux.sh name others.
# flux: --job-name=dnn_train
# flux: --nslots=8
# flux: --time-limit=8h
# flux: --output=dnn_train-{{id}}.log
# flux: --signal=USR1@2m
set -euo pipefail

PATH=$PATH:$PWD/build
if ! program=$(command -v "${DNN_TRAIN:-dnn_train}"); then
  echo "flux.sh: no dnn_train in the PATH or ./build; set DNN_TRAIN=/path/to/dnn_train" >&2
  exit 2
fi
[[ " $* " == *" --output"[\ =]* || " $* " == *" --config"[\ =]* ]] ||
  set -- "$@" --output "runs/flux-$(flux getattr jobid)"

# The warning reaches the ranks and this script alike; `flux run` is not told, since it forwards no signals. So dnn_run,
# which works by them, has no place here.
export DNN_JOB=${DNN_JOB:-flux-$(flux getattr jobid)}
trap : USR1
flux run --ntasks="$(flux resource list -s up -no '{ncores}')" "$program" "$@" --job "$DNN_JOB" &
job=$!
code=0
# wait returns early when a signal is taken.
while wait "$job" || code=$?; kill -0 "$job" 2>/dev/null; do code=0; done

if [[ $code -ne 0 && $code -ne 2 ]]; then
  count=${DNN_RESTART_COUNT:-0}
  if ((count >= ${DNN_REQUEUES:-20})); then
    echo "flux.sh: ended with $code, and not submitted again: it has been $count times" >&2
  else
    flux --parent batch --env=DNN_RESTART_COUNT=$((count + 1)) --env=DNN_JOB="$DNN_JOB" "${DNN_SCRIPT:-launch/flux.sh}" "$@"
  fi
fi
exit "$code"
