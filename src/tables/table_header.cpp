#include "dnn/tables/table_header.hpp"

#include <algorithm>
#include <unordered_set>

#include "dnn/tables/cell.hpp"
#include "dnn/tables/label_column.hpp"

namespace dnn {

namespace {

/// Whether some cell of the first record is a usual name of the label's column, and no class: none
/// of the other records has it there.
bool names_the_label(const std::vector<TableRecord>& records) {
  const auto& first = records.front().fields;
  const auto named = std::find_if(first.begin(), first.end(), is_usual_label_name);
  if (named == first.end()) {
    return false;
  }
  const auto column = static_cast<std::size_t>(named - first.begin());
  return std::none_of(records.begin() + 1, records.end(), [&](const TableRecord& record) {
    return column < record.fields.size() && record.fields[column] == *named;
  });
}

/// How many of the names `others` has too, in whatever case.
std::size_t count_common(const std::vector<std::string>& names,
                         const std::vector<std::string>& others) {
  std::unordered_set<std::string> found;
  for (const std::string& other : others) {
    found.insert(in_lower_case(other));
  }
  return static_cast<std::size_t>(std::count_if(
      names.begin(), names.end(),
      [&found](const std::string& name) { return found.contains(in_lower_case(name)); }));
}

/// Whether the first record holds at least half of the names, or names are half of it.
bool holds_names(const std::vector<std::string>& expected, const std::vector<std::string>& fields) {
  return !expected.empty() && (2 * count_common(expected, fields) >= expected.size() ||
                               2 * count_common(fields, expected) >= fields.size());
}

/// Whether some column is text in the first record and a number below.
bool has_text_above_numbers(const std::vector<TableRecord>& records) {
  const auto& first = records.front().fields;
  const MissingWords missing(split_words(usual_missing_words));
  for (std::size_t i = 1; i < std::min<std::size_t>(records.size(), 10); ++i) {
    const auto& other = records[i].fields;
    for (std::size_t j = 0; j < std::min(first.size(), other.size()); ++j) {
      if (!first[j].empty() && !is_any_number(first[j]) && is_any_number(other[j]) &&
          !missing.contains(first[j])) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

std::optional<std::size_t> column_of_repeated_value(const std::vector<TableRecord>& records) {
  const auto& first = records.front().fields;
  std::vector<std::size_t> repeated;
  for (std::size_t j = 0; j < first.size(); ++j) {
    bool is_repeated = false;
    bool has_others = false;
    for (std::size_t i = 1; i < records.size(); ++i) {
      const auto& other = records[i].fields;
      if (j >= other.size() || other[j].empty() || other == first) {
        continue;  // joined files repeat their header
      }
      (other[j] == first[j] ? is_repeated : has_others) = true;
    }
    if (is_repeated && has_others) {
      repeated.push_back(j);
    }
  }
  return 2 * repeated.size() > first.size() ? std::optional(repeated.front()) : std::nullopt;
}

bool is_text_alone(const std::vector<TableRecord>& records) {
  const auto& first = records.front().fields;
  return (records.size() == 1 || first.size() > 1) &&
         std::none_of(first.begin(), first.end(), is_any_number);
}

std::optional<std::size_t> column_of_numbers(const std::vector<TableRecord>& records) {
  const auto& first = records.front().fields;
  for (std::size_t j = 0; records.size() > 1 && j < first.size(); ++j) {
    const auto& below = records[1].fields;
    if (j < below.size() && is_any_number(first[j]) && is_any_number(below[j])) {
      return j;
    }
  }
  return std::nullopt;
}

bool looks_like_header(const std::vector<TableRecord>& records, const HeaderHints& hints) {
  if (hints.is_known && hints.names.empty()) {
    return is_text_alone(records) && has_text_above_numbers(records);
  }
  if (holds_names(hints.names, records.front().fields) || has_text_above_numbers(records) ||
      names_the_label(records)) {
    return true;
  }
  return !hints.is_known && is_text_alone(records) && !column_of_repeated_value(records);
}

bool looks_like_units(const std::vector<TableRecord>& records) {
  constexpr std::size_t fewest = 4;
  if (records.size() < fewest) {
    return false;
  }
  const auto& units = records[1].fields;
  const MissingWords missing(split_words(usual_missing_words));
  std::size_t numbers = 0;
  bool has_unit = false;  // a row of missing values is a row
  for (std::size_t j = 0; j < units.size(); ++j) {
    if (is_any_number(units[j])) {
      return false;
    }
    const bool is_number_column =
        std::all_of(records.begin() + 2, records.end(), [j](const TableRecord& record) {
          return j < record.fields.size() && is_any_number(record.fields[j]);
        });
    numbers += is_number_column ? 1 : 0;
    has_unit = has_unit || (is_number_column && !missing.contains(units[j]));
  }
  return has_unit && 2 * numbers > units.size();
}

}  // namespace dnn
