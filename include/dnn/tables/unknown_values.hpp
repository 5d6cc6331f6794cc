#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dnn/data/table_schema.hpp"
#include "dnn/tables/text_index.hpp"

namespace dnn {

/// The place of a text among a column's categories.
[[nodiscard]] std::optional<double> place_of(const std::string& text,
                                             const std::vector<std::string>& categories);

/// A note on the texts of a category's column that are none of its categories; empty if there are
/// none. Throws InputError where the column holds nothing but numbers and its categories are words.
[[nodiscard]] std::string unknown_values(const TableColumn& column, const TextIndex& texts,
                                         const std::string& origin);

/// A note on labels that are none of `known`, the classes or labels of a model; empty if there are
/// none. `separator`: what stands between the labels of a cell; empty: a cell is one class.
[[nodiscard]] std::string unknown_labels(const TextIndex& texts, const std::string& separator,
                                         const std::vector<std::string>& known,
                                         const std::string& origin);

}  // namespace dnn
