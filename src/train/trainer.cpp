#include "dnn/train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "dnn/comm/agree.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/sha256.hpp"

namespace dnn {

namespace {

/// The most samples that evaluation computes at a time.
constexpr std::size_t evaluation_rows = 256;

constexpr const char* program_name = "dnn_train " DNN_VERSION;

/// Bytes of a path that are no UTF-8 become question marks rather than an exception.
constexpr auto json_replace = nlohmann::ordered_json::error_handler_t::replace;

/// Collective: w_c = n / (K n_c), so that every class has the same weight in all and the mean
/// weight of a sample is 1.
std::vector<double> class_weights(const Config& config, const Communicator& world,
                                  const TrainingData& data) {
  if (config.class_weights == ClassWeights::none) {
    return {};
  }
  const Dataset& train = data.train;
  std::vector<std::uint64_t> counts(train.classes(), 0);
  const Range mine = part_of(train.samples, static_cast<std::size_t>(world.size()),
                             static_cast<std::size_t>(world.rank()));
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    if (data.sampler.is_training(i)) {
      ++counts[static_cast<std::size_t>(train.label_view()[i])];
    }
  }
  world.all_reduce(std::span(counts), Reduction::sum);
  std::vector<double> weights;
  weights.reserve(counts.size());
  for (const std::uint64_t count : counts) {
    // A class that is held out whole is never trained on: its weight is never used.
    weights.push_back(count == 0 ? 0
                                 : static_cast<double>(data.sampler.training_samples()) /
                                       static_cast<double>(counts.size() * count));
  }
  return weights;
}

LearningRateSchedule make_schedule(const Config& config, std::size_t steps_per_epoch) {
  const auto steps = [steps_per_epoch](double epochs) {
    return static_cast<std::uint64_t>(std::llround(epochs * static_cast<double>(steps_per_epoch)));
  };
  ScheduleSettings settings;
  settings.kind = config.lr_schedule;
  settings.learning_rate = config.learning_rate();
  settings.total_steps = config.epochs * steps_per_epoch;
  settings.warmup_steps =
      std::min(steps(config.warmup_epochs), static_cast<std::uint64_t>(settings.total_steps - 1));
  settings.drop_steps = std::max<std::uint64_t>(1, steps(config.lr_step_epochs));
  settings.drop_factor = config.lr_step_factor;
  return LearningRateSchedule(settings);
}

}  // namespace

template <class T>
Trainer<T>::Trainer(const Config& config, const Communicator& world, Node& node,
                    const RunPlan& plan, const TrainingData& data, const RunFolder* folder,
                    Reporter& reporter, RunControl* control)
    : config_(config),
      world_(world),
      data_(data),
      folder_(folder),
      reporter_(reporter),
      control_(control),
      exchange_(
          make_exchange<T>(plan.exchange, plan.exchange_settings, world, node, plan.layout.size())),
      max_rows_(std::max(data.sampler.max_share(), evaluation_rows)),
      step_(plan.layout, {max_rows_, config.dropout, config.clip_norm, config.seed, plan.products},
            SoftmaxCrossEntropy(config.label_smoothing, class_weights(config, world, data)),
            {.kind = config.optimizer,
             .momentum = config.momentum,
             .weight_decay = config.weight_decay},
            *exchange_),
      schedule_(make_schedule(config, data.sampler.steps())),
      loader_(Gatherer<T>(data.train, data.normalizer), data.sampler.max_share()),
      saved_(SavedElements::find(world, plan.layout, exchange_->own())) {
  step_.set_values(
      [&](std::span<T> values) { initialize(step_.layout(), config.init, config.seed, values); });
  if (folder != nullptr && world.is_root()) {
    metrics_log_.emplace(folder->metrics());
  }
  if (data.sampler.validation_samples() > 0) {
    validator_.emplace(
        world, Gatherer<T>(data.train, data.normalizer), data.sampler.validation_samples(),
        [&sampler = data.sampler](std::uint64_t i) { return sampler.validation_sample(i); },
        evaluation_rows);
  }
}

