#include "dnn/tables/unknown_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "dnn/core/error.hpp"
#include "dnn/tables/cell.hpp"

namespace dnn {

std::optional<double> place_of(const std::string& text,
                               const std::vector<std::string>& categories) {
  const auto found = std::lower_bound(categories.begin(), categories.end(), text);
  return found != categories.end() && *found == text
             ? std::optional(static_cast<double>(found - categories.begin()))
             : std::nullopt;
}

std::string unknown_values(const TableColumn& column, const TextIndex& texts,
                           const std::string& origin) {
  std::uint64_t rows = 0;
  std::vector<std::string> unknown;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    if (!place_of(texts.text(t), column.categories)) {
      rows += texts.count(t);
      unknown.push_back(texts.text(t));
    }
  }
  if (unknown.empty()) {
    return {};
  }
  const auto is_number = [](const std::string& text) {
    return parse_cell_number(text, '.').has_value();
  };
  if (rows == texts.total() && std::all_of(unknown.begin(), unknown.end(), is_number) &&
      std::none_of(column.categories.begin(), column.categories.end(), is_number)) {
    throw InputError(fmt::format(
        "{}: column {} holds numbers, but text in the training data (as {}); is it the same "
        "column?",
        origin, in_quotes(column.name),
        column.categories.empty() ? "nothing" : in_quotes(column.categories.front())));
  }
  return fmt::format(
      "{}: column {} has {} value{} that the training data do not have, in {} row{} (the first is "
      "{}); {}",
      origin, in_quotes(column.name), unknown.size(), unknown.size() == 1 ? "" : "s", rows,
      rows == 1 ? "" : "s", in_quotes(unknown.front()),
      column.has_other ? "they share the input of rarer values" : "no category stands for them");
}

}  // namespace dnn
