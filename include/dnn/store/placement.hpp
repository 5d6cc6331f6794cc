#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/store/data_settings.hpp"

namespace dnn {

/// Where the features of a run's samples are stored, and the reason.
///
/// Note [Which placement]
/// Node is fastest, and takes as much memory on every node as the features do. Job takes its share
/// of them, and needs the network in every step. Disk needs no memory of its own: the system caches
/// what it can of the file. Automatic: node if it fits into the memory of all nodes, else job if
/// that fits, else disk if --scratch is given.
struct PlacementChoice {
  Placement placement = Placement::node;  ///< not automatic
  std::string why;                        ///< for the user; empty: as asked for, or nothing else
  std::string file;                       ///< disk: that holds the features
  std::size_t window_bytes = DataSettings().window_bytes;
};

/// The memory of features, on the leader of a node.
struct FeatureMemory {
  std::size_t bytes = 0;  ///< that all features take, see feature_bytes
  bool has_all = false;   ///< the leader has all features, in memory (or in the user's own file)
  bool has_part = false;  ///< the leader has its node's part of the features alone, in memory
};

/// What placements are chosen by. The one rank of a node takes over what it has read; other nodes
/// need memory for what their ranks will share.
struct PlacementRoom {
  static constexpr std::uint64_t unlimited = std::uint64_t{1} << 62;

  std::uint64_t features = 0;  ///< bytes of all features
  /// Bytes that may still be used, on the node that has least, of those nodes that need memory for
  /// all features (node), or for their part of them (job). Unlimited: no node needs any.
  std::uint64_t free_for_all = 0, free_for_part = 0;
  std::size_t nodes = 1;
};

/// Throws InputError where the features fit nowhere, or not where the settings want them.
[[nodiscard]] PlacementChoice choose_placement(const DataSettings& settings,
                                               const PlacementRoom& room);

/// Collective over the grid's world. `read`: on leaders. Throws AgreedError for what cannot be.
[[nodiscard]] PlacementChoice choose_placement(const DataSettings& settings, const RankGrid& grid,
                                               const FeatureMemory& read);

/// Bytes of memory that the features of all samples take: none for features in a
/// mapped file.
[[nodiscard]] std::size_t feature_bytes(const Dataset& data);

/// Which of so many samples this node holds where the nodes share them out.
[[nodiscard]] Range part_of_node(const RankGrid& grid, std::size_t samples);

}  // namespace dnn
