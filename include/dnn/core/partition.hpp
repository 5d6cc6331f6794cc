#pragma once

#include <algorithm>
#include <cstddef>

namespace dnn {

/// The half-open range [begin, end).
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const { return end - begin; }
  [[nodiscard]] bool empty() const { return begin == end; }
  [[nodiscard]] bool operator==(const Range&) const = default;
};

/// Part `index` of [0, count) cut into `parts` consecutive ranges whose sizes differ by at most
/// one, the larger ones first. Parts may be empty (count < parts); together they cover every
/// element once.
[[nodiscard]] constexpr Range part_of(std::size_t count, std::size_t parts, std::size_t index) {
  const std::size_t base = count / parts;
  const std::size_t extra = count % parts;
  const std::size_t begin = index * base + std::min(index, extra);
  return {begin, begin + base + (index < extra ? 1 : 0)};
}

/// The same in whole grains: parts begin at multiples of `grain`, and their numbers of grains
/// differ by at most one.
[[nodiscard]] constexpr Range part_in_grains(std::size_t count, std::size_t grain,
                                             std::size_t parts, std::size_t index) {
  const Range grains = part_of((count + grain - 1) / grain, parts, index);
  return {std::min(grains.begin * grain, count), std::min(grains.end * grain, count)};
}

/// Which of `count` elements owner `owner` has, where they are cut into `parts` and each of
/// `owners` owners has some of the parts, one after another; 0 parts: as many as owners.
[[nodiscard]] constexpr Range share_of(std::size_t count, std::size_t parts, std::size_t owners,
                                       std::size_t owner) {
  if (parts == 0) {
    return part_of(count, owners, owner);
  }
  const Range mine = part_of(parts, owners, owner);
  if (mine.empty()) {
    return {count, count};
  }
  return {part_of(count, parts, mine.begin).begin, part_of(count, parts, mine.end - 1).end};
}

/// What two ranges have in common; an empty range where they do not meet.
[[nodiscard]] constexpr Range intersect(Range a, Range b) {
  const std::size_t begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

}  // namespace dnn
