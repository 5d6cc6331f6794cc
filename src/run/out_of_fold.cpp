#include "dnn/run/out_of_fold.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/predict/answers.hpp"
#include "dnn/predict/prediction_file.hpp"

namespace dnn {

namespace {

/// The lines of one rank: of each the sample, the length and the text.
class NumberedLines {
 public:
  void add(std::uint64_t sample, const std::string& line) {
    const std::uint64_t head[2] = {sample, line.size()};
    text_.append(reinterpret_cast<const char*>(head), sizeof(head));
    text_ += line;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

  /// Puts the lines of all ranks in the order of the samples.
  [[nodiscard]] static std::string merge(const std::vector<std::string>& texts) {
    std::vector<std::pair<std::uint64_t, std::string_view>> lines;
    for (const std::string_view text : texts) {
      for (std::size_t at = 0; at < text.size();) {
        std::uint64_t head[2] = {};
        std::memcpy(head, text.data() + at, sizeof(head));
        at += sizeof(head);
        lines.emplace_back(head[0], text.substr(at, head[1]));
        at += head[1];
      }
    }
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const auto& [sample, line] : lines) {
      all += line;
    }
    return all;
  }

 private:
  std::string text_;
};

/// The answers of each fold's network, whose labels have thresholds of their own.
class FoldAnswers {
 public:
  FoldAnswers(const Dataset& data, const OutOfFold& predictions)
      : data_(predictions.folds.size(), data) {
    for (std::size_t fold = 0; fold < data_.size(); ++fold) {
      data_[fold].label_thresholds = fold < predictions.label_thresholds.size()
                                         ? predictions.label_thresholds[fold]
                                         : std::vector<double>();
      answers_.push_back(make_answers<double>(data_[fold], 0));
    }
  }

  [[nodiscard]] const Answers<double>& of(std::size_t fold) const { return *answers_[fold]; }

 private:
  std::vector<Dataset> data_;
  std::vector<std::unique_ptr<Answers<double>>> answers_;
};

std::string fold_line(const Answers<double>& answers, std::uint64_t sample, std::uint32_t fold,
                      std::span<const double> outputs) {
  std::vector<double> row(outputs.begin(), outputs.end());
  std::string line = std::to_string(sample + 1) + ',' + std::to_string(fold + 1);
  try {
    LossSums unused;
    const std::size_t predicted = answers.predict(sample, row, unused);
    answers.append(sample, predicted, row, line);
  } catch (const NumericalError& error) {
    throw NumericalError("out of fold, sample " + std::to_string(sample + 1) + ": " + error.what());
  }
  return line + '\n';
}

}  // namespace

void write_out_of_fold(const Communicator& world, const RunFolder& folder, const Dataset& data,
                       const OutOfFold& predictions) {
  constexpr std::size_t most_numbers = std::size_t{1} << 22;  // that are text at a time
  const std::size_t width = data.classes();
  const std::size_t block = std::max<std::size_t>(most_numbers / width, 1);
  const FoldAnswers answers(data, predictions);
  std::vector<std::size_t> order(predictions.samples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return predictions.samples[a] < predictions.samples[b];
  });
  std::optional<PredictionFile> file;
  agree(world, [&] {
    if (world.is_root()) {
      file.emplace(folder.out_of_fold(), Existing::replace, data, ",fold" + answers.of(0).header(),
                   sizeof(double));
    }
  });
  auto next = order.begin();
  for (std::size_t first = 0; first < data.samples; first += block) {
    const NumberedLines lines = agree(world, [&] {
      NumberedLines own;
      for (; next != order.end() && predictions.samples[*next] < first + block; ++next) {
        const std::uint64_t sample = predictions.samples[*next];
        const std::uint32_t fold = predictions.fold_of[sample];
        own.add(sample, fold_line(answers.of(fold), sample, fold,
                                  std::span(predictions.outputs).subspan(*next * width, width)));
      }
      return own;
    });
    const std::vector<std::string> all = world.gather(lines.text(), 0);
    agree(world, [&] {
      if (file) {
        file->write(NumberedLines::merge(all));
      }
    });
  }
  agree(world, [&] {
    if (file) {
      file->commit(data.samples);
    }
  });
}

}  // namespace dnn
