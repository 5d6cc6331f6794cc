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

/// Whether the samples of `data` are worth computing with as sparse rows: they are stored so, have
/// more than 256 features, and fewer than an eighth of them on average. Follows from the data
/// alone.
///
/// Note [When sparse rows pay]
/// A stored value costs a row of W^1 read from memory, forward and backward, where a dense product
/// reads each row once for all samples and multiplies out of registers. Few features, or rows that
/// are not really sparse, are therefore faster dense.
[[nodiscard]] bool keeps_rows_sparse(const Dataset& data);

/// Samples as sparse rows, normalized. What a sparse data set stores is a value, 0 or not; of a
/// dense one, what is not 0. Owns its memory, which grows with the largest batch.
template <class T>
class SparseBatch {
 public:
  /// The samples `samples` of the gatherer's data become the rows, with their values of `features`
  /// alone. The normalizer must leave zeros as they are (no center).
  void gather(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples, Range features);

  [[nodiscard]] SparseRows<T> rows() const { return {features_, offsets_, columns_, values_}; }

 private:
  template <class Raw>
  void append_stored(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples,
                     Range features);
  void append_dense(const Gatherer<T>& gatherer, std::uint64_t sample, Range features);

  std::size_t features_ = 0;
  std::vector<std::size_t> offsets_;
  std::vector<std::uint32_t> columns_;
  std::vector<T> values_;
  std::vector<std::uint64_t> first_stored_;  ///< of each row, in the data set
  std::vector<T> dense_row_;                 ///< of a data set that is not sparse
};

}  // namespace dnn
