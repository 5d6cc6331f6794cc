#include "dnn/data/table_schema.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace dnn {

namespace {

constexpr std::array cycle_names = {"hour", "weekday", "month"};

}  // namespace

const char* word_for(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::number:
      return "number";
    case ColumnKind::category:
      return "category";
    case ColumnKind::date:
      return "date";
    case ColumnKind::label:
      return "label";
    case ColumnKind::weight:
      return "weight";
    case ColumnKind::identifier:
      return "identifier";
    case ColumnKind::constant:
      return "constant";
    case ColumnKind::ignored:
      return "ignore";
  }
  return "";
}

std::size_t TableColumn::inputs() const {
  const std::size_t mark = marks_missing ? 1 : 0;
  switch (kind) {
    case ColumnKind::number:
      return 1 + mark;
    case ColumnKind::category:
      return categories.size() + (has_other ? 1 : 0) + mark;
    case ColumnKind::date:
      return 1 + 2 * (std::size_t{hour} + std::size_t{weekday} + std::size_t{month}) + mark;
    default:
      return 0;
  }
}

std::string first_difference(const TableSchema& a, const TableSchema& b) {
  const auto reading = [](const TableColumn& c) {
    return std::tie(c.name, c.kind, c.marks_missing, c.has_other, c.day_first, c.hour, c.weekday,
                    c.month, c.categories);
  };
  for (std::size_t j = 0; j < std::max(a.columns.size(), b.columns.size()); ++j) {
    if (j >= a.columns.size() || j >= b.columns.size()) {
      return (j < a.columns.size() ? a : b).columns[j].name;
    }
    const bool features = a.columns[j].is_feature() || b.columns[j].is_feature();
    if (features && reading(a.columns[j]) != reading(b.columns[j])) {
      return a.columns[j].name;
    }
  }
  return {};
}

std::string TableSchema::label_separator() const {
  for (const TableColumn& column : columns) {
    if (!column.separator.empty()) {
      return column.separator;
    }
  }
  return {};
}

std::string TableSchema::name_of(ColumnKind kind) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [kind](const TableColumn& c) { return c.kind == kind; });
  return found == columns.end() ? std::string() : found->name;
}

std::size_t TableSchema::inputs() const {
  std::size_t sum = 0;
  for (const TableColumn& column : columns) {
    sum += column.inputs();
  }
  return sum;
}

std::vector<std::string> TableSchema::input_names() const {
  std::vector<std::string> names;
  names.reserve(inputs());
  for (const TableColumn& column : columns) {
    if (column.kind == ColumnKind::category) {
      for (const std::string& category : column.categories) {
        names.push_back(column.name + " = " + category);
      }
      if (column.has_other) {
        names.push_back(column.name + " = (other)");
      }
    } else if (column.is_feature()) {
      names.push_back(column.name);
      const std::array varies = {column.hour, column.weekday, column.month};
      for (std::size_t c = 0; c < cycle_names.size(); ++c) {
        if (varies[c]) {
          names.push_back(column.name + " (sine of the " + cycle_names[c] + ")");
          names.push_back(column.name + " (cosine of the " + cycle_names[c] + ")");
        }
      }
    }
    if (column.is_feature() && column.marks_missing) {
      names.push_back(column.name + " is missing");
    }
  }
  return names;
}

}  // namespace dnn
