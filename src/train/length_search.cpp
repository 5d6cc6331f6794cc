#include "dnn/train/length_search.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "dnn/report/reporter.hpp"
#include "dnn/train/trainer.hpp"

namespace dnn {

namespace {

/// `data` with its samples split anew, by `seed`.
TrainingData split_anew(const TrainingData& data, const RankGrid& grid,
                        const TrainerSettings& settings, std::uint64_t seed) {
  TrainingData part = data;
  Sampler::Settings sampling;
  sampling.samples = data.train.samples;
  sampling.held_out = std::clamp<std::size_t>(
      static_cast<std::size_t>(
          std::llround(search_fraction * static_cast<double>(data.train.samples))),
      1, data.train.samples - 1);
  sampling.batch_size = std::min(data.batch_size, data.train.samples - sampling.held_out);
  sampling.seed = settings.seed;
  sampling.ranks = grid.data_shards();
  sampling.rank = grid.data_shard();
  sampling.logical_shards = data.logical_shards;
  sampling.split =
      SplitOrder::by_class(data.train.label_view(), data.train.classes(), sampling.held_out, seed);
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

}  // namespace

template <class T>
FoundLength find_length(const TrainerSettings& settings, RankGrid& grid, const ModelPlan& plan,
                        const TrainingData& data, std::size_t splits) {
  TrainerSettings whole = settings;
  whole.early_stop = 0;
  std::vector<std::vector<double>> losses(whole.epochs);
  std::vector<std::vector<double>> accuracies(whole.epochs);
  for (std::size_t k = 0; k < splits; ++k) {
    const TrainingData part = split_anew(data, grid, whole, settings.seed + k);
    Reporter silent(Reporter::Mode::silent);
    Trainer<T> trainer(whole, grid, plan, part, silent);
    trainer.run();
    for (std::size_t e = 0; e < whole.epochs; ++e) {
      const EpochMetrics& metrics = trainer.result().epochs[e];
      losses[e].push_back(metrics.validation->loss);
      accuracies[e].push_back(metrics.validation->accuracy);
    }
  }
  std::size_t best = 0;
  for (std::size_t e = 1; e < whole.epochs; ++e) {
    best = of(losses[e]).mean < of(losses[best]).mean ? e : best;
  }
  const MeanAndDeviation loss = of(losses[best]);
  const MeanAndDeviation accuracy = of(accuracies[best]);
  return {splits, best + 1, loss.mean, accuracy.mean, loss.deviation, accuracy.deviation};
}

template FoundLength find_length<float>(const TrainerSettings&, RankGrid&, const ModelPlan&,
                                        const TrainingData&, std::size_t);
template FoundLength find_length<double>(const TrainerSettings&, RankGrid&, const ModelPlan&,
                                         const TrainingData&, std::size_t);

}  // namespace dnn
