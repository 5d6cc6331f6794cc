#include "dnn/store/target_scale.hpp"

#include <cmath>
#include <span>
#include <vector>

#include "dnn/core/exact_sum.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

namespace {

/// Collective: for each target column the exact sum of `term(value, column)` over the training
/// samples.
template <class Term>
std::vector<double> sums(const Communicator& world, const Dataset& train, const Sampler& sampler,
                         const Term& term) {
  const std::size_t columns = train.classes();
  const auto rows = train.target_rows.as<double>();
  const Range mine = part_of(train.samples, static_cast<std::size_t>(world.size()),
                             static_cast<std::size_t>(world.rank()));
  std::vector<ExactSum> own(columns);
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    for (std::size_t j = 0; j < columns && sampler.is_training(i); ++j) {
      own[j] += term(rows[i * columns + j], j);
    }
  }
  std::vector<double> total;
  for (const ExactSum& sum : own) {
    total.push_back(world.sum(sum).value());
  }
  return total;
}

}  // namespace

void scale_targets(const Communicator& world, Dataset& train, const Sampler& sampler) {
  if (train.task != Task::numbers) {
    return;
  }
  const auto samples = static_cast<double>(sampler.training_samples());
  Normalizer scaling;
  for (const double sum : sums(world, train, sampler, [](double y, std::size_t) { return y; })) {
    scaling.center.push_back(sum / samples);
  }
  const std::vector<double> squares =
      sums(world, train, sampler, [&scaling](double y, std::size_t j) {
        return (y - scaling.center[j]) * (y - scaling.center[j]);
      });
  for (const double sum : squares) {
    const double deviation = std::sqrt(sum / samples);
    scaling.scale.push_back(deviation > 0 ? 1 / deviation : 1);
  }
  train.target_scale = std::move(scaling);
}

}  // namespace dnn
