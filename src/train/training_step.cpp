#include "dnn/train/training_step.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "dnn/core/largest_magnitude.hpp"
#include "dnn/core/sparse_columns.hpp"
#include "dnn/core/sum_of_squares.hpp"
#include "dnn/products/feature_sums.hpp"

namespace dnn {

namespace {

/// The parts of `own` that this rank contributes to a norm. Parameters that all ranks of the model
/// group hold are counted by its first rank only.
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

/// Collective over the model group. A single block on a rank without a group is no sum.
template <class T>
std::optional<ClassBlockSums<T>> sums_over_blocks(const ParameterLayout& layout,
                                                  const Communicator* model_group) {
  const std::size_t blocks = layout.class_blocks();
  if (blocks == 0 || (blocks == 1 && model_group == nullptr)) {
    return std::nullopt;
  }
  return std::optional<ClassBlockSums<T>>(std::in_place, model_group, blocks, layout.held_blocks());
}

}  // namespace

template <class T>
TrainingStep<T>::TrainingStep(const ParameterLayout& layout, const Settings& settings,
                              const LossSettings& loss, const OptimizerSettings& optimizer,
                              GradientExchange<T>& exchange, const Communicator* model_group)
    : layout_(layout),
      settings_(settings),
      exchange_(exchange),
      model_group_(model_group),
      normed_(counted_ranges(layout, exchange.own(), model_group)),
      sums_(model_group != nullptr && layout.class_blocks() == 0
                ? std::optional<ModelGroupSums<T>>(std::in_place, *model_group)
                : std::nullopt),
      block_sums_(sums_over_blocks<T>(layout, model_group)),
      network_(layout_, exchange.values(), exchange.gradients(),
               {.max_batch = settings.max_rows,
                .dropout = settings.dropout,
                .products = settings.products,
                .sparse_input = settings.sparse_input,
                .group = sums_ ? &*sums_ : nullptr,
                .block_sums = block_sums_ ? &*block_sums_ : nullptr}),
      loss_(make_task_loss<T>(loss, model_group, layout_, settings.max_rows)),
      optimizer_(make_optimizer<T>(optimizer, exchange.own(), layout_.weight_ranges())) {
  if (settings.logical_shards > 0) {
    use_own_shards();
  }
}

template <class T>
void TrainingStep<T>::use_own_shards() {
  std::vector<NodeGradients<T>> nodes;
  for (const Range node : tree_nodes(settings_.logical_shards, settings_.logical)) {
    const std::size_t first = settings_.logical.begin;
    nodes.push_back({{node.begin - first, node.end - first}, exchange_.part(nodes.size())});
  }
  network_.use_shards(nodes);
  nodes_ = nodes.size();
}

template <class T>
std::span<const T> TrainingStep<T>::gradients_of_shard(const Batch<T>& batch,
                                                       std::size_t global_samples,
                                                       std::uint64_t epoch) {
  if (shard_gradients_.size() == 0) {
    shard_gradients_ = AlignedBuffer<T>(layout_.size());
    std::fill_n(shard_gradients_.data(), layout_.size(), T{0});  // and what lies between layers
  }
  const std::span<T> gradients(shard_gradients_.data(), layout_.size());
  network_.use_shards({{{0, 1}, gradients}});
  const DropoutKey key{settings_.seed, epoch, batch.samples};
  StepResult result;  // numbers that are none are the update's to report
  differentiate(network_.forward(batch.X, &key), batch, global_samples, result);
  const Range all{0, batch.samples.size()};
  (void)network_.backward(batch.X, static_cast<T>(settings_.largest_input), {&all, 1},
                          [](const LayerGradients<T>&) {});
  use_own_shards();
  return gradients;
}

template <class T>
void TrainingStep<T>::set_values(const std::function<void(std::span<T>)>& write) {
  exchange_.set_values(write);
  optimizer_->accept(exchange_.values());
  network_.values_changed();
}

template <class T>
void TrainingStep<T>::swap_average() {
  exchange_.publish();  // ranks that share them have read them
  optimizer_->swap_average(exchange_.values());
  exchange_.publish();
  network_.values_changed();
}

template <class T>
StepResult TrainingStep<T>::run(const Batch<T>& batch, std::size_t global_samples,
                                std::uint64_t epoch, double learning_rate, PhaseSeconds& seconds) {
  PhaseTimer timer(measured_.trace);
  StepResult result = compute(batch, global_samples, epoch);
  seconds.compute += timer.lap("compute");

  // A group of ranks would have to agree on it first: there, DistributedModel::check finds it.
  const bool is_sound = model_group_ != nullptr || !optimizer_->is_damaged();
  result.counts = exchange_.combine(result.counts && is_sound);
  if (!result.counts) {
    exchange_.publish();
    seconds.exchange += timer.lap("exchange");
    result.sums = {};
    if (result.bad || model_group_ != nullptr) {
      find_suspects(network_, layout_, batch, {settings_.seed, epoch, batch.samples}, result.bad);
    }
    return result;
  }
  if (settings_.sparse_input) {
    compute_active_rows(batch, global_samples);
  }
  double scale = 1;
  if (settings_.clip_norm > 0 || measured_.norm) {
    result.gradient_norm = gradient_norm();
    if (settings_.clip_norm > 0 && result.gradient_norm > settings_.clip_norm) {
      scale = settings_.clip_norm / result.gradient_norm;
    }
  }
  seconds.exchange += timer.lap("exchange");

  optimizer_->step(exchange_.values(), exchange_.gradients(), places(), learning_rate, scale);
  seconds.update += timer.lap("update");

  exchange_.publish();
  seconds.exchange += timer.lap("publish");
  network_.values_changed();
  seconds.compute += timer.lap("prepare");
  return result;
}

template <class T>
StepResult TrainingStep<T>::compute(const Batch<T>& batch, std::size_t global_samples,
                                    std::uint64_t epoch) {
  StepResult result;
  PhaseTimer timer(measured_.trace);
  const DropoutKey key{settings_.seed, epoch, batch.samples};
  const MatrixView<T> logits = network_.forward(batch.X, &key);
  timer.lap("forward");
  differentiate(logits, batch, global_samples, result);
  timer.lap("loss");
  const auto ready = [&](const LayerGradients<T>& layer) {
    look_at(layer, result);
    if (observer_) {
      show_observer(batch, layer);
    }
    if (model_group_ == nullptr) {
      exchange_.ready(layer.range);
    }
  };
  // By reference: a copy would be too large for std::function to hold without allocating.
  const T of_some = network_.backward(batch.X, static_cast<T>(settings_.largest_input),
                                      shards_of(global_samples), std::cref(ready));
  if (model_group_ != nullptr) {
    agree_in_group(of_some, result);
    announce_all();
  }
  timer.lap("backward");
  return result;
}

template <class T>
Range TrainingStep<T>::owned_features() const {
  const LayerLayout& first = layout_.layers().front();
  const Range own = intersect(exchange_.own(), first.weights);
  return own.empty()
             ? Range{}
             : Range{own.begin / first.outputs, (own.end + first.outputs - 1) / first.outputs};
}

template <class T>
void TrainingStep<T>::compute_active_rows(const Batch<T>& batch, std::size_t global_samples) {
  const LayerLayout& first = layout_.layers().front();
  if (dA_.size() < global_samples * first.outputs) {
    dA_ = AlignedBuffer<T>(global_samples * first.outputs);
  }
  const MatrixView<T> dA{dA_.data(), global_samples, first.outputs};
  exchange_.gather_rows(network_.first_dA(), dA, settings_.logical_shards);
  std::vector<Range> shards;
  for (std::size_t i = 0; i < std::max<std::size_t>(settings_.logical_shards, 1); ++i) {
    shards.push_back(
        part_of(global_samples, std::max<std::size_t>(settings_.logical_shards, 1), i));
  }
  places_ = GradientPlaces(first.inputs, first.outputs, batch.columns.active);
  FeatureSums<T>(batch.columns, dA, shards)
      .run({0, shards.size()}, {exchange_.gradients().data() + places_.active_rows().begin,
                                batch.columns.active.size(), first.outputs});
}

template <class T>
void TrainingStep<T>::show_observer(const Batch<T>& batch, const LayerGradients<T>& layer) {
  const Range seen = intersect(layer.range, exchange_.exchanged());
  for (std::size_t i = 0; i < nodes_; ++i) {
    observer_(seen, exchange_.part(i).subspan(seen.begin, seen.size()));
  }
  if (!settings_.sparse_input || layer.layer != 1) {
    return;
  }
  SparseColumns<T> columns;
  columns.sort(batch.X.sparse());
  const ActiveColumns<T> own = columns.view();
  const MatrixView<const T> dA = network_.first_dA();
  const Range all{0, dA.rows};
  std::vector<T> rows(own.active.size() * dA.cols);
  FeatureSums<T>(own, dA, {&all, 1}).run({0, 1}, {rows.data(), own.active.size(), dA.cols});
  for (std::size_t k = 0; k < own.active.size(); ++k) {
    const std::size_t element = own.active[k] * dA.cols;
    observer_({element, element + dA.cols}, std::span(rows).subspan(k * dA.cols, dA.cols));
  }
}

template <class T>
std::span<const Range> TrainingStep<T>::shards_of(std::size_t global_samples) {
  shards_.clear();
  const Range mine = settings_.logical_shards > 0 ? settings_.logical : Range{};
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    const Range samples = part_of(global_samples, settings_.logical_shards, i);
    const std::size_t begin = shards_.empty() ? 0 : shards_.back().end;
    shards_.push_back({begin, begin + samples.size()});
  }
  return shards_;
}

