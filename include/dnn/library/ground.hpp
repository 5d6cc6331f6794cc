#pragma once

#include <optional>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/options/config.hpp"

namespace dnn {

/// The ranks of a communicator as a training needs them, with the memory that those of a node share
/// for it. close() gives that back; without it, it goes with the process.
class Ground {
 public:
  /// Collective over `world`, which must outlive the ground.
  Ground(const Communicator& world, const Config& config);

  [[nodiscard]] RankGrid& grid() { return *grid_; }

  /// Collective over the world.
  void close();

 private:
  Node node_;
  std::optional<RankGrid> grid_;
};

/// Collective over `world`: what `work(grid)` returns; the ground is closed behind it, also where
/// it throws on all ranks together.
template <class Work>
auto on_ground(const Communicator& world, const Config& config, Work&& work) {
  Ground ground(world, config);
  try {
    auto result = std::forward<Work>(work)(ground.grid());
    ground.close();
    return result;
  } catch (const AgreedError&) {
    ground.close();
    throw;
  }
}

}  // namespace dnn
