#pragma once

#include <cstddef>
#include <optional>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/prefetched_rows.hpp"
#include "dnn/store/held_rows.hpp"
#include "dnn/store/row_windows.hpp"

namespace dnn {

/// Gives a BatchLoader the rows of its batches, with every placement of the features: rows that
/// nodes share out come in windows (RowWindows), rows of a mapped file are requested ahead
/// (PrefetchedRows), and rows in memory need nothing.
class PlacedRows {
 public:
  /// `held`: who holds which samples of `data`, where nodes share them out; else null. `grid`,
  /// `data` and `held` must outlive this. Not collective.
  PlacedRows(const RankGrid& grid, const Dataset& data, const HeldRows* held,
             RowWindows::Settings batches);

  /// The next batch is `step` of pass `pass`. Returns what the loader reads from; null: the data
  /// set. No loader may read from it meanwhile. Where nodes share out the samples, this function
  /// and those below are collective over the grid's world.
  [[nodiscard]] RowSource* begin(std::size_t pass, std::size_t step);

  /// Before batch `step` is taken from the loader: its rows are here when this returns.
  void require(std::size_t step);

  /// After it was taken, by all ranks of the node.
  void look_ahead();

  /// Ends what is under way between nodes: before the destructor, unless an error ends the job.
  void finish();

 private:
  const RankGrid& grid_;
  RowWindows::Settings batches_;
  std::optional<RowWindows> windows_;
  std::optional<PrefetchedRows> mapped_;
};

}  // namespace dnn
