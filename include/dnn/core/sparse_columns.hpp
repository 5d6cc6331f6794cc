#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnn/core/input_rows.hpp"

namespace dnn {

/// The values of sparse rows, sorted by columns. Owns its memory, which grows with the largest
/// batch, and takes a bit and 4 bytes a column besides.
template <class T>
class SparseColumns {
 public:
  /// Takes the values of `rows`. Time: that of the values, and of a pass over a bit a column.
  void sort(const SparseRows<T>& rows);

  /// Valid until the next sort().
  [[nodiscard]] ActiveColumns<T> view() const { return {active_, offsets_, rows_, values_}; }

 private:
  void find_active(const SparseRows<T>& rows);

  std::vector<std::uint32_t> active_;
  std::vector<std::size_t> offsets_;
  std::vector<std::uint32_t> rows_;
  std::vector<T> values_;
  std::vector<std::uint64_t> marks_;            ///< a bit for each column; all 0 between two calls
  std::vector<std::uint32_t> place_in_active_;  ///< of each active column
};

}  // namespace dnn
