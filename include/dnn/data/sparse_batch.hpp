#pragma once

// Gathers samples as sparse rows, and what backward needs of them besides.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/input_rows.hpp"
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

/// The samples of one batch as sparse rows, normalized; and by features, for backward. A feature of
/// a sparse data set is one that a sample stores; of a dense one, one that is not 0. Owns its
/// memory, which grows with the largest batch.
template <class T>
class SparseBatch {
 public:
  /// The samples `samples` of the gatherer's data become the rows. Its normalizer must leave zeros
  /// as they are (no center).
  void gather(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples);

  /// Sorts the rows by features. `all`: the samples of the whole global batch, these among them,
  /// whose features are the active ones.
  void sort_by_features(const Gatherer<T>& gatherer, std::span<const std::uint64_t> all);

  /// The rows; with their columns if these have been sorted since gather().
  [[nodiscard]] InputRows<T> rows() const;
  /// The active features, ascending; empty before sort_by_features().
  [[nodiscard]] std::span<const std::uint32_t> active() const { return active_; }

 private:
  void find_active(const Gatherer<T>& gatherer, std::span<const std::uint64_t> all);
  template <class Visitor>
  void for_each_value(const Gatherer<T>& gatherer, std::uint64_t sample, Visitor&& visit);

  std::size_t features_ = 0;
  std::vector<std::size_t> offsets_;
  std::vector<std::uint32_t> columns_;
  std::vector<T> values_;
  std::vector<std::uint32_t> active_;
  std::vector<std::size_t> column_offsets_;
  std::vector<std::uint32_t> rows_of_values_;
  std::vector<T> values_by_column_;
  std::vector<T> dense_row_;                    ///< of a data set that is not sparse
  std::vector<std::uint64_t> marks_;            ///< a bit for each feature
  std::vector<std::uint32_t> place_in_active_;  ///< of each active feature
};

}  // namespace dnn
