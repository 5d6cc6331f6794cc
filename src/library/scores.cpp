#include "dnn/library/scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/batch_targets.hpp"
#include "dnn/evaluate/figures.hpp"
#include "dnn/nn/output_loss.hpp"
#include "dnn/parallel/task_loss.hpp"
#include "dnn/store/sample_weights.hpp"

namespace dnn {

namespace {

/// Data without samples that have the outputs of a model.
Dataset outputs_of(const ModelDescription& model) {
  Dataset outputs;
  outputs.origin = "the samples of the calling program";
  outputs.features = model.widths.front();
  outputs.row_elements = outputs.features;
  outputs.task = model.task;
  outputs.class_names = model.class_names;
  outputs.target_scale = model.target_scale;
  outputs.label_thresholds = model.label_thresholds;
  return outputs;
}

template <class R>
Bytes rows_of(const dnn_train::Matrix& features, Range rows) {
  std::vector<R> copied(rows.size() * features.columns);
  copy_rows<R>(features, rows, copied);
  return Bytes::from(std::move(copied));
}

/// Turns a row of A^N into the answer; numbers are still as the network learns them.
template <class T>
void answer(Task task, std::span<T> row, std::size_t sample) {
  if (!std::all_of(row.begin(), row.end(), [](T a) { return std::isfinite(a); })) {
    throw NumericalError(
        fmt::format("row {} (from 0): the network's outputs are no numbers", sample));
  }
  switch (task) {
    case Task::numbers:
      break;
    case Task::labels:
      std::transform(row.begin(), row.end(), row.begin(),
                     [](T a) { return static_cast<T>(sigmoid(a)); });
      break;
    default:
      softmax(row);
  }
}

}  // namespace

template <class T>
dnn_train::Evaluation evaluate_samples(const Communicator& world, const SavedModel& model,
                                       const GivenSamples& samples) {
  constexpr std::size_t rows = 256;
  Records room;
  const Dataset data = samples.dataset(outputs_of(model.description), room);
  SavedNetwork<T> network(model, data, rows);
  const ParameterLayout layout({model.description.widths.begin(), model.description.widths.end()});
  const auto loss =
      make_task_loss<T>({.task = data.task, .class_weights = {}}, nullptr, layout, rows);
  const auto figures = make_figures<T>(data, {{0, data.classes()}, nullptr}, true);
  const Gatherer<T> gatherer(data, model.description.normalizer);
  BatchTargets targets;
  LossSums sums;
  agree(world, [&] {
    for (std::size_t first = 0; first < data.samples; first += rows) {
      const Range block{first, std::min(first + rows, data.samples)};
      std::vector<std::uint64_t> indices(block.size());
      for (std::size_t i = 0; i < indices.size(); ++i) {
        indices[i] = first + i;
      }
      targets.gather(gatherer, indices);
      const MatrixView<const T> logits = network.logits(block);
      const auto result = loss->evaluate(logits, targets.view());
      sums += result.sums;
      if (figures) {
        figures->add(logits, targets.view(), result.rows);
      }
    }
  });
  dnn_train::Evaluation evaluation;
  const double weight = world.sum(sums.weight).value();
  if (samples.total() > 0) {
    (void)weight_scale(samples.total(), weight, data.origin);
  }
  evaluation.loss = world.sum(sums.loss).value() / weight;
  const double correct = world.sum(sums.correct).value();
  evaluation.accuracy =
      has_accuracy(data.task) ? correct / weight : std::numeric_limits<double>::quiet_NaN();
  evaluation.samples = samples.total();
  if (figures) {
    for (const Figure& figure : figures->finish(world)) {
      evaluation.figures.emplace_back(figure.name, figure.value);
    }
  }
  return evaluation;
}

template dnn_train::Evaluation evaluate_samples<float>(const Communicator&, const SavedModel&,
                                                       const GivenSamples&);
template dnn_train::Evaluation evaluate_samples<double>(const Communicator&, const SavedModel&,
                                                        const GivenSamples&);

template <class T>
Scorer<T>::Scorer(const SavedModel& model)
    : outputs_(outputs_of(model.description)), network_(model, outputs_, rows_at_a_time) {}

template <class T>
void Scorer<T>::predict(const dnn_train::Matrix& features,
                        const std::function<void(std::size_t, std::size_t, double)>& take) {
  const Normalizer& scale = outputs_.target_scale;
  std::vector<T> row(outputs_.classes());
  for (std::size_t first = 0; first < features.rows; first += rows_at_a_time) {
    const Range block{first, std::min(first + rows_at_a_time, features.rows)};
    Dataset data = outputs_;
    data.samples = block.size();
    data.element = features.is_double ? ElementType::f64 : ElementType::f32;
    data.values =
        features.is_double ? rows_of<double>(features, block) : rows_of<float>(features, block);
    network_.use(data);
    const MatrixView<const T> logits = network_.logits({0, block.size()});
    for (std::size_t i = 0; i < block.size(); ++i) {
      std::copy_n(logits.row(i).begin(), row.size(), row.begin());
      answer(outputs_.task, std::span<T>(row), first + i);
      for (std::size_t j = 0; j < row.size(); ++j) {
        const auto value = static_cast<double>(row[j]);
        take(first + i, j, scale.is_identity() ? value : value / scale.scale[j] + scale.center[j]);
      }
    }
  }
}

template class Scorer<float>;
template class Scorer<double>;

}  // namespace dnn
