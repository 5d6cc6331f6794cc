#include "dnn/parallel/gather_state.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dnn {

namespace {

/// Collective: what each rank owns.
std::vector<Range> all_ranges(const Communicator& world, Range own) {
  std::vector<Range> ranges(static_cast<std::size_t>(world.size()));
  world.all_gather(std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(ranges)));
  return ranges;
}

}  // namespace

Range share_of_own(const Communicator& world, Range own) {
  const std::vector<Range> ranges = all_ranges(world, own);
  const auto owners = std::count(ranges.begin(), ranges.end(), own);
  const auto before = std::count(ranges.begin(), ranges.begin() + world.rank(), own);
  const Range share =
      part_of(own.size(), static_cast<std::size_t>(owners), static_cast<std::size_t>(before));
  return {own.begin + share.begin, own.begin + share.end};
}

template <class T>
void gather_state(const Communicator& world, Range own, std::span<const T> mine,
                  std::span<T> whole) {
  const std::vector<Range> ranges = all_ranges(world, own);
  const auto lower = ranges.begin() + world.rank();
  const bool sends = std::find(ranges.begin(), lower, own) == lower;
  world.gather_slices(std::as_bytes(mine.first(sends ? own.size() : 0)), own.begin * sizeof(T),
                      std::as_writable_bytes(whole), 0);
}

template void gather_state(const Communicator&, Range, std::span<const float>, std::span<float>);
template void gather_state(const Communicator&, Range, std::span<const double>, std::span<double>);

}  // namespace dnn
