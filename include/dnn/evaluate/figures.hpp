#pragma once

// The figures that a task is judged by, besides the loss.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/targets.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/model/evaluation.hpp"
#include "dnn/nn/softmax.hpp"
#include "dnn/parallel/held_outputs.hpp"

namespace dnn {

/// Collects the figures of a task from a network's outputs. All sums are exact: the figures have
/// the same bits at any number of ranks, however the samples and outputs lie on them.
template <class T>
class FigureSums {
 public:
  virtual ~FigureSums() = default;

  /// A: S x (this rank's outputs); `targets`: of the samples, whole; `rows`: of TaskLoss::Result.
  /// Collective over the ranks that hold the network together.
  virtual void add(MatrixView<const T> A, const Targets& targets,
                   std::span<const SoftmaxRow> rows) = 0;

  /// Collective over `world`, whose ranks have added each output of each sample once.
  [[nodiscard]] virtual std::vector<Figure> finish(const Communicator& world) const = 0;
};

/// The figures of the task of `data`, whose outputs have its names and its scale; null where the
/// task has none. `thorough`: also those that take the scores of all samples together.
///
/// classes: balanced_accuracy (the mean over the classes that occur of the part of their samples
/// that is right), f1_macro (the mean over the classes that occur or are predicted), ece (the
/// expected calibration error: over 15 bins of the largest probability, the mean distance of
/// accuracy and probability; Guo et al., ICML 2017), and, thorough, auc (the area under the curve
/// of true and false positives: of the second of two classes, else the mean over the classes, each
/// against the rest), for up to 100 classes and 4 million scores. They count samples, not weights.
/// numbers: r2 (the mean over the targets of R² = 1 - Σ(y - ŷ)² / Σ(ŷ - mean)²; of a target that
/// is always the same it is 0, or 1 where all predictions are exact), and rmse and mae in the
/// target's unit; with several targets, each by its name.
/// labels: f1_micro and f1_macro, where a label is given if its probability is at least the data's
/// label_thresholds.
template <class T>
[[nodiscard]] std::unique_ptr<FigureSums<T>> make_figures(const Dataset& data,
                                                          const HeldOutputs& held, bool thorough);

}  // namespace dnn
