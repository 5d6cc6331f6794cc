#include "dnn/tables/read_table.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/tables/column_kinds.hpp"
#include "dnn/tables/matching_table.hpp"
#include "dnn/tables/table_layout.hpp"
#include "dnn/tables/table_reading.hpp"
#include "dnn/tables/training_table.hpp"

namespace dnn {

namespace {

/// The schema of a table whose columns are the features of an array, as they stand, and perhaps a
/// label.
TableSchema plain_schema(const TableLayout& layout, const std::string& origin,
                         const ReadOptions& options) {
  const std::size_t features = *options.features;
  if (layout.columns() != features && layout.columns() != features + 1) {
    throw InputError(fmt::format("{}: the table has {}, but a sample has {} features", origin,
                                 columns_text(layout.columns()), features));
  }
  TableSchema schema;
  schema.task = options.task == Task::automatic ? Task::classes : options.task;
  for (std::size_t j = 0; j < layout.columns(); ++j) {
    schema.columns.push_back({.name = layout.names[j]});
  }
  if (layout.columns() == features + 1 && options.outputs > 1 && has_target_rows(options.task)) {
    throw InputError(
        fmt::format("{}: the table has {} columns, but a sample has {} features and {} "
                    "targets",
                    origin, layout.columns(), features, options.outputs));
  }
  if (layout.columns() == features + 1) {
    const std::vector<std::optional<AskedKind>> nothing_asked;
    const auto label = named_label(layout, origin, options, nothing_asked);
    schema.columns[label.value_or(features)].kind = ColumnKind::label;
  }
  return schema;
}

/// Reads a table for a model, or beside training data, that have no schema.
Dataset read_plain(std::vector<TableLayout> parts, const std::string& origin, ReadOptions options) {
  const TableSchema schema = plain_schema(parts.front(), origin, options);
  options.schema = &schema;
  options.complete = true;
  Dataset data = read_matching_table(std::move(parts), origin, options);
  data.schema = {};
  data.has_missing = false;  // see ReadOptions::complete
  data.feature_names = {};
  return data;
}

/// The layouts of texts that are one table. Throws InputError where their columns differ.
std::vector<TableLayout> find_layouts(std::span<const TableText> texts,
                                      const ReadOptions& options) {
  HeaderHints hints;
  if (options.schema != nullptr) {
    hints = {feature_columns(*options.schema), !options.schema->has_header};
  }
  std::vector<TableLayout> parts;
  for (const TableText& part : texts) {
    const std::string_view text(reinterpret_cast<const char*>(part.contents.data()),
                                part.contents.size());
    parts.push_back(find_layout(text, part.origin, options.header, hints));
    parts.back().is_mapped = part.is_mapped;
    const TableLayout& first = parts.front();
    const TableLayout& last = parts.back();
    if (last.columns() != first.columns()) {
      throw InputError(fmt::format("{}: the table has {}, {} has {}", last.origin,
                                   columns_text(last.columns()), first.origin, first.columns()));
    }
    for (std::size_t j = 0; last.has_header && j < first.columns(); ++j) {
      if (last.names[j] != first.names[j]) {
        throw InputError(fmt::format(
            "{}: column {} is named {}, but {} in {}; files of one table have the same columns",
            last.origin, j + 1, in_quotes(last.names[j]), in_quotes(first.names[j]), first.origin));
      }
    }
    hints = {first.has_header ? first.names : hints.names, true};
  }
  return parts;
}

}  // namespace

Dataset read_table_parts(std::span<const TableText> texts, const std::string& origin,
                         const ReadOptions& options) {
  std::vector<TableLayout> parts = find_layouts(texts, options);
  if (options.schema == nullptr && options.features) {
    return read_plain(std::move(parts), origin, options);
  }
  return options.schema != nullptr ? read_matching_table(std::move(parts), origin, options)
                                   : read_training_table(std::move(parts), origin, options);
}

Dataset read_table(std::span<const std::byte> contents, const std::string& origin,
                   const ReadOptions& options) {
  const TableText text{contents, origin};
  return read_table_parts(std::span(&text, 1), origin, options);
}

}  // namespace dnn
