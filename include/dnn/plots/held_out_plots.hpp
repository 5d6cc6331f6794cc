#pragma once

// What a report draws of the predictions of held-out samples.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/permutation.hpp"
#include "dnn/core/targets.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/nn/softmax.hpp"
#include "dnn/parallel/held_outputs.hpp"

namespace dnn {

/// How many samples are listed as the most wrong ones.
inline constexpr std::size_t most_wrong_samples = 50;

/// Collects plots and lists from a network's outputs. They are the same at any number of ranks,
/// however the samples and outputs lie on them.
template <class T>
class HeldOutPlots {
 public:
  virtual ~HeldOutPlots() = default;

  /// A: S x (this rank's outputs); `targets`: of the samples, whole; `rows`: of TaskLoss::Result;
  /// `samples`: their indices in the data set. Collective over the ranks that hold the network
  /// together.
  virtual void add(MatrixView<const T> A, const Targets& targets, std::span<const SoftmaxRow> rows,
                   std::span<const std::uint64_t> samples) = 0;

  /// Collective over `world`, whose ranks have added each output of each sample once: on rank 0,
  /// the plots; elsewhere, parts of them.
  [[nodiscard]] virtual nlohmann::ordered_json finish(const Communicator& world) const = 0;
};

/// The plots of the task of `outputs`, which has its names and its scale and must outlive them.
/// `order`: of the data set's samples, the first ones of which are plotted where not all can be.
///
/// The JSON of classes and labels has
/// - `score_bins` and `curves`: for up to 100 outputs (of two classes, the second) `name`,
///   `positives`, `negatives`, `auc`, `average_precision`, and `points`, [true, false positives]
///   from the highest score down, see ScoreHistogram; with several, `macro_auc` is their mean;
/// - `calibration`: `error`, and of each of 15 bins [count, came true, mean probability]; of the
///   largest probability (classes) or of all labels together;
/// - `scores`: counts of the same probabilities in 50 equal bins: `right` and `wrong` predictions,
///   or labels that a sample has and has not;
/// - `labels` (of labels): what became of each, see LabelCounts;
/// - `worst`: up to 50 samples with wrong predictions, the largest loss first.
/// That of numbers has
/// - `numbers`: predicted against true of the first 6 targets, see OutputPoints;
/// - `worst`: the 50 largest errors, in deviations of the target.
/// That of distributions has
/// - `shares`: predicted against true of the first 6 outputs, see OutputPoints;
/// - `outputs`: of each output (the first 1,000) `name` and, as means over the samples, the `true`
///   and the `predicted` share, the `error` (their distance), and what the output adds to
///   `cross_entropy` and `divergence`, which may be less than 0;
/// - `distribution`: the number of `outputs` and, as means over the samples, `misplaced` (half of
///   the errors of all outputs: the part of the whole that other outputs should have),
///   `cross_entropy`, `entropy` (of the true shares) and `divergence`;
/// - `worst`: the 50 samples with the largest divergence, and of each the output whose shares are
///   furthest apart.
/// Samples are counted from 1 in `worst`, in the data's order. All counts are of samples, whatever
/// their weights.
template <class T>
[[nodiscard]] std::unique_ptr<HeldOutPlots<T>> make_plots(const Dataset& outputs,
                                                          const HeldOutputs& held,
                                                          const Permutation& order);

}  // namespace dnn
