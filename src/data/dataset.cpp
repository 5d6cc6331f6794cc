#include "dnn/data/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "dnn/core/error.hpp"
#include "dnn/data/feature_encoding.hpp"

namespace dnn {

void check_trainable(const Dataset& data) {
  if (data.samples == 0) {
    throw InputError(data.origin + ": no samples");
  }
  if (data.features == 0) {
    throw InputError(data.origin + ": zero features (each sample needs at least one)");
  }
  if (!data.has_labels()) {
    throw InputError(data.origin + ": no labels to learn from");
  }
  if (data.classes() < 2) {
    throw InputError(fmt::format(
        "{}: one class only ({}); training needs at least two. Is --label-column right?",
        data.origin, in_quotes(data.class_names.front())));
  }
}

void check_features(const Dataset& data, std::size_t features,
                    const std::vector<std::string>& feature_names, const std::string& expected_by) {
  if (data.features != features) {
    throw InputError(fmt::format("{}: {} features a sample, but {} has {}", data.origin,
                                 data.features, expected_by, features));
  }
  if (data.feature_names.empty() || feature_names.empty()) {
    return;
  }
  for (std::size_t j = 0; j < features; ++j) {
    if (data.feature_names[j] != feature_names[j]) {
      throw InputError(fmt::format(
          "{}: feature {} is named {}, but {} in {}; put the columns into the same order",
          data.origin, j + 1, in_quotes(data.feature_names[j]), in_quotes(feature_names[j]),
          expected_by));
    }
  }
}

void check_encodable(const Dataset& data, const TableSchema& schema,
                     const std::string& expected_by) {
  if (data.schema.empty() && !FeatureEncoding(schema).is_identity()) {
    throw InputError(
        fmt::format("{}: {} has a table with text, dates or missing values, and these data are no "
                    "table; give one with the same columns",
                    data.origin, expected_by));
  }
}

void use_classes(Dataset& data, const std::vector<std::string>& class_names,
                 const std::string& expected_by) {
  if (!data.has_labels() || data.class_names == class_names) {
    return;
  }
  std::unordered_map<std::string, std::int32_t> index;
  for (const std::string& name : class_names) {
    index.emplace(name, static_cast<std::int32_t>(index.size()));
  }
  constexpr std::int32_t unknown = -1;
  std::vector<std::int32_t> renumbered;
  for (const std::string& name : data.class_names) {
    const auto found = index.find(name);
    renumbered.push_back(found == index.end() ? unknown : found->second);
  }
  std::vector<std::int32_t> labels(data.label_view().begin(), data.label_view().end());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto own = static_cast<std::size_t>(labels[i]);
    labels[i] = renumbered[own];
    if (labels[i] == unknown) {
      throw InputError(fmt::format(
          "{}: unknown label {} of sample {}: not among the {} classes of {} ({} to {})",
          data.origin, in_quotes(data.class_names[own]), data.first_sample + i + 1, class_names.size(), expected_by,
          in_quotes(class_names.front()), in_quotes(class_names.back())));
    }
  }
  data.labels = Bytes::from(std::move(labels));
  data.class_names = class_names;
}

}  // namespace dnn
