#pragma once

// Checks that ranks which hold the same parameters hold the same bits, and names the rank that
// differs.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/core/sha256.hpp"
#include "dnn/nn/parameter_layout.hpp"

namespace dnn {

/// Bytes that a rank has a replica of.
struct Replica {
  std::uint64_t of = 0;  ///< which bytes; ranks that name the same ones must have the same
  std::vector<std::span<const std::byte>> bytes;  ///< in order
};

/// Collective over `world`: compares a hash of every rank's replicas, equally many on all. Throws
/// std::runtime_error on all ranks where two of the same bytes differ, naming the ranks (with their
/// hosts) that have others than most. `subject`: what is compared, as the subject of the message.
/// Returns the hash of each of this rank's.
std::vector<Sha256::Digest> check_replicas(const Communicator& world,
                                           const std::vector<Replica>& own,
                                           const std::string& subject = "the ranks' parameters");

/// What each rank of a grid has a replica of, in a flat buffer of its part of the network: first
/// all W and B, which the ranks of its data group have as well (of a network that is not split, the
/// hash is parameters_sha256's); then, of that, what all parts have alike, which is compared over
/// all ranks.
template <class T>
[[nodiscard]] std::vector<Replica> replicas_of(const RankGrid& grid, const ParameterLayout& layout,
                                               std::span<const T> values);

}  // namespace dnn
