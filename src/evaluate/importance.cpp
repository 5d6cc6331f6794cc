#include "dnn/evaluate/importance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/permutation.hpp"
#include "dnn/core/random.hpp"
#include "dnn/data/batch_targets.hpp"
#include "dnn/data/sparse_batch.hpp"
#include "dnn/parallel/exact_totals.hpp"
#include "dnn/parallel/task_loss.hpp"

namespace dnn {

namespace {

constexpr std::size_t most_table_columns = 1000;
constexpr std::size_t most_plain_columns = 100;
constexpr std::size_t most_samples = 2000;
constexpr std::size_t least_samples = 50;
constexpr std::size_t most_shuffles = 5;

/// A column of the data as it lies in a row.
struct RawColumn {
  std::string name;
  std::size_t place = 0;
};

std::vector<RawColumn> columns_of(const Dataset& train, const Dataset& set) {
  std::vector<RawColumn> columns;
  for (const TableColumn& column : train.schema.columns) {
    if (column.is_feature()) {
      columns.push_back({column.name, columns.size()});
    }
  }
  for (std::size_t j = 0; train.schema.empty() && j < train.features; ++j) {
    const bool is_behind = set.omitted_column != Dataset::none && j >= set.omitted_column;
    columns.push_back(
        {train.feature_names.empty() ? fmt::format("feature {}", j + 1) : train.feature_names[j],
         j + (is_behind ? 1 : 0)});
  }
  return columns;
}

/// Why the columns of these data are not shuffled; empty: they are.
std::string obstacle(const Dataset& train, const Dataset& judged) {
  if (train.is_sparse() || judged.is_sparse()) {
    return "The samples are stored sparse.";
  }
  if (train.schema.empty()) {
    return train.features <= most_plain_columns
               ? std::string()
               : fmt::format("The data are no table, and have more than {} features.",
                             most_plain_columns);
  }
  const auto count = static_cast<std::size_t>(
      std::count_if(train.schema.columns.begin(), train.schema.columns.end(),
                    [](const TableColumn& column) { return column.is_feature(); }));
  return count <= most_table_columns
             ? std::string()
             : fmt::format("The table has more than {} columns.", most_table_columns);
}

/// The rows of a `width`-byte element each of a larger array.
Bytes taken(const Bytes& from, std::size_t width, std::span<const std::uint64_t> rows) {
  if (from.size() == 0) {
    return {};
  }
  std::vector<std::byte> bytes(rows.size() * width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(bytes.data() + i * width, from.view.data() + rows[i] * width, width);
  }
  return Bytes::from(std::move(bytes));
}

/// Some samples of a data set, in memory of their own, whose columns can be shuffled.
class ShuffledSamples {
 public:
  /// `held`: who holds the set's features, where the nodes share them out; else null.
  ShuffledSamples(const Dataset& set, std::span<const std::uint64_t> samples, const HeldRows* held)
      : element_(element_size(set.element)), row_(set.row_elements * element_) {
    const std::size_t targets =
        set.target_rows.size() / std::max<std::size_t>(set.samples, 1);  // bytes of a sample
    const Bytes values =
        held != nullptr ? held->copy(set, samples).values : taken(set.values, row_, samples);
    values_ = std::make_shared<std::vector<std::byte>>(values.view.begin(), values.view.end());
    data_.origin = set.origin;
    data_.samples = samples.size();
    data_.features = set.features;
    data_.element = set.element;
    data_.values = {std::as_bytes(std::span(*values_)), values_, {}, 0};
    data_.row_elements = set.row_elements;
    data_.omitted_column = set.omitted_column;
    data_.task = set.task;
    data_.labels = taken(set.labels, sizeof(std::int32_t), samples);
    data_.target_rows = taken(set.target_rows, targets, samples);
    data_.target_scale = set.target_scale;
    data_.weights = taken(set.weights, sizeof(double), samples);
    data_.weight_scale = set.weight_scale;
    data_.schema = set.schema;
    data_.has_missing = set.has_missing;
  }

