#include "dnn/data/gatherer.hpp"

#include <algorithm>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

template <class Raw, class Compute, class T>
DNN_SIMD_BODY void convert_loop(const Raw* __restrict raw, const Compute* __restrict center,
                                const Compute* __restrict scale, T* __restrict out,
                                std::size_t count) {
  for (std::size_t j = 0; j < count; ++j) {
    out[j] = static_cast<T>((static_cast<Compute>(raw[j]) - center[j]) * scale[j]);
  }
}

// The two pairs that most data sets have run in vectors; the others as the compiler has them.
DNN_SIMD void convert(const std::uint8_t* raw, const float* center, const float* scale, float* out,
                      std::size_t count) {
  convert_loop(raw, center, scale, out, count);
}
DNN_SIMD void convert(const float* raw, const float* center, const float* scale, float* out,
                      std::size_t count) {
  convert_loop(raw, center, scale, out, count);
}
template <class Raw, class Compute, class T>
void convert(const Raw* raw, const Compute* center, const Compute* scale, T* out,
             std::size_t count) {
  convert_loop(raw, center, scale, out, count);
}

/// Samples lie anywhere, so that the processor cannot guess which memory comes next: asks for the
/// beginning of it (the rest of a long row it finds by itself).
void prefetch(const void* row, std::size_t bytes) {
  constexpr std::size_t cache_line = 64;
  constexpr std::size_t most = 16 * cache_line;
  for (std::size_t at = 0; at < std::min(bytes, most); at += cache_line) {
    __builtin_prefetch(static_cast<const char*>(row) + at);
  }
}

/// Whether a feature of type Raw is normalized in double on its way to T.
template <class Raw, class T>
using ComputeType = std::conditional_t<(sizeof(Raw) > 2 && !std::is_same_v<Raw, float>), double, T>;

/// `data` without its names: a string for each of 100,000 classes and more, in each gatherer of
/// each rank, would be most of what it holds.
Dataset without_names(const Dataset& data) {
  return {.origin = data.origin,
          .samples = data.samples,
          .features = data.features,
          .element = data.element,
          .values = data.values,
          .row_elements = data.row_elements,
          .omitted_column = data.omitted_column,
          .row_offsets = data.row_offsets,
          .value_columns = data.value_columns,
          .index_base = data.index_base,
          .held = data.held,
          .task = data.task,
          .labels = data.labels,
          .target_rows = data.target_rows,
          .target_scale = data.target_scale,
          .weights = data.weights,
          .weight_scale = data.weight_scale,
          .class_names = {},
          .feature_names = {},
          .schema = {},
          .kept_names = {},
          .kept_offsets = {},
          .kept_text = {},
          .has_missing = data.has_missing,
          .notes = {},
          .first_sample = data.first_sample,
          .next = {}};
}

}  // namespace

template <class T>
Gatherer<T>::Gatherer(const Dataset& data, const Normalizer& normalizer)
    : data_(without_names(data)),
      encoding_(data.schema),
      center_d_(normalizer.center),
      scale_d_(normalizer.scale),
      clip_(normalizer.clip) {
  if (normalizer.is_identity()) {
    center_d_.assign(data_.features, 0.0);
    scale_d_.assign(data_.features, 1.0);
  }
  if (center_d_.size() != data_.features || scale_d_.size() != data_.features) {
    throw std::invalid_argument("Gatherer: the normalizer is for another number of features");
  }
  if constexpr (std::is_same_v<T, float>) {
    const auto narrow = [](double x) { return static_cast<float>(x); };
    center_f_.resize(data_.features);
    scale_f_.resize(data_.features);
    std::transform(center_d_.begin(), center_d_.end(), center_f_.begin(), narrow);
    std::transform(scale_d_.begin(), scale_d_.end(), scale_f_.begin(), narrow);
  }
}

template <class T>
bool Gatherer<T>::keeps_zeros() const {
  const std::vector<bool> stored = encoding_.scaled_inputs();  // in every row of a table
  for (std::size_t j = 0; j < center_d_.size(); ++j) {
    if (center_d_[j] != 0 && (data_.is_sparse() || j >= stored.size() || !stored[j])) {
      return false;
    }
  }
  return true;
}

