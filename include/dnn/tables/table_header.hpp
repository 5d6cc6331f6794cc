#pragma once

// What tells the names of the columns, and their units, from a table's rows.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "dnn/tables/table_sample.hpp"

namespace dnn {

/// What other tables say of a header.
struct HeaderHints {
  std::vector<std::string> names;  ///< a first record that holds half of them is a header
  /// Other parts of the table, or the training table, have none, or one with these names: then a
  /// first record of nothing but text is a row, unless it stands above numbers.
  bool is_known = false;
};

/// The first column in which the first record shows itself to be a row: it holds a value that comes
/// again below, among others. None unless most columns are so. (A header that is the only value of
/// its column is the choice of a questionnaire.)
[[nodiscard]] std::optional<std::size_t> column_of_repeated_value(
    const std::vector<TableRecord>& records);

/// Whether nothing in the first record is a number, and it has more than a label.
[[nodiscard]] bool is_text_alone(const std::vector<TableRecord>& records);

/// The first column that has a number in the first record and in the one below; nothing: none.
[[nodiscard]] std::optional<std::size_t> column_of_numbers(const std::vector<TableRecord>& records);

/// Whether the first record names the columns: it holds the expected names, some column is text in
/// it and a number below, it names the label, or it is text alone and no row. Where there is known
/// to be no header, only text alone with numbers below is one all the same.
[[nodiscard]] bool looks_like_header(const std::vector<TableRecord>& records,
                                     const HeaderHints& hints);

/// Whether the record below the header, which is the first, holds units: no number, where most
/// columns have numbers.
[[nodiscard]] bool looks_like_units(const std::vector<TableRecord>& records);

}  // namespace dnn
