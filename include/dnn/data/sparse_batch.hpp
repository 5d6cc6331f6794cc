#pragma once

// Gathers samples as sparse rows.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/core/input_rows.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/data/gatherer.hpp"

namespace dnn {

/// Whether the samples of `data` are worth computing with as sparse rows: they are stored so, or
/// are rows of a table with many categories; they have more than 256 features, and fewer than an
/// eighth of them on average. Follows from the data alone.
///
/// Note [When sparse rows pay]
/// A stored value costs a row of W^1 read from memory, forward and backward, where a dense product
/// reads each row once for all samples and multiplies out of registers. Few features, or rows that
/// are not really sparse, are therefore faster dense.
///
/// Note [Embeddings]
/// A category that is one input of many selects one row of W^1, which is all that is read, learned,
/// and exchanged for it: the row is the category's embedding, as wide as the first hidden layer. A
/// narrower table of embeddings before that layer would be a product of two matrices in its place.
[[nodiscard]] bool keeps_rows_sparse(const Dataset& data);

/// How many inputs a sample has as a sparse row, on average; of a table, at most. Data that are
/// neither stored sparse nor a table: all.
[[nodiscard]] double stored_inputs(const Dataset& data);
[[nodiscard]] double stored_inputs(const Dataset& data, const FeatureEncoding& encoding);

/// Memory of a batch of `rows` samples, by rows and by features, with `element` bytes a value.
[[nodiscard]] std::size_t sparse_batch_bytes(double stored_inputs, std::size_t rows,
                                             std::size_t element);

/// Samples as sparse rows, normalized. What a sparse data set stores is a value, 0 or not; of a
/// table, every number and the input of each category; of other data, what is not 0. Owns its
/// memory, which grows with the largest batch.
template <class T>
class SparseBatch {
 public:
  /// The samples `samples` of the gatherer's data become the rows, with their values of `features`
  /// alone; the i-th of `stored` is the place of sample `samples[i]`. The gatherer must keep zeros
  /// as they are (Gatherer::keeps_zeros).
  void gather(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples,
              const FeatureRows& stored, Range features);
  /// The same of samples of the data set.
  void gather(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples, Range features);

  [[nodiscard]] SparseRows<T> rows() const { return {features_, offsets_, columns_, values_}; }

 private:
  void append(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples,
              const FeatureRows& stored, Range features);
  template <class Raw>
  void append_stored(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples,
                     const FeatureRows& stored, Range features);
  template <class Raw>
  void append_encoded(const Gatherer<T>& gatherer, const FeatureRows& stored, Range features);
  void append_dense(const Gatherer<T>& gatherer, std::uint64_t sample, const FeatureRows& row,
                    Range features);

  std::size_t features_ = 0;
  std::vector<std::size_t> offsets_;
  std::vector<std::uint32_t> columns_;
  std::vector<T> values_;
  std::vector<std::uint64_t> first_stored_;  ///< of each row
  std::vector<T> dense_row_;                 ///< of a data set that is not sparse
  std::vector<std::uint32_t> places_;        ///< of a row of a table
  std::vector<double> inputs_;
};

}  // namespace dnn
