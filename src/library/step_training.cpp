#include "dnn/library/step_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/available_memory.hpp"
#include "dnn/core/largest_magnitude.hpp"
#include "dnn/data/batch_targets.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/library/global_order.hpp"
#include "dnn/store/sample_weights.hpp"

namespace dnn {

namespace {

/// What the network was made for, as the training data of a run would have it, in batches of which
/// a rank gets about `rows` samples. No samples of them are used.
TrainingData data_of(const ModelDescription& model, const Config& config, const RankGrid& grid,
                     std::size_t logical_shards, std::size_t rows) {
  Dataset train;
  train.origin = config.data;
  train.samples = 1;
  train.features = model.widths.front();
  train.row_elements = train.features;
  train.task = model.task;
  train.class_names = model.class_names;
  train.feature_names = model.feature_names;
  train.target_scale = model.target_scale;
  train.label_thresholds = model.label_thresholds;
  const std::size_t batch = rows * grid.data_shards();
  const Sampler sampler({.samples = batch,
                         .batch_size = batch,
                         .ranks = grid.data_shards(),
                         .rank = grid.data_shard(),
                         .logical_shards = logical_shards});
  return {.train = std::move(train),
          .digest = {},
          .test = {},
          .normalizer = model.normalizer,
          .facts = {},
          .sampler = sampler,
          .batch_size = batch,
          .logical_shards = logical_shards,
          .largest_feature = std::numeric_limits<double>::infinity(),
          .fold = {}};
}

std::size_t logical_shards(const Config& config) {
  if (!has_fixed_order(config)) {
    return 0;
  }
  constexpr std::size_t usual_batch = 256;
  return config.logical_shards > 0 ? config.logical_shards
                                   : logical_shards_of(config.batch_size.value_or(usual_batch));
}

}  // namespace

/// What depends on how many rows a rank computes at a time.
template <class T>
struct StepTraining<T>::Parts {
  Ground ground;
  TrainingData data;
  std::optional<RunPlan> plan;
  std::size_t rows;
  std::optional<DistributedModel<T>> model;
  AlignedBuffer<T> X;
  BatchTargets targets;
  std::vector<std::uint64_t> indices;  ///< in the whole batch

  Parts(const Communicator& world, const Config& config, const ModelDescription& description,
        std::size_t shards, std::size_t most_rows)
      : ground(world, config),
        data(data_of(description, config, ground.grid(), shards, most_rows)),
        rows(most_rows) {}

  /// Collective: takes the memory, of which a rank may have too little.
  void fill(const Communicator& world, const Config& config) {
    plan = agree(world, [&] { return RunPlan::make(config, ground.grid(), data); });
    agree(world, [&] {
      X = AlignedBuffer<T>(rows * data.train.features);
      indices.reserve(rows);
    });
    model.emplace(config, ground.grid(), *plan, data, rows);
  }

  /// About what a further row would take: its features, the nodes of all layers, and dA of two.
  [[nodiscard]] std::size_t bytes_of_row() const {
    const std::vector<LayerLayout>& layers = plan->part.layers();
    std::size_t nodes = data.train.features;
    std::size_t widest = 0;
    for (std::size_t n = 0; n < layers.size(); ++n) {
      nodes += layers[n].outputs;
      widest = std::max(widest, n > 0 ? layers[n].inputs : 0);
    }
    if (plan->part.class_blocks() > 1) {
      nodes += plan->part.held_blocks().size() * layers.back().inputs;  // dX of each block
    }
    return sizeof(T) * (nodes + 2 * widest);
  }