/// Backward continues whatever is found, so that all ranks exchange alike.
template <class T>
void TrainingStep<T>::differentiate(MatrixView<T> logits, const Batch<T>& batch,
                                    std::size_t global_samples, StepResult& result) {
  const std::string last_layer = name_of_layer(layout_, layout_.layers().size()) + ": ";
  const auto outcome = loss_->differentiate(logits, batch.targets, global_samples);
  result.counts = result.counts && outcome.bad_rows == 0;
  if (outcome.bad) {
    result.bad = BadNumbers{last_layer + outcome.bad->what, {}, {}, {}};
  }
  result.sums += outcome.sums;
}

template <class T>
void TrainingStep<T>::agree_in_group(T of_some, StepResult& result) {
  if (of_some <= static_cast<T>(settings_.largest_gradient)) {
    return;
  }
  const std::int64_t finite = result.counts ? 1 : 0;
  result.counts = model_group_->all_reduce(finite, Reduction::min) == 1;
}

/// Tells the exchange that all gradients are complete.
template <class T>
void TrainingStep<T>::announce_all() {
  for (auto layer = layout_.layers().rbegin(); layer != layout_.layers().rend(); ++layer) {
    exchange_.ready({layer->weights.begin, layer->bias.end});
  }
}

template <class T>
void TrainingStep<T>::look_at(const LayerGradients<T>& gradients, StepResult& result) {
  const T limit = static_cast<T>(settings_.largest_gradient);
  if (!result.counts || gradients.bound <= limit) {
    return;
  }
  const T largest = network_.largest_gradient();
  if (largest <= limit) {
    return;
  }
  result.bad = BadNumbers{name_of_layer(layout_, gradients.layer) + ": the gradients" +
                              (std::isnan(largest)   ? " are NaN"
                               : std::isinf(largest) ? " are infinite"
                                                     : " are too large to be summed"),
                          {},
                          {},
                          {}};
  result.counts = false;
}

