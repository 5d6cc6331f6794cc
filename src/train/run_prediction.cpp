#include "dnn/train/run_prediction.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>
#include <variant>

#include "dnn/comm/agree.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/open_dataset.hpp"
#include "dnn/nn/softmax.hpp"
#include "dnn/parallel/ensemble_exchange.hpp"
#include "dnn/train/choices.hpp"
#include "dnn/train/csv_text.hpp"
#include "dnn/train/evaluator.hpp"
#include "dnn/train/model_interface.hpp"
#include "dnn/train/prediction_file.hpp"
#include "dnn/train/saved_network.hpp"
#include "dnn/train/shared_dataset.hpp"
#include "dnn/train/training_data.hpp"

namespace dnn {

namespace {

/// Samples that a data shard computes at a time. A chunk's size follows from the model alone, so
/// that the products, whose rounding may depend on their shape, are the same at any number of
/// ranks; with very many classes it keeps chunk and text small.
std::size_t chunk_rows(std::size_t classes) {
  constexpr std::size_t most = 128;
  constexpr std::size_t most_logits = std::size_t{1} << 22;
  return std::clamp<std::size_t>(most_logits / classes, 1, most);
}

std::string expecting(const PredictConfig& config) {
  return config.models.size() == 1 ? "the model" : "the ensemble";
}

Dataset read_data(const PredictConfig& config, const ModelInterface& model) {
  ReadOptions options;
  options.label_column = config.label_column;
  options.header = choices<HeaderMode>().at(config.csv_header);
  options.wide = model.precision == Precision::f64;
  options.features = model.features;
  if (model.index_base >= 0) {
    options.index_base = model.index_base;
  }
  // A folder's test files are what a model is tried on; a folder without them gives its training
  // files.
  const Part part = has_test_part(config.data) ? Part::test : Part::train;
  Dataset data = open_dataset(config.data, part, options);
  if (data.samples == 0) {
    throw InputError(data.origin + ": no samples");
  }
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

void append_number(std::string& text, double value) {
  char digits[32];
  const auto result =
      std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::general, 7);
  text.append(digits, result.ptr);
}

/// A model of the ensemble that lies on this rank.
struct Member {
  std::variant<SavedNetwork<float>, SavedNetwork<double>> network;
  std::vector<std::int32_t> classes;  ///< as EnsembleExchange wants them

  Member(const SavedModel& model, const ModelInterface& ensemble, const Dataset& data)
      : network(model.description.precision == Precision::f64
                    ? decltype(network)(std::in_place_type<SavedNetwork<double>>, model, data,
                                        chunk_rows(data.classes()))
                    : decltype(network)(std::in_place_type<SavedNetwork<float>>, model, data,
                                        chunk_rows(data.classes()))),
        classes(ensemble.classes_in(model.description)) {}
};

/// Scores samples with the models of an ensemble; T is the widest of their element types.
template <class T>
class Scorer {
 public:
  /// Collective over `world`. `models`: those that this rank holds; they are given back to the
  /// system once their networks are made.
  Scorer(const PredictConfig& config, std::vector<SavedModel> models,
         const ModelInterface& ensemble, const Dataset& data, const Communicator& world)
      : config_(config),
        data_(data),
        rows_(chunk_rows(data.classes())),
        exchange_(world, config.models.size(), data.classes(), rows_),
        logits_(data.classes()) {
    agree(world, [&] {
      for (SavedModel& model : models) {
        members_.emplace_back(model, ensemble, data);
        model.parameters = {};
      }
    });
  }

  /// Samples that all data shards together score at a time.
  [[nodiscard]] std::size_t block() const { return rows_ * exchange_.shards(); }

  /// Collective over the ranks of the data shard: its chunk of the block of samples that starts at
  /// `first`, forward through all models. Returns those of its samples whose lines this rank
  /// writes.
  Range forward(std::size_t first) {
    const std::size_t begin = std::min(first + exchange_.shard() * rows_, data_.samples);
    const Range chunk{begin, std::min(begin + rows_, data_.samples)};
    for (std::size_t i = 0; i < members_.size() && !chunk.empty(); ++i) {
      std::visit([&](auto& network) { put(i, network.logits(chunk)); }, members_[i].network);
    }
    const Range mine = exchange_.exchange(chunk.size());
    chunk_begin_ = chunk.begin;
    return {chunk.begin + mine.begin, chunk.begin + mine.end};
  }

