#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dnn {

/// Numbers the different texts of a column in the order in which they appear, and counts them.
class TextIndex {
 public:
  /// What add() returns after the index has given up.
  static constexpr std::uint32_t unknown = 0xffffffff;

  /// The number of `text`, from 0.
  std::uint32_t add(std::string_view text) {
    if (gave_up_) {
      return unknown;
    }
    auto found = numbers_.find(text);
    if (found == numbers_.end()) {
      const auto next = static_cast<std::uint32_t>(texts_.size());
      found = numbers_.emplace(texts_.emplace_back(text), next).first;
      counts_.push_back(0);
    }
    ++counts_[found->second];
    ++total_;
    return found->second;
  }

  /// Gives up, and frees its memory, if the column looks like one of identifiers: many texts, and
  /// most of them new.
  void give_up_on_identifiers() {
    constexpr std::size_t many = 65536;
    constexpr std::size_t too_many = std::size_t{1} << 22;
    if (size() >= too_many || (size() >= many && 2 * size() > total_)) {
      *this = TextIndex();
      gave_up_ = true;
    }
  }

  [[nodiscard]] bool gave_up() const { return gave_up_; }
  [[nodiscard]] std::size_t size() const { return texts_.size(); }
  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] const std::string& text(std::size_t number) const { return texts_[number]; }
  [[nodiscard]] std::uint64_t count(std::size_t number) const { return counts_[number]; }

 private:
  std::deque<std::string> texts_;  // its elements stay where they are
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  bool gave_up_ = false;
};

}  // namespace dnn
