#!/usr/bin/env bash
# Installs what is missing, builds with warnings as errors, and runs all tests.
#
#   launch/test.sh [ctest's options...]
#
# Where ccache is installed, only what has changed since the last time is compiled, in whatever clone that was.
#
# A test that cannot run on this machine is a failure, and the last lines say why. Where it is meant to be so (no root,
# hence no test cluster; a processor without a bf16 unit), DNN_ALLOW_SKIPS=1 accepts all of them, DNN_ALLOW_SKIPS=WORD,...
# those whose reason contains one of the words.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/common.sh
source launch/common.sh

install_missing "${build_packages[@]}" "${test_packages[@]}" "${package_packages[@]}" "${package_test_packages[@]}"
if [[ ${DNN_ALLOW_SKIPS:-} == 1 ]]; then
  (install_missing "${special_test_packages[@]}") || echo "Tests that need these packages are skipped."
else
  install_missing "${special_test_packages[@]}"
fi
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
cmake --preset release -B build-test -DDNN_WERROR=ON -DDNN_UNITY=ON \
  -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" >/dev/null
cmake --build build-test --parallel "$(nproc)"

export OMP_WAIT_POLICY=passive  # tests run beside others, which need the cores of threads that wait
status=0
rm -f build-test/tests.xml
ctest --test-dir build-test --output-on-failure --no-tests=error --parallel "$((2 * $(nproc)))" \
  --output-junit tests.xml --test-output-size-passed 1000000 --test-output-size-failed 1000000 "$@" || status=$?
[[ ! -e build-test/tests.xml ]] || python3 tests/house/list_skips.py build-test/tests.xml "${DNN_ALLOW_SKIPS:-}" || status=$?
exit "$status"
