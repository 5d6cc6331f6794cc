#include "dnn/data/reading_team.hpp"

namespace dnn {

ReadingTeam::Places ReadingTeam::places_of(std::size_t own) const {
  Places places;
  for (const std::size_t count : exchange_value(own)) {
    places.all.push_back({places.total, places.total + count});
    places.total += count;
  }
  places.own = places.all[index_];
  return places;
}

void ReadingTeam::complete(std::span<std::byte> whole, const Places& places,
                           std::size_t element_bytes) const {
  if (is_alone()) {
    return;
  }
  std::vector<Range> slices;
  for (const Range& range : places.all) {
    slices.push_back({range.begin * element_bytes, range.end * element_bytes});
  }
  link_->complete(whole, slices);
}

void ReadingTeam::throw_first(const std::string& own) const {
  for (const std::string& message : exchange(own)) {
    if (!message.empty()) {
      throw InputError(message);
    }
  }
}

}  // namespace dnn
