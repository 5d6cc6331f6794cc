#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "dnn/data/dataset.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// One of the texts that a table is made of.
struct TableText {
  std::span<const std::byte> contents;
  std::string origin;      ///< names it in messages
  bool is_mapped = false;  ///< `contents` lie in a mapped file
};

/// Reads a table of text in UTF-8, in one or more pieces with the same columns (each with a header,
/// or the first one alone): delimiters, header, number format and the kinds of the columns
/// are found from its contents (find_layout, find_schema), or are those of ReadOptions::schema, to
/// which columns are matched by name. The data set's notes say what was understood. `origin` names
/// the table in errors. Throws InputError, with line and column, for what cannot be understood.
///
/// Note [Every column is read once]
/// What a column is becomes certain with its last cell. The kinds are therefore guessed from the
/// first rows and all rows read accordingly; where a cell does not fit the guess, the column is
/// read as a wider kind (number, date, text) in another pass over the table. Most tables need one.
[[nodiscard]] Dataset read_table_parts(std::span<const TableText> texts, const std::string& origin,
                                       const ReadOptions& options);

/// The same for a table that is one text.
[[nodiscard]] Dataset read_table(std::span<const std::byte> contents, const std::string& origin,
                                 const ReadOptions& options);

}  // namespace dnn
