#include "dnn/train/trainer.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "dnn/comm/agree.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/program_name.hpp"
#include "dnn/train/training_setup.hpp"

namespace dnn {

namespace {

/// The most samples that evaluation computes at a time.
constexpr std::size_t evaluation_rows = 256;

/// Thrown on all ranks: the run is where an earlier checkpoint was.
struct WentBack {};

}  // namespace

template <class T>
Trainer<T>::Trainer(const TrainerSettings& settings, RankGrid& grid, const ModelPlan& plan,
                    const TrainingData& data, Reporter& reporter, Outputs outputs)
    : settings_(settings),
      outputs_(std::move(outputs)),
      grid_(grid),
      world_(grid.world()),
      data_(data),
      reporter_(reporter),
      control_(outputs_.control),
      model_(settings, grid, plan, data, std::max(data.sampler.max_share(), evaluation_rows)),
      schedule_(schedule_of(settings, data.sampler.steps())),
      loader_(Gatherer<T>(data.train, data.normalizer), data.sampler.max_share()),
      models_({settings, world_, data, plan.layout.widths(), model_.parts(), outputs_.provenance,
               outputs_.folder}),
      guard_(settings.on_nonfinite, world_,
             outputs_.folder != nullptr ? outputs_.folder->nonfinite() : "") {
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
  model_.require_fit(checkpoint, data_.sampler.steps());
  const std::string text =
      world_.broadcast(world_.is_root() ? describe_checkpoint(checkpoint) : std::string(), 0);
  if (!world_.is_root()) {
    checkpoint = parse_checkpoint(text, "rank 0's checkpoint");
  }
  std::vector<std::byte> best_parameters = std::move(checkpoint.best_parameters);
  if (!model_.restore(checkpoint)) {
    reporter_.line(
        "note: the ranks lie otherwise than before; what --compress still owed to the sums is lost "
        "(less than the rounding of one update's gradients)");
  }
  position_ = RunPosition::read(world_, checkpoint);
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
  return done >= settings_.epochs || (settings_.early_stop > 0 && done > 0 &&
                                      done - result_.best_epoch >= settings_.early_stop);
}

template <class T>
void Trainer<T>::run() {
  try {
    if (settings_.on_nonfinite == OnNonfinite::rollback && control_ != nullptr &&
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
  result_.stopped_early = result_.epochs.size() < settings_.epochs;
  world_.pulse().begin(Activity::writing);
  if (control_ != nullptr) {
    control_->wait();
  }
  models_.save_last(result_.epochs, [this] { return model_.parameters(); });
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
  EpochMetrics metrics = position_.metrics(world_, data_.sampler);
  metrics.sha256 = model_.check();
  validate(metrics);
  world_.pulse().begin(Activity::writing);
  std::vector<std::byte> whole;
  if (grid_.is_split()) {
    whole = model_.parameters();
    metrics.sha256 = model_.hash_of(whole);
  }
  result_.epochs.push_back(metrics);
  models_.end_epoch(result_.epochs,
                    {[&] { return grid_.is_split() ? std::move(whole) : model_.parameters(); },
                     [this] { return model_.own_parameters(); }});
  result_.best_epoch = models_.best_epoch();
  reporter_.end_epoch(metrics);
  position_ = {.epoch = position_.epoch + 1};
}

template <class T>
void Trainer<T>::begin_epoch() {
  const Sampler& sampler = data_.sampler;
  const std::size_t epoch = position_.epoch;
  const std::size_t first = position_.step;
  reporter_.begin_epoch(epoch, settings_.epochs, sampler.training_samples());
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
  return model_.step().run(batch, data_.sampler.batch_samples(position_.step), position_.epoch,
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
    if (settings_.verify_every > 0 && updates() % settings_.verify_every == 0) {
      model_.check();
    }
    if (control_ != nullptr && position_.step < data_.sampler.steps()) {
      obey(control_->after_update(updates()));
    }
  }
  position_.seconds += epoch_watch_.lap();
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
  std::vector<T> gradients(model_.step().layout().size());  // of this rank's samples
  model_.step().observe([&gradients](Range range, std::span<const T> given) {
    std::transform(given.begin(), given.end(), gradients.data() + range.begin,
                   gradients.data() + range.begin, std::plus<>());
  });
  const StepResult done = make_update();
  model_.step().observe({});
  if (done.counts) {
    gradients = model_.summed_gradients();
  } else {
    grid_.data_group().all_reduce(std::span(gradients), Reduction::sum);
  }

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
  result.gradients =
      LayerNorms::of<T>(grid_, model_.step().layout(), std::span<const T>(gradients));
  result.parameters = LayerNorms::of<T>(grid_, model_.step().layout(), model_.step().values());
  result.sha256 = model_.parameters_sha256();
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
  model_.check();
  Checkpoint checkpoint;
  position_.write(world_, data_.sampler, checkpoint);
  std::vector<std::byte> part;
  if (control_->writes_parts()) {
    part = model_.take_slice(checkpoint);
    if (models_.keeps_best()) {
      model_.parts().append_written(models_.best_part(), part);
    }
    checkpoint.parts.tensors =
        1 + checkpoint.optimizer_state.size() + (models_.keeps_best() ? 1 : 0);
  } else {
    model_.gather(checkpoint);
    checkpoint.best_parameters = models_.gather_best();
  }
  if (world_.is_root()) {
    checkpoint.program = program_name;
    checkpoint.configuration = outputs_.provenance.configuration;
    checkpoint.data_sha256 = control_->settings().data_sha256;
    checkpoint.environment = outputs_.provenance.environment.to_text();
    checkpoint.epochs = result_.epochs;
    checkpoint.best_epoch = result_.best_epoch;
    checkpoint.skipped = result_.skipped_updates;
  }
  if (control_->writes_parts()) {
    control_->submit_part(std::move(checkpoint), model_.parts().written(), std::move(part),
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
    metrics.validation = validator_->run(model_.step().network(), nullptr, [this] {
      if (control_ != nullptr) {
        control_->check_stop();
      }
    });
    metrics.evaluation_seconds = watch.seconds();
    result_.seconds.evaluation += metrics.evaluation_seconds;
  }
}

template <class T>
Evaluation Trainer<T>::final_evaluation(Confusion& confusion) {
  Stopwatch watch;
  world_.pulse().begin(Activity::evaluating);
  Evaluation evaluation;
  if (!data_.test && validator_) {
    evaluation = validator_->run(model_.step().network(), &confusion);
  } else {
    const Dataset& set = data_.test ? *data_.test : data_.train;
    Evaluator<T> evaluator(
        grid_, model_.step().layout(), Gatherer<T>(set, data_.normalizer), set.samples,
        [](std::uint64_t i) { return i; }, evaluation_rows);
    evaluation = evaluator.run(model_.step().network(), &confusion);
  }
  result_.seconds.evaluation += watch.seconds();
  return evaluation;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace dnn