  /// Sees the shuffled values.
  [[nodiscard]] const Dataset& data() const { return data_; }

  /// Sample i gets the value of sample `order(i)` in the column at `place`.
  void shuffle(std::size_t place, const Permutation& order) {
    column_.resize(data_.samples * element_);
    for (std::size_t i = 0; i < data_.samples; ++i) {
      std::memcpy(column_.data() + i * element_, at(i, place), element_);
    }
    for (std::size_t i = 0; i < data_.samples; ++i) {
      std::memcpy(at(i, place), column_.data() + order(i) * element_, element_);
    }
  }
  /// Undoes the last shuffle, of the column at `place`.
  void restore(std::size_t place) {
    for (std::size_t i = 0; i < data_.samples; ++i) {
      std::memcpy(at(i, place), column_.data() + i * element_, element_);
    }
  }

 private:
  [[nodiscard]] std::byte* at(std::size_t sample, std::size_t place) {
    return values_->data() + sample * row_ + place * element_;
  }

  std::size_t element_;  ///< bytes
  std::size_t row_;      ///< bytes
  std::shared_ptr<std::vector<std::byte>> values_;
  std::vector<std::byte> column_;  ///< as it was
  Dataset data_;
};

/// Computes the loss of this rank's part of some samples, again and again.
template <class T>
class SampleLoss {
 public:
  SampleLoss(const RankGrid& grid, const ParameterLayout& part, const TrainingData& data,
             const Dataset& samples, std::size_t max_rows)
      : gatherer_(samples, data.normalizer),
        form_(data.form()),
        max_rows_(max_rows),
        mine_(part_of(samples.samples, grid.data_shards(), grid.data_shard())),
        loss_(make_task_loss<T>({.task = data.train.task, .class_weights = {}},
                                grid.is_split() ? &grid.model_group() : nullptr, part, max_rows)),
        inputs_(form_ == InputForm::dense ? max_rows * samples.features : 0) {}

  LossSums run(Network<T>& network) {
    LossSums sums;
    std::vector<std::uint64_t> rows;
    for (std::size_t first = mine_.begin; first < mine_.end; first += max_rows_) {
      rows.clear();
      for (std::size_t i = first; i < std::min(first + max_rows_, mine_.end); ++i) {
        rows.push_back(i);
      }
      targets_.gather(gatherer_, rows);
      const MatrixView<const T> logits = network.forward(gathered(rows));
      sums += loss_->evaluate(logits, targets_.view()).sums;
    }
    return sums;
  }

 private:
  InputRows<T> gathered(std::span<const std::uint64_t> rows) {
    const std::size_t features = gatherer_.data().features;
    if (form_ == InputForm::sparse) {
      sparse_.gather(gatherer_, rows, {0, features});
      return sparse_.rows();
    }
    const MatrixView<T> X{inputs_.data(), rows.size(), features};
    gatherer_.gather(rows, X);
    return X;
  }

