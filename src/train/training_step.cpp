#include "dnn/train/training_step.hpp"

#include <cmath>
#include <utility>

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
LossSums TrainingStep<T>::run(const Batch<T>& batch, std::size_t global_samples,
                              std::uint64_t epoch, double learning_rate, PhaseSeconds& seconds) {
  Stopwatch watch;
  const DropoutKey key{settings_.seed, epoch, batch.samples};
  const MatrixView<T> logits = network_.forward(batch.X, &key);
  const LossSums sums = loss_.differentiate(logits, batch.labels, global_samples);
  network_.backward(batch.X, [this](Range range) { exchange_.ready(range); });
  seconds.compute += watch.lap();

  const Range own = exchange_.combine();
  const double scale = clip_scale(own);
  seconds.exchange += watch.lap();

  optimizer_->step(exchange_.values(), exchange_.gradients(), learning_rate, scale);
  seconds.update += watch.lap();

  exchange_.publish();
  seconds.exchange += watch.lap();
  network_.values_changed();
  seconds.compute += watch.lap();
  return sums;
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
