#include "dnn/data/label_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/message.hpp"
#include "dnn/data/number.hpp"
#include "dnn/data/reading_team.hpp"

namespace dnn {

namespace {

bool is_code(std::string_view label) {
  return label.find_first_of("eE") != std::string_view::npos &&
         label.find_first_of(".+-") == std::string_view::npos;
}

}  // namespace

std::optional<std::int64_t> integer_label(std::string_view label) {
  return is_code(label) ? std::nullopt : parse_integer(label);
}

void check_are_classes(std::span<const std::string> names, const std::string& origin) {
  const auto is_number = [](const std::string& name) {
    return !is_code(name) && parse_number<double>(name).has_value();
  };
  const auto odd = std::find_if_not(names.begin(), names.end(), [](const std::string& name) {
    return integer_label(name).has_value();
  });
  if (odd != names.end() && std::all_of(names.begin(), names.end(), is_number)) {
    throw InputError(fmt::format(
        "{}: label {} is not a class: labels are integers or text (--task numbers learns "
        "numbers). Is --label-column right?",
        origin, in_quotes(*odd)));
  }
}

std::int32_t LabelTable::number_of(const std::string& name) {
  const auto next = static_cast<std::int32_t>(names_.size());
  const auto [entry, is_new] = by_name_.emplace(name, next);
  if (is_new) {
    names_.push_back(name);
  }
  return entry->second;
}

void LabelTable::add(std::int64_t label) {
  auto found = by_value_.find(label);
  if (found == by_value_.end()) {
    found = by_value_.emplace(label, number_of(std::to_string(label))).first;
  }
  labels_.push_back(found->second);
}

void LabelTable::add(std::string_view label) {
  if (const std::optional<std::int64_t> integer = integer_label(label)) {
    add(*integer);
  } else {
    labels_.push_back(number_of(std::string(trim(label))));
  }
}

void LabelTable::join(const ReadingTeam& team) {
  if (team.is_alone()) {
    return;
  }
  MessageWriter message;
  message.add(names_.size());
  for (const std::string& name : names_) {
    message.add_text(name);
  }
  const std::vector<std::string> all = team.exchange(message.take());
  *this = LabelTable(std::move(labels_));
  std::vector<std::int32_t> numbers;  // of this member's names
  for (std::size_t m = 0; m < all.size(); ++m) {
    MessageReader reader(all[m]);
    for (auto left = reader.next<std::size_t>(); left > 0; --left) {
      const std::int32_t number = number_of(std::string(reader.next_text()));
      if (m == team.index()) {
        numbers.push_back(number);
      }
    }
  }
  const ReadingTeam::Places places = team.places_of(labels_.size());
  std::vector<std::int32_t> together(places.total);
  std::transform(labels_.begin(), labels_.end(),
                 together.begin() + static_cast<std::ptrdiff_t>(places.own.begin),
                 [&numbers](std::int32_t label) { return numbers[label]; });
  team.complete(std::as_writable_bytes(std::span(together)), places, sizeof(std::int32_t));
  labels_ = std::move(together);
}

void LabelTable::finish(Dataset& data) {
  const bool integers = std::all_of(names_.begin(), names_.end(), [](const std::string& name) {
    return integer_label(name).has_value();
  });
  if (const auto empty = by_name_.find(""); empty != by_name_.end()) {
    const auto first = std::find(labels_.begin(), labels_.end(), empty->second);
    throw InputError(
        fmt::format("{}: sample {} has an empty label", data.origin, first - labels_.begin() + 1));
  }
  std::vector<std::int32_t> order(names_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return integers ? *parse_integer(names_[a]) < *parse_integer(names_[b]) : names_[a] < names_[b];
  });
  std::vector<std::int32_t> rank_of(names_.size());
  for (std::size_t position = 0; position < order.size(); ++position) {
    rank_of[order[position]] = static_cast<std::int32_t>(position);
    data.class_names.push_back(std::move(names_[order[position]]));
  }
  for (std::int32_t& label : labels_) {
    label = rank_of[label];
  }
  data.labels = Bytes::from(std::move(labels_));
}

}  // namespace dnn
