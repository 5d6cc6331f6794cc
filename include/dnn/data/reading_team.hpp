#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

/// The processes that read one data set together, each a part of its samples: one process a node.
/// All members call the same functions with the same arguments in the same order, and end with the
/// same data set but for the features, of which each has those of its samples (Dataset::held).
/// Copies are the same team.
class ReadingTeam {
 public:
  /// How members reach each other. Where a member throws instead of calling these, they throw on
  /// the others.
  class Link {
   public:
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    virtual ~Link() = default;

    /// Collective over the members: what all of them give, in their order.
    [[nodiscard]] virtual std::vector<std::string> exchange(const std::string& own) = 0;
    /// Collective over the members: each has written its slice of `whole`, and gets the others'.
    virtual void complete(std::span<std::byte> whole, std::span<const Range> slices) = 0;
  };

  /// One process alone.
  ReadingTeam() = default;
  ReadingTeam(std::size_t size, std::size_t index, std::shared_ptr<Link> link)
      : size_(size), index_(index), link_(std::move(link)) {}

  [[nodiscard]] bool is_alone() const { return size_ == 1; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Which of the members this process is; member 0 reads the first samples.
  [[nodiscard]] std::size_t index() const { return index_; }

  /// Collective: what all members give, in their order.
  [[nodiscard]] std::vector<std::string> exchange(const std::string& own) const {
    return is_alone() ? std::vector{own} : link_->exchange(own);
  }

  /// Collective: the same for a list of values that are nothing but their bytes.
  template <class T>
  [[nodiscard]] std::vector<std::vector<T>> exchange_list(const std::vector<T>& own) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (is_alone()) {
      return {own};
    }
    std::vector<std::vector<T>> lists;
    for (const std::string& text : exchange(bytes_of(own))) {
      lists.push_back(list_of<T>(text));
    }
    return lists;
  }

  /// Collective: the same for one value.
  template <class T>
  [[nodiscard]] std::vector<T> exchange_value(const T& own) const {
    std::vector<T> all;
    for (const std::vector<T>& list : exchange_list(std::vector<T>{own})) {
      all.push_back(list.front());
    }
    return all;
  }

  /// Collective: the list that member after member has passed through `pass(list)`, from member 0
  /// on, whose list is `first`. What is added up in this order has the same bits with any team.
  template <class T, class Pass>
  [[nodiscard]] std::vector<T> pass_on(std::vector<T> first, Pass&& pass) const {
    static_assert(std::is_trivially_copyable_v<T>);
    std::vector<T> list = std::move(first);
    for (std::size_t member = 0; member < size_; ++member) {
      const bool mine = member == index_;
      if (mine) {
        pass(list);
      }
      if (!is_alone()) {
        list = list_of<T>(exchange(mine ? bytes_of(list) : std::string())[member]);
      }
    }
    return list;
  }

  /// Collective: which elements are each member's, and this one's, of those that all have together,
  /// where it has `own`.
  struct Places {
    std::vector<Range> all;
    Range own;
    std::size_t total = 0;
  };
  [[nodiscard]] Places places_of(std::size_t own) const;

  /// Collective: each member has written its elements of `whole`, of `element_bytes` each, and gets
  /// the others'.
  void complete(std::span<std::byte> whole, const Places& places, std::size_t element_bytes) const;

  /// Collective: runs `work`. An InputError of any member is thrown on all; of several, the first
  /// member's.
  template <class Work>
  void agree(Work&& work) const {
    std::string message;
    try {
      work();
    } catch (const InputError& error) {
      if (is_alone()) {
        throw;
      }
      message = error.what();
    }
    throw_first(message);
  }

 private:
  /// Collective: throws the first message that is not empty as InputError.
  void throw_first(const std::string& own) const;

  template <class T>
  [[nodiscard]] static std::string bytes_of(const std::vector<T>& list) {
    return {reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T)};
  }
  template <class T>
  [[nodiscard]] static std::vector<T> list_of(const std::string& bytes) {
    std::vector<T> list(bytes.size() / sizeof(T));
    if (!list.empty()) {
      std::memcpy(static_cast<void*>(list.data()), bytes.data(), list.size() * sizeof(T));
    }
    return list;
  }

  std::size_t size_ = 1;
  std::size_t index_ = 0;
  std::shared_ptr<Link> link_;
};

}  // namespace dnn
