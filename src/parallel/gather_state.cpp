#include "dnn/parallel/gather_state.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dnn {

template <class T>
void gather_state(const Communicator& world, Range own, std::span<const T> mine,
                  std::span<T> whole) {
  std::vector<Range> ranges(static_cast<std::size_t>(world.size()));
  world.all_gather(std::as_bytes(std::span(&own, 1)), std::as_writable_bytes(std::span(ranges)));
  const auto lower = ranges.begin() + world.rank();
  const bool sends = std::find(ranges.begin(), lower, own) == lower;
  world.gather_slices(std::as_bytes(mine.first(sends ? own.size() : 0)), own.begin * sizeof(T),
                      std::as_writable_bytes(whole), 0);
}

template void gather_state(const Communicator&, Range, std::span<const float>, std::span<float>);
template void gather_state(const Communicator&, Range, std::span<const double>, std::span<double>);

}  // namespace dnn
