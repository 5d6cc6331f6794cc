#include "dnn/run/run_prediction.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/files/stream.hpp"
#include "dnn/parallel/ensemble_layout.hpp"
#include "dnn/predict/ensemble_scorer.hpp"
#include "dnn/predict/model_interface.hpp"
#include "dnn/predict/prediction_file.hpp"
#include "dnn/readers/data_source.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "dnn/run/choices.hpp"
#include "dnn/store/shared_dataset.hpp"
#include "dnn/store/training_data.hpp"

namespace dnn {

namespace {

std::string expecting(const PredictConfig& config) {
  return config.models.size() == 1 ? "the model" : "the ensemble";
}

Dataset read_data(const PredictConfig& config, const ModelInterface& model) {
  ReadOptions options;
  options.label_column = config.label_column;
  options.header = choices<HeaderMode>().at(config.csv_header);
  options.wide = model.precision == Precision::f64;
  options.features = model.features;
  options.schema = model.schema.empty() ? nullptr : &model.schema;
  options.missing = config.missing;
  options.keep = config.keep;
  if (model.index_base >= 0) {
    options.index_base = model.index_base;
  }
  // The test part is what a model is tried on; data without one give their training part.
  DataSource source(config.data);
  Dataset data = source.read(source.has_test_part(false) ? Part::test : Part::train, options);
  if (!config.keep.empty() && data.kept_names.empty()) {
    throw InputError(data.origin + ": --keep names columns, but the data are no table of text");
  }
  if (data.samples == 0) {
    throw InputError(data.origin + ": no samples");
  }
  check_encodable(data, model.schema, expecting(config));
  check_features(data, model.features, model.feature_names, expecting(config));
  use_classes(data, model.class_names, expecting(config));
  return data;
}

/// Collective: the models of this rank (EnsembleLayout).
std::vector<SavedModel> load_models(const PredictConfig& config, const Communicator& world) {
  const EnsembleLayout layout{static_cast<std::size_t>(world.size()), config.models.size()};
  return agree(world, [&] {
    if (config.models.empty()) {
      throw InputError("no model: name one with --model, or several with --logit-ensemble");
    }
    const Range own = layout.models_of(static_cast<std::size_t>(world.rank()));
    std::vector<SavedModel> models;
    for (std::size_t k = own.begin; k < own.end; ++k) {
      models.push_back(load_model(config.models[k]));
    }
    return models;
  });
}

/// Collective: scores everything, a block of all data shards' chunks at a time, so that the lines
/// come in order and no rank holds more than a chunk.
template <class T>
LossSums score(const PredictConfig& config, std::vector<SavedModel> models,
               const ModelInterface& ensemble, const Dataset& data, const Communicator& world) {
  EnsembleScorer<T> scorer(config.models, config.average, std::move(models), ensemble, data, world);
  std::optional<PredictionFile> file;
  agree(world, [&] {
    if (world.is_root()) {
      file.emplace(config.output, data);
    }
  });
  LossSums sums;
  for (std::size_t first = 0; first < data.samples; first += scorer.block()) {
    const Range mine = scorer.forward(first);
    const std::string lines = agree(world, [&] { return scorer.lines(mine, sums); });
    const std::vector<std::string> all = world.gather(lines, 0);
    agree(world, [&] {
      for (const std::string& text : all) {
        file->write(text);
      }
    });
  }
  agree(world, [&] {
    if (file) {
      file->commit();
    }
  });
  sums.loss = world.sum(sums.loss);
  sums.correct = world.all_reduce(sums.correct, Reduction::sum);
  return sums;
}

void report(const PredictConfig& config, const Dataset& data, const LossSums& sums,
            const EnsembleLayout& layout) {
  if (layout.models > 1) {
    say(fmt::format("ensemble of {} models, {} averaged; {} rank{} in {} data shard{}",
                    layout.models, word_for(config.average), layout.ranks,
                    layout.ranks == 1 ? "" : "s", layout.shards(),
                    layout.shards() == 1 ? "" : "s"));
  }
  const auto count = static_cast<double>(data.samples);
  if (data.has_labels()) {
    say(fmt::format("accuracy {:.2f} % ({} of {}), loss {:.4f}",
                    100 * static_cast<double>(sums.correct) / count, sums.correct, data.samples,
                    sums.loss.value() / count));
  }
  say(fmt::format("predictions: {} ({} sample{})", config.output, data.samples,
                  data.samples == 1 ? "" : "s"));
}

}  // namespace

int run_prediction(const PredictConfig& config, const Communicator& world) {
  set_threads(1);
  std::vector<SavedModel> models = load_models(config, world);
  const ModelInterface ensemble = ModelInterface::join(world, config.models, models);
  agree(world, [&] {
    if (world.is_root() && !config.overwrite && std::filesystem::exists(config.output)) {
      throw InputError(fmt::format(
          "--output {}: the file exists; name another one, or add --overwrite", config.output));
    }
  });
  Node node(world);
  {
    const auto nodes = static_cast<std::size_t>(
        world.all_reduce<std::int64_t>(node.is_leader() ? 1 : 0, Reduction::sum));
    std::optional<Dataset> read = agree(world, [&] {
      check_streams({config.data}, nodes);
      return node.is_leader() ? std::optional(read_data(config, ensemble)) : std::nullopt;
    });
    Dataset data = share_dataset(world, node, std::move(read));
    check_finite(world, data);
    data.class_names = ensemble.class_names;  // data without labels have no names
    if (world.is_root() && !config.quiet) {
      for (const std::string& note : data.notes) {
        say("note: " + note);
      }
    }
    const LossSums sums = ensemble.precision == Precision::f64
                              ? score<double>(config, std::move(models), ensemble, data, world)
                              : score<float>(config, std::move(models), ensemble, data, world);
    if (world.is_root() && !config.quiet) {
      report(config, data, sums, {static_cast<std::size_t>(world.size()), config.models.size()});
    }
  }
  node.close();
  return exit_ok;
}

}  // namespace dnn