  void close() {
    model.reset();
    ground.close();
  }
};

template <class T>
StepTraining<T>::StepTraining(const Communicator& world, const LibrarySettings& settings,
                              const SavedModel& model)
    : world_(world),
      config_(settings.config),
      model_(model),
      logical_shards_(logical_shards(config_)),
      nonfinite_(
          config_.on_nonfinite == OnNonfinite::rollback ? OnNonfinite::skip : config_.on_nonfinite,
          world, model.description.class_names, ""),
      learning_rate_(config_.learning_rate()) {
  config_.hidden.assign(model.description.widths.begin() + 1, model.description.widths.end() - 1);
  constexpr std::size_t usual_rows = 256;
  parts_ = make_parts(usual_rows);
  if (!model.parameters.empty()) {
    parts_->model->set_parameters(world.is_root() ? model.parameters : std::vector<std::byte>());
  }
}

template <class T>
StepTraining<T>::~StepTraining() = default;

/// Throws AgreedError where make_room has found no memory, not even for what there was before.
template <class T>
typename StepTraining<T>::Parts& StepTraining<T>::parts() const {
  if (!parts_) {
    throw AgreedError(
        "the network was lost when a step of more samples found no memory; call restore, load or "
        "fit",
        Fault::memory);
  }
  return *parts_;
}

template <class T>
std::unique_ptr<typename StepTraining<T>::Parts> StepTraining<T>::make_parts(
    std::size_t rows) const {
  auto parts = std::make_unique<Parts>(world_, config_, model_.description, logical_shards_, rows);
  try {
    parts->fill(world_, config_);
  } catch (const AgreedError&) {
    parts->close();
    throw;
  }
  return parts;
}

/// Which rows of a batch a rank computes.
template <class T>
Range StepTraining<T>::share(std::size_t samples, std::size_t rank) const {
  return Sampler({.samples = samples,
                  .batch_size = samples,
                  .ranks = static_cast<std::size_t>(world_.size()),
                  .rank = rank,
                  .logical_shards = logical_shards_})
      .share(0, rank);
}

/// So that a rank can compute so many rows at a time; the state stays. What there was is given back
/// first: there may be no memory for both.
template <class T>
void StepTraining<T>::make_room(std::size_t rows) {
  const std::size_t before = parts().rows;
  if (rows <= before) {
    return;
  }
  const std::size_t after = std::max(rows, 2 * before);
  constexpr std::size_t copies = 4;  // W and B, the optimizer's two of each, and all of one tensor
  agree(world_, [&] {
    require_memory(
        (after - before) * parts().bytes_of_row() +
            copies * parts().plan->layout.parameter_count() * sizeof(T),
        fmt::format("room for steps of {} samples a rank (give fewer at a time)", after));
  });
  Checkpoint state = checkpoint();
  const auto go_on = [&](std::size_t room) {
    std::unique_ptr<Parts> made = make_parts(room);
    (void)made->model->restore(state);
    parts_ = std::move(made);
  };
  close();
  try {
    go_on(after);
  } catch (const AgreedError&) {
    go_on(before);  // what there was room for
    throw;
  }
}

template <class T>
dnn_train::Step StepTraining<T>::run(const Records& samples) {
  const GlobalOrder order(world_, samples.ids());
  if (order.size() == 0) {
    return {updates_, 0, false};
  }
  order.deal(
      world_, samples, [&](std::size_t rank) { return share(order.size(), rank); }, dealt_);
  const Range mine = share(order.size(), static_cast<std::size_t>(world_.rank()));
  return update(dataset_of(dealt_.records, parts().data.train), samples.form.has_weight,
                dealt_.order, mine, order.size());
}

template <class T>
dnn_train::Step StepTraining<T>::run_alone(const GivenSamples& samples) {
  const GlobalOrder order(world_, samples.ids());
  if (order.size() == 0) {
    return {updates_, 0, false};
  }
  dealt_.order.clear();
  for (const GlobalOrder::Place& place : order.places()) {
    dealt_.order.push_back(place.index);
  }
  return update(samples.dataset(parts().data.train, room_), samples.form().has_weight, dealt_.order,
                {0, order.size()}, order.size());
}

/// Collective where samples have weights: the same rows, whose weights count so that the mean over
/// the batch is 1, as in a fit.
template <class T>
Dataset StepTraining<T>::with_mean_weight(Dataset rows, std::size_t samples) const {
  ExactSum sum;
  for (const double weight : rows.weights.as<double>()) {
    sum += weight;
  }
  const double total = world_.sum(sum).value();
  // A step in which nothing counts has gradients of 0, like one without samples.
  rows.weight_scale = total == 0 ? 1 : weight_scale(samples, total, rows.origin);
  return rows;
}

/// From the rows of this rank, which count in the order given: `which` of the batch's `samples`.
template <class T>
dnn_train::Step StepTraining<T>::update(const Dataset& rows, bool weighted,
                                        std::span<const std::uint64_t> order, Range which,
                                        std::size_t samples) {
  std::size_t most = 0;
  for (std::size_t rank = 0; rank < static_cast<std::size_t>(world_.size()); ++rank) {
    most = std::max(most, share(samples, rank).size());
  }
  make_room(most);
  Parts& parts = this->parts();
  const Gatherer<T> gatherer(weighted ? with_mean_weight(rows, samples) : rows,
                             parts.data.normalizer);
  const MatrixView<T> X{parts.X.data(), order.size(), rows.features};
  gatherer.gather(order, X);
  parts.targets.gather(gatherer, order);
  parts.model->step().bound_input(
      static_cast<double>(largest_magnitude(std::span<const T>(X.data, X.size()))));
  parts.indices.resize(order.size());
  std::iota(parts.indices.begin(), parts.indices.end(), std::uint64_t{which.begin});

  constexpr std::uint64_t epochs = std::uint64_t{1} << 24;  // that dropout tells apart
  PhaseSeconds seconds;
  const Batch<T> batch{X, parts.targets.view(), parts.indices};
  const StepResult result =
      parts.model->step().run(batch, samples, updates_ % epochs, learning_rate_, seconds);
  ++updates_;
  if (result.counts) {
    recent_ += result.sums;
    nonfinite_.note_good();
  } else {
    parts.model->check_memory();
    if (nonfinite_.decide({updates_, 1, static_cast<std::size_t>(updates_)}, result.bad) ==
        NonfinitePolicy::Action::abort) {
      throw AgreedError(nonfinite_.reason_to_end({}), Fault::numbers);
    }
  }
  if (config_.verify_every > 0 && updates_ % config_.verify_every == 0) {
    (void)parts.model->check();
  }
  return {updates_, samples, result.counts};
}

template <class T>
double StepTraining<T>::recent_loss() {
  const double loss = world_.sum(recent_.loss).value();
  const double weight = world_.sum(recent_.weight).value();
  recent_ = {};
  return weight > 0 ? loss / weight : std::numeric_limits<double>::quiet_NaN();
}

template <class T>
std::vector<std::byte> StepTraining<T>::parameters() {
  TrainingStep<T>& step = parts().model->step();
  return packed_parameters<T>(step.layout(), step.values());
}

template <class T>
Checkpoint StepTraining<T>::checkpoint() {
  Checkpoint state;
  parts().model->gather(state);
  return state;
}

template <class T>
void StepTraining<T>::restore(Checkpoint checkpoint, std::uint64_t updates) {
  checkpoint.steps_per_epoch = 1;
  parts().model->require_fit(checkpoint, 1);
  (void)parts().model->restore(checkpoint);
  updates_ = updates;
}

template <class T>
void StepTraining<T>::close() {
  if (parts_) {
    parts_->close();
    parts_.reset();
  }
}

template class StepTraining<float>;
template class StepTraining<double>;

}  // namespace dnn
