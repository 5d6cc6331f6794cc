#include "dnn/train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/train/training_setup.hpp"

namespace dnn {

namespace {

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
      model_(settings, grid, plan, data,
             std::max(data.sampler.max_share(), RunEvaluator<T>::most_rows)),
      schedule_(schedule_of(settings, data.sampler.steps())),
      batches_(grid, data, settings.epochs),
      checks_(settings.verify_every, grid, data, model_, plan.products != ProductKind::bf16),
      evaluation_(grid, plan.part, data, settings.seed),
      models_({settings, world_, data, plan.layout.widths(), model_.parts(), outputs_.provenance,
               outputs_.folder}),
      nonfinite_(settings.on_nonfinite, world_, data.train.class_names,
                 outputs_.folder != nullptr ? outputs_.folder->nonfinite() : ""),
      saver_({grid, data, model_, models_, position_, result_}, outputs_.provenance, control_) {}

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
      save();  // the first that can be gone back to
    }
    while (!is_done()) {
      train_epoch();
    }
  } catch (const AgreedError&) {
    batches_.finish();  // all ranks are here
    throw;
  } catch (const StopAgreed&) {
    result_.interrupted = true;
    batches_.finish();
    model_.use_trained();
    save();
    control_->finish();
    if (outputs_.progress != nullptr) {
      outputs_.progress->finish();
    }
    return;
  }
  if (outputs_.progress != nullptr) {
    outputs_.progress->finish();
  }
  batches_.finish();
  result_.stopped_early = result_.epochs.size() < settings_.epochs;
  world_.heartbeat().begin(Activity::writing);
  if (control_ != nullptr) {
    control_->wait();
  }
  model_.use_average();
  models_.end_training([this] { return model_.own_parameters(); });
  choose_thresholds();
  models_.save_last(
      result_.epochs, [this] { return model_.parameters(); }, label_thresholds());
}

template <class T>
void Trainer<T>::use_best() {
  model_.set_parameters(models_.gather_best());
  if (choose_thresholds()) {
    models_.save_best([this] { return model_.parameters(); }, label_thresholds());
  }
}

/// For the present parameters. Returns whether there was something to choose them by.
template <class T>
bool Trainer<T>::choose_thresholds() {
  if (data_.train.task != Task::labels || settings_.label_thresholds == ThresholdRule::half ||
      data_.sampler.validation_samples() == 0) {
    return false;
  }
  world_.heartbeat().begin(Activity::evaluating);
  evaluation_.choose_thresholds(model_.step().network());
  return true;
}

/// What is left of the epoch under way, and all that follows from it.
template <class T>
void Trainer<T>::train_epoch() {
  try {
    begin_epoch();
    while (position_.step < data_.sampler.steps()) {
      advance();
      checks_.after_update(position_, updates());
      if (control_ != nullptr && position_.step < data_.sampler.steps()) {
        obey(control_->after_update(updates()));
      }
    }
    position_.seconds += epoch_watch_.lap();
    end_epoch();
    if (control_ != nullptr) {
      obey(control_->after_epoch(updates(), result_.epochs.back().epoch, is_done()));
    }
  } catch (const WentBack&) {
    ++result_.rollbacks;
  }
}

template <class T>
void Trainer<T>::begin_epoch() {
  const Sampler& sampler = data_.sampler;
  std::size_t done = 0;
  for (std::size_t step = 0; step < position_.step; ++step) {
    done += sampler.batch_samples(step);
  }
  reporter_.begin_epoch({position_.epoch, settings_.epochs, sampler.training_samples(), done});
  batches_.begin(position_.epoch, position_.step, model_.step().owned_features());
  epoch_watch_ = {};
}

/// Makes the next update, and moves the position behind it.
template <class T>
void Trainer<T>::advance() {
  const StepResult done = make_update();
  const std::size_t samples = data_.sampler.batch_samples(position_.step);
  if (done.counts) {
    position_.sums += done.sums;
    nonfinite_.note_good();
  } else {
    model_.check_memory();
    leave_out(done, samples);
  }
  last_counts_ = done.counts;
  if (outputs_.progress != nullptr) {
    note_progress(done, samples);
  }
  reporter_.advance(samples);
  ++position_.step;
}

template <class T>
void Trainer<T>::note_progress(const StepResult& result, std::size_t samples) {
  outputs_.progress->after_update({.update = updates() + 1,
                                   .epoch = position_.epoch,
                                   .counts = result.counts,
                                   .sums = result.sums,
                                   .gradient_norm = result.gradient_norm,
                                   .learning_rate = position_.learning_rate,
                                   .samples = samples,
                                   .seconds = result_.seconds});
}

/// The next update of the epoch under way; the position stays before it.
template <class T>
StepResult Trainer<T>::make_update() {
  const std::uint64_t update = updates() + 1;
  PhaseTrace* const trace = trace_of(update);
  model_.step().measure(
      {outputs_.progress != nullptr && outputs_.progress->wants_norm(update), trace});
  PhaseTimer whole(trace);
  PhaseTimer timer(trace);
  world_.heartbeat().begin_update(updates() + 1);
  world_.heartbeat().begin(Activity::fetching);
  const Batch<T> batch = batches_.next(position_.step);
  world_.heartbeat().begin(Activity::computing);
  result_.seconds.load += timer.lap("load");
  position_.learning_rate = schedule_.at(updates());
  StepResult result = model_.step().run(batch, data_.sampler.batch_samples(position_.step),
                                        position_.epoch, position_.learning_rate, result_.seconds);
  whole.lap("whole update");
  return result;
}

