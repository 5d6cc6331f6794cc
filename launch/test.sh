#!/usr/bin/env bash
# Installs what is missing, builds with warnings as errors, and runs all tests.
#
#   launch/test.sh [ctest's options...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/common.sh
source launch/common.sh

install_missing "${build_packages[@]}" "${test_packages[@]}" dataset-fashion-mnist
cmake --preset release -B build-test -DDNN_WERROR=ON >/dev/null
cmake --build build-test --parallel "$(nproc)"
ctest --test-dir build-test --output-on-failure --no-tests=error --parallel "$(nproc)" "$@"
