#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dnn {

/// Numbers the different texts of a column in the order in which they appear, and counts them.
class TextIndex {
 public:
  TextIndex() = default;
  TextIndex(TextIndex&&) noexcept = default;
  TextIndex& operator=(TextIndex&&) noexcept = default;
  TextIndex(const TextIndex&) = delete;
  TextIndex& operator=(const TextIndex&) = delete;
  ~TextIndex() = default;

  /// What add() returns after the index has given up.
  static constexpr std::uint32_t unknown = 0xffffffff;

  /// The number of `text`, from 0, which occurs `times` more.
  std::uint32_t add(std::string_view text, std::uint64_t times = 1) {
    if (gave_up_) {
      return unknown;
    }
    auto found = numbers_.find(text);
    if (found == numbers_.end()) {
      const auto next = static_cast<std::uint32_t>(texts_.size());
      found = numbers_.emplace(text, next).first;
      texts_.push_back(&found->first);
      counts_.push_back(0);
    }
    counts_[found->second] += times;
    total_ += times;
    return found->second;
  }

  /// Gives up, and frees its memory, if the column looks like one of identifiers: many texts, and
  /// most of them new.
  void give_up_on_identifiers() { give_up_on_identifiers(total_); }
  /// The same where the column has had `cells` cells with a text so far.
  void give_up_on_identifiers(std::uint64_t cells) {
    constexpr std::size_t many = 65536;
    if (size() >= too_many || (size() >= many && 2 * size() > cells)) {
      give_up();
    }
  }
  /// The same where nobody knows yet how many texts of the column are new: gives up on so many that
  /// it does not matter.
  void give_up_on_too_many() {
    if (size() >= too_many) {
      give_up();
    }
  }
  void give_up() {
    *this = TextIndex();
    gave_up_ = true;
  }

  [[nodiscard]] bool gave_up() const { return gave_up_; }
  [[nodiscard]] std::size_t size() const { return texts_.size(); }
  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] const std::string& text(std::size_t number) const { return *texts_[number]; }
  [[nodiscard]] std::uint64_t count(std::size_t number) const { return counts_[number]; }

 private:
  static constexpr std::size_t too_many = std::size_t{1} << 22;

  /// Finds a std::string by a std::string_view.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
  std::vector<const std::string*> texts_;  ///< the map's keys, which stay where they are
  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  bool gave_up_ = false;
};

}  // namespace dnn
