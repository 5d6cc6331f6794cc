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
  double learning_rate = 0;  ///< of step(); 0: that of the option lr
  OptimizerKind optimizer = OptimizerKind::sgd;
  /// Of the steps, on rank 0; elsewhere an empty one. None: there were none.
  std::optional<Checkpoint> steps;
  std::optional<SampleStore::Contents> store;
};

/// The most bytes of one binary in a state.
inline constexpr std::size_t largest_piece = std::size_t{1} << 30;

/// Collective over `world`: on rank 0, the state as bytes; elsewhere nothing. `state`: on each
/// rank, its own samples of the store. Throws AgreedError where a rank has no memory for it (but
/// for that of the messages).
///
/// Note [State of a trainer]
/// MessagePack of a map, with the numbers of tensors and samples as binary, and its SHA-256 (32
/// bytes) behind it. "version" is 1. MessagePack has no binary of 4 GiB: one of more than `piece`
/// bytes is an array of such pieces, one after another.
[[nodiscard]] std::vector<std::byte> gather_state(const Communicator& world,
                                                  const SessionState& state,
                                                  std::size_t piece = largest_piece);

/// Collective over `world`: the state of rank 0's bytes, on each rank with the samples of the store
/// whose home it is. Throws AgreedError for bytes that are no state, that are damaged, or that are
/// of another precision or optimizer than `settings`.
[[nodiscard]] SessionState scatter_state(const Communicator& world,
                                         const std::vector<std::byte>& bytes,
                                         const LibrarySettings& settings);

}  // namespace dnn
