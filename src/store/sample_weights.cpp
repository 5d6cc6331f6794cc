#include "dnn/store/sample_weights.hpp"

#include <fmt/format.h>

#include <cmath>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/exact_sum.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

double weight_scale(std::size_t samples, double sum, const std::string& origin) {
  const double scale = static_cast<double>(samples) / sum;
  if (!std::isfinite(sum) || !std::isfinite(scale) || !(scale > 0)) {
    throw AgreedError(fmt::format(
        "{}: the weights of the samples add up to {}", origin,
        sum == 0 ? "0; give some samples a weight above 0"
                 : fmt::format("{}; multiply all of them by a number that brings their mean near 1",
                               sum > 1 ? "more than a double holds" : fmt::format("{}", sum))));
  }
  return scale;
}

void scale_weights(const Communicator& world, Dataset& train, const Sampler& sampler) {
  if (!train.has_weights()) {
    return;
  }
  const auto weights = train.weights.as<double>();
  const Range mine = part_of(train.samples, static_cast<std::size_t>(world.size()),
                             static_cast<std::size_t>(world.rank()));
  ExactSum trained;
  ExactSum held_out;
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    trained += sampler.is_training(i) ? weights[i] : 0;
    held_out += sampler.is_validation(i) ? weights[i] : 0;
  }
  const double sum = world.sum(trained).value();
  const double validation = world.sum(held_out).value();
  agree(world, [&] {
    if (!(sum > 0) || (!(validation > 0) && sampler.validation_samples() > 0)) {
      throw InputError(fmt::format(
          "{}: the weight of every {} sample is 0, so that there is nothing to {}; "
          "give more samples a weight above 0, or choose another split with --seed or "
          "--validation",
          train.origin, sum > 0 ? "held-out" : "training", sum > 0 ? "validate on" : "learn from"));
    }
  });
  train.weight_scale = weight_scale(sampler.training_samples(), sum, train.origin);
}

}  // namespace dnn
