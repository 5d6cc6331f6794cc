#include "dnn/plan/load_data.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/options/chosen_defaults.hpp"

namespace dnn {

TrainingData load_data(const Config& config, const RankGrid& grid) {
  Config own = config;
  return load_data_and_choose(own, grid);
}

namespace {

/// Collective over the grid's world: what `load` gives for these options, and what the data decide
/// is set in `config`.
template <class Load>
TrainingData choose(Config& config, const RankGrid& grid, const Load& load) {
  LoadOptions options{.wide = config.precision == Precision::f64,
                      .threads = config.threads,
                      .logical_shards = {},
                      .choose = {}};
  options.choose = [&config](const DataFacts& facts) -> DataSettings {
    choose_defaults(config, facts);
    return config;
  };
  if (has_fixed_order(config)) {
    options.logical_shards = [&config](std::size_t batch_size) {
      return config.logical_shards > 0 ? config.logical_shards : logical_shards_of(batch_size);
    };
  }
  TrainingData data = load(options);
  choose_by_kind(config, data);
  agree(grid.world(), [&] {
    if (config.folds > data.train.samples) {
      throw InputError(
          fmt::format("--folds {}: {} has {} samples, and each fold leaves out one at least; give "
                      "at most {}",
                      config.folds, data.train.origin, data.train.samples, data.train.samples));
    }
    if (config.folds > 0 && data.train.samples > most_samples_in_folds) {
      throw InputError(
          fmt::format("--folds {}: at most {} samples are split into folds; use "
                      "--test-data or --validation",
                      config.folds, most_samples_in_folds));
    }
    if (config.early_stop > 0 && data.sampler.validation_samples() == 0) {
      throw InputError(
          fmt::format("--early-stop {} needs a validation set to judge by, but --validation {} of "
                      "{} samples is none; set a larger fraction",
                      config.early_stop, config.validation, data.train.samples));
    }
  });
  return data;
}

}  // namespace

TrainingData load_data_and_choose(Config& config, const RankGrid& grid) {
  return choose(config, grid, [&](const LoadOptions& options) {
    return load_training_data(config, grid, options);
  });
}

TrainingData use_data_and_choose(SharedParts parts, Config& config, const RankGrid& grid) {
  return choose(config, grid, [&](const LoadOptions& options) {
    return make_training_data(std::move(parts), config, grid, options);
  });
}

}  // namespace dnn
