#include "dnn/train/run_prediction.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "dnn/comm/agree.hpp"
#include "dnn/comm/node.hpp"
#include "dnn/comm/program.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/data/open_dataset.hpp"
#include "dnn/nn/network.hpp"
#include "dnn/nn/softmax.hpp"
#include "dnn/train/choices.hpp"
#include "dnn/train/csv_text.hpp"
#include "dnn/train/evaluator.hpp"
#include "dnn/train/model_file.hpp"
#include "dnn/train/shared_dataset.hpp"
#include "dnn/train/training_data.hpp"

namespace dnn {

namespace {

Dataset read_data(const PredictConfig& config, const ModelDescription& model) {
  ReadOptions options;
  options.label_column = config.label_column;
  options.header = choices<HeaderMode>().at(config.csv_header);
  options.wide = model.precision == Precision::f64;
  options.features = model.widths.front();
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
  check_features(data, model.widths.front(), model.feature_names, "the model");
  use_classes(data, model.class_names, "the model");
  return data;
}

/// The lines of the output file: written in the data's order, under a temporary name until
/// complete.
class PredictionFile {
 public:
  PredictionFile(const PredictConfig& config, const Dataset& data)
      : path_(config.output), temporary_(path_ + ".tmp") {
    errno = 0;
    file_.open(temporary_, std::ios::trunc);
    check_written();
    std::string header = "sample,class";
    if (data.has_labels()) {
      header += ",label";
    }
    for (const std::string& name : data.class_names) {
      header += ',' + csv_field("p(" + name + ")");
    }
    write(header + '\n');
  }
  PredictionFile(const PredictionFile&) = delete;
  PredictionFile& operator=(const PredictionFile&) = delete;
  ~PredictionFile() {
    if (!done_) {
      std::error_code error;
      std::filesystem::remove(temporary_, error);
    }
  }

  void write(const std::string& text) {
    errno = 0;
    file_ << text << std::flush;
    check_written();
  }

  void commit() {
    file_.close();
    std::error_code error;
    std::filesystem::rename(temporary_, path_, error);
    if (error) {
      throw FileError("write the predictions", path_, error.value());
    }
    done_ = true;
  }

 private:
  void check_written() const {
    if (!file_) {
      throw FileError("write the predictions", path_, errno != 0 ? errno : EIO);
    }
  }

  std::string path_;
  std::string temporary_;
  std::ofstream file_;
  bool done_ = false;
};

void append_number(std::string& text, double value) {
  char digits[32];
  const auto result =
      std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::general, 7);
  text.append(digits, result.ptr);
}

/// Scores samples with a model of element type T.
template <class T>
class Scorer {
 public:
  static constexpr std::size_t rows = 256;

  Scorer(const SavedModel& model, const Dataset& data)
      : layout_({model.description.widths.begin(), model.description.widths.end()}),
        values_(layout_.size()),
        network_(layout_, values_.span(), {}, rows),
        gatherer_(data, model.description.normalizer),
        X_(rows * data.features) {
    model.copy_to(layout_, values_.span());
  }

  /// The lines of samples [range.begin, range.end), at most `rows`; adds to the sums where there
  /// are labels.
  std::string lines(Range range, LossSums& sums) {
    const Dataset& data = gatherer_.data();
    std::vector<std::uint64_t> samples(range.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      samples[i] = range.begin + i;
    }
    const MatrixView<T> X{X_.data(), range.size(), data.features};
    gatherer_.gather(samples, X);
    const MatrixView<T> logits = network_.forward(X);
    if (data.has_labels()) {
      sums += SoftmaxCrossEntropy().evaluate<T>(
          logits, data.label_view().subspan(range.begin, range.size()));
    }
    std::string text;
    for (std::size_t s = 0; s < logits.rows; ++s) {
      const std::span<T> row = logits.row(s);
      const auto predicted = static_cast<std::size_t>(predicted_class<T>(row));
      text += std::to_string(samples[s] + 1) + ',' + csv_field(data.class_names[predicted]);
      if (data.has_labels()) {
        const auto label = static_cast<std::size_t>(data.label_view()[samples[s]]);
        text += ',' + csv_field(data.class_names[label]);
      }
      softmax(row);
      for (const T probability : row) {
        text += ',';
        append_number(text, static_cast<double>(probability));
      }
      text += '\n';
    }
    return text;
  }

 private:
  ParameterLayout layout_;
  AlignedBuffer<T> values_;
  Network<T> network_;
  Gatherer<T> gatherer_;
  AlignedBuffer<T> X_;
};

/// Collective: scores everything, a block of all ranks' rows at a time, so that the lines come in
/// order and no rank holds more than a block.
template <class T>
LossSums score(const PredictConfig& config, const SavedModel& model, const Dataset& data,
               const Communicator& world) {
  Scorer<T> scorer(model, data);
  std::optional<PredictionFile> file;
  agree(world, [&] {
    if (world.is_root()) {
      file.emplace(config, data);
    }
  });
  LossSums sums;
  const auto ranks = static_cast<std::size_t>(world.size());
  const std::size_t block = Scorer<T>::rows * ranks;
  for (std::size_t first = 0; first < data.samples; first += block) {
    const std::size_t count = std::min(block, data.samples - first);
    const Range mine = part_of(count, ranks, static_cast<std::size_t>(world.rank()));
    const std::string lines = agree(world, [&] {
      return scorer.lines({first + mine.begin, first + mine.end}, sums);
    });
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

}  // namespace

int run_prediction(const PredictConfig& config, const Communicator& world) {
  set_threads(1);
  const SavedModel model = agree(world, [&] { return load_model(config.model); });
  agree(world, [&] {
    if (world.is_root() && !config.overwrite && std::filesystem::exists(config.output)) {
      throw InputError("--output " + config.output +
                       ": the file exists; name another one, or add --overwrite");
    }
  });
  Node node(world);
  {
    std::optional<Dataset> read = agree(world, [&] {
      return node.is_leader() ? std::optional(read_data(config, model.description)) : std::nullopt;
    });
    Dataset data = share_dataset(world, node, std::move(read));
    check_finite(world, data);
    data.class_names = model.description.class_names;  // data without labels have no names
    const LossSums sums = model.description.precision == Precision::f64
                              ? score<double>(config, model, data, world)
                              : score<float>(config, model, data, world);
    if (world.is_root() && !config.quiet) {
      const auto count = static_cast<double>(data.samples);
      if (data.has_labels()) {
        std::printf("accuracy %.2f %% (%llu of %zu), loss %.4f\n",
                    100 * static_cast<double>(sums.correct) / count,
                    static_cast<unsigned long long>(sums.correct), data.samples, sums.loss / count);
      }
      std::printf("predictions: %s (%zu sample%s)\n", config.output.c_str(), data.samples,
                  data.samples == 1 ? "" : "s");
    }
  }
  node.close();
  return exit_ok;
}

}  // namespace dnn
