#include "dnn/library/fit_samples.hpp"

#include <fmt/format.h>

#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "dnn/checkpoint/checkpoint_control.hpp"
#include "dnn/comm/collective_error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/library/gather_dataset.hpp"
#include "dnn/library/ground.hpp"
#include "dnn/options/chosen_defaults.hpp"
#include "dnn/plan/load_data.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/train/best_model.hpp"
#include "dnn/train/trainer.hpp"
#include "dnn/train/trainer_settings.hpp"

namespace dnn {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// Asks to stop when a flag is set.
class StopFlag final : public StopSource {
 public:
  explicit StopFlag(const std::atomic<bool>& flag) : flag_(flag) {}
  [[nodiscard]] bool requested() const override { return flag_.load(); }
  [[nodiscard]] std::string reason() const override {
    return requested() ? "the calling program" : std::string();
  }

 private:
  const std::atomic<bool>& flag_;
};

dnn_train::Epoch epoch_of(const EpochMetrics& metrics, std::size_t epochs) {
  dnn_train::Epoch epoch{metrics.epoch, epochs, metrics.train.loss, none, none};
  if (metrics.validation) {
    epoch.validation_loss = metrics.validation->loss;
    epoch.validation_accuracy =
        metrics.validation->accuracy >= 0 ? metrics.validation->accuracy : none;
  }
  return epoch;
}

/// Collective over `world`: calls the host after an epoch; throws StopAgreed where it has asked to
/// end, and AgreedError where it threw, on all ranks.
void tell_host(const Communicator& world, const dnn_train::Host& host,
               const dnn_train::Epoch& epoch, std::atomic<bool>& stop) {
  std::string message;
  bool threw = false;
  bool goes_on = true;
  try {
    goes_on = !host.after_epoch || host.after_epoch(epoch);
  } catch (const std::exception& error) {
    threw = true;
    message = error.what();
  } catch (...) {
    threw = true;
    message = "an exception that is no std::exception";
  }
  const auto answer = world.all_reduce<std::int64_t>(threw ? 2 : goes_on ? 0 : 1, Reduction::max);
  if (answer == 2) {
    throw_if_any_failed(world, threw, "the callback after_epoch threw: " + message,
                        Fault::callback);
  }
  if (answer == 1) {
    stop = true;
    throw StopAgreed();
  }
}

RunPlan make_plan(const Config& config, RankGrid& grid, const TrainingData& data) {
  return agree(grid.world(), [&] { return RunPlan::make(config, grid, data); });
}

template <class T>
FittedModel train(const LibrarySettings& settings, const dnn_train::Host& host,
                  const Records& records, std::int64_t largest_class, std::atomic<bool>& stop,
                  RankGrid& grid) {
  const Communicator& world = grid.world();
  Config config = settings.config;
  const Dataset outputs = agree(world, [&] { return outputs_of(records.form, settings); });
  Dataset samples = gather_dataset(grid, records, largest_class, outputs);
  samples.feature_names = settings.feature_names;
  TrainingData data = use_data_and_choose({std::move(samples), {}, {}}, config, grid);
  const RunPlan plan = make_plan(config, grid, data);
  set_threads(plan.threads);
  Reporter reporter(host.log && world.is_root() ? Reporter::Mode::lines : Reporter::Mode::silent);
  for (const ChosenValue& chosen : config.chosen) {
    reporter.line(fmt::format("chosen: {} = {} ({})", chosen.option, chosen.value, chosen.reason));
  }
  if (config.length_splits > 0) {
    const FoundLength found = find_and_use_length(config, grid, plan, data);
    data.train.label_thresholds = found.label_thresholds;
  }
  const StopFlag flag(stop);
  CheckpointControl control(world, &flag,
                            {.interval = CheckpointInterval::parse("off"),
                             .folder = {},
                             .data_sha256 = {},
                             .go_back = {}});
  const Provenance provenance = provenance_of(config, plan.environment);
  const TrainerSettings how = without_checkpoints(config);
  Trainer<T> trainer(how, grid, plan, data, reporter,
                     {.provenance = provenance,
                      .control = &control,
                      .after_epoch = [&](const EpochMetrics& metrics) {
                        tell_host(world, host, epoch_of(metrics, config.epochs), stop);
                      }});
  trainer.run();
  const TrainingResult& result = trainer.result();
  FittedModel fitted;
  fitted.result = {result.epochs.size(), result.best_epoch, none, none, result.interrupted};
  SavedModel model{describe_trained(data, plan.layout.widths(), config.precision, provenance), {}};
  if (result.best_epoch > 0) {
    trainer.use_best();
    const EpochMetrics& best = result.epochs[result.best_epoch - 1];
    fitted.result.loss = result.epochs.back().train.loss;
    model.description.epoch = best.epoch;
    if (best.validation) {
      fitted.result.validation_loss = best.validation->loss;
      model.description.validation_loss = best.validation->loss;
      model.description.validation_accuracy = best.validation->accuracy;
      model.description.validation_figures = best.validation->figures;
      model.description.validation_samples = best.validation->samples;
    }
  }
  model.description.label_thresholds = trainer.label_thresholds();
  model.parameters = trainer.parameters();
  fitted.model = broadcast_model(world, std::move(model), "the trained network");
  return fitted;
}

}  // namespace

template <class T>
FittedModel fit_samples(const Communicator& world, const LibrarySettings& settings,
                        const dnn_train::Host& host, const Records& records,
                        std::int64_t largest_class, std::atomic<bool>& stop) {
  return on_ground(world, settings.config, [&](RankGrid& grid) {
    return train<T>(settings, host, records, largest_class, stop, grid);
  });
}

template FittedModel fit_samples<float>(const Communicator&, const LibrarySettings&,
                                        const dnn_train::Host&, const Records&, std::int64_t,
                                        std::atomic<bool>&);
template FittedModel fit_samples<double>(const Communicator&, const LibrarySettings&,
                                         const dnn_train::Host&, const Records&, std::int64_t,
                                         std::atomic<bool>&);

ModelDescription describe_for_steps(const Communicator& world, const LibrarySettings& settings,
                                    const Records& records, std::int64_t largest_class) {
  return on_ground(world, settings.config, [&](RankGrid& grid) {
    Config config = settings.config;
    config.validation = 0;  // all samples count in the scaling
    config.split_by_class = false;
    config.batch_size = 1;
    const Dataset outputs = agree(world, [&] { return outputs_of(records.form, settings); });
    Dataset samples = gather_dataset(grid, records, largest_class, outputs);
    samples.feature_names = settings.feature_names;
    const TrainingData data = make_training_data({std::move(samples), {}, {}}, config, grid, {});
    const RunPlan plan = make_plan(config, grid, data);
    return describe_trained(data, plan.layout.widths(), config.precision,
                            provenance_of(settings.config, plan.environment));
  });
}

SavedModel broadcast_model(const Communicator& world, SavedModel model, const std::string& origin) {
  const std::string text =
      world.broadcast(world.is_root() ? describe_model(model.description) : std::string(), 0);
  std::uint64_t bytes = model.parameters.size();
  world.broadcast(std::as_writable_bytes(std::span(&bytes, 1)), 0);
  agree(world, [&] { model.parameters.resize(bytes); });
  world.broadcast(std::span(model.parameters), 0);
  return agree(world, [&] { return parse_model(text, std::move(model.parameters), origin); });
}

}  // namespace dnn
