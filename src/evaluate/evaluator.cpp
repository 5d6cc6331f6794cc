#include "dnn/evaluate/evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/parallel/top_classes.hpp"

namespace dnn {

namespace {

constexpr std::size_t top_count = 5;

/// Whether fewer than `top_count` classes go before the label's: those with larger logits, and the
/// earlier ones of equal. NaN goes behind all.
template <class T>
bool is_in_top(std::span<const T> a, std::size_t label) {
  const auto value = [a](std::size_t j) {
    return std::isnan(a[j]) ? -std::numeric_limits<T>::infinity() : a[j];
  };
  std::size_t before = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    before += value(j) > value(label) || (j < label && value(j) == value(label)) ? 1 : 0;
  }
  return before < top_count;
}

/// The steps in which samples are computed, so many at a time.
std::size_t steps_of(Range samples, std::size_t at_a_time) {
  return (samples.size() + at_a_time - 1) / at_a_time;
}

}  // namespace

template <class T>
Evaluator<T>::Evaluator(const RankGrid& grid, const ParameterLayout& layout, const Dataset& outputs,
                        JudgedSamples judged, const EvaluationInputs& inputs)
    : grid_(grid),
      model_group_(grid.is_split() ? &grid.model_group() : nullptr),
      classes_(layout.layers().back().columns),
      outputs_(outputs),
      loss_(make_task_loss<T>({.task = outputs.task, .class_weights = {}}, model_group_, layout,
                              inputs.max_rows)),
      judged_(std::move(judged)),
      max_rows_(inputs.max_rows),
      rows_(grid, judged_.set, judged_.held,
            {.plan = [this](std::size_t /*pass*/, std::size_t step, std::size_t shard,
                            std::vector<std::uint64_t>& samples) { append(step, shard, samples); },
             .steps = most_steps(),
             .batch = grid.data_shards() * max_rows_,
             .bytes = inputs.window_bytes}) {
  agree(grid.world(), [&] {
    loader_.emplace(Gatherer<T>(judged_.set, inputs.normalizer), inputs.max_rows, inputs.form);
  });
}

template <class T>
Evaluation Evaluator<T>::run(Network<T>& network, Confusion* confusion,
                             const std::function<void()>& between, HeldOutPlots<T>* plots,
                             const OutputSink<T>& sink) {
  const std::size_t steps = steps_of(samples_of(grid_.data_shard()), max_rows_);
  loader_->stop();
  RowSource* const source = rows_.begin(0, 0);
  loader_->start(
      [this](std::size_t step, std::vector<std::uint64_t>& samples) {
        samples.clear();
        append(step, grid_.data_shard(), samples);
      },
      steps, {}, source);
  Counts counts;
  counts.figures = make_figures<T>(outputs_, {classes_, model_group_}, confusion != nullptr);
  for (std::size_t step = 0; step < most_steps(); ++step) {
    if (between) {
      between();
    }
    rows_.require(step);
    const auto taken = step < steps ? std::optional(loader_->next()) : std::nullopt;
    rows_.look_ahead();
    if (!taken) {
      continue;
    }
    const Batch<T>& batch = *taken;
    const MatrixView<const T> logits = network.forward(batch.X);
    const auto result = loss_->evaluate(logits, batch.targets);
    counts.sums += result.sums;
    counts.bad += model_group_ == nullptr || model_group_->is_root() ? result.bad_rows : 0;
    if (counts.figures) {
      counts.figures->add(logits, batch.targets, result.rows);
    }
    if (plots != nullptr) {
      plots->add(logits, batch.targets, result.rows, batch.samples);
    }
    if (sink) {
      pass_on(batch.samples, logits, sink);
    }
    if (confusion == nullptr || outputs_.task != Task::classes) {
      continue;
    }
    if (model_group_ != nullptr || classes_.size() < outputs_.classes()) {
      add_slices(logits, batch.targets, counts, *confusion);
    } else {
      add_whole(logits, batch.targets, counts, *confusion);
    }
  }
  return mean(counts, confusion != nullptr && outputs_.task == Task::classes);
}

template <class T>
Range Evaluator<T>::samples_of(std::size_t shard) const {
  return part_of(judged_.samples, grid_.data_shards(), shard);
}

template <class T>
std::size_t Evaluator<T>::most_steps() const {
  return steps_of(samples_of(0), max_rows_);
}

