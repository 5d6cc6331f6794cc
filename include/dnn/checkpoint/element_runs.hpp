#pragma once

#include <cstddef>
#include <iosfwd>
#include <vector>

namespace dnn {

/// Some of a tensor's elements in an order, as runs that lie side by side. Runs of the same length
/// at the same distance, as the columns of a row-major matrix are, are kept as one block.
class ElementRuns {
 public:
  /// `count` runs of `length` elements, the first at `first`, each `stride` after the one before.
  struct Block {
    std::size_t first = 0;
    std::size_t length = 0;
    std::size_t stride = 0;  ///< 0 for a single run
    std::size_t count = 1;
    friend bool operator==(const Block&, const Block&) = default;
  };

  /// Appends a run; nothing where `length` is 0.
  void add(std::size_t first, std::size_t length);

  [[nodiscard]] const std::vector<Block>& blocks() const { return blocks_; }
  [[nodiscard]] bool empty() const { return blocks_.empty(); }
  /// Elements of all runs.
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Calls `visit(first, length)` for each run, in order.
  template <class Visitor>
  void for_each_run(Visitor&& visit) const {
    for (const Block& block : blocks_) {
      for (std::size_t i = 0; i < block.count; ++i) {
        visit(block.first + i * block.stride, block.length);
      }
    }
  }

  /// As text: the number of blocks, then the four numbers of each.
  void write(std::ostream& stream) const;
  /// Reads such a text. Sets the stream's failbit, and returns what there was before it, where it
  /// is none, or one of more runs than a tensor of `elements` has room for.
  [[nodiscard]] static ElementRuns read(std::istream& stream, std::size_t elements);

 private:
  std::vector<Block> blocks_;
  std::size_t size_ = 0;
};

}  // namespace dnn
