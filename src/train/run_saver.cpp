#include "dnn/train/run_saver.hpp"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/program_name.hpp"
#include "dnn/core/stopwatch.hpp"

namespace dnn {

template <class T>
RunSaver<T>::RunSaver(const State& state, const Provenance& provenance, CheckpointControl* control)
    : state_(state), provenance_(provenance), control_(control) {}

template <class T>
void RunSaver<T>::save() {
  if (!writes()) {
    return;
  }
  const Communicator& world = state_.grid.world();
  DistributedModel<T>& model = state_.model;
  const BestModel& models = state_.models;
  const Stopwatch watch;
  world.heartbeat().begin(Activity::checkpointing);
  model.check();
  Checkpoint checkpoint;
  state_.position.write(world, state_.data.sampler, checkpoint);
  std::vector<std::byte> part;
  if (control_->writes_parts()) {
    part = model.take_slice(checkpoint);
    if (models.keeps_best()) {
      model.parts().append_written(models.best_part(), part);
    }
    checkpoint.parts.tensors =
        1 + checkpoint.optimizer_state.size() + (models.keeps_best() ? 1 : 0);
  } else {
    model.gather(checkpoint);
    checkpoint.best_parameters = models.gather_best();
  }
  if (world.is_root()) {
    checkpoint.program = program_name;
    checkpoint.configuration = provenance_.configuration;
    checkpoint.data_sha256 = control_->settings().data_sha256;
    checkpoint.environment = provenance_.environment.to_text();
    checkpoint.epochs = state_.result.epochs;
    checkpoint.best_epoch = state_.result.best_epoch;
    checkpoint.skipped = state_.result.skipped_updates;
  }
  if (control_->writes_parts()) {
    control_->submit_part(std::move(checkpoint), model.parts().written(), std::move(part),
                          watch.seconds());
  } else {
    control_->submit(std::move(checkpoint), watch.seconds());
  }
}

template <class T>
void RunSaver<T>::restore(Checkpoint checkpoint, Reporter& reporter) {
  const Communicator& world = state_.grid.world();
  state_.model.require_fit(checkpoint, state_.data.sampler.steps());
  const std::string text =
      world.broadcast(world.is_root() ? describe_checkpoint(checkpoint) : std::string(), 0);
  if (!world.is_root()) {
    checkpoint = parse_checkpoint(text, "rank 0's checkpoint");
  }
  std::vector<std::byte> best_parameters = std::move(checkpoint.best_parameters);
  if (!state_.model.restore(checkpoint)) {
    reporter.line(
        "note: the layout of ranks has changed, so the error feedback of --compress starts from "
        "zero. The effect is smaller than the rounding of one update's gradients.");
  }
  state_.position = TrainingPosition::read(world, state_.data.sampler, checkpoint);
  TrainingResult& result = state_.result;
  result.skipped_updates = checkpoint.skipped;
  result.epochs = std::move(checkpoint.epochs);
  const std::optional<EpochMetrics> best =
      checkpoint.best_epoch > 0 ? std::optional(result.epochs[checkpoint.best_epoch - 1])
                                : std::nullopt;
  state_.models.restore(best, std::move(best_parameters));
  result.best_epoch = state_.models.best_epoch();
}

template <class T>
void RunSaver<T>::go_back(Reporter& reporter) {
  const Communicator& world = state_.grid.world();
  control_->wait();
  restore(
      agree(world, [&] { return world.is_root() ? control_->settings().go_back() : Checkpoint{}; }),
      reporter);
}

template <class T>
std::string RunSaver<T>::save_for_good() {
  if (!writes()) {
    return {};
  }
  try {
    save();
    control_->finish();
    return "\nThe checkpoint of the state before it: " +
           state_.grid.world().broadcast(control_->report().last_written, 0) + ".";
  } catch (const AgreedError& error) {
    return std::string("\nThe state before it could not be saved: ") + error.what() + ".";
  }
}

template class RunSaver<float>;
template class RunSaver<double>;

}  // namespace dnn