template <class T>
template <class Raw>
void Gatherer<T>::gather_dense(const FeatureRows& rows, MatrixView<T> X) const {
  using Compute = ComputeType<Raw, T>;
  const Compute* center = nullptr;
  const Compute* scale = nullptr;
  if constexpr (std::is_same_v<Compute, double>) {
    center = center_d_.data();
    scale = scale_d_.data();
  } else {
    center = center_f_.data();
    scale = scale_f_.data();
  }
  const Raw* values = reinterpret_cast<const Raw*>(rows.values);
  const std::size_t before = std::min(data_.omitted_column, data_.features);
  const std::size_t after = data_.features - before;
  for (std::size_t i = 0; i < rows.places.size(); ++i) {
    if (i + 2 < rows.places.size()) {
      prefetch(values + rows.places[i + 2] * data_.row_elements, data_.row_elements * sizeof(Raw));
    }
    const Raw* raw = values + rows.places[i] * data_.row_elements;
    T* row = X.row(i).data();
    convert(raw, center, scale, row, before);
    if (after > 0) {  // the label's column lies between
      convert(raw + before + 1, center + before, scale + before, row + before, after);
    }
  }
}

template <class T>
template <class Raw>
void Gatherer<T>::gather_encoded(const FeatureRows& rows, MatrixView<T> X) const {
  const Raw* values = reinterpret_cast<const Raw*>(rows.values);
  std::vector<double> inputs(data_.features);
  for (std::size_t i = 0; i < rows.places.size(); ++i) {
    encoding_.encode(values + rows.places[i] * data_.row_elements, std::span(inputs));
    convert_loop(inputs.data(), center_d_.data(), scale_d_.data(), X.row(i).data(), data_.features);
  }
}

template <class T>
template <class Raw>
void Gatherer<T>::gather_sparse(std::span<const std::uint64_t> samples, const FeatureRows& rows,
                                MatrixView<T> X) const {
  const auto offsets = data_.row_offsets.as<std::uint64_t>();
  const Raw* values = reinterpret_cast<const Raw*>(rows.values);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::span<T> row = X.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) {
      row[j] = static_cast<T>(-center_d_[j] * scale_d_[j]);
    }
    const std::uint64_t count = offsets[samples[i] + 1] - offsets[samples[i]];
    for (std::uint64_t k = rows.places[i]; k < rows.places[i] + count; ++k) {
      const std::uint32_t j = rows.columns[k];
      row[j] = static_cast<T>((static_cast<double>(values[k]) - center_d_[j]) * scale_d_[j]);
    }
  }
}

template <class T>
void Gatherer<T>::clip_rows(MatrixView<T> X) const {
  const T most = static_cast<T>(clip_);
  for (std::size_t i = 0; i < X.rows; ++i) {
    for (T& x : X.row(i)) {
      x = x < -most ? -most : (x > most ? most : x);
    }
  }
}

template <class T>
void Gatherer<T>::gather(std::span<const std::uint64_t> samples, MatrixView<T> X) const {
  std::vector<std::uint64_t> places;
  gather(samples, rows_of(data_, samples, places), X);
}

template <class T>
void Gatherer<T>::gather(std::span<const std::uint64_t> samples, const FeatureRows& rows,
                         MatrixView<T> X) const {
  visit_element(data_.element, [&](auto element) {
    using Raw = decltype(element);
    if (!encoding_.is_identity() || data_.has_missing) {
      gather_encoded<Raw>(rows, X);
    } else if (!data_.is_sparse()) {
      gather_dense<Raw>(rows, X);
    } else if constexpr (std::is_floating_point_v<Raw>) {
      gather_sparse<Raw>(samples, rows, X);
    } else {
      throw std::logic_error("Gatherer: sparse values are floating-point numbers");
    }
  });
  if (clip_ > 0) {
    clip_rows(X);
  }
}

template <class T>
void Gatherer<T>::gather_labels(std::span<const std::uint64_t> samples,
                                std::span<std::int32_t> labels) const {
  const auto all = data_.label_view();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    labels[i] = all[samples[i]];
  }
}

template <class T>
void Gatherer<T>::gather_targets(std::span<const std::uint64_t> samples,
                                 MatrixView<double> targets) const {
  const auto all = data_.target_rows.as<double>();
  const Normalizer& scaling = data_.target_scale;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    for (std::size_t j = 0; j < targets.cols; ++j) {
      const double raw = all[samples[i] * targets.cols + j];
      targets(i, j) = scaling.is_identity() ? raw : (raw - scaling.center[j]) * scaling.scale[j];
    }
  }
}

template <class T>
void Gatherer<T>::gather_weights(std::span<const std::uint64_t> samples,
                                 std::span<double> weights) const {
  const auto all = data_.weights.as<double>();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    weights[i] = all[samples[i]] * data_.weight_scale;
  }
}

template class Gatherer<float>;
template class Gatherer<double>;

}  // namespace dnn
