#include "dnn/data/sparse_batch.hpp"

#include <bit>
#include <stdexcept>
#include <type_traits>

namespace dnn {

namespace {

constexpr std::size_t bits = 64;  ///< of a word of marks

}  // namespace

bool keeps_rows_sparse(const Dataset& data) {
  constexpr std::size_t most_dense_features = 256;
  constexpr std::size_t least_zeros = 8;  ///< features of a sample to one stored value
  return data.is_sparse() && data.features > most_dense_features &&
         data.value_columns.as<std::uint32_t>().size() / data.samples < data.features / least_zeros;
}

/// Calls visit(feature, value) for what a sample has of normalized values, features ascending.
template <class T>
template <class Visitor>
void SparseBatch<T>::for_each_value(const Gatherer<T>& gatherer, std::uint64_t sample,
                                    Visitor&& visit) {
  const Dataset& data = gatherer.data();
  if (!data.is_sparse()) {
    dense_row_.resize(data.features);
    gatherer.gather(std::span(&sample, 1), {dense_row_.data(), 1, data.features});
    for (std::size_t j = 0; j < dense_row_.size(); ++j) {
      if (dense_row_[j] != T{0}) {
        visit(static_cast<std::uint32_t>(j), dense_row_[j]);
      }
    }
    return;
  }
  const auto offsets = data.row_offsets.template as<std::uint64_t>();
  const auto columns = data.value_columns.template as<std::uint32_t>();
  const std::span<const double> scale = gatherer.scale();
  visit_element(data.element, [&](auto element) {
    using Raw = decltype(element);
    if constexpr (std::is_floating_point_v<Raw>) {
      const auto values = data.values.template as<Raw>();
      for (std::uint64_t k = offsets[sample]; k < offsets[sample + 1]; ++k) {
        const double value = static_cast<double>(values[k]) * scale[columns[k]];
        visit(columns[k], static_cast<T>(value));
      }
    } else {
      throw std::logic_error("SparseBatch: sparse values are floating-point numbers");
    }
  });
}

template <class T>
void SparseBatch<T>::gather(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples) {
  features_ = gatherer.data().features;
  active_.clear();
  column_offsets_.clear();
  columns_.clear();
  values_.clear();
  offsets_.assign(1, 0);
  for (const std::uint64_t sample : samples) {
    for_each_value(gatherer, sample, [this](std::uint32_t column, T value) {
      columns_.push_back(column);
      values_.push_back(value);
    });
    offsets_.push_back(columns_.size());
  }
}

template <class T>
void SparseBatch<T>::sort_by_features(const Gatherer<T>& gatherer,
                                      std::span<const std::uint64_t> all) {
  find_active(gatherer, all);
  // Counts first; then the rows in order, so that those of each feature ascend.
  column_offsets_.assign(active_.size() + 1, 0);
  for (const std::uint32_t column : columns_) {
    ++column_offsets_[place_in_active_[column] + 1];
  }
  for (std::size_t k = 0; k < active_.size(); ++k) {
    column_offsets_[k + 1] += column_offsets_[k];
  }
  rows_of_values_.resize(values_.size());
  values_by_column_.resize(values_.size());
  for (std::size_t s = 0; s + 1 < offsets_.size(); ++s) {
    for (std::size_t i = offsets_[s]; i < offsets_[s + 1]; ++i) {
      const std::size_t to = column_offsets_[place_in_active_[columns_[i]]]++;
      rows_of_values_[to] = static_cast<std::uint32_t>(s);
      values_by_column_[to] = values_[i];
    }
  }
  for (std::size_t k = active_.size(); k > 0; --k) {  // each has moved on to where the next begins
    column_offsets_[k] = column_offsets_[k - 1];
  }
  column_offsets_[0] = 0;
}

template <class T>
void SparseBatch<T>::find_active(const Gatherer<T>& gatherer, std::span<const std::uint64_t> all) {
  const Dataset& data = gatherer.data();
  marks_.resize((features_ + bits - 1) / bits);
  place_in_active_.resize(features_);
  const auto mark = [this](std::uint32_t j) { marks_[j / bits] |= std::uint64_t{1} << j % bits; };
  for (const std::uint64_t sample : all) {
    if (data.is_sparse()) {  // whatever the values are
      const auto offsets = data.row_offsets.template as<std::uint64_t>();
      const auto columns = data.value_columns.template as<std::uint32_t>();
      for (std::uint64_t k = offsets[sample]; k < offsets[sample + 1]; ++k) {
        mark(columns[k]);
      }
    } else {
      for_each_value(gatherer, sample, [&mark](std::uint32_t column, T) { mark(column); });
    }
  }
  active_.clear();
  for (std::size_t word = 0; word < marks_.size(); ++word) {
    for (; marks_[word] != 0; marks_[word] &= marks_[word] - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(marks_[word]));
      const auto feature = static_cast<std::uint32_t>(word * bits + bit);
      place_in_active_[feature] = static_cast<std::uint32_t>(active_.size());
      active_.push_back(feature);
    }
  }
}

template <class T>
InputRows<T> SparseBatch<T>::rows() const {
  return InputRows<T>(
      SparseRows<T>{features_, offsets_, columns_, values_},
      ActiveColumns<T>{active_, column_offsets_, rows_of_values_, values_by_column_});
}

template class SparseBatch<float>;
template class SparseBatch<double>;

}  // namespace dnn
