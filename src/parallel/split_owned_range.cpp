#include "dnn/parallel/split_owned_range.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace dnn {

Range split_owned_range(const Communicator& ranks, Range own) {
  std::vector<Range> all(static_cast<std::size_t>(ranks.size()));
  ranks.all_gather(std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(all)));
  const auto owners = std::count(all.begin(), all.end(), own);
  const auto before = std::count(all.begin(), all.begin() + ranks.rank(), own);
  const Range share =
      part_of(own.size(), static_cast<std::size_t>(owners), static_cast<std::size_t>(before));
  return {own.begin + share.begin, own.begin + share.end};
}

}  // namespace dnn
