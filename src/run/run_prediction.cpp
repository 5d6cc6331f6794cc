#include "dnn/run/run_prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/node_cores.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/atomic_file.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/printable.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/files/file_stamp.hpp"
#include "dnn/files/stream.hpp"
#include "dnn/model/evaluation.hpp"
#include "dnn/options/choices.hpp"
#include "dnn/parallel/ensemble_layout.hpp"
#include "dnn/predict/ensemble_scorer.hpp"
#include "dnn/predict/model_interface.hpp"
#include "dnn/predict/prediction_file.hpp"
#include "dnn/readers/data_source.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "dnn/run/named_model.hpp"
#include "dnn/store/data_digest.hpp"
#include "dnn/store/shared_dataset.hpp"
#include "dnn/store/training_data.hpp"

namespace dnn {

namespace {

std::string expecting(const PredictConfig& config) {
  return config.models.size() == 1 ? "the model" : "the ensemble";
}

/// Text that is scored at a time; what it becomes in memory is of about that size.
constexpr std::size_t piece_bytes = std::size_t{1} << 26;

/// The data of a node, read by its leader, piece by piece where they are a large table.
class Pieces {
 public:
  Pieces(const PredictConfig& config, const ModelInterface& model)
      : config_(config), model_(model) {}

  /// Of the leader: the next piece.
  Dataset read() {
    try {
      return read_next();
    } catch (const InputError& error) {
      if (config_.names_data) {
        throw;
      }
      throw InputError(
          fmt::format("{}. No --data was given, so that {} was taken", error.what(), config_.data));
    }
  }

  [[nodiscard]] bool has_more() const { return has_more_; }

  /// Of the leader, once a piece is read: the files that the data are read from.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> paths;
    for (const FileStamp& stamp : source_->stamps()) {
      paths.push_back(stamp.path());
    }
    return paths;
  }

 private:
  Dataset read_next() {
    if (!source_) {
      source_.emplace(config_.data);
    }
    options_.label_column = config_.label_column;
    options_.header = choices<HeaderMode>().at(config_.csv_header);
    options_.wide = model_.precision == Precision::f64;
    options_.features = model_.features;
    options_.task = model_.task;
    options_.outputs = model_.class_names.size();
    options_.classes = &model_.class_names;
    options_.schema = model_.schema.empty() ? nullptr : &model_.schema;
    options_.missing = config_.missing;
    options_.keep = config_.keep;
    options_.piece_bytes = piece_bytes;
    if (model_.index_base >= 0) {
      options_.index_base = model_.index_base;
    }
    // The test part is what a model is tried on; data without one give their training part.
    const bool has_test_part = source_->has_test_part(false);
    Dataset data = source_->read(has_test_part ? Part::test : Part::train, options_);
    if (has_test_part && data.first_sample == 0) {
      data.notes.push_back(
          fmt::format("{}: its test part is predicted, and nothing else; name the "
                      "files of the rest to predict those",
                      config_.data));
    }
    if (!config_.keep.empty() && data.kept_names.empty()) {
      throw InputError(data.origin + ": --keep names columns, but the data are no table of text");
    }
    if (data.samples == 0 && data.first_sample == 0) {
      throw InputError(data.origin + ": no samples");
    }
    check_encodable(data, model_.schema, expecting(config_));
    check_features(data, model_.features, model_.feature_names, expecting(config_));
    use_classes(data, model_.class_names, expecting(config_),
                "remove the labels to predict without comparing");
    has_more_ = data.next.has_value();
    options_.from = data.next.value_or(TablePlace());
    return data;
  }

