#include "dnn/plots/distribution_plots.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/core/page_number.hpp"
#include "dnn/parallel/exact_totals.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_outputs = 1000;
constexpr std::size_t values_per_output = 5;
constexpr std::int64_t nowhere = std::numeric_limits<std::int64_t>::max();

/// ŷ log ŷ, and its limit at 0.
double share_times_log(double share) {
  return share > 0 ? share * std::log(share) : 0;
}

/// Of each sample of a batch, the output whose shares are furthest apart: of equals, the first.
struct FurthestOutputs {
  std::vector<double> distance;
  std::vector<std::int64_t> output;

  explicit FurthestOutputs(std::size_t samples) : distance(samples, -1), output(samples, nowhere) {}

  void add(std::size_t s, std::size_t candidate, double apart) {
    if (apart > distance[s]) {
      distance[s] = apart;
      output[s] = static_cast<std::int64_t>(candidate);
    }
  }

  /// Collective: over the outputs of all ranks of the group.
  void combine(const Communicator& group) {
    const std::vector<double> own = distance;
    group.all_reduce(std::span(distance), Reduction::max);
    for (std::size_t s = 0; s < own.size(); ++s) {
      output[s] = own[s] == distance[s] ? output[s] : nowhere;
    }
    group.all_reduce(std::span(output), Reduction::min);
  }
};

}  // namespace

template <class T>
void DistributionPlots<T>::Sums::add(double true_share, double predicted_share,
                                     double log_predicted) {
  truth += true_share;
  predicted += predicted_share;
  distance += std::abs(predicted_share - true_share);
  cross_entropy += true_share > 0 ? -true_share * log_predicted : 0;
  entropy += -share_times_log(true_share);
}

template <class T>
DistributionPlots<T>::DistributionPlots(const Dataset& outputs, const HeldOutputs& held,
                                        const Permutation& order)
    : names_(outputs.class_names),
      held_(held),
      counts_(held.group == nullptr || held.group->is_root()),
      sums_(std::min(names_.size(), most_outputs)),
      points_(names_, order),
      worst_(most_wrong_samples) {}

template <class T>
void DistributionPlots<T>::add(MatrixView<const T> A, const Targets& targets,
                               std::span<const SoftmaxRow> rows,
                               std::span<const std::uint64_t> samples) {
  FurthestOutputs furthest(A.rows);
  std::vector<ExactSum> terms(A.rows);
  for (std::size_t s = 0; s < A.rows; ++s) {
    for (std::size_t j = 0; j < A.cols; ++j) {
      const std::size_t output = held_.columns.begin + j;
      const double truth = targets.rows(s, output);
      const double log_y = rows[s].log_probability(static_cast<double>(A(s, j)));
      const double y = std::exp(log_y);
      all_.add(truth, y, log_y);
      if (output < sums_.size()) {
        sums_[output].add(truth, y, log_y);
      }
      terms[s] += truth > 0 ? share_times_log(truth) - truth * log_y : 0;
      furthest.add(s, output, std::abs(y - truth));
      points_.add(output, samples[s], truth, y);
    }
  }
  samples_ += counts_ ? A.rows : 0;
  std::vector<double> divergence;
  if (held_.group != nullptr) {
    furthest.combine(*held_.group);
    divergence = exact_totals(*held_.group, std::move(terms));
  } else {
    std::ranges::transform(terms, std::back_inserter(divergence), &ExactSum::value);
  }
  for (std::size_t s = 0; s < A.rows; ++s) {
    const auto output = static_cast<std::size_t>(furthest.output[s]);
    if (output >= held_.columns.begin && output < held_.columns.end) {
      const auto logit = static_cast<double>(A(s, output - held_.columns.begin));
      worst_.add({divergence[s],
                  samples[s],
                  output,
                  {targets.rows(s, output), std::exp(rows[s].log_probability(logit)), 0}});
    }
  }
}

template <class T>
std::vector<double> DistributionPlots<T>::totals(const Communicator& world,
                                                 const std::vector<Sums>& sums) {
  std::vector<ExactSum> each;
  for (const Sums& one : sums) {
    each.insert(each.end(),
                {one.truth, one.predicted, one.distance, one.cross_entropy, one.entropy});
  }
  return exact_totals(world, std::move(each));
}

template <class T>
nlohmann::ordered_json DistributionPlots<T>::finish(const Communicator& world) const {
  const auto samples = static_cast<double>(world.all_reduce(samples_, Reduction::sum));
  const std::vector<double> whole = totals(world, {all_});
  const std::vector<double> by_output = totals(world, sums_);
  Json shares = points_.finish(world, Normalizer());
  Json outputs = Json::array();
  for (std::size_t output = 0; output < sums_.size(); ++output) {
    const double* const sums = &by_output[values_per_output * output];
    outputs.push_back({{"name", names_[output]},
                       {"true", page_number(sums[0] / samples)},
                       {"predicted", page_number(sums[1] / samples)},
                       {"error", page_number(sums[2] / samples)},
                       {"cross_entropy", page_number(sums[3] / samples)},
                       {"divergence", page_number((sums[3] - sums[4]) / samples)}});
  }
  Json worst = Json::array();
  for (const RankedSample& one : worst_.gather(world)) {
    worst.push_back({{"sample", one.sample + 1},
                     {"divergence", page_number(one.rank)},
                     {"output", names_[one.output]},
                     {"true", page_number(one.values[0])},
                     {"predicted", page_number(one.values[1])}});
  }
  return {{"shares", std::move(shares)},
          {"distribution",
           {{"outputs", names_.size()},
            {"misplaced", page_number(whole[2] / 2 / samples)},
            {"cross_entropy", page_number(whole[3] / samples)},
            {"entropy", page_number(whole[4] / samples)},
            {"divergence", page_number((whole[3] - whole[4]) / samples)}}},
          {"outputs", std::move(outputs)},
          {"worst", std::move(worst)}};
}

template class DistributionPlots<float>;
template class DistributionPlots<double>;

}  // namespace dnn
