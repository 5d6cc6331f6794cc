# shellcheck shell=bash
# Sourced by the other launch scripts: the packages, and what mpirun has to be told.

# What building and running needs, what the tests need besides, and what those need that not every machine can run: on
# several hosts, under Slurm, by another compiler and another MPI, in a browser (Debian's names).
# shellcheck disable=SC2034  # used where this file is sourced
build_packages=(g++ cmake make libopenmpi-dev openmpi-bin libboost-serialization-dev libcli11-dev
                nlohmann-json3-dev libfmt-dev libssl-dev zlib1g-dev libarchive-dev libdnnl-dev
                librandom123-dev libfast-float-dev libtomlplusplus-dev libhwloc-dev libcpp-httplib-dev
                libhdf5-dev)
# shellcheck disable=SC2034
test_packages=(libgtest-dev python3 python3-numpy python3-h5py dataset-fashion-mnist pybind11-dev python3-dev
               python3-mpi4py gfortran pkg-config)
# What making the project's own packages needs besides, and what their tests need.
# shellcheck disable=SC2034
package_packages=(dpkg-dev file gzip help2man python3)
# shellcheck disable=SC2034
package_test_packages=(bash-completion mandoc tcl)
# shellcheck disable=SC2034
special_test_packages=(iproute2 nftables hostname slurmctld slurmd slurm-client munge clang libomp-dev libmpich-dev mpich
                       chromium python3-venv)

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# install_missing PACKAGE...: installs those that are not there. Where that is not possible, lists
# them and ends the script.
install_missing() {
  local missing=() package reason=""
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  local as_root=()
  if ! command -v apt-get >/dev/null; then
    reason="this system has no apt-get (install what these Debian packages are called here)"
  elif [[ $EUID -ne 0 ]]; then
    as_root=(sudo)
    command -v sudo >/dev/null || reason="this is not root, and there is no sudo"
  fi
  if [[ -z $reason ]]; then
    echo "installing: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "${missing[@]}" >/dev/null && return
    reason="apt-get failed"
  fi
  {
    echo "Packages are missing, and they could not be installed: $reason."
    echo "Have an administrator run:"
    echo "  apt-get install --no-install-recommends ${missing[*]}"
  } >&2
  exit 1
}

# Plain mpirun refuses to run as root and to start more ranks than there are cores; the first is what
# containers do, the second what a small machine does on purpose. Open MPI 4 reads the OMPI_ variables,
# Open MPI 5 the PRTE_ ones.
allow_root_and_many_ranks() {
  if [[ $EUID -eq 0 ]]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
  export OMPI_MCA_rmaps_base_oversubscribe=1
  export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
}
