#include "dnn/data/label_lists.hpp"

#include <algorithm>

#include "dnn/data/label_table.hpp"
#include "dnn/data/message.hpp"
#include "dnn/data/reading_team.hpp"

namespace dnn {

std::vector<std::string> LabelNames::in_order() const {
  std::vector<std::string> names(numbers_.size());
  for (const auto& [name, number] : numbers_) {
    names[number] = name;
  }
  return names;
}

void LabelNames::join(const ReadingTeam& team) {
  if (team.is_alone()) {
    return;
  }
  MessageWriter message;
  message.add(numbers_.size());
  for (const std::string& name : in_order()) {
    message.add_text(name);
  }
  numbers_.clear();
  for (const std::string& member : team.exchange(message.take())) {
    MessageReader reader(member);
    for (auto left = reader.next<std::size_t>(); left > 0; --left) {
      (void)number_of(std::string(reader.next_text()));
    }
  }
}

LabelNames::Sorted LabelNames::sorted() const {
  Sorted result;
  for (const auto& [name, number] : numbers_) {
    result.names.push_back(name);
  }
  if (std::all_of(result.names.begin(), result.names.end(),
                  [](const std::string& name) { return integer_label(name).has_value(); })) {
    std::sort(result.names.begin(), result.names.end(),
              [](const auto& a, const auto& b) { return *integer_label(a) < *integer_label(b); });
  }
  result.places.resize(result.names.size());
  for (std::size_t k = 0; k < result.names.size(); ++k) {
    result.places[numbers_.at(result.names[k])] = k;
  }
  return result;
}

std::vector<std::string> labels_in(std::string_view cell, std::string_view separator) {
  std::vector<std::string> labels;
  for (std::size_t begin = 0; begin <= cell.size();) {
    const std::size_t end = std::min(cell.find(separator, begin), cell.size());
    std::string_view label = cell.substr(begin, end - begin);
    while (!label.empty() && label.front() == ' ') {
      label.remove_prefix(1);
    }
    while (!label.empty() && label.back() == ' ') {
      label.remove_suffix(1);
    }
    if (!label.empty()) {
      labels.emplace_back(label);
    }
    begin = end + separator.size();
  }
  return labels;
}

}  // namespace dnn
