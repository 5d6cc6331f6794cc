#include "dnn/predict/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/targets.hpp"
#include "dnn/data/csv_text.hpp"
#include "dnn/nn/output_loss.hpp"
#include "dnn/parallel/class_sharded_softmax.hpp"

namespace dnn {

Targets targets_of(const Dataset& data, std::size_t sample) {
  if (!has_target_rows(data.task)) {
    return Targets(data.label_view().subspan(sample, 1));
  }
  const std::size_t outputs = data.classes();
  return Targets(MatrixView<const double>{data.target_rows.as<double>().data() + sample * outputs,
                                          1, outputs});
}

namespace {

void append_number(std::string& text, double value, int digits) {
  char buffer[40];
  const auto result =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::general, digits);
  text.append(buffer, result.ptr);
}

/// A column for each output: "p(cat)".
std::string columns_of(const Dataset& data, const char* what) {
  std::string text;
  for (const std::string& name : data.class_names) {
    text += ',' + spreadsheet_field(std::string(what) + '(' + name + ')');
  }
  return text;
}

template <class T>
std::size_t largest(std::span<const T> row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

template <class T>
class ClassAnswers final : public Answers<T> {
 public:
  ClassAnswers(const Dataset& data, std::size_t top)
      : data_(data), top_(std::min(top, data.classes())) {}

  std::string header() const override {
    const std::string text = data_.has_labels() ? ",class,label" : ",class";
    if (top_ == 0) {
      return text + columns_of(data_, "p");
    }
    std::string pairs;
    for (std::size_t k = 1; k <= top_; ++k) {
      pairs += fmt::format(",class{0},p{0}", k);
    }
    return text + pairs;
  }

  std::size_t predict(std::size_t sample, std::span<T> row, LossSums& sums) const override {
    if (data_.has_labels()) {
      sums += evaluated(row, targets_of(data_, sample));
    }
    const std::size_t predicted = largest(std::span<const T>(row));
    softmax(row);
    return predicted;
  }

  void append(std::size_t sample, std::size_t predicted, std::span<const T> row,
              std::string& text) const override {
    text += ',' + spreadsheet_field(data_.class_names[predicted]);
    if (data_.has_labels()) {
      text += ',' + spreadsheet_field(data_.class_names[label_of(sample)]);
    }
    if (top_ > 0) {
      append_top(row, text);
      return;
    }
    for (const T probability : row) {
      append_probability(probability, text);
    }
  }

 private:
  static void append_probability(T probability, std::string& text) {
    text += ',';
    append_number(text, static_cast<double>(probability), 7);
  }

  /// Of equally likely classes, the first comes first.
  void append_top(std::span<const T> row, std::string& text) const {
    std::vector<std::size_t> order(row.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(top_);
    std::partial_sort(order.begin(), end, order.end(), [row](std::size_t a, std::size_t b) {
      return row[a] != row[b] ? row[a] > row[b] : a < b;
    });
    for (auto k = order.begin(); k != end; ++k) {
      text += ',' + spreadsheet_field(data_.class_names[*k]);
      append_probability(row[*k], text);
    }
  }

  /// The class of a sample, of a distribution the likeliest.
  [[nodiscard]] std::size_t label_of(std::size_t sample) const {
    return has_target_rows(data_.task) ? largest(targets_of(data_, sample).rows.row(0))
                                       : static_cast<std::size_t>(data_.label_view()[sample]);
  }

  [[nodiscard]] LossSums evaluated(std::span<const T> row, const Targets& targets) const {
    const MatrixView<const T> A{row.data(), 1, row.size()};
    if (!has_target_rows(data_.task)) {
      return SoftmaxCrossEntropy().evaluate<T>(A, targets);
    }
    const auto result =
        ClassShardedSoftmax<T>(nullptr, row.size(), {0, row.size()}, 1, SoftmaxCrossEntropy())
            .evaluate(A, targets);
    if (result.bad) {
      throw NumericalError(result.bad->what);
    }
    return result.sums;
  }

  const Dataset& data_;
  std::size_t top_;
};

template <class T>
void check_finite(std::span<const T> row) {
  if (!std::all_of(row.begin(), row.end(), [](T a) { return std::isfinite(a); })) {
    throw NumericalError("the outputs hold NaN or infinite numbers");
  }
}

/// Appends the targets of a sample, where there are such.
void append_targets(const Dataset& data, std::size_t sample, std::string& text) {
  if (!data.has_labels()) {
    return;
  }
  const Targets targets = targets_of(data, sample);
  for (const double value : targets.rows.row(0)) {
    text += ',';
    append_number(text, value, 15);
  }
}

template <class T>
class NumberAnswers final : public Answers<T> {
 public:
  explicit NumberAnswers(const Dataset& data) : data_(data) {}

  std::string header() const override {
    return columns_of(data_, "predicted") +
           (data_.has_labels() ? columns_of(data_, "target") : std::string());
  }

  std::size_t predict(std::size_t /*sample*/, std::span<T> row, LossSums& /*sums*/) const override {
    check_finite<T>(row);
    return 0;
  }

  void append(std::size_t sample, std::size_t /*predicted*/, std::span<const T> row,
              std::string& text) const override {
    constexpr int digits = std::numeric_limits<double>::max_digits10;
    for (const T value : row) {
      text += ',';
      append_number(text, static_cast<double>(value), digits);
    }
    append_targets(data_, sample, text);
  }

 private:
  const Dataset& data_;
};

template <class T>
class LabelAnswers final : public Answers<T> {
 public:
  explicit LabelAnswers(const Dataset& data)
      : data_(data), thresholds_(data.label_thresholds), separator_(data.schema.label_separator()) {
    thresholds_.resize(data.classes(), 0.5);
    if (separator_.empty()) {
      separator_ = ";";
    }
  }

  std::string header() const override {
    return ",labels" + columns_of(data_, "p") +
           (data_.has_labels() ? columns_of(data_, "target") : std::string());
  }

  std::size_t predict(std::size_t sample, std::span<T> row, LossSums& sums) const override {
    check_finite<T>(row);
    if (data_.has_labels()) {
      sums.loss += SigmoidCrossEntropy<T>().evaluate(
          {row.data(), 1, row.size()}, targets_of(data_, sample), {0, row.size()}, {});
    }
    std::transform(row.begin(), row.end(), row.begin(),
                   [](T a) { return static_cast<T>(sigmoid(a)); });
    return 0;
  }

  void append(std::size_t sample, std::size_t /*predicted*/, std::span<const T> row,
              std::string& text) const override {
    std::string given;
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (static_cast<double>(row[j]) >= thresholds_[j]) {
        given += (given.empty() ? "" : separator_) + data_.class_names[j];
      }
    }
    text += ',' + spreadsheet_field(given);
    for (const T probability : row) {
      text += ',';
      append_number(text, static_cast<double>(probability), 7);
    }
    append_targets(data_, sample, text);
  }

 private:
  const Dataset& data_;
  std::vector<double> thresholds_;
  std::string separator_;  ///< which no name of a label holds where cells are lists of labels
};

}  // namespace

template <class T>
std::unique_ptr<Answers<T>> make_answers(const Dataset& data, std::size_t top) {
  switch (data.task) {
    case Task::numbers:
      return std::make_unique<NumberAnswers<T>>(data);
    case Task::labels:
      return std::make_unique<LabelAnswers<T>>(data);
    default:
      return std::make_unique<ClassAnswers<T>>(data, top);
  }
}

template std::unique_ptr<Answers<float>> make_answers(const Dataset&, std::size_t);
template std::unique_ptr<Answers<double>> make_answers(const Dataset&, std::size_t);

}  // namespace dnn
