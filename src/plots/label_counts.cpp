#include "dnn/plots/label_counts.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <tuple>

#include "dnn/core/page_number.hpp"

namespace dnn {

nlohmann::ordered_json LabelCounts::finish(const Communicator& world,
                                           const std::vector<std::string>& names,
                                           const std::vector<double>& thresholds) const {
  constexpr std::size_t most_labels = 1000;
  std::vector<std::uint64_t> all = counts_;
  world.all_reduce(std::span(all), Reduction::sum);
  const auto errors = [&all](std::size_t label) {
    const std::uint64_t* const counts = &all[per_label * label];
    return counts[0] + counts[1] - 2 * counts[2];
  };
  std::vector<std::size_t> shown(names.size());
  std::iota(shown.begin(), shown.end(), std::size_t{0});
  if (shown.size() > most_labels) {
    std::ranges::partial_sort(shown, shown.begin() + most_labels,
                              [&errors](std::size_t a, std::size_t b) {
                                return std::tuple(errors(b), a) < std::tuple(errors(a), b);
                              });
    shown.resize(most_labels);
    std::ranges::sort(shown);
  }
  nlohmann::ordered_json labels = nlohmann::ordered_json::array();
  for (const std::size_t label : shown) {
    const std::uint64_t* const counts = &all[per_label * label];
    labels.push_back({{"name", names[label]},
                      {"threshold", page_number(thresholds.empty() ? 0.5 : thresholds[label])},
                      {"positives", counts[0]},
                      {"given", counts[1]},
                      {"right", counts[2]}});
  }
  return labels;
}

}  // namespace dnn
