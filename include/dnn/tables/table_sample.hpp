#pragma once

// The first records of a table, from which its layout is found.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/tables/table_scanner.hpp"

namespace dnn {

/// A record of the sample.
struct TableRecord {
  std::vector<std::string> fields;
  std::size_t offset = 0;  ///< in the text
  std::size_t line = 0;    ///< from 1
};

/// At most the first `most` records of `text`. Throws InputError for a quote that is never closed.
[[nodiscard]] std::vector<TableRecord> sample_records(std::string_view text, const Dialect& dialect,
                                                      const std::string& origin, std::size_t most);

/// Whether a cell is a number, with a decimal point or comma.
[[nodiscard]] bool is_any_number(const std::string& text);

/// The number of fields that most records have, from record `first` on, and how many have it.
struct CommonestCount {
  std::size_t fields = 0;
  std::size_t records = 0;
};
[[nodiscard]] CommonestCount commonest_count(const std::vector<TableRecord>& records,
                                             std::size_t first);

/// The delimiter that cuts the first records best: into equally many fields, which hold no other
/// delimiter. ',' where none cuts any.
[[nodiscard]] char find_delimiter(std::string_view text, const std::string& origin);

}  // namespace dnn
