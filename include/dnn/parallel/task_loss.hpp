#pragma once

// The loss of a task, as the ranks that hold a network together compute it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/targets.hpp"
#include "dnn/core/task.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/nn/softmax.hpp"
#include "dnn/parallel/class_sharded_softmax.hpp"

namespace dnn {

/// Which loss a network is trained with.
struct LossSettings {
  Task task = Task::classes;
  double label_smoothing = 0;         ///< see SoftmaxCrossEntropy; tasks of classes
  std::vector<double> class_weights;  ///< so too
  double huber = 0;                   ///< see SquaredError; task numbers

  /// What a network is evaluated by: the task's loss as it is.
  [[nodiscard]] LossSettings plain() const { return {.task = task, .class_weights = {}}; }
};

/// The loss of a task: of the last layer's values A^N of some samples, which may be split by
/// outputs over the ranks of a model group, and its gradient dA^N. Nobody who uses it needs to know
/// the task, or which rank has which outputs.
template <class T>
class TaskLoss {
 public:
  struct Result {
    LossSums sums;                ///< this rank's: those of all ranks of the group add up
    std::uint64_t bad_rows = 0;   ///< samples without a finite loss; the same on all ranks
    std::optional<BadLogit> bad;  ///< the first that this rank is to report; others report theirs
    std::vector<SoftmaxRow> rows = {};  ///< evaluate, tasks of classes: of each sample
  };

  virtual ~TaskLoss() = default;

  /// Collective over the group. A: S x (this rank's outputs); `targets`: of the samples, whole.
  /// Samples without a finite loss make it NaN and count as wrong.
  [[nodiscard]] virtual Result evaluate(MatrixView<const T> A, const Targets& targets) = 0;

  /// Collective over the group: as evaluate, and A becomes this rank's part of dA^N, the gradient
  /// of the mean over `global_samples` samples. Where a sample is bad, A's values mean nothing.
  [[nodiscard]] virtual Result differentiate(MatrixView<T> A, const Targets& targets,
                                             std::size_t global_samples) = 0;
};

/// `group`: the ranks that hold the network together, of which `layout` is this rank's part; must
/// outlive the loss; null: `layout` is whole. `max_rows`: the most samples of a batch.
template <class T>
[[nodiscard]] std::unique_ptr<TaskLoss<T>> make_task_loss(const LossSettings& settings,
                                                          const Communicator* group,
                                                          const ParameterLayout& layout,
                                                          std::size_t max_rows);

}  // namespace dnn
