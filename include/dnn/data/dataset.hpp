#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/core/partition.hpp"
#include "dnn/core/task.hpp"
#include "dnn/data/bytes.hpp"
#include "dnn/data/element_type.hpp"
#include "dnn/data/normalizer.hpp"
#include "dnn/data/table_schema.hpp"

namespace dnn {

/// Where the reading of a table goes on that is read piece by piece.
struct TablePlace {
  std::size_t part = 0;         ///< of the texts that the table is made of
  std::size_t offset = 0;       ///< where a record begins in the part's rows
  std::size_t line = 0;         ///< its line; 0: the table's beginning
  std::size_t samples = 0;      ///< of the pieces before
  bool has_labels = true;       ///< all rows of the table have
  std::vector<bool> day_first;  ///< of each column: how its dates are read
};

/// Samples with their features and labels, in the types in which they were read: bytes stay bytes
/// until a batch is gathered. Copies share the same memory.
struct Dataset {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  std::string origin;  ///< where it came from, for messages
  std::size_t samples = 0;
  std::size_t features = 0;  ///< M_0: inputs of the network

  ElementType element = ElementType::f32;
  /// Dense: samples x row_elements elements, row-major. Sparse: the stored values, row after row.
  Bytes values;
  /// Dense: elements of a row; one more than `features` where the label's column lies among them.
  /// Of a table: one for each feature column, see Note [Raw rows of a table].
  std::size_t row_elements = 0;
  std::size_t omitted_column = none;  ///< dense: the label's column, if it lies in the row

  Bytes row_offsets;    ///< sparse: samples + 1 std::uint64_t, where each row's values start
  Bytes value_columns;  ///< sparse: std::uint32_t, the feature of each value; they ascend in a row
  int index_base = -1;  ///< sparse: whether the file counts features from 0 or 1

  /// The samples whose features `values` and `value_columns` have, where nodes share them out:
  /// `values` begins with the first one's. Nothing: all samples. Everything else, `row_offsets`
  /// too, is of all samples.
  std::optional<Range> held;

  /// A table: memory was too short to read it, so that the features are in files of a folder, see
  /// ReadOptions::spare_memory.
  bool in_spare_memory = false;

  Task task = Task::classes;
  Bytes labels;  ///< std::int32_t, the class of each sample; empty where there are none
  /// Tasks with target rows (see has_target_rows) instead: double, samples x outputs, in the data's
  /// unit; empty where there are none.
  Bytes target_rows;
  Normalizer target_scale;  ///< how numbers become what the network learns; found in training
  /// Task labels: the probability from which each label is given; found in training; empty: 1/2.
  std::vector<double> label_thresholds;
  /// double, how much each sample counts, before weight_scale; empty: all alike.
  Bytes weights;
  double weight_scale = 1;                 ///< makes the training samples' mean weight 1
  std::vector<std::string> class_names;    ///< the name of each class, label or number
  std::vector<std::string> feature_names;  ///< of the inputs; empty where the format has none
  TableSchema schema;                      ///< of a table; empty for other data
  /// A table: columns that are passed on as they are, like identifiers.
  std::vector<std::string> kept_names;
  Bytes kept_offsets;  ///< samples x kept_names.size() + 1 std::uint64_t: where each text begins
  Bytes kept_text;     ///< the texts, one after another
  bool has_missing = false;        ///< a table: some raw values are NaN
  std::vector<std::string> notes;  ///< what the reader understood, one line each, for the user
  std::size_t first_sample = 0;    ///< a piece of a table: how many samples come before it
  std::optional<TablePlace> next;  ///< a piece of a table: where the next one begins

  [[nodiscard]] bool is_sparse() const { return row_offsets.size() > 0; }
  [[nodiscard]] bool has_labels() const { return labels.size() > 0 || target_rows.size() > 0; }
  [[nodiscard]] bool has_weights() const { return weights.size() > 0; }
  /// Whether the sample counts at all: its weight is not 0.
  [[nodiscard]] bool counts(std::size_t sample) const {
    return !has_weights() || weights.as<double>()[sample] > 0;
  }
  /// M_N: outputs of the network.
  [[nodiscard]] std::size_t classes() const { return class_names.size(); }
  /// The text of kept column `column` in a sample.
  [[nodiscard]] std::string_view kept(std::size_t sample, std::size_t column) const {
    const auto offsets =
        kept_offsets.as<std::uint64_t>().subspan(sample * kept_names.size() + column, 2);
    return {kept_text.as<char>().data() + offsets[0], offsets[1] - offsets[0]};
  }
  /// The classes of all samples.
  [[nodiscard]] std::span<const std::int32_t> label_view() const {
    return labels.as<std::int32_t>();
  }
};

/// Throws InputError unless a network can be trained on `data`: samples, features, labels, and at
/// least two classes.
void check_trainable(const Dataset& data);

/// Throws InputError unless `data` has `features` features, named as in `feature_names` where both
/// have names. `expected_by` says who expects them ("the training data").
void check_features(const Dataset& data, std::size_t features,
                    const std::vector<std::string>& feature_names, const std::string& expected_by);

/// Throws InputError unless `data` can be encoded by the schema of `expected_by`: they are a table
/// that was read by it, or it has nothing but numbers.
void check_encodable(const Dataset& data, const TableSchema& schema,
                     const std::string& expected_by);

/// Renumbers the labels of `data` to the classes in `class_names`. Throws InputError for a label
/// that is not among them, with its sample and what to do about it (`advice`), and for other target
/// columns than these.
void use_classes(Dataset& data, const std::vector<std::string>& class_names,
                 const std::string& expected_by, const std::string& advice);

/// "3 classes", "1 number": what is to be learnt.
[[nodiscard]] std::string describe_targets(const Dataset& data);

}  // namespace dnn
