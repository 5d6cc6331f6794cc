#include "dnn/store/data_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dnn/core/bit_sum.hpp"
#include "dnn/data/mapped_access.hpp"

namespace dnn {

DataWatch::DataWatch(const Communicator& ranks, const Dataset& data) {
  constexpr std::size_t most = std::size_t{4} << 20;
  const std::pair<const char*, const Bytes*> fields[] = {
      {"features", &data.values},       {"rows of features", &data.row_offsets},
      {"columns", &data.value_columns}, {"labels", &data.labels},
      {"targets", &data.target_rows},   {"weights", &data.weights}};
  std::size_t number = 0;
  for (const auto& [name, field] : fields) {
    for (std::size_t begin = 0; begin < field->size(); begin += most, ++number) {
      if (number % static_cast<std::size_t>(ranks.size()) ==
          static_cast<std::size_t>(ranks.rank())) {
        const auto bytes = field->view.subspan(begin, std::min(most, field->size() - begin));
        pieces_.push_back({name, begin, bytes, !field->mapped_path.empty(), 0});
      }
    }
  }
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    pieces_[i].sum = sum_of(i);
  }
}

std::uint64_t DataWatch::sum_of(std::size_t number) const {
  const Piece& watched = pieces_[number];
  if (!watched.is_mapped) {
    return bit_sum(watched.bytes);
  }
  const std::span<const std::byte> pages = pages_of(watched.bytes);
  const bool was_there = are_in_memory(pages);
  request_pages(pages);
  const std::uint64_t sum = bit_sum(watched.bytes);
  if (!was_there) {
    release_pages(pages);
  }
  return sum;
}

std::string DataWatch::look() {
  for (std::size_t i = 0; i < std::min(pieces_at_a_time, pieces_.size()); ++i) {
    const std::size_t number = std::exchange(next_, (next_ + 1) % pieces_.size());
    const Piece& next = pieces_[number];
    if (sum_of(number) != next.sum) {
      return fmt::format("{}, bytes {} to {}", next.field, next.begin,
                         next.begin + next.bytes.size() - 1);
    }
  }
  return {};
}

}  // namespace dnn