template <class T>
void Trainer<T>::resume(Checkpoint checkpoint) {
  agree(world_, [&] {
    const std::vector<std::size_t>& widths = step_.layout().widths();
    if (world_.is_root() &&
        (!std::equal(widths.begin(), widths.end(), checkpoint.widths.begin(),
                     checkpoint.widths.end()) ||
         (checkpoint.precision == Precision::f64) != (config_.precision == Precision::f64) ||
         checkpoint.steps_per_epoch != data_.sampler.steps() ||
         checkpoint.optimizer_state.size() != step_.optimizer().buffers())) {
      throw InputError("the checkpoint is one of another network, optimizer or data set");
    }
  });
  const std::string text =
      world_.broadcast(world_.is_root() ? describe_checkpoint(checkpoint) : std::string(), 0);
  if (!world_.is_root()) {
    checkpoint = parse_checkpoint(text, "rank 0's checkpoint");
  }
  std::vector<std::byte> best = std::move(checkpoint.best_parameters);
  if (!restore_tensors(world_, step_, *exchange_, checkpoint)) {
    reporter_.line(
        "note: the ranks lie otherwise than before; what --compress still owed to the sums is lost "
        "(less than the rounding of one update's gradients)");
  }
  position_.epoch = checkpoint.epoch;
  position_.step = checkpoint.step;
  position_.learning_rate = checkpoint.learning_rate;
  position_.seconds = checkpoint.epoch_seconds;
  if (world_.is_root()) {
    position_.sums = {checkpoint.loss_sum, checkpoint.correct};
  }
  result_.epochs = std::move(checkpoint.epochs);
  result_.best_epoch = checkpoint.best_epoch;
  if (result_.best_epoch > 0) {
    best_ = result_.epochs[result_.best_epoch - 1];
  }
  agree(world_, [&] {
    if (folder_ != nullptr && world_.is_root() && !best.empty()) {
      save(folder_->best_model(), *best_, best);
    }
  });
  keeps_best_ = world_.all_reduce<std::int64_t>(best.empty() ? 0 : 1, Reduction::max) == 1;
  best_parameters_.clear();
  if (keeps_best_) {
    best.resize(step_.layout().parameter_count() * sizeof(T));
    world_.broadcast(std::span(best), 0);
    const Range mine = {saved_.packed.begin * sizeof(T), saved_.packed.end * sizeof(T)};
    const auto slice = std::span(best).subspan(mine.begin, mine.size());
    best_parameters_.assign(slice.begin(), slice.end());
  }
}

template <class T>
bool Trainer<T>::is_done() const {
  const std::size_t done = result_.epochs.size();
  return done >= config_.epochs ||
         (config_.early_stop > 0 && done > 0 && done - result_.best_epoch >= config_.early_stop);
}

template <class T>
void Trainer<T>::run() {
  try {
    while (!is_done()) {
      train_epoch();
    }
  } catch (const StopAgreed&) {
    result_.interrupted = true;
    write_checkpoint();
    control_->finish();
    return;
  }
  result_.stopped_early = result_.epochs.size() < config_.epochs;
  if (control_ != nullptr) {
    control_->wait();
  }
  save_models();
}

/// At the end of training: the last model, and what could not be written before.
template <class T>
void Trainer<T>::save_models() {
  std::vector<std::byte> best;
  if (world_.all_reduce<std::int64_t>(best_unsaved_ ? 1 : 0, Reduction::max) == 1) {
    best = gather_best();
  }
  agree(world_, [&] {
    if (folder_ == nullptr || !world_.is_root()) {
      return;
    }
    folder_->create();  // again, where it is gone
    if (best_unsaved_) {
      save(folder_->best_model(), *best_, best);
    }
    if (metrics_unsaved_) {
      metrics_log_->write(result_.epochs);
    }
    save(folder_->last_model(), result_.epochs.back(),
         packed_parameters<T>(step_.layout(), step_.values()));
  });
}

template <class T>
std::vector<std::byte> Trainer<T>::present_slice() {
  std::vector<std::byte> bytes;
  bytes.reserve(saved_.packed.size() * sizeof(T));
  append_packed<T>(step_.layout(), step_.values(), 0, saved_.flat, bytes);
  return bytes;
}

/// Collective: on rank 0, the best parameters of all ranks; empty where none are kept.
template <class T>
std::vector<std::byte> Trainer<T>::gather_best() {
  std::vector<std::byte> whole;
  if (keeps_best_) {
    whole.resize(world_.is_root() ? step_.layout().parameter_count() * sizeof(T) : 0);
    world_.gather_slices(best_parameters_, saved_.packed.begin * sizeof(T), whole, 0);
  }
  return whole;
}

/// What is left of the epoch under way, and all that follows from it.
template <class T>
void Trainer<T>::train_epoch() {
  EpochMetrics metrics = run_epoch();
  check_replicas();
  validate(metrics);
  const bool is_best = improves(metrics);
  result_.epochs.push_back(metrics);
  keep(metrics, is_best);
  reporter_.end_epoch(metrics);
  position_ = {.epoch = position_.epoch + 1};
  if (control_ != nullptr) {
    obey(control_->after_epoch(updates(), metrics.epoch, is_done()));
  }
}

