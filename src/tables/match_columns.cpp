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

ColumnMatch match_by_place(const TableLayout& layout, const TableSchema& schema,
                           const std::string& origin) {
  const std::size_t all = schema.columns.size();
  std::size_t labels = 0;
  for (const TableColumn& column : schema.columns) {
    labels += column.kind == ColumnKind::label ? 1 : 0;
  }
  const bool has_label = layout.columns() == all;
  if (!has_label && layout.columns() + labels != all) {
    throw InputError(fmt::format("{}: the table has {} columns, the training data have {}", origin,
                                 layout.columns(), all));
  }
  ColumnMatch match;
  std::size_t place = 0;
  for (const TableColumn& column : schema.columns) {
    if (column.kind == ColumnKind::label) {
      match.sources.label = has_label ? place : Dataset::none;
      place += has_label ? 1 : 0;
      continue;
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
                          : match_by_place(layout, schema, origin);
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
