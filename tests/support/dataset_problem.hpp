#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>
#include <vector>

#include "dnn/data/dataset.hpp"
#include "dnn/data/feature_encoding.hpp"
#include "dnn/data/gatherer.hpp"

namespace dnn::test {

/// What makes `data` no data set that a reader may return: parts of other sizes than they say,
/// labels or columns out of range, classes without a name of their own; empty where nothing does.
inline std::string dataset_problem(const Dataset& data) {
  if (data.is_sparse()) {
    const auto offsets = data.row_offsets.as<std::uint64_t>();
    const auto columns = data.value_columns.as<std::uint32_t>();
    if (offsets.size() != data.samples + 1 || offsets.front() != 0 ||
        offsets.back() != columns.size() || !std::is_sorted(offsets.begin(), offsets.end())) {
      return "rows do not follow each other";
    }
    if (data.values.size() != columns.size() * element_size(data.element)) {
      return "values and columns are not as many";
    }
    if (std::any_of(columns.begin(), columns.end(),
                    [&](std::uint32_t column) { return column >= data.features; })) {
      return "a column is no feature";
    }
    if (data.index_base != 0 && data.index_base != 1) {
      return "indices count from neither 0 nor 1";
    }
  } else {
    const bool omits = data.omitted_column != Dataset::none;
    std::size_t bytes = element_size(data.element);
    std::size_t columns = data.features + (omits ? 1 : 0);
    if (!data.schema.empty()) {
      columns = FeatureEncoding(data.schema).columns();
      if (data.schema.inputs() != data.features) {
        return "the schema has another number of inputs";
      }
    }
    if (data.row_elements != columns || (omits && data.omitted_column >= data.row_elements)) {
      return "a row is not the features and the label";
    }
    if (__builtin_mul_overflow(bytes, data.samples, &bytes) ||
        __builtin_mul_overflow(bytes, data.row_elements, &bytes) || bytes != data.values.size()) {
      return "the values are not samples x row_elements";
    }
  }
  if (!data.feature_names.empty() && data.feature_names.size() != data.features) {
    return "features and names are not as many";
  }
  std::vector<bool> seen(data.classes(), false);
  for (const std::int32_t label : data.label_view()) {
    if (label < 0 || static_cast<std::size_t>(label) >= data.classes()) {
      return "a label is no class";
    }
    seen[static_cast<std::size_t>(label)] = true;
  }
  if (data.has_labels() && data.label_view().size() != data.samples) {
    return "samples and labels are not as many";
  }
  if (std::find(seen.begin(), seen.end(), false) != seen.end()) {
    return "a class has no sample";
  }
  const std::unordered_set<std::string> names(data.class_names.begin(), data.class_names.end());
  return names.size() != data.classes() || names.count("") > 0 ? "a class has no name of its own"
                                                               : "";
}

/// Whether all network inputs of `data` are finite numbers.
inline bool has_finite_inputs(const Dataset& data) {
  const Gatherer<double> gatherer(data, {});
  std::vector<double> x(data.features);
  for (std::uint64_t i = 0; i < data.samples; ++i) {
    gatherer.gather(std::span(&i, 1), {x.data(), 1, data.features});
    if (!std::all_of(x.begin(), x.end(), [](double value) { return std::isfinite(value); })) {
      return false;
    }
  }
  return true;
}

/// Whether all values of `data` are finite numbers.
inline bool has_finite_values(const Dataset& data) {
  return visit_element(data.element, [&](auto element) {
    using T = decltype(element);
    const auto values = data.values.as<T>();
    return std::all_of(values.begin(), values.end(),
                       [](T x) { return std::isfinite(static_cast<double>(x)); });
  });
}

}  // namespace dnn::test
