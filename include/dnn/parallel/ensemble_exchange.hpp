#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/parallel/ensemble_layout.hpp"

namespace dnn {

/// Brings together the un-normalized node-value vectors of an ensemble whose models lie on several
/// ranks (EnsembleLayout): each rank of a data shard puts in what its models say of all samples of
/// a chunk, and gets what all models say of its part of the samples.
///
/// That is one MPI_Alltoallv a chunk. It moves as many bytes as a reduce-scatter would, and the
/// averaging rank sees each vector whole, so that it adds the models up in their order and takes
/// maxima and sums over classes by itself: the result has the same bits with any number of ranks.
template <class T>
class EnsembleExchange {
 public:
  /// Collective over `world`. `max_rows`: the most samples of a chunk.
  EnsembleExchange(const Communicator& world, std::size_t models, std::size_t classes,
                   std::size_t max_rows);

  [[nodiscard]] std::size_t shard() const { return shard_; }
  [[nodiscard]] std::size_t shards() const { return layout_.shards(); }
  /// The models that this rank holds.
  [[nodiscard]] Range models() const { return models_; }

  /// Takes the `logits` (samples of the chunk x classes) of this rank's model number `model`; class
  /// j of the ensemble is the model's class `classes[j]`, or j where that is empty. U is float, or
  /// as wide as T.
  template <class U>
  void put(std::size_t model, MatrixView<const U> logits, std::span<const std::int32_t> classes);

  /// Collective over the ranks of the data shard, after all of their models were put in: exchanges
  /// the vectors of a chunk of `rows` samples. Returns the part of them that is this rank's.
  Range exchange(std::size_t rows);

  /// The vectors of all models for sample `row` of the chunk, one of this rank's part; valid until
  /// the next exchange.
  [[nodiscard]] std::vector<std::span<const T>> logits(std::size_t row) const;

 private:
  [[nodiscard]] Range rows_of(std::size_t rows, std::size_t member) const;

  EnsembleLayout layout_;
  std::size_t shard_;
  Range models_;
  std::size_t classes_;
  Communicator ranks_;         ///< of the data shard
  AlignedBuffer<T> sent_;      ///< for each rank of the shard: own models x its rows x classes
  AlignedBuffer<T> received_;  ///< all models x own rows x classes
  Range mine_;                 ///< of the last chunk's samples
};

}  // namespace dnn
