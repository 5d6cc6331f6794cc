#include "dnn/tables/label_column.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dnn/core/error.hpp"
#include "dnn/core/printable.hpp"
#include "dnn/data/number.hpp"
#include "dnn/tables/cell.hpp"

namespace dnn {

namespace {

constexpr std::array usual_names = {"label", "class", "target", "y"};

/// The column that a number or one of the words first and last means; nothing for another text.
std::optional<std::size_t> numbered_column(const std::string& option, const std::string& wanted,
                                           std::size_t columns, const std::string& origin) {
  if (wanted == "first") {
    return 0;
  }
  if (wanted == "last") {
    return columns - 1;
  }
  const auto number = parse_integer(wanted);
  if (!number) {
    return std::nullopt;
  }
  const auto count = static_cast<std::int64_t>(columns);
  if (*number >= 1 && *number <= count) {
    return static_cast<std::size_t>(*number - 1);
  }
  if (*number <= -1 && *number >= -count) {
    return static_cast<std::size_t>(count + *number);
  }
  throw InputError(
      fmt::format("{}: {} {}: there are {} columns, counted from 1 (or from -1, the last)", origin,
                  option, wanted, columns));
}

/// The first names of a list, at most about 200 characters.
std::string shortened(const std::vector<std::string>& names) {
  constexpr std::size_t longest = 200;
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ", ") + printable_name(name);
    if (list.size() > longest) {
      return std::string(beginning_of(list, longest)) + "...";
    }
  }
  return list;
}

}  // namespace

bool is_usual_label_name(const std::string& name) {
  return std::find(usual_names.begin(), usual_names.end(), in_lower_case(name)) !=
         usual_names.end();
}

std::optional<std::size_t> usual_label_column(const std::vector<std::string>& names) {
  for (const char* usual : usual_names) {
    const auto is_usual = [usual](const std::string& name) { return in_lower_case(name) == usual; };
    const auto found = std::find_if(names.begin(), names.end(), is_usual);
    if (found != names.end()) {
      return static_cast<std::size_t>(found - names.begin());
    }
  }
  return std::nullopt;
}

std::size_t find_column(const std::string& option, const std::string& wanted,
                        const std::vector<std::string>& names, const std::string& origin) {
  const auto named = std::find(names.begin(), names.end(), wanted);
  if (named != names.end()) {
    return static_cast<std::size_t>(named - names.begin());
  }
  if (const auto column = numbered_column(option, wanted, names.size(), origin)) {
    return *column;
  }
  throw InputError(
      fmt::format("{}: {} {}: no column has that name; the columns are {} (a number, counted from "
                  "1, names one too)",
                  origin, option, printable_name(wanted), shortened(names)));
}

std::size_t find_label_column(const std::string& wanted, std::size_t columns,
                              const std::string& origin) {
  if (wanted.empty()) {
    return columns - 1;
  }
  if (const auto column = numbered_column("--label-column", wanted, columns, origin)) {
    return *column;
  }
  throw InputError(fmt::format("{}: --label-column {}: an array's columns have numbers, no names",
                               origin, wanted));
}

}  // namespace dnn
