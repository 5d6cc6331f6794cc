#include "dnn/tables/unknown_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <unordered_set>

#include "dnn/core/error.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/label_lists.hpp"
#include "dnn/data/label_table.hpp"
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

namespace {

/// The labels of each text of a label's column.
std::vector<std::vector<std::string>> labels_of_texts(const TextIndex& texts,
                                                      const std::string& separator,
                                                      const std::string& origin) {
  std::vector<std::vector<std::string>> labels(texts.size());
  if (!separator.empty()) {
    for (std::size_t t = 0; t < texts.size(); ++t) {
      labels[t] = labels_in(texts.text(t), separator);
    }
    return labels;
  }
  LabelTable table;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    table.add(texts.text(t));
  }
  Dataset classes;
  classes.origin = origin;
  table.finish(classes);
  for (std::size_t t = 0; t < texts.size(); ++t) {
    labels[t] = {classes.class_names[static_cast<std::size_t>(classes.label_view()[t])]};
  }
  return labels;
}

}  // namespace

std::string unknown_labels(const TextIndex& texts, const std::string& separator,
                           const std::vector<std::string>& known, const std::string& origin) {
  if (texts.size() == 0) {
    return {};
  }
  const std::unordered_set<std::string> names(known.begin(), known.end());
  const auto labels = labels_of_texts(texts, separator, origin);
  std::uint64_t rows = 0;
  std::string first;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    const auto stranger =
        std::find_if(labels[t].begin(), labels[t].end(),
                     [&names](const std::string& name) { return !names.contains(name); });
    if (stranger != labels[t].end()) {
      rows += texts.count(t);
      first = first.empty() ? *stranger : first;
    }
  }
  if (rows == 0) {
    return {};
  }
  return fmt::format(
      "{}: {} of {} labels {} unknown to the model (the first is {}), so that none are compared "
      "with the predictions; remove such rows to compare the others",
      origin, rows, texts.total(), rows == 1 ? "is" : "are", in_quotes(first));
}

}  // namespace dnn
