#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dnn {

class ReadingTeam;
struct Dataset;

/// Collects the labels of a data set as they are read, and numbers the classes: integers in
/// ascending order, otherwise by name. A label that is an integer in another spelling ("3.0", "+3")
/// is that integer.
class LabelTable {
 public:
  LabelTable() = default;

  void add(std::int64_t label);
  void add(std::string_view label);

  [[nodiscard]] std::size_t size() const { return labels_.size(); }

  /// Collective over `team`: the labels of all members, one member's after the other's.
  void join(const ReadingTeam& team);

  /// Moves the labels and class names into `data`. Throws InputError where the labels are numbers
  /// but not integers (regression), or are empty text.
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
