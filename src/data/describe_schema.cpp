#include "dnn/data/describe_schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "dnn/core/error.hpp"
#include "dnn/core/printable.hpp"
#include "dnn/data/calendar.hpp"

namespace dnn {

namespace {

/// A row of the table on the screen.
struct Line {
  std::string name, kind, values, missing, becomes;
};

/// The commonest categories of a column, with their share of its rows.
std::string commonest(const TableColumn& column) {
  constexpr std::size_t most = 4;
  std::vector<std::size_t> order(column.categories.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&column](std::size_t a, std::size_t b) {
    return column.counts[a] > column.counts[b];
  });
  const std::uint64_t rows =
      std::accumulate(column.counts.begin(), column.counts.end(), column.other_count);
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(most, order.size()); ++i) {
    shown.push_back(fmt::format("{} {:.0f} %", printable_name(column.categories[order[i]]),
                                100.0 * static_cast<double>(column.counts[order[i]]) /
                                    static_cast<double>(std::max<std::uint64_t>(rows, 1))));
  }
  return fmt::format("{}: {}{}", column.distinct, fmt::join(shown, ", "),
                     order.size() > most ? ", ..." : "");
}

std::string values_of(const TableColumn& column, Task task) {
  switch (column.kind) {
    case ColumnKind::number:
    case ColumnKind::weight:
      return fmt::format("{:g} to {:g}", column.least, column.largest);
    case ColumnKind::date:
      return fmt::format("{} to {}", date_text(column.least).text, date_text(column.largest).text);
    case ColumnKind::category:
      return commonest(column);
    case ColumnKind::label:
      if (!column.separator.empty()) {
        return fmt::format("{} labels, {} between them", column.categories.size(),
                           in_quotes(column.separator));
      }
      return has_target_rows(task) ? fmt::format("{:g} to {:g}", column.least, column.largest)
                                   : fmt::format("{} classes", column.distinct);
    default:
      return {};
  }
}

std::string becomes(const TableColumn& column, Task task) {
  std::string text;
  if (column.is_feature()) {
    text = fmt::format("{} input{}", column.inputs(), column.inputs() == 1 ? "" : "s");
    if (column.kind == ColumnKind::date && column.inputs() > 1) {
      std::vector<std::string> cycles;
      for (const auto& [varies, name] :
           {std::pair{column.hour, "hour"}, {column.weekday, "weekday"}, {column.month, "month"}}) {
        if (varies) {
          cycles.emplace_back(name);
        }
      }
      text += cycles.empty() ? "" : fmt::format(" (time, {})", fmt::join(cycles, ", "));
    }
    if (column.marks_missing && column.kind != ColumnKind::category) {
      text += " (missing: the median, marked)";
    } else if (column.marks_missing) {
      text += " (missing: a category)";
    }
  } else {
    text = column.kind == ColumnKind::label    ? (has_target_rows(task) ? "a target" : "the class")
           : column.kind == ColumnKind::weight ? "how much a sample counts"
                                               : "left out";
  }
  return column.remark.empty() ? text : text + "; " + column.remark;
}

/// Whether two neighbours may share a line: plain numbers.
bool is_plain(const TableColumn& column) {
  return column.kind == ColumnKind::number && !column.marks_missing && column.remark.empty();
}

Line line_of(const TableColumn& column, Task task) {
  return {printable_name(column.name), word_for(column.kind), values_of(column, task),
          column.missing == 0 ? "" : fmt::format("{}", column.missing), becomes(column, task)};
}

Line line_of(const std::vector<TableColumn>& columns, std::size_t first, std::size_t end) {
  double least = columns[first].least;
  double largest = columns[first].largest;
  for (std::size_t j = first; j < end; ++j) {
    least = std::min(least, columns[j].least);
    largest = std::max(largest, columns[j].largest);
  }
  return {fmt::format("{} ... {}", printable_name(columns[first].name),
                      printable_name(columns[end - 1].name)),
          fmt::format("{} numbers", end - first), fmt::format("{:g} to {:g}", least, largest), "",
          fmt::format("{} inputs", end - first)};
}

}  // namespace

std::vector<std::string> describe(const TableSchema& schema) {
  if (schema.empty()) {
    return {};
  }
  constexpr std::size_t long_table = 40;
  std::vector<Line> lines = {{"column", "kind", "values", "missing", "becomes"}};
  const auto& columns = schema.columns;
  for (std::size_t j = 0; j < columns.size();) {
    std::size_t end = j + 1;
    if (columns.size() > long_table && is_plain(columns[j])) {
      while (end < columns.size() && is_plain(columns[end])) {
        ++end;
      }
    }
    lines.push_back(end - j > 2 ? line_of(columns, j, end) : line_of(columns[j], schema.task));
    j = end - j > 2 ? end : j + 1;
  }
  std::size_t name = 0;
  std::size_t kind = 0;
  std::size_t values = 0;
  constexpr std::size_t widest = 48;
  for (const Line& line : lines) {
    name = std::clamp(line.name.size(), name, std::max(name, widest));
    kind = std::max(kind, line.kind.size());
    values = std::clamp(line.values.size(), values, std::max(values, widest));
  }
  std::vector<std::string> text;
  for (Line& line : lines) {
    for (std::string* cell : {&line.name, &line.values}) {
      if (cell->size() > widest) {
        *cell = std::string(beginning_of(*cell, widest - 3)) + "...";
      }
    }
    text.push_back(fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>7}  {}", line.name, name, line.kind,
                               kind, line.values, values, line.missing, line.becomes));
  }
  return text;
}

}  // namespace dnn
