#include "dnn/checkpoint/element_runs.hpp"

#include <istream>
#include <ostream>

namespace dnn {

namespace {

/// Whether it has runs that do not meet, all of them in a tensor of `elements`.
bool fits(const ElementRuns::Block& block, std::size_t elements) {
  if (block.length == 0 || block.count == 0 || block.length > elements ||
      block.first > elements - block.length) {
    return false;
  }
  const std::size_t room = elements - block.length - block.first;
  return block.count == 1 ? block.stride == 0
                          : block.stride >= block.length && block.count - 1 <= room / block.stride;
}

}  // namespace

void ElementRuns::add(std::size_t first, std::size_t length) {
  if (length == 0) {
    return;
  }
  size_ += length;
  if (!blocks_.empty()) {
    Block& last = blocks_.back();
    if (last.count == 1 && first == last.first + last.length) {
      last.length += length;
      return;
    }
    if (last.count == 1 && first > last.first + last.length && length == last.length) {
      last.stride = first - last.first;
      last.count = 2;
      return;
    }
    if (last.count > 1 && first == last.first + last.count * last.stride && length == last.length) {
      ++last.count;
      return;
    }
  }
  blocks_.push_back({first, length});
}

void ElementRuns::write(std::ostream& stream) const {
  stream << blocks_.size();
  for (const Block& block : blocks_) {
    stream << ' ' << block.first << ' ' << block.length << ' ' << block.stride << ' '
           << block.count;
  }
}

ElementRuns ElementRuns::read(std::istream& stream, std::size_t elements) {
  ElementRuns runs;
  std::size_t count = 0;
  stream >> count;
  for (std::size_t i = 0; i < count && stream; ++i) {
    Block block;
    stream >> block.first >> block.length >> block.stride >> block.count;
    if (!stream || !fits(block, elements) || block.length * block.count > elements - runs.size_) {
      stream.setstate(std::ios::failbit);
      break;
    }
    runs.blocks_.push_back(block);
    runs.size_ += block.length * block.count;
  }
  return runs;
}

}  // namespace dnn
