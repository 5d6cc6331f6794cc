# What tests of training over the hosts of a cluster share: to be sourced. Checks are PASS and FAIL lines.
# shellcheck shell=bash

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
LAUNCH=$(realpath "$HERE/../../launch")
readonly LAUNCH
readonly HANG=240  # seconds after which what we wait for counts as hung, even on a busy machine
readonly ALL_HOSTS=h1:2,h2:2,h3:2,h4:2
export DNN_CLUSTER_SLOTS=2
work=         # folder of this run
dnn_train=    # the program
faulty_files= # tests/support/faulty_files.cpp, built
train=()      # what the jobs run: dnn_train, as stand_still starts it, with the options of all runs
failures=0
declare -A failed=()  # checks that others build on

cluster() { timeout "$HANG" "$HERE/cluster" "$@"; }

finish() {
  "$HERE/cluster" down >/dev/null 2>&1 || true
  [[ -z $work ]] || rm -rf -- "$work"
}

# check NAME WHAT GROUND COMMAND...: the command's success decides; its output is shown after a FAIL. GROUND is the NAME of
# an earlier check without which this one cannot be made, or empty.
check() {
  local name=$1 what=$2 ground=$3 begin=$SECONDS
  shift 3
  if [[ -n $ground && -n ${failed[$ground]:-} ]]; then
    echo "FAIL $what: not tried, since this failed: ${failed[$ground]}"
  elif "$@" >"$work/output" 2>&1; then
    echo "PASS $what ($((SECONDS - begin)) s)"
    return
  else
    echo "FAIL $what ($((SECONDS - begin)) s)"
    sed 's/^/     /' "$work/output"
  fi
  failed[$name]=$what
  failures=$((failures + 1))
}

# The checks are run as conditions, where errexit is off: hence the && between their steps.

# summary RUN KEY: of a finished run
summary() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1] + "/summary.json"))[sys.argv[2]])' "$@"; }

was_resumed() {
  [[ $(summary "$1" checkpoints) != *"'resumed_from': ''"* ]] || { echo "$1 was not resumed"; return 1; }
}
same_parameters() {
  [[ $(summary "$1" sha256_last) == "$(summary "$2" sha256_last)" ]] ||
    { echo "$1 has other parameters than $2"; return 1; }
}

# wait_until COMMAND...: polls; ends with 1 when the command has not succeeded within HANG.
wait_until() {
  local end=$((SECONDS + HANG))
  until "$@"; do
    ((SECONDS < end)) || { echo "not within $HANG s: $*"; return 1; }
    sleep 0.1
  done
}

# ---------------------------------------------------------------- jobs that stand still

# Jobs are disturbed amid training, however fast or slow the machine is: the rank that writes checkpoints stops itself
# (SIGSTOP) after the first one of a run, once. write_stand_still makes the program that does so: stand_still DNN_TRAIN'S
# OPTIONS.
write_stand_still() {
  cat >"$work/stand_still" <<END
#!/usr/bin/env bash
for word; do
  [[ \${previous:-} != --output ]] || run=\$word
  previous=\$word
done
export DNN_FAULT=stop-after DNN_FAULT_AT="rename checkpoints/step-000000000040.ckpt 1"
export DNN_FAULT_FOLDER=\${run:-none} DNN_FAULT_ONCE=\${run:-none}.stopped
# By its name: the dynamic linker takes a path with blanks apart.
export LD_LIBRARY_PATH=$(printf %q "$(dirname "$faulty_files")")\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} LD_PRELOAD=${faulty_files##*/}
exec $(printf %q "$dnn_train") "\$@"
END
  chmod +x "$work/stand_still"
}

# The processes that train into a run's folder.
trainers() {
  local process line
  for process in $(pgrep -x dnn_train); do
    { mapfile -d '' -t line <"/proc/$process/cmdline"; } 2>/dev/null || continue
    [[ ${line[0]:-} != "$dnn_train" || " ${line[*]} " != *" --output $work/$1 "* ]] || echo "$process"
  done
}
no_trainers() { [[ -z $(trainers "$1") ]]; }

is_stopped() { grep -qs '^State:.T' "/proc/$1/status"; }
any_stopped() {
  local process
  for process in $(trainers "$1"); do ! is_stopped "$process" || return 0; done
  return 1
}
stands_still() { [[ -e $work/$1.stopped ]] && any_stopped "$1"; }

# at_checkpoint RUN COMMAND...: disturbs a job, all of whose ranks stand still until the command has ended.
at_checkpoint() {
  local status=0
  wait_until stands_still "$1" || return 1
  trainers "$1" | xargs -r kill -STOP
  "${@:2}" || status=$?
  trainers "$1" | xargs -r kill -CONT
  return "$status"
}

no_files_left() {
  local host left
  for host in h1 h2 h3 h4; do
    left=$(cluster exec "$host" sh -c \
      'find /dev/shm -maxdepth 1 -type f; ls -d /tmp/ompi.*/* 2>/dev/null; true') ||
      { echo "nobody could look at $host"; return 1; }
    [[ -z $left ]] || { echo "left on $host: $left"; return 1; }
  done
}

# ---------------------------------------------------------------- mpirun and dnn_run

undisturbed() {  # HOSTS RANKS RUN
  : >"$work/$3.stopped"
  cluster mpirun -H "$1" -np "$2" -- "${train[@]}" --output "$work/$3"
}

# dnn_run RUN [OPTIONS]: on h1, over all hosts. Hosts count as lost after 7 s of silence.
dnn_run() {
  local run=$1
  shift
  export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent="bash /tmp/.cluster/remote_shell"
  export OMPI_MCA_oob_tcp_keepalive_time=3 OMPI_MCA_oob_tcp_keepalive_intvl=2 OMPI_MCA_oob_tcp_keepalive_probes=2
  exec "$HERE/cluster" exec h1 "$LAUNCH/dnn_run" "$@" mpirun -np 8 -H "$ALL_HOSTS" "${train[@]}" \
    --output "$work/$run"
}

# rank RUN NUMBER: the process of this rank of the job that trains into a run's folder
rank() {
  local process
  for process in $(trainers "$1"); do
    if tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$2"; then
      echo "$process"
    fi
  done
}

# run_tests DNN_TRAIN FAULTY_FILES COMMAND: makes the cluster and runs the command, which makes the checks. Exits 77 and
# says why where no cluster can be made.
run_tests() {
  local status=0 message
  trap finish EXIT
  work=$(realpath "$(mktemp -d)")
  export DNN_CLUSTER_STATE=$work/cluster
  dnn_train=$(realpath "$1") faulty_files=$(realpath "$2")
  write_stand_still
  train=("$work/stand_still" --defaults plain --quiet --hidden 64 --epochs 12 --checkpoint-every 40)
  cd "$work" || exit 1
  message=$("$HERE/cluster" up 2>&1) || status=$?
  ((status != 77)) || { echo "SKIP $message"; exit 77; }
  ((status == 0)) || { echo "FAIL $message"; exit 1; }
  cluster show "$work" "$(dirname "$dnn_train")" "$(dirname "$faulty_files")"
  "$3"
  echo "$failures failed"
  ((failures == 0))
}
