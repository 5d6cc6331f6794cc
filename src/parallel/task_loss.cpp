#include "dnn/parallel/task_loss.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/nn/output_loss.hpp"
#include "dnn/nn/softmax_row.hpp"

namespace dnn {

namespace {

/// Softmax over classes that this rank has all of.
template <class T>
class WholeSoftmax final : public TaskLoss<T> {
 public:
  using Result = typename TaskLoss<T>::Result;

  explicit WholeSoftmax(SoftmaxCrossEntropy loss) : loss_(std::move(loss)) {}

  Result evaluate(MatrixView<const T> A, const Targets& targets) override {
    Result result;
    add(A, targets, 0, result);
    for (std::size_t s = 0; s < A.rows; ++s) {
      const T max = row_max(A.row(s));
      result.rows.push_back({static_cast<double>(max), exp_sum(A.row(s), max)});
    }
    return result;
  }

  Result differentiate(MatrixView<T> A, const Targets& targets,
                       std::size_t global_samples) override {
    Result result;
    try {
      result.sums = loss_.differentiate(A, targets, global_samples);
    } catch (const NumericalError& error) {
      result.bad_rows = 1;  // at least
      result.bad = BadLogit{0, std::nullopt, error.what()};
    }
    return result;
  }

 private:
  /// Where some sample is bad, sample by sample.
  void add(MatrixView<const T> A, const Targets& targets, std::size_t first, Result& result) {
    try {
      result.sums += loss_.evaluate(A, targets);
    } catch (const NumericalError& error) {
      if (A.rows == 1) {
        ++result.bad_rows;
        result.bad = result.bad ? result.bad : BadLogit{first, std::nullopt, error.what()};
        result.sums.add(std::numeric_limits<double>::quiet_NaN(), false, targets.weight(0));
        return;
      }
      for (std::size_t s = 0; s < A.rows; ++s) {
        add(A.part({s, s + 1}), targets.sample(s), s, result);
      }
    }
  }

  SoftmaxCrossEntropy loss_;
};

/// Softmax over classes that are split over ranks, or in blocks.
template <class T>
class SplitSoftmax final : public TaskLoss<T> {
 public:
  using Result = typename TaskLoss<T>::Result;

  SplitSoftmax(const Communicator* group, ClassShardedSoftmax<T> softmax)
      : counts_(group == nullptr || group->is_root()), softmax_(std::move(softmax)) {}

  Result evaluate(MatrixView<const T> A, const Targets& targets) override {
    Result result = own(softmax_.evaluate(A, targets));
    for (std::size_t s = 0; s < A.rows; ++s) {
      result.rows.push_back(softmax_.softmax_row(s));
    }
    return result;
  }

  Result differentiate(MatrixView<T> A, const Targets& targets,
                       std::size_t global_samples) override {
    return own(softmax_.differentiate(A, targets, global_samples));
  }

 private:
  Result own(typename ClassShardedSoftmax<T>::Result outcome) const {
    return {counts_ ? std::move(outcome.sums) : LossSums{},
            outcome.bad_rows,
            std::move(outcome.bad),
            {}};
  }

  bool counts_;
  ClassShardedSoftmax<T> softmax_;
};

/// A loss of outputs that stand each by itself: each rank sums up its own.
template <class T>
class SplitOutputs final : public TaskLoss<T> {
 public:
  using Result = typename TaskLoss<T>::Result;

  SplitOutputs(const Communicator* group, Range columns, std::unique_ptr<OutputLoss<T>> loss)
      : group_(group), columns_(columns), loss_(std::move(loss)) {}

  Result evaluate(MatrixView<const T> A, const Targets& targets) override {
    bad_.assign(A.rows, 0);
    return conclude(loss_->evaluate(A, targets, columns_, bad_), targets);
  }

  Result differentiate(MatrixView<T> A, const Targets& targets,
                       std::size_t global_samples) override {
    bad_.assign(A.rows, 0);
    return conclude(loss_->differentiate(A, targets, columns_, global_samples, bad_), targets);
  }

 private:
  Result conclude(const ExactSum& loss, const Targets& targets) {
    Result result;
    result.sums.loss = loss;
    const auto own = std::find(bad_.begin(), bad_.end(), 1);
    if (own != bad_.end()) {
      result.bad = BadLogit{static_cast<std::size_t>(own - bad_.begin()), std::nullopt,
                            "the loss is not finite: an output is NaN, infinite or too large"};
    }
    if (group_ == nullptr || group_->is_root()) {
      for (std::size_t s = 0; s < bad_.size(); ++s) {
        result.sums.weight += targets.weight(s);
      }
    }
    if (group_ != nullptr) {
      group_->all_reduce(std::span(bad_), Reduction::max);
    }
    result.bad_rows =
        static_cast<std::uint64_t>(std::accumulate(bad_.begin(), bad_.end(), std::int64_t{0}));
    return result;
  }

  const Communicator* group_;
  Range columns_;
  std::unique_ptr<OutputLoss<T>> loss_;
  std::vector<std::int64_t> bad_;  ///< 1 for each sample without a finite loss
};

}  // namespace

template <class T>
std::unique_ptr<TaskLoss<T>> make_task_loss(const LossSettings& settings, const Communicator* group,
                                            const ParameterLayout& layout, std::size_t max_rows) {
  const Range columns = layout.layers().back().columns;
  if (settings.task == Task::numbers) {
    return std::make_unique<SplitOutputs<T>>(group, columns,
                                             std::make_unique<SquaredError<T>>(settings.huber));
  }
  if (settings.task == Task::labels) {
    return std::make_unique<SplitOutputs<T>>(group, columns,
                                             std::make_unique<SigmoidCrossEntropy<T>>());
  }
  SoftmaxCrossEntropy loss(settings.label_smoothing, settings.class_weights);
  if (group == nullptr && layout.class_blocks() <= 1 && settings.task == Task::classes) {
    return std::make_unique<WholeSoftmax<T>>(std::move(loss));
  }
  return std::make_unique<SplitSoftmax<T>>(
      group, ClassShardedSoftmax<T>(group, layout.widths().back(), columns, max_rows,
                                    std::move(loss), layout.class_blocks()));
}

template std::unique_ptr<TaskLoss<float>> make_task_loss(const LossSettings&, const Communicator*,
                                                         const ParameterLayout&, std::size_t);
template std::unique_ptr<TaskLoss<double>> make_task_loss(const LossSettings&, const Communicator*,
                                                          const ParameterLayout&, std::size_t);

}  // namespace dnn
