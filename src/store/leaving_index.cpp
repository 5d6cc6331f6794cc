#include "dnn/store/leaving_index.hpp"

#include <algorithm>

namespace dnn {

LeavingIndex::LeavingIndex(const HeldRows& held)
    : held_(held),
      samples_(held.of(held.node())),
      ranks_(static_cast<std::size_t>(held.grid().node().size())),
      rank_(static_cast<std::size_t>(held.grid().node().rank())),
      memory_(held.allocate(ranks_ * sizeof(std::uint64_t) + bytes(samples_.size()),
                            "the index of the samples")),
      counts_(reinterpret_cast<std::uint64_t*>(memory_.bytes().data()), ranks_),
      entries_(reinterpret_cast<Entry*>(counts_.data() + ranks_), samples_.size()) {}

Range LeavingIndex::part_of_rank(std::size_t rank) const {
  return part_of(samples_.size(), ranks_, rank);
}

Range LeavingIndex::own_samples() const {
  const Range own = part_of_rank(rank_);
  return {samples_.begin + own.begin, samples_.begin + own.end};
}

std::span<LeavingIndex::Entry> LeavingIndex::own_entries() {
  const Range own = part_of_rank(rank_);
  return entries_.subspan(own.begin, own.size());
}

void LeavingIndex::enter(std::size_t count) {
  const std::span<Entry> own = own_entries().first(count);
  std::sort(own.begin(), own.end());
  counts_[rank_] = count;
  held_.wait_for_node();
}

std::vector<LeavingIndex::Entry> LeavingIndex::between(std::uint64_t begin,
                                                       std::uint64_t end) const {
  std::vector<Entry> found;
  for (std::size_t rank = 0; rank < ranks_; ++rank) {
    const auto entries = entries_.subspan(part_of_rank(rank).begin, counts_[rank]);
    const auto at = [entries](std::uint64_t position) {
      return std::partition_point(entries.begin(), entries.end(), [position](const Entry& entry) {
        return entry.position() < position;
      });
    };
    found.insert(found.end(), at(begin), at(end));
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace dnn
