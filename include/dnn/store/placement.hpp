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
  bool has_all = false;   ///< the leader has read all of them, rather than a part
};

/// What placements are chosen by.
struct PlacementRoom {
  std::uint64_t features = 0;  ///< bytes of all features
  std::uint64_t free = 0;      ///< bytes that may still be used, on the node that has least
  std::size_t nodes = 1;
  bool has_copy = false;  ///< every node has all features in memory, in the form that ranks use
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
