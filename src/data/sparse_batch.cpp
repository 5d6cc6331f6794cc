#include "dnn/data/sparse_batch.hpp"

#include <algorithm>
#include <stdexcept>
#include <type_traits>

namespace dnn {

bool keeps_rows_sparse(const Dataset& data) {
  constexpr std::size_t most_dense_features = 256;
  constexpr std::size_t least_zeros = 8;  ///< features of a sample to one stored value
  if (data.features <= most_dense_features || (!data.is_sparse() && data.schema.empty())) {
    return false;
  }
  return stored_inputs(data) < static_cast<double>(data.features / least_zeros);
}

double stored_inputs(const Dataset& data) {
  return stored_inputs(data, FeatureEncoding(data.schema));
}

double stored_inputs(const Dataset& data, const FeatureEncoding& encoding) {
  if (data.is_sparse()) {
    return static_cast<double>(data.row_offsets.as<std::uint64_t>().back()) /
           static_cast<double>(std::max<std::size_t>(data.samples, 1));
  }
  return static_cast<double>(encoding.is_identity() ? data.features : encoding.most_stored());
}

std::size_t sparse_batch_bytes(double stored_inputs, std::size_t rows, std::size_t element) {
  return static_cast<std::size_t>(2 * stored_inputs * static_cast<double>(rows)) *
         (element + sizeof(std::uint32_t));
}

/// Appends the stored values of samples of a sparse data set.
template <class T>
template <class Raw>
void SparseBatch<T>::append_stored(const Gatherer<T>& gatherer,
                                   std::span<const std::uint64_t> samples,
                                   const FeatureRows& stored, Range features) {
  const auto offsets = gatherer.data().row_offsets.template as<std::uint64_t>();
  const Raw* const values = reinterpret_cast<const Raw*>(stored.values);
  const std::span<const double> scale = gatherer.scale();
  first_stored_.clear();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto* const begin = stored.columns + stored.places[i];
    const auto* const end = begin + (offsets[samples[i] + 1] - offsets[samples[i]]);
    const auto* const first =
        features.begin == 0 ? begin : std::lower_bound(begin, end, features.begin);
    const auto* const last =
        features.end >= features_ ? end : std::lower_bound(first, end, features.end);
    first_stored_.push_back(static_cast<std::uint64_t>(first - stored.columns));
    offsets_.push_back(offsets_.back() + static_cast<std::size_t>(last - first));
  }
  columns_.resize(offsets_.back());
  values_.resize(offsets_.back());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint32_t* const from_columns = stored.columns + first_stored_[i];
    const Raw* const from_values = values + first_stored_[i];
    std::uint32_t* const to_columns = columns_.data() + offsets_[i];
    T* const to_values = values_.data() + offsets_[i];
    for (std::size_t k = 0; k < offsets_[i + 1] - offsets_[i]; ++k) {
      to_columns[k] = from_columns[k];
      to_values[k] = static_cast<T>(static_cast<double>(from_values[k]) * scale[from_columns[k]]);
    }
  }
}

/// Appends rows of a table.
template <class T>
template <class Raw>
void SparseBatch<T>::append_encoded(const Gatherer<T>& gatherer, const FeatureRows& stored,
                                    Range features) {
  const Raw* const raw = reinterpret_cast<const Raw*>(stored.values);
  const std::size_t width = gatherer.data().row_elements;
  for (const std::uint64_t place : stored.places) {
    gatherer.encoding().encode_sparse(raw + place * width, places_, inputs_);
    for (std::size_t k = 0; k < places_.size(); ++k) {
      const std::uint32_t j = places_[k];
      if (j >= features.begin && j < features.end) {
        columns_.push_back(j);
        values_.push_back(
            static_cast<T>((inputs_[k] - gatherer.center()[j]) * gatherer.scale()[j]));
      }
    }
    offsets_.push_back(columns_.size());
  }
}

/// Appends what is not 0 of a sample of a dense data set.
template <class T>
void SparseBatch<T>::append_dense(const Gatherer<T>& gatherer, std::uint64_t sample,
                                  const FeatureRows& row, Range features) {
  dense_row_.resize(features_);
  gatherer.gather(std::span(&sample, 1), row, {dense_row_.data(), 1, features_});
  for (std::size_t j = features.begin; j < features.end; ++j) {
    if (dense_row_[j] != T{0}) {
      columns_.push_back(static_cast<std::uint32_t>(j));
      values_.push_back(dense_row_[j]);
    }
  }
  offsets_.push_back(columns_.size());
}

template <class T>
void SparseBatch<T>::gather(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples,
                            const FeatureRows& stored, Range features) {
  features_ = gatherer.data().features;
  columns_.clear();
  values_.clear();
  offsets_.assign(1, 0);
  append(gatherer, samples, stored, features);
  if (gatherer.clip() > 0) {
    const T most = static_cast<T>(gatherer.clip());
    for (T& value : values_) {
      value = std::clamp(value, -most, most);
    }
  }
}

template <class T>
void SparseBatch<T>::gather(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples,
                            Range features) {
  std::vector<std::uint64_t> places;
  gather(gatherer, samples, rows_of(gatherer.data(), samples, places), features);
}

template <class T>
void SparseBatch<T>::append(const Gatherer<T>& gatherer, std::span<const std::uint64_t> samples,
                            const FeatureRows& stored, Range features) {
  const Dataset& data = gatherer.data();
  if (!data.is_sparse() && !gatherer.encoding().is_identity()) {
    visit_element(data.element, [&](auto element) {
      append_encoded<decltype(element)>(gatherer, stored, features);
    });
    return;
  }
  if (!data.is_sparse()) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      append_dense(gatherer, samples[i], stored.part(i, 1), features);
    }
    return;
  }
  visit_element(data.element, [&](auto element) {
    if constexpr (std::is_floating_point_v<decltype(element)>) {
      append_stored<decltype(element)>(gatherer, samples, stored, features);
    } else {
      throw std::logic_error("SparseBatch: sparse values are floating-point numbers");
    }
  });
}

template class SparseBatch<float>;
template class SparseBatch<double>;

}  // namespace dnn
