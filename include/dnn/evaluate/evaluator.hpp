#pragma once

// Computes loss and accuracy of a network on any set of samples.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/data/batch_loader.hpp"
#include "dnn/evaluate/figures.hpp"
#include "dnn/model/evaluation.hpp"
#include "dnn/nn/network.hpp"
#include "dnn/parallel/task_loss.hpp"
#include "dnn/plots/held_out_plots.hpp"
#include "dnn/store/placed_rows.hpp"

namespace dnn {

/// Takes outputs of a network: of these samples of the data set, a row for each.
template <class T>
using OutputSink =
    std::function<void(std::span<const std::uint64_t> samples, MatrixView<const T> outputs)>;

/// Some samples of a data set: the i-th of them is `set`'s sample `sample_at(i)`.
struct JudgedSamples {
  const Dataset& set;
  std::size_t samples = 0;
  std::function<std::uint64_t(std::uint64_t)> sample_at;
  const HeldRows* held = nullptr;  ///< who holds them, where nodes share them out
};

/// How samples are given to the networks that are evaluated.
struct EvaluationInputs {
  const Normalizer& normalizer;
  InputForm form;
  std::size_t max_rows;  ///< computed at a time, at most what these networks can take
  /// Where nodes share out the samples: how much of them comes to a node at a time. What is more
  /// than all of them stays there for the next time.
  std::size_t window_bytes = 1;
};

/// Evaluates a network on a set of labelled samples, each data shard on its part.
template <class T>
class Evaluator {
 public:
  /// Collective over the grid's world; throws AgreedError where a rank has no memory or no thread
  /// for it. `outputs`: the training data, whose task and targets the networks were made for; must
  /// outlive the evaluator, of which nothing but these is used. `grid` and what `judged` refers to
  /// must outlive the evaluator. `layout`: of the networks that it gets.
  Evaluator(const RankGrid& grid, const ParameterLayout& layout, const Dataset& outputs,
            JudgedSamples judged, const EvaluationInputs& inputs);

  /// Collective: the mean over all samples of all ranks, by their weights where they have some.
  /// With `confusion`, also the top-5 accuracy
  /// and this rank's part of the confusion counts. `between` is called between batches, equally
  /// often on all ranks, and may be collective. Samples whose logits are no numbers count as wrong
  /// and make the loss NaN; rank 0 warns of them. `plots`, where given, get all outputs. `sink`, if
  /// there is one, takes the outputs of each sample on one of the ranks.
  Evaluation run(Network<T>& network, Confusion* confusion = nullptr,
                 const std::function<void()>& between = {}, HeldOutPlots<T>* plots = nullptr,
                 const OutputSink<T>& sink = {});

 private:
  struct Counts {
    LossSums sums;
    std::uint64_t bad = 0;  ///< samples whose logits are no numbers
    std::unique_ptr<FigureSums<T>> figures;
    ExactSum top5;  ///< weights of samples whose label is one of the first 5
  };
  /// The samples of a data shard, and the steps in which those of the largest are computed.
  [[nodiscard]] Range samples_of(std::size_t shard) const;
  [[nodiscard]] std::size_t most_steps() const;
  void append(std::size_t step, std::size_t shard, std::vector<std::uint64_t>& samples) const;
  void add_whole(MatrixView<const T> logits, const Targets& targets, Counts& counts,
                 Confusion& confusion) const;
  void pass_on(std::span<const std::uint64_t> samples, MatrixView<const T> outputs,
               const OutputSink<T>& sink) const;
  void add_slices(MatrixView<const T> logits, const Targets& targets, Counts& counts,
                  Confusion& confusion) const;
  [[nodiscard]] Evaluation mean(const Counts& counts, bool with_top5) const;

  const RankGrid& grid_;
  const Communicator* model_group_;  ///< null: this rank has all classes
  Range classes_;                    ///< whose logits this rank's networks give
  const Dataset& outputs_;
  std::unique_ptr<TaskLoss<T>> loss_;
  JudgedSamples judged_;
  std::size_t max_rows_;
  PlacedRows rows_;  ///< outlives the loader, which reads from it
  std::optional<BatchLoader<T>> loader_;
};

/// The index of the largest element, the first of equals.
template <class T>
[[nodiscard]] std::int32_t predicted_class(std::span<const T> logits);

}  // namespace dnn
