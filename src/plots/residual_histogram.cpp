#include "dnn/plots/residual_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

namespace dnn {

void ResidualHistogram::add(double x) {
  if (!std::isfinite(x)) {
    return;
  }
  int exponent = exponent_;
  double place = std::floor(std::ldexp(x, -exponent));
  while (place < -static_cast<double>(half) || place >= static_cast<double>(half)) {
    place = std::floor(std::ldexp(x, -++exponent));
  }
  widen_to(exponent);
  ++counts_[static_cast<std::size_t>(static_cast<std::int64_t>(place) + half)];
}

void ResidualHistogram::widen_to(int exponent) {
  for (; exponent_ < exponent; ++exponent_) {
    std::vector<std::uint64_t> wider(counts_.size());
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      wider[(i + half) / 2] += counts_[i];  // bin i - half becomes bin floor((i - half) / 2)
    }
    counts_ = std::move(wider);
  }
}

void ResidualHistogram::combine(const Communicator& world) {
  widen_to(static_cast<int>(
      world.all_reduce<std::int64_t>(static_cast<std::int64_t>(exponent_), Reduction::max)));
  world.all_reduce(std::span(counts_), Reduction::sum);
}

ResidualHistogram::Shown ResidualHistogram::shown(std::size_t most) const {
  const std::uint64_t all = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
  if (all == 0) {
    return {};
  }
  const std::uint64_t tail = all / 200;
  std::size_t low = 0;
  for (std::uint64_t sum = counts_[0]; sum <= tail; sum += counts_[++low]) {
  }
  std::size_t high = counts_.size() - 1;
  for (std::uint64_t sum = counts_[high]; sum <= tail; sum += counts_[--high]) {
  }
  std::size_t merged = 1;  // bins that become one
  while (high / merged - low / merged + 1 > most) {
    merged *= 2;
  }
  const std::size_t first = low / merged;
  Shown result;
  result.width = std::ldexp(static_cast<double>(merged), exponent_);
  result.first = (static_cast<double>(first * merged) - static_cast<double>(half)) *
                 std::ldexp(1.0, exponent_);
  result.counts.resize(high / merged - first + 1);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (i / merged < first) {
      result.below += counts_[i];
    } else if (i / merged > high / merged) {
      result.above += counts_[i];
    } else {
      result.counts[i / merged - first] += counts_[i];
    }
  }
  return result;
}

}  // namespace dnn
