#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "dnn/comm/communicator.hpp"
#include "dnn/comm/rank_grid.hpp"
#include "dnn/data/batch_loader.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/folds.hpp"
#include "dnn/data/normalizer.hpp"
#include "dnn/data/sampler.hpp"
#include "dnn/store/data_digest.hpp"
#include "dnn/store/data_facts.hpp"
#include "dnn/store/data_settings.hpp"
#include "dnn/store/held_rows.hpp"
#include "dnn/store/place_data.hpp"

namespace dnn {

/// The data of a run on this rank: the samples (one copy per node) and what was derived from them.
/// A fold of a cross-validation has the same samples, of which it uses some.
struct TrainingData {
  Dataset train;
  DataDigest digest;  ///< of `train` as it was read
  std::optional<Dataset> test;
  DataDigest test_digest = {};  ///< likewise of `test`
  /// Who holds which samples of `train` and of `test`, where the nodes share them out; else null.
  std::shared_ptr<const HeldRows> held, held_test;
  PlacementChoice placement;
  Normalizer normalizer;
  Normalization normalization = Normalization::none;  ///< as chosen, where the data decide
  DataFacts facts;
  Sampler sampler;
  std::size_t batch_size = 0;      ///< global, as used
  std::size_t logical_shards = 0;  ///< of a batch; 0: none
  double largest_feature = 0;      ///< the largest normalized one of training samples that count
  bool sparse_rows = false;        ///< samples stay sparse, see keeps_rows_sparse
  Fold fold;                       ///< where these are the data of a fold; else empty

  /// Whether these are the data of a fold: fold.rest is trained on and validated with, and
  /// fold.left_out takes the place of the test data.
  [[nodiscard]] bool is_fold() const { return fold.rest != nullptr; }
  /// The samples that are trained on or held out.
  [[nodiscard]] std::size_t samples() const {
    return is_fold() ? fold.rest->size() : train.samples;
  }

  /// How samples are given to the network, the test data's, too.
  [[nodiscard]] InputForm form() const {
    return sparse_rows ? InputForm::sparse : InputForm::dense;
  }

  /// Splits the samples anew, class by class: `held_out` of them are for validation, fewer than
  /// all. Batches are no larger than what is left. Nothing else follows the new split.
  void use_split(const RankGrid& grid, std::size_t held_out, std::uint64_t seed);

  /// Bytes of the features of `train` that this node has.
  [[nodiscard]] std::size_t features_bytes() const;

  /// Bytes of this node's memory in which rows of other nodes come to it, and of the index of the
  /// rows that leave it, see RowWindows.
  [[nodiscard]] std::size_t window_bytes() const;

  /// Bytes of this node's copy of the data in memory, and of those parts that are in mapped files:
  /// the system caches these as far as there is memory.
  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] std::size_t mapped_bytes() const;
};

/// How much larger than a deviation a feature of a table may be where the data decide.
inline constexpr double usual_clip = 3;

struct LoadOptions {
  bool wide = false;  ///< numbers in text are read as double rather than float
  /// With how many threads a rank computes; 0: as many as fit its cores. Text is read by as many as
  /// all ranks of a node have together.
  std::size_t threads = 0;
  /// The logical shards of a batch of so many samples; empty: a batch has none, see
  /// Sampler::Settings.
  std::function<std::size_t(std::size_t batch_size)> logical_shards;
  /// Settings chosen by what the data are, in place of those given; empty: these.
  std::function<DataSettings(const DataFacts&)> choose;
};

/// Collective over the grid's world: reads and checks the data that `settings` name, shares them on
/// each node, splits off the validation set, and computes the normalization of the training set
/// (the same bits at any rank count). Throws AgreedError for bad data.
[[nodiscard]] TrainingData load_training_data(const DataSettings& settings, const RankGrid& grid,
                                              const LoadOptions& options = {});

/// Collective over the grid's world: the same from data that are there already.
[[nodiscard]] TrainingData make_training_data(SharedParts parts, const DataSettings& settings,
                                              const RankGrid& grid, const LoadOptions& options);

/// Collective over the grid's world: the data of one fold of `whole`. Validation set, scaling of
/// features, targets and weights, and medians follow from the fold's own samples; categories and
/// classes are those of `whole`. `settings`: those that `whole` was loaded with, as the data have
/// chosen them. The validation set has its share of each class. Throws AgreedError.
[[nodiscard]] TrainingData data_of_fold(const TrainingData& whole, const DataSettings& settings,
                                        const RankGrid& grid, Fold fold);

/// Collective over `world`: throws AgreedError if a feature of `data` is not finite. `held` as in
/// statistics.
void check_finite(const Communicator& world, const Dataset& data, const HeldRows* held = nullptr);

}  // namespace dnn