  /// The lines of `samples`, which forward() returned; adds to the sums where there are labels.
  std::string lines(Range samples, LossSums& sums) {
    std::string text;
    for (std::size_t sample = samples.begin; sample < samples.end; ++sample) {
      const auto models = exchange_.logits(sample - chunk_begin_);
      try {
        average<T>(config_.average, models, logits_.span());
        add_line(sample, text, sums);
      } catch (const NumericalError& error) {
        throw NumericalError(data_.origin + ": sample " + std::to_string(sample + 1) + ": " +
                             error.what() + " (" + culprit(models) + ")");
      }
    }
    return text;
  }

 private:
  template <class U>
  void put(std::size_t member, MatrixView<const U> logits) {
    if constexpr (sizeof(U) <= sizeof(T)) {
      exchange_.put(exchange_.models().begin + member, logits,
                    std::span<const std::int32_t>(members_[member].classes));
    }
  }

  void add_line(std::size_t sample, std::string& text, LossSums& sums) {
    const std::span<T> row = logits_.span();
    if (data_.has_labels()) {
      sums += SoftmaxCrossEntropy().evaluate<T>({row.data(), 1, row.size()},
                                                data_.label_view().subspan(sample, 1));
    }
    const auto predicted = static_cast<std::size_t>(predicted_class<T>(row));
    text += std::to_string(sample + 1) + ',' + csv_field(data_.class_names[predicted]);
    if (data_.has_labels()) {
      const auto label = static_cast<std::size_t>(data_.label_view()[sample]);
      text += ',' + csv_field(data_.class_names[label]);
    }
    softmax(row);
    for (const T probability : row) {
      text += ',';
      append_number(text, static_cast<double>(probability));
    }
    text += '\n';
  }

  /// The first model whose logits are no numbers; the models together, if they only mask too much.
  std::string culprit(const std::vector<std::span<const T>>& models) const {
    for (std::size_t k = 0; k < models.size(); ++k) {
      const auto is_number = [](T a) { return a < std::numeric_limits<T>::infinity(); };
      const bool masks_all = std::all_of(models[k].begin(), models[k].end(), [](T a) {
        return a == -std::numeric_limits<T>::infinity();
      });
      if (masks_all || !std::all_of(models[k].begin(), models[k].end(), is_number)) {
        return config_.models[k];
      }
    }
    return config_.models.size() == 1 ? config_.models[0] : "the models together";
  }

  const PredictConfig& config_;
  const Dataset& data_;
  std::size_t rows_;
  EnsembleExchange<T> exchange_;
  std::vector<Member> members_;
  AlignedBuffer<T> logits_;  ///< the ensemble's, of one sample
  std::size_t chunk_begin_ = 0;
};

/// Collective: scores everything, a block of all data shards' chunks at a time, so that the lines
/// come in order and no rank holds more than a chunk.
template <class T>
LossSums score(const PredictConfig& config, std::vector<SavedModel> models,
               const ModelInterface& ensemble, const Dataset& data, const Communicator& world) {
  Scorer<T> scorer(config, std::move(models), ensemble, data, world);
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
  sums.loss = world.all_reduce(sums.loss, Reduction::sum);
  sums.correct = world.all_reduce(sums.correct, Reduction::sum);
  return sums;
}

void report(const PredictConfig& config, const Dataset& data, const LossSums& sums,
            const EnsembleLayout& layout) {
  if (layout.models > 1) {
    std::printf("ensemble of %zu models, %s averaged; %zu rank%s in %zu data shard%s\n",
                layout.models, word_for(config.average).c_str(), layout.ranks,
                layout.ranks == 1 ? "" : "s", layout.shards(), layout.shards() == 1 ? "" : "s");
  }
  const auto count = static_cast<double>(data.samples);
  if (data.has_labels()) {
    std::printf("accuracy %.2f %% (%llu of %zu), loss %.4f\n",
                100 * static_cast<double>(sums.correct) / count,
                static_cast<unsigned long long>(sums.correct), data.samples, sums.loss / count);
  }
  std::printf("predictions: %s (%zu sample%s)\n", config.output.c_str(), data.samples,
              data.samples == 1 ? "" : "s");
}

}  // namespace

int run_prediction(const PredictConfig& config, const Communicator& world) {
  set_threads(1);
  std::vector<SavedModel> models = load_models(config, world);
  const ModelInterface ensemble = ModelInterface::join(world, config.models, models);
  agree(world, [&] {
    if (world.is_root() && !config.overwrite && std::filesystem::exists(config.output)) {
      throw InputError("--output " + config.output +
                       ": the file exists; name another one, or add --overwrite");
    }
  });
  Node node(world);
  {
    std::optional<Dataset> read = agree(world, [&] {
      return node.is_leader() ? std::optional(read_data(config, ensemble)) : std::nullopt;
    });
    Dataset data = share_dataset(world, node, std::move(read));
    check_finite(world, data);
    data.class_names = ensemble.class_names;  // data without labels have no names
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
