#include "dnn/train/run_training.hpp"

#include <cstdio>

#include "dnn/comm/agree.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/train/run_folder.hpp"
#include "dnn/train/run_plan.hpp"
#include "dnn/train/run_summary.hpp"
#include "dnn/train/terminal.hpp"
#include "dnn/train/trainer.hpp"

namespace dnn {

namespace {

Reporter::Mode reporter_mode(const Config& config, const Communicator& world) {
  if (config.quiet || !world.is_root()) {
    return Reporter::Mode::silent;
  }
  return output_is_terminal() ? Reporter::Mode::terminal : Reporter::Mode::lines;
}

std::string percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f %%", 100 * fraction);
  return text;
}

std::string evaluated_set(const TrainingData& data) {
  if (data.test) {
    return "test";
  }
  return data.sampler.validation_samples() > 0 ? "validation" : "training";
}

/// Collective: rank 0's choice of the run folder, on every rank, ready to be written.
RunFolder prepare_folder(const Config& config, const Communicator& world, const RunPlan& plan) {
  const std::string path = agree(world, [&] {
    return world.is_root() ? RunFolder::choose(config.output, config.overwrite).path()
                           : std::string();
  });
  RunFolder folder(world.broadcast(path, 0));
  agree(world, [&] {
    if (world.is_root()) {
      folder.prepare(plan.disk_bytes);
    }
  });
  return folder;
}

template <class T>
void train(const Config& config, const Communicator& world, Node& node, const RunPlan& plan,
           const TrainingData& data, Reporter& reporter, const Stopwatch& since_start) {
  const RunFolder folder = prepare_folder(config, world, plan);
  Trainer<T> trainer(config, world, node, plan, data, &folder, reporter);
  trainer.run();

  FinalFigures figures;
  figures.evaluated_on = evaluated_set(data);
  figures.last_sha256 = trainer.parameters_sha256();
  Confusion confusion;
  figures.last = trainer.final_evaluation(confusion);
  trainer.use_best();
  figures.best_sha256 = trainer.parameters_sha256();
  confusion.clear();
  figures.best = trainer.final_evaluation(confusion);
  write_confusion(world, folder, data.train.class_names, confusion);
  figures.total_seconds = since_start.seconds();
  const TrainingResult& result = trainer.result();
  write_summary(world, folder, config, plan, data, result, figures);

  if (result.stopped_early) {
    reporter.line("stopped early: no better validation result in " +
                  std::to_string(config.early_stop) + " epochs");
  }
  char loss[32];
  std::snprintf(loss, sizeof(loss), "%.4f", figures.best.loss);
  reporter.line(figures.evaluated_on + " accuracy " + percent(figures.best.accuracy) + " (loss " +
                loss + ", " + with_commas(figures.best.samples) +
                " samples) with the model of epoch " + std::to_string(result.best_epoch) +
                ", the best");
  reporter.line("model: " + folder.best_model() +
                "  (summary, metrics and confusion matrix beside it)");
}

}  // namespace

int run_training(const Config& config, const Communicator& world) {
  const Stopwatch since_start;
  Reporter reporter(reporter_mode(config, world));
  reporter.line("dnn_train " DNN_VERSION);
  if (config.data == builtin_digits_name) {
    reporter.line(
        "training on the built-in data: 1,797 handwritten digits of 8 x 8 pixels (UCI, CC BY 4.0);"
        "\nname your own with --data FILE or FOLDER, see --help");
  }
  Node node(world);
  {
    const TrainingData data = load_training_data(config, world, node);
    const RunPlan plan = agree(world, [&] { return RunPlan::make(config, world, node, data); });
    set_threads(plan.threads);
    for (const std::string& line : describe(plan, config, data)) {
      reporter.line(line);
    }
    if (config.dry_run) {
      for (const std::string& line : describe_shares(plan, data)) {
        reporter.line(line);
      }
      agree(world, [&] { (void)RunFolder::choose(config.output, config.overwrite); });
      reporter.line("dry run: configuration and data are good; nothing was trained or written");
    } else if (config.precision == Precision::f64) {
      train<double>(config, world, node, plan, data, reporter, since_start);
    } else {
      train<float>(config, world, node, plan, data, reporter, since_start);
    }
  }
  node.close();
  return exit_ok;
}

}  // namespace dnn