  Gatherer<T> gatherer_;
  InputForm form_;
  std::size_t max_rows_;
  Range mine_;
  std::unique_ptr<TaskLoss<T>> loss_;
  AlignedBuffer<T> inputs_;
  SparseBatch<T> sparse_;
  BatchTargets targets_;
};

}  // namespace

template <class T>
Importance permutation_importance(const RankGrid& grid, const ParameterLayout& part,
                                  Network<T>& network, const TrainingData& data,
                                  const JudgedSamples& judged, const ImportanceSettings& settings) {
  Importance result;
  result.left_out = obstacle(data.train, judged.set);
  if (!result.left_out.empty()) {
    return result;
  }
  const std::vector<RawColumn> columns = columns_of(data.train, judged.set);
  const std::uint64_t passes_of_column = settings.passes / std::max<std::size_t>(columns.size(), 1);
  result.samples = std::min<std::size_t>(
      judged.samples, std::clamp<std::uint64_t>(passes_of_column, least_samples, most_samples));
  result.shuffles = std::clamp<std::size_t>(passes_of_column / result.samples, 1, most_shuffles);

  std::vector<std::uint64_t> chosen;
  const Permutation drawn(judged.samples, RandomStream(settings.seed, Purpose::importance));
  for (std::size_t i = 0; i < result.samples; ++i) {
    chosen.push_back(judged.sample_at(drawn(i)));
  }
  ShuffledSamples samples(judged.set, chosen, judged.held);
  SampleLoss<T> loss(grid, part, data, samples.data(), settings.max_rows);

  LossSums whole = loss.run(network);
  std::vector<ExactSum> sums = {whole.weight, whole.loss, whole.correct};
  for (std::size_t c = 0; c < columns.size(); ++c) {
    grid.world().heartbeat().begin(Activity::evaluating);
    for (std::size_t k = 0; k < result.shuffles; ++k) {
      const RandomStream stream(settings.seed, Purpose::importance, c + 1, k);
      samples.shuffle(columns[c].place, Permutation(result.samples, stream));
      const LossSums shuffled = loss.run(network);
      samples.restore(columns[c].place);
      sums.push_back(shuffled.loss);
      sums.push_back(shuffled.correct);
    }
  }

  const std::vector<double> totals = exact_totals(grid.world(), std::move(sums));
  if (totals[0] == 0) {
    result.left_out = "None of the samples that were drawn for it has a weight above 0.";
    return result;
  }
  const bool with_accuracy = has_accuracy(data.train.task);
  result.loss = totals[1] / totals[0];
  result.accuracy = with_accuracy ? totals[2] / totals[0] : -1;
  const double* next = &totals[3];
  for (const RawColumn& column : columns) {
    Importance::Column found{.name = column.name};
    for (std::size_t k = 0; k < result.shuffles; ++k, next += 2) {
      const double more = next[0] / totals[0] - result.loss;
      found.least = k == 0 ? more : std::min(found.least, more);
      found.largest = k == 0 ? more : std::max(found.largest, more);
      found.loss += more / static_cast<double>(result.shuffles);
      found.accuracy += with_accuracy ? (result.accuracy - next[1] / totals[0]) /
                                            static_cast<double>(result.shuffles)
                                      : 0;
    }
    result.columns.push_back(std::move(found));
  }
  return result;
}

nlohmann::ordered_json Importance::to_json() const {
  using Json = nlohmann::ordered_json;
  if (!left_out.empty()) {
    return {{"left_out", left_out}};
  }
  Json list = Json::array();
  for (const Column& column : columns) {
    Json one = {{"name", column.name},
                {"loss", column.loss},
                {"least", column.least},
                {"largest", column.largest}};
    if (accuracy >= 0) {
      one["accuracy"] = column.accuracy;
    }
    list.push_back(std::move(one));
  }
  Json json = {{"samples", samples}, {"shuffles", shuffles}, {"loss", loss}};
  if (accuracy >= 0) {
    json["accuracy"] = accuracy;
  }
  json["columns"] = std::move(list);
  return json;
}

std::string Importance::in_words() const {
  std::vector<Column> sorted = columns;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Column& a, const Column& b) { return a.loss > b.loss; });
  constexpr std::size_t most = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, sorted.size()); ++i) {
    text += fmt::format("{}{} (loss {:+.3g})", i == 0 ? "" : ", ", in_quotes(sorted[i].name),
                        sorted[i].loss);
  }
  return text;
}

template Importance permutation_importance(const RankGrid&, const ParameterLayout&, Network<float>&,
                                           const TrainingData&, const JudgedSamples&,
                                           const ImportanceSettings&);
template Importance permutation_importance(const RankGrid&, const ParameterLayout&,
                                           Network<double>&, const TrainingData&,
                                           const JudgedSamples&, const ImportanceSettings&);

}  // namespace dnn
