#pragma once

#include <cstddef>
#include <span>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// Collective over `world`: compares a hash of every rank's `values`, which must be the same on
/// all. Throws std::runtime_error on all ranks if they are not, naming the ranks (with their hosts)
/// that have other values than most.
void check_replicas(const Communicator& world, std::span<const std::byte> values);

}  // namespace dnn
