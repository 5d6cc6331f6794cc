#include "dnn/data/feature_rows.hpp"

#include <stdexcept>

namespace dnn {

FeatureRows rows_of(const Dataset& data, std::span<const std::uint64_t> samples,
                    std::vector<std::uint64_t>& places) {
  FeatureRows rows{data.values.view.data(),
                   data.is_sparse() ? data.value_columns.as<std::uint32_t>().data() : nullptr,
                   samples};
  if (!data.is_sparse() && !data.held) {
    return rows;
  }
  const Range held = data.held.value_or(Range{0, data.samples});
  const auto offsets = data.row_offsets.as<std::uint64_t>();
  const std::uint64_t first = data.is_sparse() ? offsets[held.begin] : held.begin;
  places.clear();
  for (const std::uint64_t sample : samples) {
    if (sample < held.begin || sample >= held.end) {
      throw std::logic_error("rows_of: another node holds the features of a sample");
    }
    places.push_back((data.is_sparse() ? offsets[sample] : sample) - first);
  }
  rows.places = places;
  return rows;
}

}  // namespace dnn
