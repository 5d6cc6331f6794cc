#!/usr/bin/env bash
# Tested with stubs only: written from the documentation of Flux (flux-core).
#
# A training job for Flux that is resumed until it is done. The arguments of the script are the options of dnn_train:
#
#   flux batch launch/flux.sh --data /path/to/data.csv --output /path/to/run
#
# One rank a core. Two minutes before its time is up it writes a checkpoint; then, and after a crash, it submits itself
# again, up to DNN_REQUEUES times (20); write options of flux batch below, since the next job does not get them from its
# command line. Without --output and --config it writes into runs/flux-JOBID.
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
  echo "flux.sh: no ${DNN_TRAIN:-dnn_train} in the PATH or ./build; set DNN_TRAIN=/path/to/dnn_train" >&2
  exit 2
fi
for name in DNN_REQUEUES DNN_RESTART_COUNT; do
  if [[ ! ${!name:-0} =~ ^(0|[1-9][0-9]{0,8})$ ]]; then
    echo "flux.sh: $name=${!name} is no whole number" >&2
    exit 2
  fi
done
# This script, to submit again: Flux runs a copy of it.
scripts=("${DNN_SCRIPT:-${BASH_SOURCE[0]:-}}")
[[ -n ${DNN_SCRIPT:-} ]] || scripts+=(launch/flux.sh "${program%/bin/*}/share/dnn_train/flux.sh")
for script in "${scripts[@]}"; do
  [[ ! -f $script ]] || break
done
if [[ ! -f $script ]]; then
  echo "flux.sh: ${DNN_SCRIPT:-launch/flux.sh} is not there to be submitted again; set DNN_SCRIPT=/path/to/flux.sh" >&2
  exit 2
fi
[[ " $* " == *" --output"[\ =]* || " $* " == *" --config"[\ =]* ]] ||
  set -- "$@" --output "runs/flux-$(flux getattr jobid)"

# The warning reaches the ranks and this script alike; `flux run` is not told, since it forwards no signals. So dnn_run,
# which works by them, has no place here.
export DNN_JOB=${DNN_JOB:-flux-$(flux getattr jobid)}
asked=""
trap 'asked=1' USR1
flux run --ntasks="$(flux resource list -s up -no '{ncores}')" "$program" "$@" --job "$DNN_JOB" &
job=$!
code=0
# wait returns early when a signal is taken.
while wait "$job" || code=$?; kill -0 "$job" 2>/dev/null; do code=0; done

case $code in
  0 | 2 | 126 | 127) again="" ;;  # done, or it would end in the same way again
  75) again=$asked ;;             # else a --time-limit or the file `stop` has ended it
  *) again=1 ;;
esac
if [[ -n $again ]]; then
  count=${DNN_RESTART_COUNT:-0}
  if ((count >= ${DNN_REQUEUES:-20})); then
    echo "flux.sh: ended with $code, and not submitted again: it has been $count times" >&2
  else
    flux --parent batch --env=DNN_RESTART_COUNT=$((count + 1)) --env=DNN_JOB="$DNN_JOB" "$script" "$@" ||
      echo "flux.sh: ended with $code, and not submitted again: flux batch failed; submit it again to resume" >&2
  fi
fi
exit "$code"
