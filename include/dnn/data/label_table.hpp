#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dnn {

class ReadingTeam;
struct Dataset;

/// The class that a label is if it spells an integer ("3", "03", "+3", "3.0", "3.0e+00"). Nothing
/// for text, and for codes like "1E2": programs write such a number with a point or a sign.
[[nodiscard]] std::optional<std::int64_t> integer_label(std::string_view label);

/// Throws InputError where all of these classes are numbers but not all are integers: to learn them
/// is regression. `origin`: of the data, in the message.
void check_are_classes(std::span<const std::string> names, const std::string& origin);

/// Collects the labels of a data set as they are read, and numbers the classes: integers (see
/// integer_label) in ascending order, otherwise by name. Spellings of one integer are one class.
class LabelTable {
 public:
  LabelTable() = default;

  void add(std::int64_t label);
  void add(std::string_view label);

  [[nodiscard]] std::size_t size() const { return labels_.size(); }

  /// Collective over `team`: the labels of all members, one member's after the other's.
  void join(const ReadingTeam& team);

  /// Moves the labels and class names into `data`. Throws InputError where labels are empty text.
  void finish(Dataset& data);

 private:
  explicit LabelTable(std::vector<std::int32_t> labels) : labels_(std::move(labels)) {}
  std::int32_t number_of(const std::string& name);

  std::vector<std::int32_t> labels_;
  std::vector<std::string> names_;  ///< in order of appearance
  std::unordered_map<std::string, std::int32_t> by_name_;
  std::unordered_map<std::int64_t, std::int32_t> by_value_;
};

}  // namespace dnn
