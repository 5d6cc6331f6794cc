#include "dnn/readers/npy_reader.hpp"

#include <fmt/format.h>

#include "dnn/core/error.hpp"
#include "dnn/data/feature_encoding.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/files/contents.hpp"
#include "dnn/files/stream.hpp"
#include "dnn/readers/npy_labels.hpp"
#include "dnn/tables/label_column.hpp"

namespace dnn {

namespace {

NpyArray read_array(const std::string& path) {
  return parse_npy(read_contents(path), name_of(path));
}

/// Throws InputError for an array that has neither as many columns as features are wanted, nor a
/// label besides.
void check_columns(const Dataset& data, const ReadOptions& options) {
  const bool is_of_arrays =
      options.schema == nullptr || FeatureEncoding(*options.schema).is_identity();
  if (options.features && is_of_arrays && data.row_elements != *options.features + 1) {
    throw InputError(fmt::format(
        "{}: {} columns, but a sample needs {} features, and perhaps a label in one more column",
        data.origin, data.row_elements, *options.features));
  }
}

}  // namespace

Dataset dataset_of_arrays(const NpyArray& features, const std::optional<NpyArray>& labels,
                          const ReadOptions& options) {
  if (features.shape.size() < 2) {
    throw InputError(fmt::format(
        "{}: features need an array of samples x features; this one has {} dimension(s)",
        features.origin, features.shape.size()));
  }
  if (features.text != NpyArray::Text::none) {
    throw InputError(
        fmt::format("{}: the elements are text, but features must be numbers", features.origin));
  }
  Dataset data;
  data.origin = features.origin;
  data.samples = features.shape[0];
  data.element = features.type;
  data.row_elements = 1;
  for (std::size_t i = 1; i < features.shape.size(); ++i) {
    data.row_elements *= features.shape[i];
  }
  data.features = data.row_elements;
  data.values = features.elements;
  data.task = options.task == Task::automatic ? Task::classes : options.task;
  const bool has_targets = has_target_rows(data.task);
  if (labels) {
    has_targets ? set_target_array(*labels, data) : set_labels(*labels, data);
  } else if (options.features != data.row_elements && data.row_elements > 0) {
    check_columns(data, options);
    data.omitted_column =
        find_label_column(options.label_column, data.row_elements, features.origin);
    data.features = data.row_elements - 1;
    if (has_targets) {
      set_target_column(features, data.omitted_column, data);
      return data;
    }
    LabelTable column;
    for (std::size_t i = 0; i < data.samples; ++i) {
      add_label(features, i * data.row_elements + data.omitted_column, column);
    }
    column.finish(data);
  }
  return data;
}

Dataset read_npy(const std::string& features_path, const std::string& labels_path,
                 const ReadOptions& options) {
  const NpyArray features = read_array(features_path);
  return dataset_of_arrays(
      features, labels_path.empty() ? std::nullopt : std::optional(read_array(labels_path)),
      options);
}

}  // namespace dnn
