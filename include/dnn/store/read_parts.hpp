#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node_cores.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/core/temporary_name.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/files/stream.hpp"
#include "dnn/store/data_digest.hpp"
#include "dnn/store/data_settings.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// What training reads.
struct DataParts {
  Dataset train;
  std::optional<Dataset> test;
  /// Whether all nodes have read the same files, rather than each its own.
  bool same_train_files = false;
  bool same_test_files = false;
  /// Of `train` and of `test` in a file of Placement::disk, which it was checked with; else empty.
  DataDigest train_digest = {}, test_digest = {};
  TemporaryName file_to_remove = {};  ///< once all ranks of the node have mapped it
};

/// How `settings` want training data to be read; `wide`: numbers in text are read as double rather
/// than float.
[[nodiscard]] ReadOptions read_options_of(const DataSettings& settings, bool wide);

/// The threads of all ranks of a node, of `threads` a rank; 0: as many as the node has cores.
[[nodiscard]] std::size_t threads_of_node(std::size_t threads, const NodeCores& cores,
                                          const Node& node);

/// Collective over the grid's world: the leader of each node reads the data that `settings` name,
/// with the threads of all ranks of its node (`threads` a rank; 0: as many as fit its cores), and
/// checks them. Where all nodes see the same files, each leader reads a part of them and has the
/// features of some samples only (Dataset::held); share_dataset completes them. Nothing on other
/// ranks. Throws AgreedError for bad data.
[[nodiscard]] std::optional<DataParts> read_on_leaders(const DataSettings& settings, bool wide,
                                                       std::size_t threads, const RankGrid& grid);

/// The same by this process alone: all of the data. Throws InputError.
[[nodiscard]] DataParts read_alone(const DataSettings& settings, bool wide);

/// Collective over the grid's world: what `work` returns on the leader of each node, with the
/// threads of all ranks of its node, while the others sleep. Throws AgreedError where it throws.
template <class Work>
[[nodiscard]] std::optional<DataParts> read_on_each_leader(const DataSettings& settings,
                                                           std::size_t threads,
                                                           const RankGrid& grid, Work&& work) {
  const Node& node = grid.node();
  const NodeCores cores = NodeCores::find(node.ranks());
  return agree(
      grid.world(),
      [&] {
        check_streams({settings.data, settings.test_data}, grid.domains());
        if (!node.is_leader()) {
          return std::optional<DataParts>();
        }
        const BorrowedCores borrowed(cores, threads_of_node(threads, cores, node));
        return std::optional<DataParts>(work());
      },
      Waiting::asleep);
}

}  // namespace dnn
