#include "dnn/tables/table_reading.hpp"

#include <algorithm>

#include "dnn/data/table_schema.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/label_column.hpp"

namespace dnn {

bool leave_out(const std::optional<TableCells::CutOff>& cut_off, std::vector<TableLayout>& parts) {
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

std::vector<std::string> missing_words(const ReadOptions& options) {
  if (options.missing) {
    std::vector<std::string> words = split_words(*options.missing);
    std::erase(words, "");
    return words;
  }
  return options.schema != nullptr ? options.schema->missing_words
                                   : split_words(usual_missing_words);
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
