#include "dnn/train/training_step.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/core/largest_magnitude.hpp"

namespace dnn {

namespace {

/// What of `own` one rank of a model group counts: what all of them have, the first one alone.
std::vector<Range> counted_ranges(const ParameterLayout& layout, Range own,
                                  const Communicator* model_group) {
  std::vector<Range> counted;
  const auto add = [&](std::size_t begin, std::size_t end) {
    if (const Range part = intersect(own, {begin, end}); !part.empty()) {
      counted.push_back(part);
    }
  };
  std::size_t next = 0;
  if (model_group != nullptr && !model_group->is_root()) {
    for (const Range common : layout.common_ranges()) {
      add(next, common.begin);
      next = common.end;
    }
  }
  add(next, layout.size());
  return counted;
}

}  // namespace

template <class T>
TrainingStep<T>::TrainingStep(const ParameterLayout& layout, const Settings& settings,
                              SoftmaxCrossEntropy loss, const OptimizerSettings& optimizer,
                              GradientExchange<T>& exchange, const Communicator* model_group)
    : layout_(layout),
      settings_(settings),
      exchange_(exchange),
      model_group_(model_group),
      normed_(counted_ranges(layout, exchange.own(), model_group)),
      sums_(model_group != nullptr ? std::optional<ModelGroupSums<T>>(std::in_place, *model_group)
                                   : std::nullopt),
      network_(layout_, exchange.values(), exchange.gradients(), settings.max_rows,
               settings.dropout, settings.products, sums_ ? &*sums_ : nullptr),
      loss_(std::move(loss)),
      optimizer_(make_optimizer<T>(optimizer, exchange.own(), layout_.weight_ranges())) {
  if (model_group != nullptr) {
    sharded_loss_.emplace(*model_group, layout_.widths().back(), layout_.layers().back().columns,
                          settings.max_rows, loss_);
  }
}

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

  result.counts = exchange_.combine(result.counts);
  if (!result.counts) {
    exchange_.publish();
    seconds.exchange += watch.lap();
    result.sums = {};
    find_suspects(batch, key, result.bad);
    return result;
  }
  const double scale = clip_scale();
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
  differentiate(logits, batch, global_samples, result);
  const T of_some = network_.backward(batch.X, static_cast<T>(settings_.largest_input),
                                      [&](const LayerGradients<T>& gradients) {
                                        look_at(gradients, result);
                                        if (model_group_ == nullptr) {
                                          exchange_.ready(gradients.range);
                                        }
                                      });
  if (model_group_ != nullptr) {
    agree_in_group(of_some, result);
    for (auto layer = layout_.layers().rbegin(); layer != layout_.layers().rend(); ++layer) {
      exchange_.ready({layer->weights.begin, layer->bias.end});
    }
  }
  return result;
}

/// Backward goes on with what is there, whatever is found: the ranks exchange alike.
template <class T>
void TrainingStep<T>::differentiate(MatrixView<T> logits, const Batch<T>& batch,
                                    std::size_t global_samples, StepResult& result) {
  const std::string last_layer = name_of_layer(layout_.layers().size()) + ": ";
  if (!sharded_loss_) {
    try {
      result.sums = loss_.differentiate(logits, batch.labels, global_samples);
    } catch (const NumericalError& error) {
      result.bad = BadNumbers{last_layer + error.what(), {}, {}, {}};
      result.counts = false;
    }
    return;
  }
  const auto outcome = sharded_loss_->differentiate(logits, batch.labels, global_samples);
  result.counts = outcome.bad_rows == 0;
  if (outcome.bad) {
    result.bad = BadNumbers{last_layer + outcome.bad->what, {}, {}, {}};
  }
  if (model_group_->is_root()) {
    result.sums = outcome.sums;
  }
}

template <class T>
void TrainingStep<T>::agree_in_group(T of_some, StepResult& result) {
  if (of_some <= static_cast<T>(settings_.largest_gradient)) {
    return;
  }
  const std::int64_t finite = result.counts ? 1 : 0;
  result.counts = model_group_->all_reduce(finite, Reduction::min) == 1;
}

template <class T>
void TrainingStep<T>::look_at(const LayerGradients<T>& gradients, StepResult& result) {
  const T limit = static_cast<T>(settings_.largest_gradient);
  if (!result.counts || gradients.bound <= limit) {
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
                          {},
                          {},
                          {}};
  result.counts = false;
}

template <class T>
std::string TrainingStep<T>::name_of_layer(std::size_t layer) const {
  return "layer " + std::to_string(layer) + " of " + std::to_string(layout_.layers().size());
}

template <class T>
void TrainingStep<T>::find_suspects(const Batch<T>& batch, const DropoutKey& key,
                                    std::optional<BadNumbers>& bad) {
  if (!bad && model_group_ == nullptr) {
    return;
  }
  const MatrixView<const T> logits = network_.forward(batch.X, &key);
  if (!bad) {
    return;
  }
  if (const std::size_t layer = network_.first_nonfinite_layer(batch.X.rows); layer > 0) {
    bad->origin = name_of_layer(layer);
  }
  for (std::size_t s = 0; s < logits.rows; ++s) {
    const std::span<const T> row = logits.row(s);
    const auto found =
        std::find_if(row.begin(), row.end(), [](T logit) { return !std::isfinite(logit); });
    if (found == row.end()) {
      continue;
    }
    if (bad->samples.empty()) {
      bad->class_index =
          layout_.layers().back().columns.begin + static_cast<std::size_t>(found - row.begin());
    }
    bad->samples.push_back(batch.samples[s]);
  }
  if (bad->samples.empty()) {
    bad->samples.assign(batch.samples.begin(), batch.samples.end());
  }
}

template <class T>
double TrainingStep<T>::clip_scale() {
  if (settings_.clip_norm == 0) {
    return 1;
  }
  const std::span<const T> g = gradients();
  double squares = 0;
  for (const Range range : normed_) {
    for (std::size_t i = range.begin; i < range.end; ++i) {
      squares += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    }
  }
  squares = exchange_.sum_over_owners(squares);
  if (model_group_ != nullptr) {
    squares = model_group_->all_reduce(squares, Reduction::sum);
  }
  const double norm = std::sqrt(squares);
  return norm > settings_.clip_norm ? settings_.clip_norm / norm : 1;
}

template class TrainingStep<float>;
template class TrainingStep<double>;

}  // namespace dnn
