#pragma once

#include <cstddef>
#include <optional>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/data/batch_loader.hpp"
#include "dnn/data/sampler.hpp"
#include "dnn/store/placed_rows.hpp"
#include "dnn/store/training_data.hpp"

namespace dnn {

/// This rank's batches of the epochs of a run, with every placement of the features. Collective
/// over the grid's world where nodes share them out.
template <class T>
class TrainingBatches {
 public:
  /// Collective over the grid's world. `grid` and `data` must outlive this. Epochs count from 1 to
  /// `epochs`. Throws AgreedError where a rank has no memory or no thread for the batches.
  TrainingBatches(const RankGrid& grid, const TrainingData& data, std::size_t epochs);

  /// The next batch is `step` of the epoch. `owned`: the features whose columns of whole batches
  /// are asked for, see BatchLoader::WholeBatch.
  void begin(std::size_t epoch, std::size_t step, Range owned);

  /// Batch `step` of the epoch, the one after the last: valid until the next call.
  [[nodiscard]] Batch<T> next(std::size_t step);

  /// Ends what is under way between nodes: before the destructor, unless an error ends the job.
  void finish();

 private:
  const Sampler& sampler_;
  PlacedRows rows_;  ///< outlives the loader, which reads from it
  std::optional<BatchLoader<T>> loader_;
};

}  // namespace dnn
