#pragma once

#include <cstddef>
#include <vector>

#include "dnn/comm/rank_grid.hpp"
#include "support/mpi_world.hpp"

namespace dnn::test {

/// Every M that divides the ranks.
inline std::vector<std::size_t> model_ranks() {
  std::vector<std::size_t> counts;
  for (std::size_t m = 1; m <= static_cast<std::size_t>(world().size()); ++m) {
    if (static_cast<std::size_t>(world().size()) % m == 0) {
      counts.push_back(m);
    }
  }
  return counts;
}

/// A grid of ranks, with its node. Collective, as close() is. Ranks that give other numbers for
/// `of_node` are as if on other nodes.
struct OpenGrid {
  OpenGrid(const Communicator& ranks, std::size_t m, int domain = 0, int of_node = 0)
      : node(ranks, of_node), grid(ranks, node, m, domain) {}
  OpenGrid(const OpenGrid&) = delete;
  OpenGrid& operator=(const OpenGrid&) = delete;
  void close() {
    grid.close();
    node.close();
  }
  Node node;
  RankGrid grid;
};

}  // namespace dnn::test
