#include "dnn/data/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

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
  if (data.classes() < 2 && (data.task == Task::classes || data.task == Task::distribution)) {
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

namespace {

/// Puts the columns of the target rows into the order of `names`; labels that no sample has are 0.
void use_labels(Dataset& data, const std::vector<std::string>& names,
                const std::string& expected_by, const std::string& advice) {
  std::unordered_map<std::string, std::size_t> place;
  for (const std::string& name : names) {
    place.emplace(name, place.size());
  }
  const std::size_t own = data.classes();
  const auto old = data.target_rows.as<double>();
  std::vector<double> rows(data.samples * names.size(), 0.0);
  for (std::size_t j = 0; j < own; ++j) {
    const auto found = place.find(data.class_names[j]);
    if (found == place.end()) {
      throw InputError(
          fmt::format("{}: unknown label {}: not among the {} labels of {} ({} to {}); {}",
                      data.origin, in_quotes(data.class_names[j]), names.size(), expected_by,
                      in_quotes(names.front()), in_quotes(names.back()), advice));
    }
    for (std::size_t i = 0; i < data.samples; ++i) {
      rows[i * names.size() + found->second] = old[i * own + j];
    }
  }
  data.target_rows = Bytes::from(std::move(rows));
  data.class_names = names;
}

}  // namespace

void use_classes(Dataset& data, const std::vector<std::string>& class_names,
                 const std::string& expected_by, const std::string& advice) {
  if (!data.has_labels() || data.class_names == class_names) {
    return;
  }
  if (has_target_rows(data.task) && data.schema.empty() && !data.is_sparse() &&
      data.class_names.size() == class_names.size()) {
    data.class_names = class_names;  // an array's columns have no names of their own
    return;
  }
  if (data.task == Task::labels) {
    use_labels(data, class_names, expected_by, advice);
    return;
  }
  if (has_target_rows(data.task)) {
    throw InputError(fmt::format("{}: {} to compare with, but {} has {} (from {} to {})",
                                 data.origin, describe_targets(data), expected_by,
                                 class_names.size(), in_quotes(class_names.front()),
                                 in_quotes(class_names.back())));
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
          "{}: unknown label {} of sample {}: not among the {} classes of {} ({} to {}); {}",
          data.origin, in_quotes(data.class_names[own]), data.first_sample + i + 1,
          class_names.size(), expected_by, in_quotes(class_names.front()),
          in_quotes(class_names.back()), advice));
    }
  }
  data.labels = Bytes::from(std::move(labels));
  data.class_names = class_names;
}

std::string describe_targets(const Dataset& data) {
  const bool one = data.classes() == 1;
  const char* word = data.task == Task::numbers  ? (one ? "number" : "numbers")
                     : data.task == Task::labels ? (one ? "label" : "labels")
                                                 : (one ? "class" : "classes");
  std::string count = std::to_string(data.classes());
  for (std::size_t i = count.size(); i > 3;) {
    i -= 3;
    count.insert(i, 1, ',');
  }
  return count + ' ' + word;
}

}  // namespace dnn
