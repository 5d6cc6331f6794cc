#include "dnn/train/training_step.hpp"

#include <cmath>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/core/largest_magnitude.hpp"

namespace dnn {

template <class T>
TrainingStep<T>::TrainingStep(const ParameterLayout& layout, const Settings& settings,
                              SoftmaxCrossEntropy loss, const OptimizerSettings& optimizer,
                              GradientExchange<T>& exchange)
    : layout_(layout),
      settings_(settings),
      exchange_(exchange),
      network_(layout_, exchange.values(), exchange.gradients(), settings.max_rows,
               settings.dropout, settings.products),
      loss_(std::move(loss)),
      optimizer_(make_optimizer<T>(optimizer, exchange.own(), layout_.weight_ranges())) {}

template <class T>
void TrainingStep<T>::set_values(const std::function<void(std::span<T>)>& write) {
  exchange_.set_values(write);
  network_.values_changed();
}

template <class T>
StepResult TrainingStep<T>::run(const Batch<T>& batch, std::size_t global_samples,
                                std::uint64_t epoch, double learning_rate, PhaseSeconds& seconds) {
  Stopwatch watch;
  const DropoutKey key{settings_.seed, epoch, batch.samples};
  StepResult result = compute(batch, key, global_samples);
  seconds.compute += watch.lap();

  result.counts = exchange_.combine(!result.bad);
  if (!result.counts) {
    exchange_.publish();
    seconds.exchange += watch.lap();
    result.sums = {};
    if (result.bad) {
      result.bad->samples = suspects(batch, key);
    }
    return result;
  }
  const double scale = clip_scale(exchange_.own());
  seconds.exchange += watch.lap();

  optimizer_->step(exchange_.values(), exchange_.gradients(), learning_rate, scale);
  seconds.update += watch.lap();

  exchange_.publish();
  seconds.exchange += watch.lap();
  network_.values_changed();
  seconds.compute += watch.lap();
  return result;
}

template <class T>
StepResult TrainingStep<T>::compute(const Batch<T>& batch, const DropoutKey& key,
                                    std::size_t global_samples) {
  StepResult result;
  const MatrixView<T> logits = network_.forward(batch.X, &key);
  try {
    result.sums = loss_.differentiate(logits, batch.labels, global_samples);
  } catch (const NumericalError& error) {
    // Backward goes on with what is there: the ranks exchange alike whatever they find.
    result.bad = BadNumbers{name_of_layer(layout_.layers().size()) + ": " + error.what(), {}};
  }
  network_.backward(batch.X, static_cast<T>(settings_.largest_input),
                    [&](const LayerGradients<T>& gradients) {
                      look_at(gradients, result);
                      exchange_.ready(gradients.range);
                    });
  return result;
}

template <class T>
void TrainingStep<T>::look_at(const LayerGradients<T>& gradients, StepResult& result) {
  const T limit = static_cast<T>(settings_.largest_gradient);
  if (result.bad || gradients.bound <= limit) {
    return;
  }
  const Range range = gradients.range;
  const T largest = largest_magnitude(
      std::span<const T>(exchange_.gradients().subspan(range.begin, range.size())));
  if (largest <= limit) {
    return;
  }
  result.bad = BadNumbers{name_of_layer(gradients.layer) + ": the gradients" +
                              (std::isnan(largest)   ? " are NaN"
                               : std::isinf(largest) ? " are infinite"
                                                     : " are too large to be summed"),
                          {}};
}

template <class T>
std::string TrainingStep<T>::name_of_layer(std::size_t layer) const {
  return "layer " + std::to_string(layer) + " of " + std::to_string(layout_.layers().size());
}

template <class T>
std::vector<std::uint64_t> TrainingStep<T>::suspects(const Batch<T>& batch, const DropoutKey& key) {
  std::vector<std::uint64_t> found;
  const MatrixView<const T> logits = network_.forward(batch.X, &key);
  for (std::size_t s = 0; s < logits.rows; ++s) {
    if (!std::isfinite(largest_magnitude(logits.row(s)))) {
      found.push_back(batch.samples[s]);
    }
  }
  if (found.empty()) {
    found.assign(batch.samples.begin(), batch.samples.end());
  }
  return found;
}

template <class T>
double TrainingStep<T>::clip_scale(Range own) {
  if (settings_.clip_norm == 0) {
    return 1;
  }
  const std::span<const T> g = gradients();
  double squares = 0;
  for (std::size_t i = own.begin; i < own.end; ++i) {
    squares += static_cast<double>(g[i]) * static_cast<double>(g[i]);
  }
  const double norm = std::sqrt(exchange_.sum_over_owners(squares));
  return norm > settings_.clip_norm ? settings_.clip_norm / norm : 1;
}

template class TrainingStep<float>;
template class TrainingStep<double>;

}  // namespace dnn
