#include "dnn/data/feature_statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "dnn/core/error.hpp"
#include "dnn/core/simd.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/feature_encoding.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/data/sparse_batch.hpp"

namespace dnn {

namespace {

enum Row : std::size_t { count_row, mean_row, squares_row, min_row, max_row };

/// Welford's update of one sample's features; `inverse` is 1 / (samples so far, this one included).
DNN_SIMD void add_sample(const double* x, double inverse, double* mean, double* squares,
                         double* min, double* max, std::size_t features) {
  for (std::size_t j = 0; j < features; ++j) {
    const double delta = x[j] - mean[j];
    mean[j] += delta * inverse;
    squares[j] += delta * (x[j] - mean[j]);
    min[j] = x[j] < min[j] ? x[j] : min[j];
    max[j] = x[j] > max[j] ? x[j] : max[j];
  }
}

[[noreturn]] void report_not_finite(const Dataset& data, std::uint64_t sample,
                                    std::span<const double> features) {
  const auto bad =
      std::find_if(features.begin(), features.end(), [](double x) { return !std::isfinite(x); });
  throw InputError(fmt::format("{}: feature {} of sample {} is {}; features must be finite numbers",
                               data.origin, bad - features.begin() + 1, sample + 1,
                               std::isnan(*bad) ? "NaN" : "infinite"));
}

}  // namespace

FeatureStatistics::FeatureStatistics(std::size_t features)
    : features_(features), numbers_(flat_size(features)) {
  std::fill(row(min_row).begin(), row(min_row).end(), std::numeric_limits<double>::infinity());
  std::fill(row(max_row).begin(), row(max_row).end(), -std::numeric_limits<double>::infinity());
}

std::size_t FeatureStatistics::chunk_count(std::size_t samples, std::size_t features) {
  constexpr std::size_t most_chunks = 64;
  constexpr std::size_t most_numbers = std::size_t{1} << 20;
  return std::max<std::size_t>(
      1, std::min({samples, most_chunks, most_numbers / std::max<std::size_t>(features, 1)}));
}

void FeatureStatistics::add(const Dataset& data, std::span<const std::uint64_t> samples) {
  FeatureStatistics fresh(features_);
  if (data.is_sparse()) {
    fresh.add_stored(data, samples);
  } else if (keeps_rows_sparse(data)) {
    fresh.add_encoded(data, samples);
  } else {
    fresh.add_dense(data, samples);
  }
  merge(fresh);
}

void FeatureStatistics::add_value(std::size_t j, double x) {
  const double inverse = 1 / (row(count_row)[j] += 1);
  add_sample(&x, inverse, &row(mean_row)[j], &row(squares_row)[j], &row(min_row)[j],
             &row(max_row)[j], 1);
}

void FeatureStatistics::add_stored(const Dataset& data, std::span<const std::uint64_t> samples) {
  const auto offsets = data.row_offsets.as<std::uint64_t>();
  const auto columns = data.value_columns.as<std::uint32_t>();
  std::vector<std::uint64_t> places;
  const FeatureRows rows = rows_of(data, samples, places);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint64_t count = offsets[samples[i] + 1] - offsets[samples[i]];
    for (std::uint64_t k = rows.places[i]; k < rows.places[i] + count; ++k) {
      add_value(columns[k], data.element == ElementType::f32 ? data.values.as<float>()[k]
                                                             : data.values.as<double>()[k]);
    }
  }
  add_zeros(static_cast<double>(samples.size()));
}

void FeatureStatistics::add_encoded(const Dataset& data, std::span<const std::uint64_t> samples) {
  const FeatureEncoding encoding(data.schema);
  std::vector<std::uint32_t> places;
  std::vector<double> inputs;
  visit_element(data.element, [&](auto element) {
    const auto* const raw = data.values.as<decltype(element)>().data();
    std::vector<std::uint64_t> row_places;
    for (const std::uint64_t row : rows_of(data, samples, row_places).places) {
      encoding.encode_sparse(raw + row * data.row_elements, places, inputs);
      for (std::size_t k = 0; k < places.size(); ++k) {
        add_value(places[k], inputs[k]);
      }
    }
  });
  add_zeros(static_cast<double>(samples.size()));
}

void FeatureStatistics::add_dense(const Dataset& data, std::span<const std::uint64_t> samples) {
  const Gatherer<double> gatherer(data, {});
  std::vector<double> x(features_);
  std::vector<std::uint64_t> places;
  const FeatureRows rows = rows_of(data, samples, places);
  double seen = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint64_t sample = samples[i];
    gatherer.gather(samples.subspan(i, 1), rows.part(i, 1), {x.data(), 1, features_});
    // Any NaN or infinity makes the sum of x - x something other than 0.
    double probe = 0;
    for (const double value : x) {
      probe += value - value;
    }
    if (!(probe == 0)) {
      report_not_finite(data, sample, x);
    }
    add_sample(x.data(), 1 / (seen += 1), row(mean_row).data(), row(squares_row).data(),
               row(min_row).data(), row(max_row).data(), features_);
  }
  std::fill(row(count_row).begin(), row(count_row).end(), seen);
}

void FeatureStatistics::add_zeros(double samples) {
  FeatureStatistics zeros(features_);
  for (std::size_t j = 0; j < features_; ++j) {
    const double missing = samples - row(count_row)[j];
    if (missing > 0) {
      zeros.row(count_row)[j] = missing;
      zeros.row(min_row)[j] = 0;
      zeros.row(max_row)[j] = 0;
    }
  }
  merge(zeros);
}

