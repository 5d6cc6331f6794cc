#include "dnn/data/prefetched_rows.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "dnn/data/mapped_access.hpp"

namespace dnn {

PrefetchedRows::PrefetchedRows(const Dataset& data)
    : data_(data), tells_presence_(::access(data.values.mapped_path.c_str(), W_OK) == 0) {}

bool PrefetchedRows::suits(const Dataset& data) {
  return !data.values.mapped_path.empty() && data.samples > 0;
}

void PrefetchedRows::begin(Plan plan, std::size_t steps) {
  plan_ = std::move(plan);
  steps_ = steps;
  asked_ = 0;
  window_ = 0;
}

/// The bytes of a sample in one of the arrays, which has `size` bytes a row or a stored value.
std::span<const std::byte> PrefetchedRows::bytes_of(const Bytes& array, std::size_t size,
                                                    std::uint64_t sample) const {
  if (!data_.is_sparse()) {
    return array.view.subspan(sample * size, size);
  }
  const auto offsets = data_.row_offsets.as<std::uint64_t>();
  return array.view.subspan(offsets[sample] * size, (offsets[sample + 1] - offsets[sample]) * size);
}

/// The rows of the next window, which are sorted and joined where pages touch.
void PrefetchedRows::ask_for_more() {
  constexpr std::size_t looked_at = 32;
  const std::size_t row =
      std::max<std::size_t>(data_.values.size() / std::max<std::size_t>(data_.samples, 1), 1);
  window_ = asked_;
  samples_.clear();
  while (asked_ < steps_ && samples_.size() * row < window_bytes) {
    plan_(asked_++, samples_);
  }
  std::vector<std::span<const std::byte>> wanted;  // whole pages
  const std::size_t element = element_size(data_.element);
  for (const std::uint64_t sample : samples_) {
    const std::size_t size = data_.is_sparse() ? element : element * data_.row_elements;
    wanted.push_back(pages_of(bytes_of(data_.values, size, sample)));
    if (data_.is_sparse()) {
      wanted.push_back(pages_of(bytes_of(data_.value_columns, sizeof(std::uint32_t), sample)));
    }
  }
  const std::size_t stride = std::max<std::size_t>(wanted.size() / looked_at, 1);
  bool all_present = tells_presence_;
  for (std::size_t i = 0; i < wanted.size() && all_present; i += stride) {
    all_present = are_in_memory(wanted[i]);
  }
  if (all_present) {
    return;
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const auto& a, const auto& b) { return a.data() < b.data(); });
  for (std::size_t i = 0; i < wanted.size();) {
    const std::byte* const begin = wanted[i].data();
    const std::byte* end = begin + wanted[i].size();
    for (++i; i < wanted.size() && wanted[i].data() <= end; ++i) {
      end = std::max(end, wanted[i].data() + wanted[i].size());
    }
    request_pages({begin, end});
  }
}

FeatureRows PrefetchedRows::of_batch(std::size_t step, std::span<const std::uint64_t> samples,
                                     std::vector<std::uint64_t>& places) {
  if (step >= window_) {
    ask_for_more();
  }
  return rows_of(data_, samples, places);
}

FeatureRows PrefetchedRows::of_whole_batch(std::size_t /*step*/,
                                           std::span<const std::uint64_t> samples,
                                           std::vector<std::uint64_t>& places) {
  return rows_of(data_, samples, places);
}

}  // namespace dnn
