#include "dnn/tables/column_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"
#include "dnn/tables/label_column.hpp"

namespace dnn {

namespace {

const std::map<std::string, AskedKind>& kind_words() {
  static const std::map<std::string, AskedKind> words = {
      {"number", {ColumnKind::number, false}}, {"category", {ColumnKind::category, false}},
      {"date", {ColumnKind::date, false}},     {"day-first-date", {ColumnKind::date, true}},
      {"label", {ColumnKind::label, false}},   {"weight", {ColumnKind::weight, false}},
      {"ignore", {ColumnKind::ignored, false}}};
  return words;
}

[[noreturn]] void refuse_cell(const TableCells& cells, std::size_t column, const std::string& name,
                              const std::string& what, const char* asked_by) {
  const ColumnCells& bad = cells.columns()[column];
  throw InputError(fmt::format(
      "{}, column {}: {} is not a {}, which {} asks for; --missing takes a word for a missing "
      "value",
      cells.text_of(bad.first_misfit), in_quotes(name), in_quotes(bad.misfit_words.front()), what,
      asked_by));
}

}  // namespace

std::vector<std::optional<AskedKind>> parse_column_kinds(const std::string& text,
                                                         const std::vector<std::string>& names,
                                                         const std::string& origin,
                                                         bool several_labels) {
  std::vector<std::optional<AskedKind>> asked(names.size());
  if (trim(text).empty()) {
    return asked;
  }
  std::size_t labels = 0;
  std::size_t weights = 0;
  for (const std::string& group : split_words(text, ';')) {
    const std::size_t colon = std::min(group.find(':'), group.size());
    const auto kind = kind_words().find(group.substr(0, colon));
    if (colon == group.size() || kind == kind_words().end()) {
      throw InputError(fmt::format(
          "--columns {}: {} is not KIND:NAME,NAME with KIND one of number, category, date, "
          "day-first-date, label, weight and ignore; ';' separates kinds",
          text, in_quotes(group)));
    }
    for (const std::string& name : split_words(group.substr(colon + 1))) {
      std::optional<AskedKind>& column = asked[find_column("--columns", name, names, origin)];
      if (column && *column != kind->second) {
        throw InputError(
            fmt::format("{}: --columns {}: column {} is named with two kinds; a column "
                        "has one",
                        origin, text, in_quotes(name)));
      }
      column = kind->second;
      labels += kind->second.kind == ColumnKind::label ? 1 : 0;
      weights += kind->second.kind == ColumnKind::weight ? 1 : 0;
      if ((labels > 1 && !several_labels) || weights > 1) {
        throw InputError(fmt::format("--columns {}: a table has one {}", text,
                                     weights > 1 ? "column of weights" : "label"));
      }
    }
  }
  return asked;
}

std::vector<ColumnMode> first_modes(std::span<const std::optional<AskedKind>> asked) {
  std::vector<ColumnMode> modes(asked.size());
  for (std::size_t j = 0; j < asked.size(); ++j) {
    if (!asked[j]) {
      continue;
    }
    switch (asked[j]->kind) {
      case ColumnKind::category:
        modes[j] = {CellMode::text, false, true};
        break;
      case ColumnKind::date:
        modes[j].mode = asked[j]->day_first ? CellMode::day_first_date : CellMode::month_first_date;
        break;
      case ColumnKind::label:
        modes[j] = {CellMode::text, true, true};
        break;
      case ColumnKind::weight:
        modes[j].mode = CellMode::weight;
        break;
      case ColumnKind::ignored:
        modes[j].mode = CellMode::skip;
        break;
      default:
        break;
    }
  }
  return modes;
}

bool is_few_words(const ColumnCells& cells, std::size_t rows) {
  constexpr std::size_t most_words = 2;
  return !cells.more_misfit_words && cells.misfit_words.size() <= most_words &&
         10 * (cells.misfits + cells.infinite) <= rows - cells.missing;
}

bool widen_modes(const TableCells& cells, const std::vector<std::string>& names,
                 std::span<const std::optional<AskedKind>> asked, std::span<ColumnMode> modes) {
  bool changed = false;
  for (std::size_t j = 0; j < modes.size(); ++j) {
    const ColumnCells& column = cells.columns()[j];
    if (column.misfits == 0) {
      continue;
    }
    CellMode& mode = modes[j].mode;
    const bool wanted = asked[j].has_value();
    switch (mode) {
      case CellMode::number:
        if (wanted) {
          refuse_cell(cells, j, names[j], "number",
                      asked[j]->kind == ColumnKind::label ? "--task" : "--columns");
        }
        if (is_few_words(column, cells.rows())) {
          continue;
        }
        mode = CellMode::month_first_date;
        break;
      case CellMode::month_first_date:
        mode = CellMode::day_first_date;
        break;
      case CellMode::day_first_date:
        if (wanted) {
          refuse_cell(cells, j, names[j], "date", "--columns");
        }
        mode = CellMode::text;
        break;
      default:
        continue;
    }
    changed = true;
  }
  return changed;
}

}  // namespace dnn