template <class T>
double TrainingStep<T>::gradient_norm() {
  const std::span<const T> g = gradients();
  double largest = 0;
  const auto gradients_of = [&](Range range) {
    const Range found = places().places_of(range);
    return g.subspan(found.begin, found.size());
  };
  for (const Range range : normed_) {
    largest = std::max<double>(largest, largest_magnitude(gradients_of(range)));
  }
  auto bits = std::bit_cast<std::uint64_t>(largest);  // ordered as the numbers are
  reduce_over_all({&bits, 1}, Reduction::max);
  const int exponent = exponent_above(std::bit_cast<double>(bits));
  SumOfSquares squares;
  for (const Range range : normed_) {
    squares += sum_of_squares(gradients_of(range), exponent);
  }
  std::array<std::uint64_t, 2> words = {squares.high, squares.low};
  reduce_over_all(words, Reduction::sum);
  return SumOfSquares{words[0], words[1]}.norm(exponent);
}

/// Collective over the owners of all parameters, each of which counts once.
template <class T>
void TrainingStep<T>::reduce_over_all(std::span<std::uint64_t> numbers, Reduction reduction) {
  exchange_.reduce_over_owners(numbers, reduction);
  if (model_group_ != nullptr) {
    model_group_->all_reduce(numbers, reduction);
  }
}

template class TrainingStep<float>;
template class TrainingStep<double>;

}  // namespace dnn