template <class T>
void Evaluator<T>::append(std::size_t step, std::size_t shard,
                          std::vector<std::uint64_t>& samples) const {
  const Range range = samples_of(shard);
  const std::size_t first = range.begin + step * max_rows_;
  for (std::size_t i = first; i < std::min(first + max_rows_, range.end); ++i) {
    samples.push_back(judged_.sample_at(i));
  }
}

/// Collective over the model group, whose first rank puts the columns of all together.
template <class T>
void Evaluator<T>::pass_on(std::span<const std::uint64_t> samples, MatrixView<const T> outputs,
                           const OutputSink<T>& sink) const {
  if (model_group_ == nullptr) {
    sink(samples, outputs);
    return;
  }
  const std::uint64_t first = classes_.begin;
  std::string own(reinterpret_cast<const char*>(&first), sizeof(first));
  own.append(reinterpret_cast<const char*>(outputs.data), outputs.size() * sizeof(T));
  const std::vector<std::string> parts = model_group_->gather(own, 0);
  std::vector<T> whole(parts.empty() ? 0 : samples.size() * outputs_.classes());
  const MatrixView<T> rows{whole.data(), samples.size(), outputs_.classes()};
  for (const std::string& part : parts) {
    std::uint64_t column = 0;
    std::memcpy(&column, part.data(), sizeof(column));
    const std::size_t width = (part.size() - sizeof(column)) / sizeof(T) / samples.size();
    for (std::size_t s = 0; s < samples.size() && width > 0; ++s) {
      std::memcpy(&rows(s, column), part.data() + sizeof(column) + s * width * sizeof(T),
                  width * sizeof(T));
    }
  }
  if (!parts.empty()) {
    sink(samples, rows);
  }
}

template <class T>
void Evaluator<T>::add_whole(MatrixView<const T> logits, const Targets& targets, Counts& counts,
                             Confusion& confusion) const {
  for (std::size_t s = 0; s < logits.rows; ++s) {
    const std::int32_t label = targets.classes[s];
    ++confusion[{label, predicted_class<T>(logits.row(s))}];
    const bool in_top = is_in_top<T>(logits.row(s), static_cast<std::size_t>(label));
    counts.top5 += in_top ? targets.weight(s) : 0;
  }
}

/// Collective over the model group, whose first rank counts.
template <class T>
void Evaluator<T>::add_slices(MatrixView<const T> logits, const Targets& targets, Counts& counts,
                              Confusion& confusion) const {
  std::vector<std::int32_t> top(logits.rows * top_count);
  top_classes(model_group_, classes_, logits, top_count, std::span(top));
  if (model_group_ != nullptr && !model_group_->is_root()) {
    return;
  }
  for (std::size_t s = 0; s < logits.rows; ++s) {
    const std::int32_t label = targets.classes[s];
    const auto candidates = std::span(top).subspan(s * top_count, top_count);
    ++confusion[{label, candidates.front()}];
    const bool in_top = std::find(candidates.begin(), candidates.end(), label) != candidates.end();
    counts.top5 += in_top ? targets.weight(s) : 0;
  }
}

/// Collective: the mean over all ranks' counts.
template <class T>
Evaluation Evaluator<T>::mean(const Counts& counts, bool with_top5) const {
  const Communicator& world = grid_.world();
  const double total_loss = world.sum(counts.sums.loss).value();
  const double correct = world.sum(counts.sums.correct).value();
  const double weight = world.sum(counts.sums.weight).value();
  if (std::isnan(total_loss)) {
    const std::uint64_t bad = world.all_reduce(counts.bad, Reduction::sum);
    if (world.is_root()) {
      complain(fmt::format(
          "dnn_train: warning: evaluation: the logits of {} of {} samples are no numbers; they "
          "count as wrong, and the loss is NaN",
          bad, judged_.samples));
    }
  }
  Evaluation result{total_loss / weight, has_accuracy(outputs_.task) ? correct / weight : -1,
                    judged_.samples};
  if (with_top5) {
    result.top5_accuracy = world.sum(counts.top5).value() / weight;
  }
  if (counts.figures) {
    result.figures = counts.figures->finish(world);
  }
  return result;  // of exact sums, which have the same bits on every rank
}

template <class T>
std::int32_t predicted_class(std::span<const T> logits) {
  const auto is_less = [](T a, T b) {
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    return (std::isnan(a) ? lowest : a) < (std::isnan(b) ? lowest : b);
  };
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end(), is_less) -
                                   logits.begin());
}

template class Evaluator<float>;
template class Evaluator<double>;
template std::int32_t predicted_class(std::span<const float>);
template std::int32_t predicted_class(std::span<const double>);

}  // namespace dnn
