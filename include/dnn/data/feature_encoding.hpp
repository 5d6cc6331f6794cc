#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/data/table_schema.hpp"

namespace dnn {

/// Turns a raw row of a table into network inputs that are not scaled yet.
///
/// Note [Raw rows of a table]
/// A Dataset of a table has one element for each feature column, all of one type. A number is
/// itself, a date its seconds since 1970, a category its place among the schema's categories, and
/// -1 where it is none of them. NaN stands for a missing value. So a table of text needs no more
/// memory than one of numbers; the inputs exist in batches only.
class FeatureEncoding {
 public:
  /// Without a schema (data that are no table): every raw element is an input.
  FeatureEncoding() = default;
  explicit FeatureEncoding(const TableSchema& schema);

  /// Whether raw rows without missing values are the inputs as they are: nothing but numbers.
  [[nodiscard]] bool is_identity() const { return identity_; }
  [[nodiscard]] std::size_t columns() const { return columns_.size(); }
  [[nodiscard]] std::size_t inputs() const { return inputs_; }

  /// Which inputs are scaled: numbers and dates. The others are 0 or 1, or a sine or cosine.
  [[nodiscard]] std::vector<bool> scaled_inputs() const;

  /// `inputs` (inputs() elements) becomes the row `raw` (columns() elements). Raw: float or double,
  /// or an integer type, which has no missing values.
  template <class Raw>
  void encode(const Raw* raw, std::span<double> inputs) const;

  /// The most inputs of a row that encode_sparse() stores: all of numbers and dates, one of a
  /// category.
  [[nodiscard]] std::size_t most_stored() const { return most_stored_; }
  /// The same row without the zeros of its categories: `places` (ascending) and `inputs` become
  /// what is left.
  template <class Raw>
  void encode_sparse(const Raw* raw, std::vector<std::uint32_t>& places,
                     std::vector<double>& inputs) const;

 private:
  struct Column {
    ColumnKind kind = ColumnKind::number;
    bool marks_missing = false;
    bool has_other = false;
    bool hour = false, weekday = false, month = false;
    std::size_t categories = 0;
    double fill = 0;
    std::size_t first = 0;  ///< its first input
    std::size_t inputs = 0;
  };

  /// Which input of a category's column is 1; column.inputs: none, the schema lacks the value.
  static std::size_t hot_input(const Column& column, double value, bool missing);
  static void encode_date(const Column& column, double value, bool missing, double* inputs);
  /// All inputs of a column that is no category.
  static void encode_numbers(const Column& column, double value, bool missing, double* inputs);

  std::vector<Column> columns_;
  std::size_t inputs_ = 0;
  std::size_t most_stored_ = 0;
  bool identity_ = true;
};

}  // namespace dnn
