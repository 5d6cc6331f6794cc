#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/tables/read_options.hpp"
#include "dnn/tables/table_header.hpp"
#include "dnn/tables/table_scanner.hpp"

namespace dnn {

struct TableSchema;

/// Where the rows of a text table begin, and how they are cut into cells: found from its first
/// records.
struct TableLayout {
  std::string origin;  ///< names the text in messages
  Dialect dialect;
  bool is_mapped = false;        ///< the text lies in a mapped file
  std::string_view rows;         ///< the text from the first row of values on
  std::size_t lines_before = 0;  ///< lines of the text that come before it
  bool has_header = false;
  std::string_view header;         ///< its line, where it is a single one of the text
  std::vector<std::string> names;  ///< one for each column, all distinct
  std::vector<std::string> notes;  ///< what was understood and a user may not expect

  [[nodiscard]] std::size_t columns() const { return names.size(); }
};

/// Finds the layout of `text`; `origin` names it in errors. Throws InputError for text without
/// records.
[[nodiscard]] TableLayout find_layout(std::string_view text, const std::string& origin,
                                      HeaderMode header, const HeaderHints& hints = {});

/// The names that the features of a table like the training table have; none without a header.
[[nodiscard]] std::vector<std::string> feature_columns(const TableSchema& schema);

/// "1 column", "3 columns".
[[nodiscard]] std::string columns_text(std::size_t count);

/// "column 3".
[[nodiscard]] std::string unnamed_column(std::size_t index);

}  // namespace dnn
