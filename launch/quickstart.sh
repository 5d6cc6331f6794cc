#!/usr/bin/env bash
# From a fresh Debian 12 to a trained model: installs what is missing, builds, trains on Fashion-MNIST
# (60,000 + 10,000 images, from Debian's package) with 8 ranks, and says how good the model is.
#
#   launch/quickstart.sh [dnn_train's options...]
#
# RANKS=n sets another number of ranks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=launch/common.sh
source launch/common.sh

install_missing "${build_packages[@]}" dataset-fashion-mnist
cmake --preset release -DDNN_TESTS=OFF -DDNN_UNITY=ON >/dev/null
cmake --build --preset release --parallel "$(nproc)"

allow_root_and_many_ranks
exec mpirun -np "${RANKS:-8}" build/dnn_train --config launch/fashion_mnist.toml "$@"
