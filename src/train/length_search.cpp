#include "dnn/train/length_search.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "dnn/report/reporter.hpp"
#include "dnn/train/trainer.hpp"

namespace dnn {

namespace {

/// `data` with its samples split anew, by `seed`, and by class where they have classes.
TrainingData split_anew(const TrainingData& data, const RankGrid& grid, std::uint64_t seed) {
  TrainingData part = data;
  Sampler::Settings sampling;
  sampling.samples = data.train.samples;
  sampling.held_out = std::clamp<std::size_t>(
      static_cast<std::size_t>(
          std::llround(search_fraction * static_cast<double>(data.train.samples))),
      1, data.train.samples - 1);
  sampling.batch_size = std::min(data.batch_size, data.train.samples - sampling.held_out);
  sampling.seed = seed;
  sampling.ranks = grid.data_shards();
  sampling.rank = grid.data_shard();
  sampling.logical_shards = data.logical_shards;
  sampling.split = split_order_of(data.train, sampling.held_out, seed);
  part.sampler = Sampler(sampling);
  part.test.reset();
  return part;
}

struct MeanAndDeviation {
  double mean = 0;
  double deviation = 0;
};

MeanAndDeviation of(const std::vector<double>& values) {
  MeanAndDeviation result;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) {
    result.mean += value / count;
  }
  for (const double value : values) {
    result.deviation += (value - result.mean) * (value - result.mean) / count;
  }
  result.deviation = std::sqrt(result.deviation);
  return result;
}

/// Note [The longest among the best]
/// The mean loss over the splits has a flat valley, and its lowest point is mostly chance. Of all
/// epochs whose mean loss is within a standard error of the lowest, the last one is taken: in the
/// end there are a quarter more samples to train on, which bear more training, and longer training
/// mostly classifies better where the loss is the same.
std::size_t longest_among_best(const std::vector<std::vector<double>>& losses) {
  std::size_t best = 0;
  for (std::size_t e = 1; e < losses.size(); ++e) {
    best = of(losses[e]).mean < of(losses[best]).mean ? e : best;
  }
  const auto splits = static_cast<double>(losses[best].size());
  const double limit = of(losses[best]).mean + of(losses[best]).deviation / std::sqrt(splits);
  std::size_t longest = best;
  for (std::size_t e = best; e < losses.size(); ++e) {
    longest = of(losses[e]).mean <= limit ? e : longest;
  }
  return longest;
}

}  // namespace

template <class T>
FoundLength find_length(const TrainerSettings& settings, RankGrid& grid, const ModelPlan& plan,
                        const TrainingData& data, std::size_t splits) {
  TrainerSettings whole = settings;
  whole.early_stop = 0;
  std::vector<std::vector<double>> losses(whole.epochs);
  std::vector<std::vector<double>> accuracies(whole.epochs);
  for (std::size_t k = 0; k < splits; ++k) {
    const TrainingData part = split_anew(data, grid, settings.seed + k);
    Reporter silent(Reporter::Mode::silent);
    Trainer<T> trainer(whole, grid, plan, part, silent);
    trainer.run();
    for (std::size_t e = 0; e < whole.epochs; ++e) {
      const EpochMetrics& metrics = trainer.result().epochs[e];
      losses[e].push_back(metrics.validation->loss);
      accuracies[e].push_back(metrics.validation->accuracy);
    }
  }
  const std::size_t best = longest_among_best(losses);
  const MeanAndDeviation loss = of(losses[best]);
  const MeanAndDeviation accuracy = of(accuracies[best]);
  return {splits, best + 1, loss.mean, accuracy.mean, loss.deviation, accuracy.deviation};
}

template FoundLength find_length<float>(const TrainerSettings&, RankGrid&, const ModelPlan&,
                                        const TrainingData&, std::size_t);
template FoundLength find_length<double>(const TrainerSettings&, RankGrid&, const ModelPlan&,
                                         const TrainingData&, std::size_t);

}  // namespace dnn
