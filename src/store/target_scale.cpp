#include "dnn/store/target_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/exact_sum.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

namespace {

/// The least and the largest value of a target column.
struct Extent {
  double least = std::numeric_limits<double>::infinity();
  double largest = -std::numeric_limits<double>::infinity();

  [[nodiscard]] bool varies() const { return least < largest; }
  /// The largest distance of a value from `center`.
  [[nodiscard]] double away(double center) const {
    return std::max(center - least, largest - center);
  }
};

/// The targets of the samples of a training set that count; sums and extents are those of all
/// ranks.
class TargetColumns {
 public:
  TargetColumns(const Communicator& world, const Dataset& train, const Sampler& sampler)
      : world_(world),
        train_(train),
        sampler_(sampler),
        columns_(train.classes()),
        rows_(train.target_rows.as<double>()),
        mine_(part_of(train.samples, static_cast<std::size_t>(world.size()),
                      static_cast<std::size_t>(world.rank()))) {}

  /// Collective: how many training samples count.
  [[nodiscard]] double samples() const {
    std::int64_t own = 0;
    for (std::size_t i = mine_.begin; i < mine_.end; ++i) {
      own += is_trained_on(i) ? 1 : 0;
    }
    return static_cast<double>(world_.all_reduce(own, Reduction::sum));
  }

  /// Collective: for each column the exact sum of `term(value, column)` over the training samples.
  template <class Term>
  [[nodiscard]] std::vector<double> sums(const Term& term) const {
    std::vector<ExactSum> own(columns_);
    for (std::size_t i = mine_.begin; i < mine_.end; ++i) {
      for (std::size_t j = 0; j < columns_ && is_trained_on(i); ++j) {
        own[j] += term(rows_[i * columns_ + j], j);
      }
    }
    std::vector<double> total;
    for (const ExactSum& sum : own) {
      total.push_back(world_.sum(sum).value());
    }
    return total;
  }

  /// Collective: of all samples, or of the training samples alone.
  [[nodiscard]] std::vector<Extent> extents(bool of_training) const {
    std::vector<double> least(columns_, Extent().least);
    std::vector<double> largest(columns_, Extent().largest);
    for (std::size_t i = mine_.begin; i < mine_.end; ++i) {
      const bool counts = of_training ? is_trained_on(i) : train_.counts(i);
      for (std::size_t j = 0; j < columns_ && counts; ++j) {
        least[j] = std::min(least[j], rows_[i * columns_ + j]);
        largest[j] = std::max(largest[j], rows_[i * columns_ + j]);
      }
    }
    world_.all_reduce(std::span(least), Reduction::min);
    world_.all_reduce(std::span(largest), Reduction::max);
    std::vector<Extent> all;
    for (std::size_t j = 0; j < columns_; ++j) {
      all.push_back({least[j], largest[j]});
    }
    return all;
  }

 private:
  [[nodiscard]] bool is_trained_on(std::size_t sample) const {
    return sampler_.is_training(sample) && train_.counts(sample);
  }

  const Communicator& world_;
  const Dataset& train_;
  const Sampler& sampler_;
  std::size_t columns_;
  std::span<const double> rows_;
  Range mine_;
};

/// Collective: the deviation of each column from its center, 0 for one that is always the same
/// (`extents`: of the training samples). The squares of tiny numbers underflow; such columns are
/// multiplied by a power of two before.
std::vector<double> deviations(const TargetColumns& targets, const std::vector<double>& center,
                               const std::vector<Extent>& extents, double samples) {
  std::vector<double> found;
  for (const double sum : targets.sums(
           [&center](double y, std::size_t j) { return (y - center[j]) * (y - center[j]); })) {
    found.push_back(std::sqrt(sum / samples));
  }
  if (std::find(found.begin(), found.end(), 0.0) == found.end()) {
    return found;
  }
  std::vector<int> exponents;
  for (std::size_t j = 0; j < extents.size(); ++j) {
    exponents.push_back(extents[j].varies() ? std::ilogb(extents[j].away(center[j])) : 0);
  }
  const std::vector<double> squares = targets.sums([&](double y, std::size_t j) {
    const double scaled = std::ldexp(y - center[j], -exponents[j]);
    return found[j] == 0 ? scaled * scaled : 0;
  });
  for (std::size_t j = 0; j < found.size(); ++j) {
    if (found[j] == 0) {
      found[j] = std::ldexp(std::sqrt(squares[j] / samples), exponents[j]);
    }
  }
  return found;
}

/// Throws InputError unless all targets are near enough to their center that their scaled squares
/// are numbers.
void check_scaling(const Dataset& train, const Normalizer& scaling,
                   const std::vector<Extent>& extents) {
  for (std::size_t j = 0; j < extents.size(); ++j) {
    const double scale = scaling.scale[j];
    const double most = extents[j].away(scaling.center[j]) * scale;
    if (!(scale > 0) || !std::isfinite(scale) || !std::isfinite(most * most)) {
      throw InputError(fmt::format(
          "{}: the target {} spreads beyond what can be scaled: its values go from {:g} to {:g}. "
          "Correct damaged values, or rescale the column",
          train.origin, in_quotes(train.class_names[j]), extents[j].least, extents[j].largest));
    }
  }
}

}  // namespace

void scale_targets(const Communicator& world, Dataset& train, const Sampler& sampler) {
  if (train.task != Task::numbers) {
    return;
  }
  const TargetColumns targets(world, train, sampler);
  const double samples = targets.samples();
  Normalizer scaling;
  const std::vector<Extent> trained = targets.extents(true);
  const std::vector<double> sums = targets.sums([](double y, std::size_t) { return y; });
  for (std::size_t j = 0; j < sums.size(); ++j) {
    // The mean of numbers that are all the same may be rounded to another one.
    scaling.center.push_back(trained[j].varies() ? sums[j] / samples : trained[j].least);
  }
  for (const double deviation : deviations(targets, scaling.center, trained, samples)) {
    scaling.scale.push_back(deviation == 0 ? 1 : 1 / deviation);
  }
  const std::vector<Extent> all = targets.extents(false);
  agree(world, [&] { check_scaling(train, scaling, all); });
  train.target_scale = std::move(scaling);
}

}  // namespace dnn