template <class T>
EpochMetrics Trainer<T>::run_epoch() {
  const Sampler& sampler = data_.sampler;
  const std::size_t epoch = position_.epoch;
  const std::size_t first = position_.step;
  reporter_.begin_epoch(epoch, config_.epochs, sampler.training_samples());
  loader_.start(
      [&sampler, epoch, first](std::size_t step, std::vector<std::uint64_t>& samples) {
        sampler.batch(epoch, first + step, samples);
      },
      sampler.steps() - first);
  epoch_watch_ = {};
  while (position_.step < sampler.steps()) {
    const std::size_t step = position_.step;
    Stopwatch watch;
    const Batch<T> batch = loader_.next();
    result_.seconds.load += watch.lap();
    position_.learning_rate = schedule_.at(updates());
    position_.sums += step_.run(batch, sampler.batch_samples(step), epoch, position_.learning_rate,
                                result_.seconds);
    reporter_.advance(sampler.batch_samples(step));
    ++position_.step;
    if (control_ != nullptr && position_.step < sampler.steps()) {
      obey(control_->after_update(updates()));
    }
  }
  position_.seconds += epoch_watch_.lap();
  EpochMetrics metrics;
  metrics.epoch = epoch;
  metrics.learning_rate = position_.learning_rate;
  const auto samples = static_cast<double>(sampler.training_samples());
  metrics.train = {
      world_.all_reduce(position_.sums.loss, Reduction::sum) / samples,
      static_cast<double>(world_.all_reduce(position_.sums.correct, Reduction::sum)) / samples,
      sampler.training_samples()};
  metrics.seconds = position_.seconds;
  metrics.samples_per_second = samples / metrics.seconds;
  return metrics;
}

template <class T>
std::uint64_t Trainer<T>::updates() const {
  return (position_.epoch - 1) * data_.sampler.steps() + position_.step;
}

template <class T>
void Trainer<T>::obey(RunControl::Order order) {
  if (order == RunControl::Order::go_on) {
    return;
  }
  position_.seconds += position_.step > 0 ? epoch_watch_.lap() : 0;
  if (order == RunControl::Order::stop) {
    throw StopAgreed();
  }
  write_checkpoint();
  epoch_watch_ = {};  // the epoch's time is that of training
}

template <class T>
void Trainer<T>::write_checkpoint() {
  if (!control_->writes()) {
    return;
  }
  const Stopwatch watch;
  Checkpoint checkpoint;
  checkpoint.loss_sum = world_.all_reduce(position_.sums.loss, Reduction::sum);
  checkpoint.correct = world_.all_reduce(position_.sums.correct, Reduction::sum);
  std::vector<std::byte> slice;
  if (control_->writes_parts()) {
    slice = take_slice(world_, step_, *exchange_, saved_, checkpoint);
    slice.insert(slice.end(), best_parameters_.begin(), best_parameters_.end());
    checkpoint.part_tensors = 1 + checkpoint.optimizer_state.size() + (keeps_best_ ? 1 : 0);
  } else {
    gather_tensors(world_, step_, *exchange_, checkpoint);
    checkpoint.best_parameters = gather_best();
  }
  if (world_.is_root()) {
    const std::vector<std::size_t>& widths = step_.layout().widths();
    checkpoint.program = program_name;
    checkpoint.configuration = to_json(config_).dump(-1, ' ', false, json_replace);
    checkpoint.data_sha256 = control_->settings().data_sha256;
    checkpoint.widths.assign(widths.begin(), widths.end());
    checkpoint.precision = config_.precision == Precision::f64 ? Precision::f64 : Precision::f32;
    checkpoint.updates = updates();
    checkpoint.steps_per_epoch = data_.sampler.steps();
    checkpoint.epoch = position_.epoch;
    checkpoint.step = position_.step;
    checkpoint.learning_rate = position_.learning_rate;
    checkpoint.epoch_seconds = position_.seconds;
    checkpoint.epochs = result_.epochs;
    checkpoint.best_epoch = result_.best_epoch;
  }
  if (control_->writes_parts()) {
    control_->submit_part(std::move(checkpoint), saved_.packed, std::move(slice), watch.seconds());
  } else {
    control_->submit(std::move(checkpoint), watch.seconds());
  }
}

template <class T>
void Trainer<T>::validate(EpochMetrics& metrics) {
  if (validator_) {
    Stopwatch watch;
    metrics.validation = validator_->run(step_.network(), nullptr, [this] {
      if (control_ != nullptr) {
        control_->check_stop();
      }
    });
    metrics.evaluation_seconds = watch.seconds();
    result_.seconds.evaluation += metrics.evaluation_seconds;
  }
}

