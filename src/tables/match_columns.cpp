#include "dnn/tables/match_columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "dnn/core/error.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/label_column.hpp"
#include "dnn/tables/table_reading.hpp"

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

/// What to do where a column is there that differs from a missing one in case only; else empty.
std::string hint_of_case(const TableLayout& layout, const std::vector<std::string>& missing) {
  for (const std::string& wanted : missing) {
    for (const std::string& name : layout.names) {
      if (in_lower_case(name) == in_lower_case(wanted)) {
        return fmt::format("; its column {} differs from {} in upper and lower case: rename it",
                           in_quotes(name), in_quotes(wanted));
      }
    }
  }
  return {};
}

void add_label(const TableSchema& schema, std::size_t place, TableSources& sources) {
  if (has_target_rows(schema.task)) {
    sources.targets.push_back(place);
  } else {
    sources.label = place;
  }
}

std::size_t count_columns(const TableSchema& schema, ColumnKind kind) {
  return static_cast<std::size_t>(
      std::count_if(schema.columns.begin(), schema.columns.end(),
                    [kind](const TableColumn& c) { return c.kind == kind; }));
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
      add_label(schema, found->second, match.sources);
    } else if (column.kind == ColumnKind::weight && found != places.end()) {
      match.sources.weight = found->second;
    }
    if (found != places.end()) {
      places.erase(found);
    }
  }
  if (!missing.empty()) {
    throw InputError(fmt::format(
        "{}: the table has no column {}, which the training data have{}{}", origin,
        list_of(missing),
        missing.size() == 1 ? "" : fmt::format(" ({} columns are missing)", missing.size()),
        hint_of_case(layout, missing)));
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

/// By the number of columns. `needs_label`: where that does not tell, the labels are there.
OptionalColumns find_optional(const TableLayout& layout, const TableSchema& schema,
                              bool needs_label, const std::string& origin) {
  const std::size_t all = schema.columns.size();
  const std::size_t labels = count_columns(schema, ColumnKind::label);
  const std::size_t weights = count_columns(schema, ColumnKind::weight);
  if (layout.columns() == all) {
    return {};
  }
  if (layout.columns() + labels + weights == all) {
    return {false, false};
  }
  const bool lacks_weight = weights > 0 && layout.columns() + weights == all;
  const bool lacks_label = labels > 0 && layout.columns() + labels == all;
  if (!lacks_weight && !lacks_label) {
    throw InputError(fmt::format("{}: the table has {}, the training data have {}", origin,
                                 columns_text(layout.columns()), all));
  }
  if (lacks_weight && lacks_label && !needs_label) {
    throw InputError(fmt::format(
        "{}: the table has {} columns, the training data have {}: whether the label or the weight "
        "is missing cannot be told; give the tables a header, or leave both columns out",
        origin, layout.columns(), all));
  }
  return {lacks_weight, !lacks_weight};
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
      add_label(schema, place, match.sources);
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

/// Throws InputError for target columns that are features.
void check_targets(const TableLayout& layout, const TableSchema& schema,
                   const TableSources& sources, const std::string& origin) {
  const auto& features = sources.columns;
  for (const std::size_t target : sources.targets) {
    if (std::find(features.begin(), features.end(), target) != features.end()) {
      throw InputError(
          fmt::format("{}: --label-column: column {} is a feature of the training data", origin,
                      in_quotes(layout.names[target])));
    }
  }
  if (sources.targets.size() > count_columns(schema, ColumnKind::label)) {
    throw InputError(fmt::format("{}: --label-column names {} columns, the training data have {}",
                                 origin, sources.targets.size(),
                                 count_columns(schema, ColumnKind::label)));
  }
}

/// A note on a table that has some of the target columns only.
std::string note_of_some_targets(const TableLayout& layout, const TableSchema& schema,
                                 const std::vector<std::size_t>& targets,
                                 const std::string& origin) {
  std::vector<std::string> there;
  for (const std::size_t target : targets) {
    there.push_back(layout.names[target]);
  }
  std::vector<std::string> missing;
  for (const TableColumn& column : schema.columns) {
    if (column.kind == ColumnKind::label &&
        std::find(there.begin(), there.end(), column.name) == there.end()) {
      missing.push_back(column.name);
    }
  }
  return fmt::format(
      "{}: the table has {} of the {} target columns that the training data have ({}; not {}), so "
      "that none are compared with the predictions",
      origin, there.size(), count_columns(schema, ColumnKind::label), list_of(there),
      list_of(missing));
}

/// Target columns in the order that they have in the schema, where it knows all their names; else
/// as the user names them.
std::vector<std::size_t> in_schema_order(std::vector<std::size_t> targets,
                                         const TableLayout& layout, const TableSchema& schema) {
  std::vector<std::size_t> ordered;
  for (const TableColumn& column : schema.columns) {
    const auto found = std::find_if(targets.begin(), targets.end(), [&](std::size_t target) {
      return column.kind == ColumnKind::label && layout.names[target] == column.name;
    });
    if (found != targets.end()) {
      ordered.push_back(*found);
    }
  }
  return ordered.size() == targets.size() ? ordered : targets;
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
  if (!options.label_column.empty() && has_target_rows(schema.task)) {
    match.sources.targets =
        in_schema_order(named_targets(layout, origin, options, {}), layout, schema);
    check_targets(layout, schema, match.sources, origin);
  }
  const std::size_t targets = match.sources.targets.size();
  if (const std::size_t known = count_columns(schema, ColumnKind::label);
      targets > 0 && targets < known) {
    if (!options.features) {
      throw InputError(
          fmt::format("{}: the table has {} of the {} target columns that the training "
                      "data have",
                      origin, targets, known));
    }
    match.notes.push_back(note_of_some_targets(layout, schema, match.sources.targets, origin));
    match.sources.targets.clear();
  }
  if (!options.label_column.empty() && !has_target_rows(schema.task)) {
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
