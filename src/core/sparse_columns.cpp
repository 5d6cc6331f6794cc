#include "dnn/core/sparse_columns.hpp"

#include <bit>

namespace dnn {

namespace {

constexpr std::size_t bits = 64;  ///< of a word of marks

}  // namespace

template <class T>
void SparseColumns<T>::sort(const SparseRows<T>& rows) {
  find_active(rows);
  // Counts first; then the rows in order, so that those of each column ascend.
  offsets_.assign(active_.size() + 1, 0);
  for (const std::uint32_t column : rows.columns) {
    ++offsets_[place_in_active_[column] + 1];
  }
  for (std::size_t k = 0; k < active_.size(); ++k) {
    offsets_[k + 1] += offsets_[k];
  }
  rows_.resize(rows.values.size());
  values_.resize(rows.values.size());
  for (std::size_t s = 0; s < rows.rows(); ++s) {
    for (std::size_t i = rows.offsets[s]; i < rows.offsets[s + 1]; ++i) {
      const std::size_t to = offsets_[place_in_active_[rows.columns[i]]]++;
      rows_[to] = static_cast<std::uint32_t>(s);
      values_[to] = rows.values[i];
    }
  }
  for (std::size_t k = active_.size(); k > 0; --k) {  // each has moved to where the next begins
    offsets_[k] = offsets_[k - 1];
  }
  offsets_[0] = 0;
}

template <class T>
void SparseColumns<T>::find_active(const SparseRows<T>& rows) {
  marks_.resize((rows.cols + bits - 1) / bits);
  place_in_active_.resize(rows.cols);
  for (const std::uint32_t column : rows.columns) {
    marks_[column / bits] |= std::uint64_t{1} << column % bits;
  }
  active_.clear();
  for (std::size_t word = 0; word < marks_.size(); ++word) {
    for (; marks_[word] != 0; marks_[word] &= marks_[word] - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(marks_[word]));
      const auto column = static_cast<std::uint32_t>(word * bits + bit);
      place_in_active_[column] = static_cast<std::uint32_t>(active_.size());
      active_.push_back(column);
    }
  }
}

template class SparseColumns<float>;
template class SparseColumns<double>;

}  // namespace dnn
