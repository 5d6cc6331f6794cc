#pragma once

// Samples with several labels each, or none: names become columns of 0 and 1.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dnn {

class ReadingTeam;

/// The names of labels, as they appear.
class LabelNames {
 public:
  /// The number of a name, from 0 in the order of appearance.
  std::size_t number_of(const std::string& name) {
    return numbers_.emplace(name, numbers_.size()).first->second;
  }
  [[nodiscard]] bool empty() const { return numbers_.empty(); }
  /// The names in the order of their numbers.
  [[nodiscard]] std::vector<std::string> in_order() const;

  /// Collective over `team`: the names of all members, one member's after the other's.
  void join(const ReadingTeam& team);

  /// The names in the order of the outputs: by value where all are integers, else by name; and for
  /// each number the name's place there.
  struct Sorted {
    std::vector<std::string> names;
    std::vector<std::size_t> places;
  };
  [[nodiscard]] Sorted sorted() const;

 private:
  std::map<std::string, std::size_t> numbers_;
};

/// The labels of a cell: what stands between separators, without blanks around it; empty ones are
/// none.
[[nodiscard]] std::vector<std::string> labels_in(std::string_view cell, std::string_view separator);

}  // namespace dnn
