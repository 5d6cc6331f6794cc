#pragma once

// What the columns of a table are, and which network inputs they become. The schema is found by the
// reader of the training table, saved in the model, and obeyed by every later reading.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dnn/core/task.hpp"

namespace dnn {

/// What a column of a table is taken for.
enum class ColumnKind {
  number,      ///< one input, scaled
  category,    ///< text: one input for each category (one-hot)
  date,        ///< a time: one input, scaled, and its cycles of hour, weekday and month
  label,       ///< the class, or a target (see TableSchema::task)
  weight,      ///< how much a sample counts
  identifier,  ///< another value in each row: left out
  constant,    ///< the same value in each row: left out
  ignored      ///< left out because the user, or the column's emptiness, says so
};

/// A column of the training table.
struct TableColumn {
  std::string name;  ///< from the header; "column 3" where the table has none
  ColumnKind kind = ColumnKind::number;
  std::string remark;  ///< what the reader decided about the column and why; may be empty

  std::uint64_t missing = 0;   ///< cells without a value
  std::uint64_t distinct = 0;  ///< different values of a text column
  double least = 0;            ///< number: of all rows; date: seconds since 1970-01-01 UTC
  double largest = 0;

  /// Words that stand for a missing value in this column, besides the reader's.
  std::vector<std::string> missing_words;
  /// Number, date: one more input says where the value is missing. Category: a missing value is a
  /// category of its own.
  bool marks_missing = false;
  /// Number, date: what a missing value is taken for, the median of the training set.
  double fill = 0;

  /// Category: one input each, in ascending order. A label that is a list: the names of the labels.
  std::vector<std::string> categories;
  std::vector<std::uint64_t> counts;  ///< rows of each category
  std::uint64_t other_count = 0;      ///< rows of rarer categories
  bool has_other = false;             ///< one more input for all rarer categories

  /// Label, task labels: what stands between the labels of a cell; empty: the column is one label,
  /// of 0 and 1.
  std::string separator;

  bool day_first = false;  ///< date: 03/04/2024 is in April
  // Date: which cycles vary over the table.
  bool hour = false;
  bool weekday = false;
  bool month = false;

  [[nodiscard]] bool is_feature() const {
    return kind == ColumnKind::number || kind == ColumnKind::category || kind == ColumnKind::date;
  }
  /// How many network inputs the column becomes.
  [[nodiscard]] std::size_t inputs() const;
};

/// All columns of the training table, in its order. Empty for data that are no table.
struct TableSchema {
  bool has_header = false;                 ///< whether the names are the file's
  Task task = Task::classes;               ///< what the columns of kind label are
  std::vector<std::string> missing_words;  ///< that stand for a missing value in any column
  std::vector<TableColumn> columns;

  [[nodiscard]] bool empty() const { return columns.empty(); }
  /// The network inputs of all feature columns.
  [[nodiscard]] std::size_t inputs() const;
  /// What stands between the labels of a cell; empty where no column is lists of labels.
  [[nodiscard]] std::string label_separator() const;
  /// The name of the first column of a kind; empty where there is none.
  [[nodiscard]] std::string name_of(ColumnKind kind) const;
  /// A name for each input: "age", "age is missing", "colour = blue", "colour = (other)".
  [[nodiscard]] std::vector<std::string> input_names() const;
};

/// The name of the first column that one of two schemas reads or encodes otherwise than the other
/// (statistics aside); empty where there is none.
[[nodiscard]] std::string first_difference(const TableSchema& a, const TableSchema& b);

/// The word for a kind, as in --columns KIND:NAMES.
[[nodiscard]] const char* word_for(ColumnKind kind);

}  // namespace dnn
