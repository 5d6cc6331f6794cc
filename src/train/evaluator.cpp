#include "dnn/train/evaluator.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "dnn/core/error.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/nn/softmax.hpp"

namespace dnn {

namespace {

/// As loss.evaluate; where a sample's logits are no numbers the loss is NaN, and `bad` counts it.
template <class T>
LossSums evaluate(const SoftmaxCrossEntropy& loss, MatrixView<const T> logits,
                  std::span<const std::int32_t> labels, std::uint64_t& bad) {
  try {
    return loss.evaluate(logits, labels);
  } catch (const NumericalError&) {
    LossSums sums;
    if (logits.rows == 1) {
      ++bad;
      sums.loss = std::numeric_limits<double>::quiet_NaN();
      return sums;
    }
    for (std::size_t s = 0; s < logits.rows; ++s) {
      sums += evaluate<T>(loss, {logits.row(s).data(), 1, logits.cols}, labels.subspan(s, 1), bad);
    }
    return sums;
  }
}

}  // namespace

template <class T>
Evaluator<T>::Evaluator(const Communicator& world, Gatherer<T> gatherer, std::size_t samples,
                        std::function<std::uint64_t(std::uint64_t)> sample_at, std::size_t max_rows)
    : world_(world),
      samples_(samples),
      sample_at_(std::move(sample_at)),
      max_rows_(max_rows),
      loader_(std::move(gatherer), max_rows) {}

template <class T>
Evaluation Evaluator<T>::run(Network<T>& network, Confusion* confusion,
                             const std::function<void()>& between) {
  const Range mine = part_of(samples_, static_cast<std::size_t>(world_.size()),
                             static_cast<std::size_t>(world_.rank()));
  const std::size_t steps = (mine.size() + max_rows_ - 1) / max_rows_;
  loader_.start(
      [this, mine](std::size_t step, std::vector<std::uint64_t>& samples) {
        samples.clear();
        const std::size_t first = mine.begin + step * max_rows_;
        for (std::size_t i = first; i < std::min(first + max_rows_, mine.end); ++i) {
          samples.push_back(sample_at_(i));
        }
      },
      steps);
  const SoftmaxCrossEntropy loss;
  LossSums sums;
  std::uint64_t bad = 0;
  const std::size_t largest = part_of(samples_, static_cast<std::size_t>(world_.size()), 0).size();
  for (std::size_t step = 0; step < (largest + max_rows_ - 1) / max_rows_; ++step) {
    if (between) {
      between();
    }
    if (step >= steps) {
      continue;
    }
    const Batch<T> batch = loader_.next();
    const MatrixView<const T> logits = network.forward(batch.X);
    sums += evaluate(loss, logits, batch.labels, bad);
    if (confusion != nullptr) {
      for (std::size_t s = 0; s < logits.rows; ++s) {
        ++(*confusion)[{batch.labels[s], predicted_class<T>(logits.row(s))}];
      }
    }
  }
  const double total_loss = world_.all_reduce(sums.loss, Reduction::sum);
  const auto correct = world_.all_reduce(sums.correct, Reduction::sum);
  if (std::isnan(total_loss)) {
    bad = world_.all_reduce(bad, Reduction::sum);
    if (world_.is_root()) {
      std::fprintf(
          stderr,
          "dnn_train: warning: evaluation: the logits of %llu of %zu samples are no numbers; "
          "they count as wrong, and the loss is NaN\n",
          static_cast<unsigned long long>(bad), samples_);
    }
  }
  const auto count = static_cast<double>(samples_);
  Evaluation result{total_loss / count, static_cast<double>(correct) / count, samples_};
  // What follows from the result (a better model, an early stop) must be the same on every rank, to
  // the last bit, which MPI_Allreduce does not promise.
  world_.broadcast(std::as_writable_bytes(std::span(&result, 1)), 0);
  return result;
}

template <class T>
std::int32_t predicted_class(std::span<const T> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

template class Evaluator<float>;
template class Evaluator<double>;
template std::int32_t predicted_class(std::span<const float>);
template std::int32_t predicted_class(std::span<const double>);

}  // namespace dnn