/// After an update that does not count: what --on-nonfinite says, see Note [What to do about bad
/// numbers]. Returns where the update is left out.
template <class T>
void Trainer<T>::leave_out(const StepResult& result, std::size_t samples) {
  const auto action =
      nonfinite_.decide({updates() + 1, position_.epoch, position_.step + 1}, result.bad);
  if (action == NonfinitePolicy::Action::skip) {
    position_.left_out += samples;
    ++result_.skipped_updates;
    return;
  }
  if (action == NonfinitePolicy::Action::roll_back && saver_.writes()) {
    saver_.go_back(reporter_);
    if (outputs_.progress != nullptr) {
      outputs_.progress->went_back(result_.seconds);
    }
    throw WentBack();
  }
  position_.seconds += epoch_watch_.lap();
  if (outputs_.progress != nullptr) {
    outputs_.progress->flush();  // the updates before tell how it came to this
  }
  throw AgreedError(nonfinite_.reason_to_end(saver_.save_for_good()), Fault::numbers);
}

template <class T>
void Trainer<T>::obey(CheckpointControl::Order order) {
  if (order == CheckpointControl::Order::go_on) {
    return;
  }
  position_.seconds += position_.step > 0 ? epoch_watch_.lap() : 0;
  if (order == CheckpointControl::Order::stop) {
    throw StopAgreed();
  }
  save();
  epoch_watch_ = {};  // the epoch's time is that of training
}

/// A checkpoint, before which all that is shown of the updates until now is in its files.
template <class T>
void Trainer<T>::save() {
  if (outputs_.progress != nullptr) {
    outputs_.progress->flush();
  }
  PhaseTimer timer(trace_of(updates()));
  saver_.save();
  timer.lap("checkpoint");
}

template <class T>
void Trainer<T>::end_epoch() {
  EpochMetrics metrics = position_.metrics(world_, data_.sampler, data_.train.task);
  model_.use_average();
  metrics.sha256 = model_.check();
  validate(metrics);
  world_.heartbeat().begin(Activity::writing);
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
  show_epoch(metrics);
  model_.use_trained();
  position_ = {.epoch = position_.epoch + 1};
}

template <class T>
void Trainer<T>::show_epoch(const EpochMetrics& metrics) {
  reporter_.end_epoch(metrics);
  if (outputs_.after_epoch) {
    outputs_.after_epoch(metrics);
  }
  RunProgress* const progress = outputs_.progress;
  if (progress == nullptr) {
    return;
  }
  std::vector<NamedHistogram> tensors;
  if (progress->wants_histograms()) {
    tensors = model_.histograms(last_counts_);
  }
  progress->after_epoch(metrics, updates(), tensors);
}

template <class T>
void Trainer<T>::validate(EpochMetrics& metrics) {
  PhaseTimer timer(trace_of(updates()));
  world_.heartbeat().begin(Activity::evaluating);
  metrics.validation = evaluation_.validate(model_.step().network(), [this] {
    if (control_ != nullptr) {
      control_->check_stop();
    }
  });
  const double seconds = timer.lap("evaluation");
  metrics.evaluation_seconds = metrics.validation ? seconds : 0;
  result_.seconds.evaluation += metrics.evaluation_seconds;
}

template <class T>
Evaluation Trainer<T>::final_evaluation(Confusion& confusion, nlohmann::ordered_json* plots,
                                        const OutputSink<T>& sink) {
  const Stopwatch watch;
  world_.heartbeat().begin(Activity::evaluating);
  const Evaluation evaluation = evaluation_.judge(model_.step().network(), confusion, plots, sink);
  result_.seconds.evaluation += watch.seconds();
  return evaluation;
}

template <class T>
Importance Trainer<T>::importance() {
  world_.heartbeat().begin(Activity::evaluating);
  constexpr std::uint64_t passes_of_training = 3;  // forward, and twice as much backward
  const std::uint64_t trained =
      passes_of_training * data_.sampler.training_samples() * result_.epochs.size();
  return evaluation_.importance(model_.step().network(),
                                {.seed = settings_.seed,
                                 .passes = std::max<std::uint64_t>(trained / 200, 20'000),
                                 .max_rows = RunEvaluator<T>::most_rows});
}

template <class T>
ReplayedUpdate Trainer<T>::replay(std::uint64_t update) {
  try {
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
  } catch (const AgreedError&) {
    batches_.finish();  // all ranks are here
    throw;
  }
  batches_.finish();
  throw AgreedError(
      fmt::format("the run ends after epoch {}, with update {}; there is no update {}",
                  result_.epochs.size(), updates(), update));
}

template <class T>
ReplayedUpdate Trainer<T>::look_at_update() {
  std::vector<T> gradients(model_.step().layout().size());  // of this rank's samples
  model_.step().observe([&gradients](Range range, std::span<const T> given) {
    std::transform(given.begin(), given.end(), gradients.data() + range.begin,
                   gradients.data() + range.begin, std::plus<>());
  });
  const StepResult done = make_update();
  batches_.finish();
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
  const double correct = world_.sum(done.sums.correct).value();
  const double weight = world_.sum(done.sums.weight).value();
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  result.loss = done.counts ? loss / weight : none;
  result.accuracy = done.counts && has_accuracy(data_.train.task) ? correct / weight : none;
  result.gradients =
      LayerNorms::of<T>(grid_, model_.step().layout(), std::span<const T>(gradients));
  result.parameters = LayerNorms::of<T>(grid_, model_.step().layout(), model_.step().values());
  model_.use_average();
  result.sha256 = model_.parameters_sha256();
  result.findings =
      gather_findings(world_, in_words_of_the_data(done.bad, data_.train.class_names));
  return result;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace dnn
