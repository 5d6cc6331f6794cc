#pragma once

// How long a network is to be trained where too few samples are held out to tell: on repeated
// splits of the data.

#include <cstddef>
#include <vector>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/store/training_data.hpp"
#include "dnn/train/model_plan.hpp"
#include "dnn/train/trainer_settings.hpp"

namespace dnn {

/// How long to train on all samples, and the length that is best on average over repeated splits
/// with how good its networks were on the samples held out.
struct FoundLength {
  std::size_t splits = 0;
  std::size_t epochs = 0;       ///< for all samples
  std::size_t best_epochs = 0;  ///< on the splits
  std::size_t most_epochs = 0;  ///< that were tried
  double loss = 0;              ///< mean over the splits
  double accuracy = 0;          ///< mean over the splits
  double loss_deviation = 0;
  double accuracy_deviation = 0;
  std::vector<double> label_thresholds = {};  ///< labels: chosen on the samples held out
};

/// The fraction of the samples that each split of a length search holds out.
inline constexpr double search_fraction = 0.2;

/// Collective over the grid's world: trains a network on each of `splits` splits of `data`, class
/// by class, for settings.epochs epochs, finds how many are best by the mean loss on the samples
/// held out, and how many suit all samples, see Note [The longest among the best, and half as long
/// again]. The splits follow from the seed. The result has the same bits at any rank count where
/// all sums have one order. Updates that are not finite are treated as settings.on_nonfinite says,
/// see without_checkpoints. Throws AgreedError where that is to abort.
template <class T>
[[nodiscard]] FoundLength find_length(const TrainerSettings& settings, RankGrid& grid,
                                      const ModelPlan& plan, const TrainingData& data,
                                      std::size_t splits);

}  // namespace dnn
