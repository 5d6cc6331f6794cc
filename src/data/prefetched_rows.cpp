#include "dnn/data/prefetched_rows.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace dnn {

namespace {

/// A range of whole pages of memory.
struct Pages {
  const std::byte* begin;
  const std::byte* end;

  static Pages of(std::span<const std::byte> bytes, std::size_t page) {
    const std::size_t skipped = reinterpret_cast<std::uintptr_t>(bytes.data()) % page;
    const std::byte* const begin = bytes.data() - skipped;
    return {begin, begin + (skipped + bytes.size() + page - 1) / page * page};
  }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end - begin); }
  [[nodiscard]] void* address() const { return const_cast<std::byte*>(begin); }
  [[nodiscard]] bool are_in_memory(std::size_t page) const {
    std::vector<unsigned char> present(size() / page);
    return ::mincore(address(), size(), present.data()) == 0 &&
           std::all_of(present.begin(), present.end(),
                       [](unsigned char p) { return (p & 1) != 0; });
  }
};

}  // namespace

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
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGE_SIZE));
  const std::size_t row =
      std::max<std::size_t>(data_.values.size() / std::max<std::size_t>(data_.samples, 1), 1);
  window_ = asked_;
  samples_.clear();
  while (asked_ < steps_ && samples_.size() * row < window_bytes) {
    plan_(asked_++, samples_);
  }
  std::vector<Pages> wanted;
  const std::size_t element = element_size(data_.element);
  for (const std::uint64_t sample : samples_) {
    const std::size_t size = data_.is_sparse() ? element : element * data_.row_elements;
    wanted.push_back(Pages::of(bytes_of(data_.values, size, sample), page));
    if (data_.is_sparse()) {
      wanted.push_back(
          Pages::of(bytes_of(data_.value_columns, sizeof(std::uint32_t), sample), page));
    }
  }
  const std::size_t stride = std::max<std::size_t>(wanted.size() / looked_at, 1);
  bool all_present = tells_presence_;
  for (std::size_t i = 0; i < wanted.size() && all_present; i += stride) {
    all_present = wanted[i].are_in_memory(page);
  }
  if (all_present) {
    return;
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const Pages& a, const Pages& b) { return a.begin < b.begin; });
  for (std::size_t i = 0; i < wanted.size();) {
    Pages joined = wanted[i];
    for (++i; i < wanted.size() && wanted[i].begin <= joined.end; ++i) {
      joined.end = std::max(joined.end, wanted[i].end);
    }
    // It is advice: where it cannot be taken, reading is slower.
    (void)::madvise(joined.address(), joined.size(), MADV_WILLNEED);
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
