#include "dnn/store/data_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dnn/core/bit_sum.hpp"

namespace dnn {

DataWatch::DataWatch(const Communicator& ranks, const Dataset& data) {
  constexpr std::size_t piece = std::size_t{4} << 20;
  const std::pair<const char*, const Bytes*> fields[] = {
      {"features", &data.values},       {"rows of features", &data.row_offsets},
      {"columns", &data.value_columns}, {"labels", &data.labels},
      {"targets", &data.target_rows},   {"weights", &data.weights}};
  std::size_t number = 0;
  for (const auto& [name, field] : fields) {
    for (std::size_t begin = 0; begin < field->size(); begin += piece, ++number) {
      if (number % static_cast<std::size_t>(ranks.size()) ==
          static_cast<std::size_t>(ranks.rank())) {
        const auto bytes = field->view.subspan(begin, std::min(piece, field->size() - begin));
        pieces_.push_back({name, begin, bytes, bit_sum(bytes)});
      }
    }
  }
}

std::string DataWatch::look() {
  for (std::size_t i = 0; i < std::min(pieces_at_a_time, pieces_.size()); ++i) {
    const Piece& piece = pieces_[next_];
    next_ = (next_ + 1) % pieces_.size();
    if (bit_sum(piece.bytes) != piece.sum) {
      return fmt::format("{}, bytes {} to {}", piece.field, piece.begin,
                         piece.begin + piece.bytes.size() - 1);
    }
  }
  return {};
}

std::size_t DataWatch::rounds() const {
  return (pieces_.size() + pieces_at_a_time - 1) / pieces_at_a_time;
}

}  // namespace dnn
