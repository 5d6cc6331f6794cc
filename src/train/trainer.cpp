#include "dnn/train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/comm/agree.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/largest_magnitude.hpp"
#include "dnn/train/model_file.hpp"
#include "dnn/train/program_name.hpp"
#include "dnn/train/replica_check.hpp"
#include "dnn/train/training_setup.hpp"

namespace dnn {

namespace {

/// The most samples that evaluation computes at a time.
constexpr std::size_t evaluation_rows = 256;

/// Bytes of a path that are no UTF-8 become question marks rather than an exception.
constexpr auto json_replace = nlohmann::ordered_json::error_handler_t::replace;

/// What a sum of gradients may be: Adam squares it.
template <class T>
double largest_gradient(OptimizerKind optimizer) {
  const double largest = static_cast<double>(std::numeric_limits<T>::max());
  const bool squares = optimizer == OptimizerKind::adam || optimizer == OptimizerKind::adamw;
  return squares ? std::sqrt(largest) : largest;
}

/// Thrown on all ranks: the run is where an earlier checkpoint was.
struct WentBack {};

}  // namespace

template <class T>
Trainer<T>::Trainer(const Config& config, RankGrid& grid, const RunPlan& plan,
                    const TrainingData& data, const RunFolder* folder, Reporter& reporter,
                    RunControl* control)
    : config_(config),
      grid_(grid),
      world_(grid.world()),
      data_(data),
      environment_(plan.environment),
      reporter_(reporter),
      control_(control),
      exchange_(make_exchange<T>(plan.exchange, plan.exchange_settings, grid.data_group(),
                                 grid.data_node(), plan.part.size())),
      max_rows_(std::max(data.sampler.max_share(), evaluation_rows)),
      step_(plan.part,
            {max_rows_, config.dropout, config.clip_norm, config.seed, plan.products,
             data.largest_feature,
             largest_gradient<T>(config.optimizer) /
                 (config.reproducible ? static_cast<double>(config.logical_shards) : world_.size()),
             plan.exchange_settings.logical_shards,
             part_of(config.logical_shards, grid.data_shards(), grid.data_shard())},
            SoftmaxCrossEntropy(config.label_smoothing, class_weights_of(config, world_, data)),
            {.kind = config.optimizer,
             .momentum = config.momentum,
             .weight_decay = config.weight_decay},
            *exchange_, grid.is_split() ? &grid.model_group() : nullptr),
      schedule_(schedule_of(config, data.sampler.steps())),
      loader_(Gatherer<T>(data.train, data.normalizer), data.sampler.max_share()),
      parts_(grid, plan.part, exchange_->own(), sizeof(T)),
      models_(config, world_, data, parts_, environment_, folder),
      guard_(config.on_nonfinite, world_, folder != nullptr ? folder->nonfinite() : "") {
  step_.set_values(
      [&](std::span<T> values) { initialize(step_.layout(), config.init, config.seed, values); });
  if (data.sampler.validation_samples() > 0) {
    validator_.emplace(
        grid, plan.part, Gatherer<T>(data.train, data.normalizer),
        data.sampler.validation_samples(),
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
  std::vector<std::byte> best_parameters = std::move(checkpoint.best_parameters);
  if (!restore_tensors(world_, step_, *exchange_, parts_, checkpoint)) {
    reporter_.line(
        "note: the ranks lie otherwise than before; what --compress still owed to the sums is lost "
        "(less than the rounding of one update's gradients)");
  }
  position_.epoch = checkpoint.epoch;
  position_.step = checkpoint.step;
  position_.learning_rate = checkpoint.learning_rate;
  position_.seconds = checkpoint.epoch_seconds;
  position_.left_out = checkpoint.left_out;
  position_.sums =
      world_.is_root() ? LossSums{checkpoint.loss_sum, checkpoint.correct} : LossSums{};
  result_.skipped_updates = checkpoint.skipped;
  result_.epochs = std::move(checkpoint.epochs);
  const std::optional<EpochMetrics> best =
      checkpoint.best_epoch > 0 ? std::optional(result_.epochs[checkpoint.best_epoch - 1])
                                : std::nullopt;
  models_.restore(best, std::move(best_parameters));
  result_.best_epoch = models_.best_epoch();
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
    if (config_.on_nonfinite == OnNonfinite::rollback && control_ != nullptr &&
        !control_->has_checkpoint()) {
      write_checkpoint();  // the first that can be gone back to
    }
    while (!is_done()) {
      try {
        train_epoch();
      } catch (const WentBack&) {
        ++result_.rollbacks;
      }
    }
  } catch (const StopAgreed&) {
    result_.interrupted = true;
    write_checkpoint();
    control_->finish();
    return;
  }
  result_.stopped_early = result_.epochs.size() < config_.epochs;
  world_.pulse().begin(Activity::writing);
  if (control_ != nullptr) {
    control_->wait();
  }
  models_.save_last(result_.epochs, [this] { return parameters(); });
}

/// What is left of the epoch under way, and all that follows from it.
template <class T>
void Trainer<T>::train_epoch() {
  run_epoch();
  end_epoch();
  if (control_ != nullptr) {
    obey(control_->after_epoch(updates(), result_.epochs.back().epoch, is_done()));
  }
}

template <class T>
void Trainer<T>::end_epoch() {
  EpochMetrics metrics = training_metrics();
  metrics.sha256 = check_state();
  validate(metrics);
  world_.pulse().begin(Activity::writing);
  std::vector<std::byte> whole;
  if (grid_.is_split()) {
    whole = parameters();
    metrics.sha256 = hash_of(whole);
  }
  result_.epochs.push_back(metrics);
  models_.end_epoch(result_.epochs,
                    {[&] { return grid_.is_split() ? std::move(whole) : parameters(); },
                     [this] { return parts_.take<T>(step_.values(), 0); }});
  result_.best_epoch = models_.best_epoch();
  reporter_.end_epoch(metrics);
  position_ = {.epoch = position_.epoch + 1};
}

template <class T>
void Trainer<T>::begin_epoch() {
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
}

/// The next one of the epoch under way; the position stays before it.
template <class T>
StepResult Trainer<T>::make_update() {
  Stopwatch watch;
  world_.pulse().begin_update(updates() + 1);
  world_.pulse().begin(Activity::fetching);
  const Batch<T> batch = loader_.next();
  world_.pulse().begin(Activity::computing);
  result_.seconds.load += watch.lap();
  position_.learning_rate = schedule_.at(updates());
  return step_.run(batch, data_.sampler.batch_samples(position_.step), position_.epoch,
                   position_.learning_rate, result_.seconds);
}

/// Makes the next update, and goes on behind it.
template <class T>
void Trainer<T>::advance() {
  const StepResult done = make_update();
  const std::size_t samples = data_.sampler.batch_samples(position_.step);
  if (done.counts) {
    position_.sums += done.sums;
    guard_.note_good();
  } else {
    leave_out(done, samples);
  }
  reporter_.advance(samples);
  ++position_.step;
}

template <class T>
void Trainer<T>::run_epoch() {
  begin_epoch();
  while (position_.step < data_.sampler.steps()) {
    advance();
    if (config_.verify_every > 0 && updates() % config_.verify_every == 0) {
      check_state();
    }
    if (control_ != nullptr && position_.step < data_.sampler.steps()) {
      obey(control_->after_update(updates()));
    }
  }
  position_.seconds += epoch_watch_.lap();
}

template <class T>
EpochMetrics Trainer<T>::training_metrics() const {
  EpochMetrics metrics;
  metrics.epoch = position_.epoch;
  metrics.learning_rate = position_.learning_rate;
  const std::size_t counted = data_.sampler.training_samples() - position_.left_out;
  const auto samples = static_cast<double>(counted);
  metrics.train = {
      world_.sum(position_.sums.loss).value() / samples,
      static_cast<double>(world_.all_reduce(position_.sums.correct, Reduction::sum)) / samples,
      counted};
  metrics.seconds = position_.seconds;
  metrics.samples_per_second = samples / metrics.seconds;
  return metrics;
}

template <class T>
ReplayedUpdate Trainer<T>::replay(std::uint64_t update) {
  while (!is_done()) {
    begin_epoch();
    while (position_.step < data_.sampler.steps()) {
      if (updates() + 1 == update) {
        return look_at_update();
      }
      advance();
    }
    end_epoch();
  }
  throw AgreedError("the run ends after epoch " + std::to_string(result_.epochs.size()) +
                    ", with update " + std::to_string(updates()) + "; there is no update " +
                    std::to_string(update));
}

template <class T>
ReplayedUpdate Trainer<T>::look_at_update() {
  std::vector<T> gradients(step_.layout().size());  // of all ranks' samples, finite or not
  step_.observe([&gradients](Range range, std::span<const T> given) {
    std::transform(given.begin(), given.end(), gradients.data() + range.begin,
                   gradients.data() + range.begin, std::plus<>());
  });
  const StepResult done = make_update();
  step_.observe({});
  grid_.data_group().all_reduce(std::span(gradients), Reduction::sum);

  ReplayedUpdate result;
  result.update = updates() + 1;
  result.epoch = position_.epoch;
  result.step = position_.step + 1;
  result.samples = data_.sampler.batch_samples(position_.step);
  result.learning_rate = position_.learning_rate;
  result.finite = done.counts;
  const double loss = world_.sum(done.sums.loss).value();
  const auto correct = world_.all_reduce(done.sums.correct, Reduction::sum);
  const auto samples = static_cast<double>(result.samples);
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  result.loss = done.counts ? loss / samples : none;
  result.accuracy = done.counts ? static_cast<double>(correct) / samples : none;
  result.gradients = LayerNorms::of<T>(grid_, step_.layout(), std::span<const T>(gradients));
  result.parameters = LayerNorms::of<T>(grid_, step_.layout(), step_.values());
  result.sha256 = parameters_sha256();
  result.findings = gather_findings(world_, in_words_of_the_data(done.bad));
  return result;
}

/// With the name of the class, which the training step does not know.
template <class T>
std::optional<BadNumbers> Trainer<T>::in_words_of_the_data(std::optional<BadNumbers> bad) const {
  if (bad && bad->class_index) {
    bad->what += ", class '" + data_.train.class_names[*bad->class_index] + "'";
  }
  if (bad && !bad->origin.empty()) {
    bad->what += "; it begins in " + bad->origin;
  }
  return bad;
}

/// After an update that does not count: what --on-nonfinite says, see Note [What to do about bad
/// numbers]. Returns where it is left out.
template <class T>
void Trainer<T>::leave_out(const StepResult& result, std::size_t samples) {
  switch (guard_.decide({updates() + 1, position_.epoch, position_.step + 1},
                        in_words_of_the_data(result.bad))) {
    case NonfiniteGuard::Action::skip:
      position_.left_out += samples;
      ++result_.skipped_updates;
      return;
    case NonfiniteGuard::Action::roll_back:
      if (control_ != nullptr && control_->writes()) {
        go_back();
      }
      [[fallthrough]];
    default:
      end_for_bad_numbers();
  }
}

template <class T>
void Trainer<T>::go_back() {
  control_->wait();
  resume(agree(
      world_, [this] { return world_.is_root() ? control_->settings().go_back() : Checkpoint{}; }));
  throw WentBack();
}

template <class T>
void Trainer<T>::end_for_bad_numbers() {
  std::string saved;
  if (control_ != nullptr && control_->writes()) {
    position_.seconds += epoch_watch_.lap();
    try {
      write_checkpoint();
      control_->finish();
      saved = "\nThe checkpoint of the state before it: " +
              world_.broadcast(control_->report().last_written, 0) + ".";
    } catch (const AgreedError& error) {
      saved = std::string("\nThe state before it could not be saved: ") + error.what() + ".";
    }
  }
  throw AgreedError(guard_.message() + saved +
                    "\nThe training diverged, or the data are broken. The same command with "
                    "--on-nonfinite skip goes on without such updates; a lower learning rate "
                    "(--lr), --clip-norm or --normalize keeps the numbers of a new run small");
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
  world_.pulse().begin(Activity::checkpointing);
  check_state();
  Checkpoint checkpoint;
  checkpoint.loss_sum = world_.sum(position_.sums.loss);
  checkpoint.correct = world_.all_reduce(position_.sums.correct, Reduction::sum);
  std::vector<std::byte> part;
  if (control_->writes_parts()) {
    part = take_slice(world_, step_, *exchange_, parts_, checkpoint);
    if (models_.keeps_best()) {
      parts_.append_written(models_.best_part(), part);
    }
    checkpoint.parts.tensors =
        1 + checkpoint.optimizer_state.size() + (models_.keeps_best() ? 1 : 0);
  } else {
    gather_tensors(world_, step_, *exchange_, parts_, checkpoint);
    checkpoint.best_parameters = models_.gather_best();
  }
  if (world_.is_root()) {
    const std::vector<std::size_t>& widths = step_.layout().widths();
    checkpoint.program = program_name;
    checkpoint.configuration = to_json(config_).dump(-1, ' ', false, json_replace);
    checkpoint.data_sha256 = control_->settings().data_sha256;
    checkpoint.environment = environment_.to_text();
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
    checkpoint.left_out = position_.left_out;
    checkpoint.skipped = result_.skipped_updates;
  }
  if (control_->writes_parts()) {
    control_->submit_part(std::move(checkpoint), parts_.written(), std::move(part),
                          watch.seconds());
  } else {
    control_->submit(std::move(checkpoint), watch.seconds());
  }
}

template <class T>
void Trainer<T>::validate(EpochMetrics& metrics) {
  if (validator_) {
    Stopwatch watch;
    world_.pulse().begin(Activity::evaluating);
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
std::vector<std::byte> Trainer<T>::parameters() {
  if (grid_.is_split()) {
    return parts_.gather(parts_.take<T>(step_.values(), 0));
  }
  return world_.is_root() ? packed_parameters<T>(step_.layout(), step_.values())
                          : std::vector<std::byte>();
}

template <class T>
std::string Trainer<T>::check_state() {
  bool finite = std::isfinite(largest_magnitude(std::span<const T>(step_.values())));
  for (std::size_t i = 0; i < step_.optimizer().buffers(); ++i) {
    finite =
        finite && std::isfinite(largest_magnitude(std::span<const T>(step_.optimizer().state(i))));
  }
  throw_if_any_failed(
      world_, !finite,
      "the parameters or the optimizer's state are no numbers any more (the training "
      "diverged, or a fault in memory); the newest checkpoint is from before; lower "
      "the learning rate or set --clip-norm in a new run");
  const auto digests =
      check_replicas(world_, replicas_of<T>(grid_, step_.layout(), step_.values()));
  return grid_.is_split() ? std::string() : to_hex(digests.front());
}

template <class T>
std::string Trainer<T>::parameters_sha256() {
  return hash_of(parameters());
}

/// Collective: on all ranks, the hash of the parameters that rank 0 gives.
template <class T>
std::string Trainer<T>::hash_of(std::span<const std::byte> whole) {
  return world_.broadcast(world_.is_root() ? dnn::parameters_sha256(whole) : std::string(), 0);
}

template <class T>
void Trainer<T>::use_best() {
  const std::vector<std::byte> best = parts_.distribute(models_.gather_best());
  step_.set_values(
      [&](std::span<T> values) { unpack_parameters<T>(step_.layout(), std::span(best), values); });
}

template <class T>
Evaluation Trainer<T>::final_evaluation(Confusion& confusion) {
  Stopwatch watch;
  world_.pulse().begin(Activity::evaluating);
  Evaluation evaluation;
  if (!data_.test && validator_) {
    evaluation = validator_->run(step_.network(), &confusion);
  } else {
    const Dataset& set = data_.test ? *data_.test : data_.train;
    Evaluator<T> evaluator(
        grid_, step_.layout(), Gatherer<T>(set, data_.normalizer), set.samples,
        [](std::uint64_t i) { return i; }, evaluation_rows);
    evaluation = evaluator.run(step_.network(), &confusion);
  }
  result_.seconds.evaluation += watch.seconds();
  return evaluation;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace dnn
