#include "dnn/tables/match_columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "dnn/core/error.hpp"
#include "dnn/tables/label_column.hpp"

namespace dnn {

namespace {

/// "'a', 'b' and 3 more".
std::string list_of(const std::vector<std::string>& names) {
  constexpr std::size_t most = 5;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) {
    shown.push_back(in_quotes(names[i]));
  }
  const std::string list = fmt::format("{}", fmt::join(shown, ", "));
  return names.size() > most ? fmt::format("{} and {} more", list, names.size() - most) : list;
}

ColumnMatch match_by_name(const TableLayout& layout, const TableSchema& schema,
                          const std::vector<std::string>& kept, const std::string& origin) {
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t j = 0; j < layout.columns(); ++j) {
    places.emplace(layout.names[j], j);
  }
  ColumnMatch match;
  std::vector<std::string> missing;
  for (const TableColumn& column : schema.columns) {
    const auto found = places.find(column.name);
    if (column.is_feature() && found == places.end()) {
      missing.push_back(column.name);
    } else if (column.is_feature()) {
      match.sources.columns.push_back(found->second);
    } else if (column.kind == ColumnKind::label && found != places.end()) {
      match.sources.label = found->second;
    } else if (column.kind == ColumnKind::weight && found != places.end()) {
      match.sources.weight = found->second;
    }
    if (found != places.end()) {
      places.erase(found);
    }
  }
  if (!missing.empty()) {
    throw InputError(fmt::format(
        "{}: the table has no column {}, which the training data have{}", origin, list_of(missing),
        missing.size() == 1 ? "" : fmt::format(" ({} columns are missing)", missing.size())));
  }
  std::vector<std::string> extra;
  for (const std::string& name : layout.names) {
    if (places.contains(name) && std::find(kept.begin(), kept.end(), name) == kept.end()) {
      extra.push_back(name);
    }
  }
  if (!extra.empty()) {
    match.notes.push_back(
        fmt::format("{}: columns that the training data do not have are left "
                    "out: {}",
                    origin, list_of(extra)));
  }
  return match;
}

/// Which of the columns without names that are no features a table has.
struct OptionalColumns {
  bool label = true;
  bool weight = true;

  [[nodiscard]] bool has(ColumnKind kind) const {
    return kind == ColumnKind::label ? label : kind != ColumnKind::weight || weight;
  }
};

/// By the number of columns. `needs_label`: of the label and the weight, the label is there.
OptionalColumns find_optional(const TableLayout& layout, const TableSchema& schema,
                              bool needs_label, const std::string& origin) {
  const std::size_t all = schema.columns.size();
  const auto kinds = [&schema](ColumnKind kind) {
    return static_cast<std::size_t>(
        std::count_if(schema.columns.begin(), schema.columns.end(),
                      [kind](const TableColumn& c) { return c.kind == kind; }));
  };
  const std::size_t labels = kinds(ColumnKind::label);
  const std::size_t optional = labels + kinds(ColumnKind::weight);
  if (layout.columns() == all) {
    return {};
  }
  if (layout.columns() + optional == all) {
    return {false, false};
  }
  if (layout.columns() + 1 != all || optional < 2) {
    throw InputError(fmt::format("{}: the table has {} columns, the training data have {}", origin,
                                 layout.columns(), all));
  }
  if (!needs_label) {
    throw InputError(fmt::format(
        "{}: the table has {} columns, the training data have {}: whether the label or the weight "
        "is missing cannot be told; give the tables a header, or leave both columns out",
        origin, layout.columns(), all));
  }
  return {true, false};
}

ColumnMatch match_by_place(const TableLayout& layout, const TableSchema& schema, bool needs_label,
                           const std::string& origin) {
  const OptionalColumns there = find_optional(layout, schema, needs_label, origin);
  ColumnMatch match;
  std::size_t place = 0;
  for (const TableColumn& column : schema.columns) {
    if (!there.has(column.kind)) {
      continue;
    }
    if (column.kind == ColumnKind::label) {
      match.sources.label = place;
    } else if (column.kind == ColumnKind::weight) {
      match.sources.weight = place;
    }
    if (column.is_feature()) {
      match.sources.columns.push_back(place);
    }
    ++place;
  }
  return match;
}

}  // namespace

ColumnMatch match_columns(const TableLayout& layout, const TableSchema& schema,
                          const ReadOptions& options, const std::string& origin) {
  ColumnMatch match = layout.has_header && schema.has_header
                          ? match_by_name(layout, schema, options.keep, origin)
                          : match_by_place(layout, schema, !options.features, origin);
  if (options.features) {
    match.sources.weight = Dataset::none;
  }
  if (!options.label_column.empty()) {
    const std::size_t label =
        find_column("--label-column", options.label_column, layout.names, origin);
    const auto& features = match.sources.columns;
    if (std::find(features.begin(), features.end(), label) != features.end()) {
      throw InputError(
          fmt::format("{}: --label-column {}: column {} is a feature of the training "
                      "data",
                      origin, options.label_column, in_quotes(layout.names[label])));
    }
    match.sources.label = label;
  }
  return match;
}

}  // namespace dnn