template <class T>
bool Trainer<T>::improves(const EpochMetrics& metrics) const {
  if (!metrics.validation || !best_) {
    return true;
  }
  const Evaluation& now = *metrics.validation;
  const Evaluation& best = *best_->validation;
  return now.accuracy > best.accuracy || (now.accuracy == best.accuracy && now.loss < best.loss);
}

template <class T>
void Trainer<T>::keep(const EpochMetrics& metrics, bool is_best) {
  if (is_best) {
    best_ = metrics;
    result_.best_epoch = metrics.epoch;
  }
  // Without a validation set every epoch is the best one so far; only the last is worth writing.
  const bool write = is_best && (validator_ || metrics.epoch == config_.epochs);
  agree(world_, [&] {
    if (write) {
      best_parameters_ = present_slice();
      keeps_best_ = true;
    }
    if (folder_ != nullptr && world_.is_root()) {
      save_while_training(metrics, write);
    }
  });
}

/// On rank 0: a disk that is full now may have room again when the run ends.
template <class T>
void Trainer<T>::save_while_training(const EpochMetrics& metrics, bool save_best) {
  const auto attempt = [&metrics](bool& unsaved, const char* what, auto&& work) {
    const bool told = unsaved;
    try {
      work();
      unsaved = false;
    } catch (const FileError& error) {
      unsaved = true;
      if (!told) {
        std::fprintf(stderr,
                     "dnn_train: warning: no %s at epoch %zu: %s; training goes on, and "
                     "it is written again later: see to room and permissions there\n",
                     what, metrics.epoch, error.what());
      }
    }
  };
  if (save_best) {
    attempt(best_unsaved_, "best model", [&] {
      save(folder_->best_model(), *best_, packed_parameters<T>(step_.layout(), step_.values()));
    });
  }
  attempt(metrics_unsaved_, "metrics", [&] { metrics_log_->add(result_.epochs); });
}

template <class T>
void Trainer<T>::save(const std::string& path, const EpochMetrics& metrics,
                      std::span<const std::byte> parameters) const {
  ModelDescription description;
  const std::vector<std::size_t>& widths = step_.layout().widths();
  description.widths.assign(widths.begin(), widths.end());
  description.precision = config_.precision == Precision::f64 ? Precision::f64 : Precision::f32;
  description.class_names = data_.train.class_names;
  description.feature_names = data_.train.feature_names;
  description.index_base = data_.train.index_base;
  description.normalizer = data_.normalizer;
  description.configuration = to_toml(config_);
  description.epoch = metrics.epoch;
  if (metrics.validation) {
    description.validation_loss = metrics.validation->loss;
    description.validation_accuracy = metrics.validation->accuracy;
    description.validation_samples = metrics.validation->samples;
  }
  description.program = program_name;
  save_model(path, description, parameters);
}

template <class T>
void Trainer<T>::check_replicas() {
  const auto digest = sha256(std::as_bytes(step_.values()));
  std::uint64_t own = 0;
  std::memcpy(&own, digest.data(), sizeof(own));
  if (world_.all_reduce(own, Reduction::min) != world_.all_reduce(own, Reduction::max)) {
    throw std::runtime_error(
        "the ranks' parameters differ: a rank computes other numbers than the rest (processors of "
        "different kinds in one job, or faulty memory)");
  }
}

template <class T>
std::string Trainer<T>::parameters_sha256() {
  return to_hex(sha256(packed_parameters<T>(step_.layout(), step_.values())));
}

template <class T>
void Trainer<T>::use_best() {
  SavedModel best;
  best.parameters = gather_best();
  best.parameters.resize(step_.layout().parameter_count() * sizeof(T));
  world_.broadcast(std::span(best.parameters), 0);
  step_.set_values([&](std::span<T> values) { best.copy_to(step_.layout(), values); });
}

template <class T>
Evaluation Trainer<T>::final_evaluation(Confusion& confusion) {
  Stopwatch watch;
  Evaluation evaluation;
  if (!data_.test && validator_) {
    evaluation = validator_->run(step_.network(), &confusion);
  } else {
    const Dataset& set = data_.test ? *data_.test : data_.train;
    Evaluator<T> evaluator(
        world_, Gatherer<T>(set, data_.normalizer), set.samples, [](std::uint64_t i) { return i; },
        evaluation_rows);
    evaluation = evaluator.run(step_.network(), &confusion);
  }
  result_.seconds.evaluation += watch.seconds();
  return evaluation;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace dnn
