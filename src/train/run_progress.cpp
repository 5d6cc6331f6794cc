#include "dnn/train/run_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/report/openmetrics_file.hpp"
#include "dnn/report/step_log.hpp"

namespace dnn {

namespace {

/// The phases of training, as (now - before) / updates.
NamedSeconds named_seconds(const PhaseSeconds& now, const PhaseSeconds& before, double updates) {
  return {{"load", (now.load - before.load) / updates},
          {"compute", (now.compute - before.compute) / updates},
          {"exchange", (now.exchange - before.exchange) / updates},
          {"update", (now.update - before.update) / updates}};
}

/// `number` to so many parts of one: noise makes lines longer.
double rounded(double number, double parts) {
  return std::round(number * parts) / parts;
}

double sum_of(const NamedSeconds& seconds) {
  double sum = 0;
  for (const auto& [phase, value] : seconds) {
    sum += value;
  }
  return sum;
}

}  // namespace

RunProgress::RunProgress(const Setup& setup)
    : setup_(setup), interval_(step_log_interval(setup.settings.step_log, setup.size)) {
  const ProgressSettings& settings = setup_.settings;
  if (!settings.trace.empty()) {
    traced_ = UpdateRange::parse(settings.trace);
  }
  if (setup_.world.is_root()) {
    open_sinks();
  }
}

/// On rank 0. A file that cannot be written is a warning: an earlier run may be gone by now, and a
/// run that resumes on another host must not end because a folder of that host is missing.
void RunProgress::open_sinks() {
  const ProgressSettings& settings = setup_.settings;
  if (interval_ > 0) {
    sinks_.push_back({std::make_unique<StepLog>(setup_.folder.steps())});
  }
  if (settings.tensorboard != TensorBoard::off) {
    bool failed = false;
    attempt(failed, "TensorBoard events", [this] {
      auto events = std::make_unique<EventFile>(setup_.folder.tensorboard(), setup_.header);
      events_ = events.get();
      sinks_.push_back({std::move(events)});
    });
  }
  if (!settings.openmetrics.empty()) {
    sinks_.push_back({std::make_unique<OpenMetricsFile>(
        settings.openmetrics, OpenMetricsFile::Run{setup_.folder.path(), setup_.epochs,
                                                   static_cast<std::uint64_t>(setup_.world.size()),
                                                   setup_.epochs_done, setup_.updates_done})});
    attempt(sinks_.back().failed, sinks_.back().sink->name(),
            [this] { sinks_.back().sink->flush(); });
  }
}

PhaseTrace* RunProgress::trace_of(std::uint64_t update) {
  if (!traced_ || !traced_->holds(update)) {
    return nullptr;
  }
  trace_.begin_update(update);
  return &trace_;
}

void RunProgress::after_update(const Update& update) {
  if (interval_ > 0) {
    ++updates_;
    samples_ += update.samples;
    skipped_ += update.counts ? 0 : 1;
    if (update.counts) {
      loss_ += update.sums.loss;
      weight_ += update.sums.weight;
    }
  }
  if (wants_norm(update.update)) {
    const double loss = setup_.world.sum(std::exchange(loss_, {})).value();
    const double weight = setup_.world.sum(std::exchange(weight_, {})).value();
    if (setup_.world.is_root()) {
      StepRecord record{.update = update.update,
                        .epoch = update.epoch,
                        .updates = updates_,
                        .skipped = skipped_,
                        .learning_rate = update.learning_rate,
                        .samples = samples_};
      record.loss = weight > 0 ? loss / weight : StepRecord::unknown;
      record.gradient_norm = update.counts ? update.gradient_norm : StepRecord::unknown;
      record.seconds =
          named_seconds(update.seconds, seconds_before_, static_cast<double>(updates_));
      record.total_seconds = named_seconds(update.seconds, {}, 1);
      const double seconds = sum_of(record.seconds) * static_cast<double>(updates_);
      record.samples_per_second =
          rounded(static_cast<double>(samples_) / std::max(seconds, 1e-9), 10);
      for (auto& [phase, mean] : record.seconds) {
        mean = rounded(mean, 1e9);
      }
      record.time =
          rounded(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
                      .count(),
                  1000);
      setup_.reporter.note_loss(record.loss);
      add_to_sinks([&record](ProgressSink& sink) { sink.add(record); });
    }
    updates_ = skipped_ = samples_ = 0;
    seconds_before_ = update.seconds;
  }
  if (traced_ && update.update == traced_->last) {
    write_trace();
  }
}

void RunProgress::after_epoch(const EpochMetrics& epoch, std::uint64_t update,
                              const std::vector<NamedHistogram>& tensors) {
  if (events_ != nullptr) {
    for (const NamedHistogram& tensor : tensors) {
      events_->add(tensor, update);
    }
  }
  add_to_sinks([&](ProgressSink& sink) { sink.add(epoch, update); });
}

void RunProgress::flush() {
  add_to_sinks([](ProgressSink& sink) { sink.flush(); });
}

void RunProgress::went_back(const PhaseSeconds& seconds) {
  add_to_sinks([](ProgressSink& sink) { sink.went_back(); });
  loss_ = weight_ = {};
  updates_ = skipped_ = samples_ = 0;
  seconds_before_ = seconds;
}

void RunProgress::conclude(const Evaluation& best, std::uint64_t update) {
  if (events_ == nullptr) {
    return;
  }
  const auto own = std::find_if(sinks_.begin(), sinks_.end(),
                                [this](const Sink& sink) { return sink.sink.get() == events_; });
  attempt(own->failed, events_->name(), [&] { events_->conclude(best, update); });
}

void RunProgress::finish() {
  flush();
  if (traced_ && !trace_.empty()) {
    write_trace();
  }
  if (traced_) {
    setup_.reporter.line(fmt::format(
        "note: --trace {}: the run ended before the first of these updates, so there is no trace",
        setup_.settings.trace));
  }
}

/// Collective: once.
void RunProgress::write_trace() {
  traced_.reset();
  const std::string events = std::exchange(trace_, {}).gather(setup_.world);
  if (setup_.world.is_root()) {
    bool failed = false;
    attempt(failed, "trace", [&] { write_file_atomically(setup_.folder.trace(), events); });
  }
}

void RunProgress::add_to_sinks(const std::function<void(ProgressSink&)>& what) {
  for (Sink& sink : sinks_) {
    attempt(sink.failed, sink.sink->name(), [&] { what(*sink.sink); });
  }
}

void RunProgress::attempt(bool& failed, const std::string& what,
                          const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    // A later success says little: most of what is noted waits for the next write.
    if (!std::exchange(failed, true)) {
      complain(fmt::format("dnn_train: warning: could not write the {}: {}. Training continues.",
                           what, error.what()));
    }
  }
}

}  // namespace dnn
