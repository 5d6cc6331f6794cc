#include "dnn/tables/table_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "dnn/core/error.hpp"
#include "dnn/data/table_schema.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/label_column.hpp"

namespace dnn {

bool leave_out(const std::optional<RecordPlace>& cut_off, std::vector<TableLayout>& parts) {
  if (cut_off) {
    TableLayout& part = parts[cut_off->part];
    part.rows = part.rows.substr(0, cut_off->offset);
    part.notes.push_back(part.origin +
                         ": the last line is incomplete and has no line end; it is left out");
  }
  return cut_off.has_value();
}

std::vector<std::string> notes_of(const std::vector<TableLayout>& parts) {
  std::vector<std::string> notes;
  for (const TableLayout& part : parts) {
    notes.insert(notes.end(), part.notes.begin(), part.notes.end());
  }
  return notes;
}

void check_finite(const TableCells& cells, const std::vector<std::string>& names) {
  const std::vector<ColumnCells>& columns = cells.columns();
  const auto place = [](const ColumnCells& column) {
    return std::tuple(column.infinite == 0, column.first_infinite.part, column.first_infinite.line);
  };
  const auto first = std::min_element(
      columns.begin(), columns.end(),
      [&](const ColumnCells& a, const ColumnCells& b) { return place(a) < place(b); });
  if (first == columns.end() || first->infinite == 0) {
    return;
  }
  throw InputError(fmt::format(
      "{}, column {}: {} is infinite or too large; features must be finite numbers (--missing "
      "takes a word for a missing value)",
      cells.text_of(first->first_infinite),
      in_quotes(names[static_cast<std::size_t>(first - columns.begin())]),
      in_quotes(first->first_infinite_text)));
}

std::vector<std::string> missing_words(const ReadOptions& options) {
  if (options.missing) {
    std::vector<std::string> words = split_words(*options.missing);
    std::erase(words, "");
    return words;
  }
  return options.schema != nullptr ? options.schema->missing_words
                                   : split_words(usual_missing_words);
}

std::vector<std::size_t> named_targets(const TableLayout& layout, const std::string& origin,
                                       const ReadOptions& options,
                                       const std::vector<std::optional<AskedKind>>& asked) {
  std::vector<std::size_t> targets;
  if (!options.label_column.empty()) {
    // A name that holds a comma is one column.
    const bool is_one = std::find(layout.names.begin(), layout.names.end(), options.label_column) !=
                        layout.names.end();
    for (const std::string& name : is_one ? std::vector<std::string>{options.label_column}
                                          : split_words(options.label_column)) {
      targets.push_back(find_column("--label-column", name, layout.names, origin));
    }
    std::vector<std::size_t> sorted = targets;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      throw InputError(fmt::format("{}: --label-column {}: a column is named twice", origin,
                                   options.label_column));
    }
    return targets;
  }
  for (std::size_t j = 0; j < asked.size(); ++j) {
    if (asked[j] && asked[j]->kind == ColumnKind::label) {
      targets.push_back(j);
    }
  }
  const auto usual = layout.has_header ? usual_label_column(layout.names) : std::nullopt;
  if (targets.empty() && usual && (asked.empty() || !asked[*usual])) {
    targets.push_back(*usual);
  }
  return targets;
}

std::optional<std::size_t> named_label(const TableLayout& layout, const std::string& origin,
                                       const ReadOptions& options,
                                       const std::vector<std::optional<AskedKind>>& asked) {
  if (!options.label_column.empty()) {
    return find_column("--label-column", options.label_column, layout.names, origin);
  }
  const auto wanted = std::find_if(asked.begin(), asked.end(), [](const auto& kind) {
    return kind && kind->kind == ColumnKind::label;
  });
  if (wanted != asked.end()) {
    return static_cast<std::size_t>(wanted - asked.begin());
  }
  const auto usual = layout.has_header ? usual_label_column(layout.names) : std::nullopt;
  return usual && !asked.empty() && asked[*usual] ? std::nullopt : usual;
}

}  // namespace dnn
