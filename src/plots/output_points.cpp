#include "dnn/plots/output_points.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/core/page_number.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_plotted = 6;
constexpr std::size_t most_points = 2000;
constexpr std::size_t most_residual_bars = 60;

}  // namespace

OutputPoints::OutputPoints(const std::vector<std::string>& names, const Permutation& order)
    : names_(names),
      order_(order),
      residuals_(std::min(names.size(), most_plotted)),
      points_(residuals_.size(), RankedSamples(most_points / residuals_.size())) {}

void OutputPoints::add(std::size_t output, std::uint64_t sample, double truth, double predicted) {
  if (output < residuals_.size()) {
    residuals_[output].add(predicted - truth);
    const auto place = static_cast<double>(order_.position_of(sample));
    points_[output].add({-place, sample, output, {truth, predicted, 0}});
  }
}

Json OutputPoints::finish(const Communicator& world, const Normalizer& scale) const {
  Json plots = Json::array();
  for (std::size_t output = 0; output < residuals_.size(); ++output) {
    Json points = Json::array();
    for (const RankedSample& one : points_[output].gather(world)) {
      points.push_back({page_number(in_unit(one.values[0], scale, output)),
                        page_number(in_unit(one.values[1], scale, output))});
    }
    ResidualHistogram all = residuals_[output];
    all.combine(world);
    const ResidualHistogram::Shown shown = all.shown(most_residual_bars);
    const double unit = scale.is_identity() ? 1 : 1 / scale.scale[output];
    plots.push_back({{"name", names_[output]},
                     {"points", std::move(points)},
                     {"residuals",
                      {{"first", page_number(shown.first * unit)},
                       {"width", page_number(shown.width * unit)},
                       {"counts", shown.counts},
                       {"below", shown.below},
                       {"above", shown.above}}}});
  }
  return plots;
}

double in_unit(double scaled, const Normalizer& scale, std::size_t output) {
  return scale.is_identity() ? scaled : scaled / scale.scale[output] + scale.center[output];
}

}  // namespace dnn
