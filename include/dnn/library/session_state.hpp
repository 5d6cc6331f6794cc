#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/library/library_settings.hpp"
#include "dnn/library/sample_store.hpp"
#include "dnn/model/model_file.hpp"

namespace dnn {

/// Everything that a Trainer needs to continue.
struct SessionState {
  SavedModel model;  ///< on all ranks
  std::uint64_t updates = 0;
  double learning_rate = 0;
  OptimizerKind optimizer = OptimizerKind::sgd;
  std::optional<Checkpoint> steps;  ///< of the steps, on rank 0; none: there were none
  std::optional<SampleStore::Contents> store;
};

/// Collective over `world`: on rank 0, the state as bytes; elsewhere nothing. `state`: on each
/// rank, its own samples of the store.
///
/// Note [State of a trainer]
/// MessagePack of a map, with the numbers of tensors and samples as binary, and its SHA-256 (32
/// bytes) behind it. "version" is 1.
[[nodiscard]] std::vector<std::byte> gather_state(const Communicator& world,
                                                  const SessionState& state);

/// Collective over `world`: the state of rank 0's bytes; the store's samples are all of them, on
/// all ranks. Throws AgreedError for bytes that are no state, that are damaged, or that are of
/// another precision or optimizer than `settings`.
[[nodiscard]] SessionState scatter_state(const Communicator& world,
                                         const std::vector<std::byte>& bytes,
                                         const LibrarySettings& settings);

}  // namespace dnn
