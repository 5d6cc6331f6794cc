#include "dnn/store/placed_rows.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace dnn {

PlacedRows::PlacedRows(const RankGrid& grid, const Dataset& data, const HeldRows* held,
                       RowWindows::Settings batches)
    : grid_(grid), batches_(std::move(batches)) {
  if (held != nullptr) {
    windows_.emplace(data, *held, batches_);
  } else if (PrefetchedRows::suits(data)) {
    mapped_.emplace(data);
  }
}

RowSource* PlacedRows::begin(std::size_t pass, std::size_t step) {
  if (windows_) {
    windows_->begin(pass, step);
    return &*windows_;
  }
  if (!mapped_) {
    return nullptr;
  }
  const std::size_t first = batches_.whole_batches ? 0 : grid_.data_shard();
  const std::size_t end = batches_.whole_batches ? grid_.data_shards() : first + 1;
  mapped_->begin(
      [this, pass, step, first, end](std::size_t ahead, std::vector<std::uint64_t>& samples) {
        for (std::size_t shard = first; shard < end; ++shard) {
          batches_.plan(pass, step + ahead, shard, samples);
        }
      },
      batches_.steps - step);
  return &*mapped_;
}

void PlacedRows::require(std::size_t step) {
  if (windows_) {
    windows_->require(step);
  }
}

void PlacedRows::look_ahead() {
  if (windows_) {
    windows_->look_ahead();
  }
}

void PlacedRows::finish() {
  if (windows_) {
    windows_->finish();
  }
}

}  // namespace dnn
