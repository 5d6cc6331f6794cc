#include "dnn/plots/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "dnn/parallel/exact_totals.hpp"

namespace dnn {

void Calibration::add(double probability, bool is_right) {
  if (!(probability >= 0 && probability <= 1)) {
    return;
  }
  // Bins are open at their lower end, as in the source.
  const auto bin = static_cast<std::size_t>(
      std::max(std::ceil(probability * static_cast<double>(bins)) - 1, 0.0));
  ++count_[bin];
  right_[bin] += is_right ? 1 : 0;
  probability_[bin] += probability;
}

std::vector<Calibration::Bin> Calibration::totals(const Communicator& world) const {
  auto count = count_;
  auto right = right_;
  world.all_reduce(std::span<std::uint64_t>(count), Reduction::sum);
  world.all_reduce(std::span<std::uint64_t>(right), Reduction::sum);
  const std::vector<double> probability =
      exact_totals(world, {probability_.begin(), probability_.end()});
  std::vector<Bin> result;
  for (std::size_t b = 0; b < bins; ++b) {
    result.push_back({count[b], right[b], probability[b]});
  }
  return result;
}

double calibration_error(const std::vector<Calibration::Bin>& bins) {
  double distance = 0;
  std::uint64_t all = 0;
  for (const Calibration::Bin& bin : bins) {
    distance += std::abs(bin.probability - static_cast<double>(bin.right));
    all += bin.count;
  }
  return distance / static_cast<double>(std::max<std::uint64_t>(all, 1));
}

}  // namespace dnn