void FeatureStatistics::merge(const FeatureStatistics& other) {
  for (std::size_t j = 0; j < features_; ++j) {
    const double a = row(count_row)[j];
    const double b = other.row(count_row)[j];
    if (b == 0) {
      continue;
    }
    const double delta = other.row(mean_row)[j] - row(mean_row)[j];
    row(count_row)[j] = a + b;
    row(mean_row)[j] += delta * (b / (a + b));
    row(squares_row)[j] += other.row(squares_row)[j] + delta * delta * (a * b / (a + b));
    row(min_row)[j] = std::min(row(min_row)[j], other.row(min_row)[j]);
    row(max_row)[j] = std::max(row(max_row)[j], other.row(max_row)[j]);
  }
}

Normalizer FeatureStatistics::normalizer(Normalization kind, const std::vector<bool>& scaled,
                                         const std::vector<std::string>& names) const {
  Normalizer result;
  if (kind == Normalization::none) {
    return result;
  }
  if (kind == Normalization::common) {
    return in_common(scaled);
  }
  result.center.resize(features_);
  result.scale.resize(features_);
  for (std::size_t j = 0; j < features_; ++j) {
    if (!scaled.empty() && !scaled[j]) {
      result.scale[j] = 1;
      continue;
    }
    const double spread = kind == Normalization::minmax
                              ? row(max_row)[j] - row(min_row)[j]
                              : std::sqrt(row(squares_row)[j] / row(count_row)[j]);
    result.center[j] = kind == Normalization::minmax ? row(min_row)[j] : row(mean_row)[j];
    result.scale[j] = spread > 0 && row(min_row)[j] < row(max_row)[j] ? 1 / spread : 0;
    if (!std::isfinite(result.scale[j]) || !std::isfinite(spread)) {
      throw InputError(
          fmt::format("feature {} spreads beyond what can be normalized: its values go from {:g} "
                      "to {:g}; rescale it",
                      j < names.size() ? in_quotes(names[j]) : std::to_string(j + 1),
                      row(min_row)[j], row(max_row)[j]));
    }
  }
  return result;
}

Normalizer FeatureStatistics::in_common(const std::vector<bool>& scaled) const {
  double inputs = 0;
  double mean = 0;
  double variance = 0;  // as in merge, over inputs of equally many samples
  for (std::size_t j = 0; j < features_; ++j) {
    if (scaled.empty() || scaled[j]) {
      const double away = row(mean_row)[j] - mean;
      const double own = row(squares_row)[j] / row(count_row)[j];
      inputs += 1;
      mean += away / inputs;
      variance += (own - variance) / inputs + away * away * (inputs - 1) / (inputs * inputs);
    }
  }
  const double scale = variance > 0 ? 1 / std::sqrt(variance) : 0;
  if (!std::isfinite(scale) || !std::isfinite(variance)) {
    throw InputError("the features spread beyond what can be normalized in common; rescale them");
  }
  Normalizer result;
  for (std::size_t j = 0; j < features_; ++j) {
    const bool is_scaled = scaled.empty() || scaled[j];
    result.center.push_back(is_scaled ? mean : 0);
    result.scale.push_back(is_scaled ? scale : 1);
  }
  return result;
}

bool FeatureStatistics::are_of_one_kind() const {
  constexpr std::size_t least_features = 16;
  if (features_ < least_features) {
    return false;
  }
  const auto is_count = [](double x) { return x >= 0 && x == std::floor(x); };
  const auto least = row(min_row);
  const auto most = row(max_row);
  const double lowest = *std::min_element(least.begin(), least.end());
  const double range = *std::max_element(most.begin(), most.end()) - lowest;
  std::size_t varying = 0;
  std::size_t begin_low = 0;
  std::size_t end_high = 0;
  for (std::size_t j = 0; j < features_; ++j) {
    if (!is_count(least[j]) || !is_count(most[j])) {
      return false;
    }
    if (least[j] < most[j]) {
      ++varying;
      begin_low += least[j] - lowest <= range / 4 ? 1 : 0;
      end_high += most[j] - lowest >= range / 2 ? 1 : 0;
    }
  }
  return varying > 0 && 4 * begin_low >= 3 * varying && 2 * end_high >= varying;
}

double FeatureStatistics::mean(std::size_t input) const {
  return row(mean_row)[input];
}

Normalizer FeatureStatistics::scaling(Normalization kind) const {
  Normalizer result = normalizer(kind);
  if (kind == Normalization::minmax) {
    for (std::size_t j = 0; j < features_; ++j) {
      const double most = std::max(std::abs(row(min_row)[j]), std::abs(row(max_row)[j]));
      result.scale[j] = result.scale[j] > 0 ? 1 / most : 0;
    }
  }
  std::fill(result.center.begin(), result.center.end(), 0.0);
  return result;
}

double FeatureStatistics::largest(const Normalizer& normalizer) const {
  double largest = 0;
  for (std::size_t j = 0; j < features_; ++j) {
    const double center = normalizer.is_identity() ? 0 : normalizer.center[j];
    const double scale = normalizer.is_identity() ? 1 : normalizer.scale[j];
    largest = std::max({largest, std::abs(row(min_row)[j] - center) * scale,
                        std::abs(row(max_row)[j] - center) * scale});
  }
  return normalizer.clip > 0 ? std::min(largest, normalizer.clip) : largest;
}

}  // namespace dnn