  const PredictConfig& config_;
  const ModelInterface& model_;
  ReadOptions options_;
  std::optional<DataSource> source_;
  bool has_more_ = false;
};

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

/// What has been scored.
struct Score {
  std::optional<PredictionFile> file;  ///< rank 0's
  PredictionSums sums;                 ///< of this rank
  std::vector<Figure> figures;         ///< of all ranks
  std::size_t samples = 0;
  bool has_labels = false;
};

/// Collective: scores a piece of the data, a block of all data shards' chunks at a time, so that
/// the lines come in order and no rank holds more than a chunk.
template <class T>
void score_piece(const PredictConfig& config, EnsembleScorer<T>& scorer, const Dataset& data,
                 const Communicator& world, Score& score) {
  const PredictionFormat format = prediction_format(config.output);
  for (std::size_t first = 0; first < data.samples; first += scorer.block()) {
    const Range mine = scorer.forward(first);
    const std::string lines =
        agree(world, [&] { return scorer.predictions(mine, format, score.sums); });
    const std::vector<std::string> all = world.gather(lines, 0);
    agree(world, [&] {
      for (const std::string& text : all) {
        score.file->write(text);
      }
    });
  }
  score.samples += data.samples;
}

/// Collective: what has to be known before the first piece, `data`, is scored. `element_bytes`: of
/// a number of an NPY file.
void begin_score(const PredictConfig& config, const Pieces& pieces, const Dataset& data,
                 std::size_t element_bytes, const Communicator& world, Score& score) {
  score.has_labels = data.has_labels();
  agree(world, [&] {
    if (world.is_root()) {
      check_output(config.output, config.overwrite, pieces.files());
      score.file.emplace(config.output, config.overwrite ? Existing::replace : Existing::keep, data,
                         make_answers<double>(data, config.top)->header(), element_bytes);
    }
  });
  if (data.has_labels() && !has_accuracy(data.task)) {
    score.sums.figures = make_figures<double>(data, {{0, data.classes()}, nullptr}, false);
  }
}

/// Collective: reads the data and scores them, piece by piece, with networks that compute in T.
template <class T>
void score_all(const PredictConfig& config, std::vector<SavedModel> models,
               const ModelInterface& ensemble, const Communicator& world, Score& score) {
  Pieces pieces(config, ensemble);
  std::optional<EnsembleScorer<T>> scorer;
  for (bool more = true; more;) {
    Node node(world);
    {
      const auto nodes = static_cast<std::size_t>(
          world.all_reduce<std::int64_t>(node.is_leader() ? 1 : 0, Reduction::sum));
      const NodeCores cores = NodeCores::find(node.ranks());
      std::optional<Dataset> read = agree(
          world,
          [&] {
            check_streams({config.data}, nodes);
            if (!node.is_leader()) {
              return std::optional<Dataset>();
            }
            const BorrowedCores borrowed(cores, cores.node);
            return std::optional(pieces.read());
          },
          Waiting::asleep);
      more = world.all_reduce<std::int64_t>(pieces.has_more() ? 1 : 0, Reduction::max) != 0;
      Dataset data = share_dataset(world, node, std::move(read));
      if (nodes > 1) {
        check_same_everywhere(world, node.ranks(), digest_of(node.ranks(), data), data.origin);
      }
      check_finite(world, data);
      data.class_names = ensemble.class_names;  // data without labels have no names
      data.task = ensemble.task;
      data.label_thresholds = ensemble.label_thresholds;
      if (data.first_sample == 0) {
        begin_score(config, pieces, data, sizeof(T), world, score);
      }
      if (world.is_root() && !config.quiet) {
        for (const std::string& note : data.notes) {
          say("note: " + note);
        }
      }
      if (scorer) {
        scorer->use(data);
      } else {
        scorer.emplace(config.models, config.average, std::exchange(models, {}), ensemble, data,
                       world, config.top);
      }
      score_piece(config, *scorer, data, world, score);
    }
    node.close();
  }
  agree(world, [&] {
    if (score.file) {
      score.file->commit(score.samples);
    }
  });
  score.sums.sums.loss = world.sum(score.sums.sums.loss);
  score.sums.sums.correct = world.sum(score.sums.sums.correct);
  if (score.sums.figures) {
    score.figures = score.sums.figures->finish(world);
  }
}

void report(const PredictConfig& config, Task task, const Score& score,
            const EnsembleLayout& layout) {
  if (layout.models > 1) {
    say(fmt::format(
        "ensemble of {} models, {} averaged; {} rank{} in {} data shard{}", layout.models,
        task == Task::numbers ? word_for(task) : word_for(config.average), layout.ranks,
        layout.ranks == 1 ? "" : "s", layout.shards(), layout.shards() == 1 ? "" : "s"));
  }
  const auto count = static_cast<double>(score.samples);
  if (!score.figures.empty()) {
    std::string text;
    for (const Figure& figure : score.figures) {
      text += fmt::format("{}{} {:.6g}", text.empty() ? "" : ", ", printable_name(figure.name),
                          figure.value);
    }
    say(text);
  } else if (score.has_labels) {
    const double correct = score.sums.sums.correct.value();
    say(fmt::format("accuracy {:.2f} % ({:.0f} of {}), loss {}", 100 * correct / count, correct,
                    score.samples, loss_text(score.sums.sums.loss.value() / count)));
  }
  say(fmt::format("predictions: {} ({} sample{})", config.output, score.samples,
                  score.samples == 1 ? "" : "s"));
}

}  // namespace

int run_prediction(const PredictConfig& asked, const Communicator& world) {
  set_threads(1);
  PredictConfig config = asked;
  std::transform(config.models.begin(), config.models.end(), config.models.begin(), named_model);
  std::vector<SavedModel> models = load_models(config, world);
  const ModelInterface ensemble = ModelInterface::join(world, config.models, models);
  agree(world, [&] {
    check_prediction_name(config.output);
    if (world.is_root()) {
      std::vector<std::string> inputs = config.models;
      inputs.push_back(config.data);
      check_output(config.output, config.overwrite, inputs);
    }
    if (!config.keep.empty() && prediction_format(config.output) == PredictionFormat::npy) {
      throw InputError(fmt::format(
          "--output {}: an NPY file holds numbers alone, and --keep copies text; write to a "
          "file that ends in .csv",
          config.output));
    }
  });
  agree(world, [&] {
    if (config.top > 0 && prediction_format(config.output) == PredictionFormat::npy) {
      throw InputError(
          fmt::format("--top {}: an NPY file holds the probability of every class and no names; "
                      "write to a file "
                      "that ends in .csv",
                      config.top));
    }
    if (config.top > 0 && !has_accuracy(ensemble.task)) {
      throw InputError(fmt::format(
          "--top {}: the model predicts {}, and only classes can be ranked; leave the option out",
          config.top, word_for(ensemble.task)));
    }
  });
  Score score;
  // Numbers have the data's unit, and perhaps more digits than float.
  if (ensemble.precision == Precision::f64 || ensemble.task == Task::numbers) {
    score_all<double>(config, std::move(models), ensemble, world, score);
  } else {
    score_all<float>(config, std::move(models), ensemble, world, score);
  }
  if (world.is_root() && !config.quiet) {
    report(config, ensemble.task, score,
           {static_cast<std::size_t>(world.size()), config.models.size()});
  }
  return exit_ok;
}

}  // namespace dnn
