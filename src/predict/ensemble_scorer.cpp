#include "dnn/predict/ensemble_scorer.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/csv_text.hpp"
#include "dnn/train/evaluator.hpp"

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

void append_number(std::string& text, double value) {
  char digits[32];
  const auto result =
      std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::general, 7);
  text.append(digits, result.ptr);
}

}  // namespace

template <class T>
EnsembleScorer<T>::Member::Member(const SavedModel& model, const ModelInterface& ensemble,
                                  const Dataset& data, std::size_t rows)
    : network(model.description.precision == Precision::f64
                  ? decltype(network)(std::in_place_type<SavedNetwork<double>>, model, data, rows)
                  : decltype(network)(std::in_place_type<SavedNetwork<float>>, model, data, rows)),
      classes(ensemble.classes_in(model.description)) {}

template <class T>
EnsembleScorer<T>::EnsembleScorer(std::vector<std::string> paths, EnsembleAverage average,
                                  std::vector<SavedModel> own, const ModelInterface& ensemble,
                                  const Dataset& data, const Communicator& world)
    : paths_(std::move(paths)),
      average_(average),
      data_(data),
      rows_(chunk_rows(data.classes())),
      exchange_(world, paths_.size(), data.classes(), rows_),
      logits_(data.classes()) {
  agree(world, [&] {
    for (SavedModel& model : own) {
      members_.emplace_back(model, ensemble, data, rows_);
      model.parameters = {};  // not two copies of all models at a time
    }
  });
}

template <class T>
Range EnsembleScorer<T>::forward(std::size_t first) {
  const std::size_t begin = std::min(first + exchange_.shard() * rows_, data_.samples);
  const Range chunk{begin, std::min(begin + rows_, data_.samples)};
  for (std::size_t i = 0; i < members_.size() && !chunk.empty(); ++i) {
    std::visit([&](auto& network) { put(i, network.logits(chunk)); }, members_[i].network);
  }
  const Range mine = exchange_.exchange(chunk.size());
  chunk_begin_ = chunk.begin;
  return {chunk.begin + mine.begin, chunk.begin + mine.end};
}

template <class T>
std::string EnsembleScorer<T>::predictions(Range samples, PredictionFormat format, LossSums& sums) {
  std::string text;
  for (std::size_t sample = samples.begin; sample < samples.end; ++sample) {
    const auto models = exchange_.logits(sample - chunk_begin_);
    try {
      average<T>(average_, models, logits_.span());
      const std::size_t predicted = predict(sample, sums);
      if (format == PredictionFormat::csv) {
        add_line(sample, predicted, text);
      } else {
        text.append(reinterpret_cast<const char*>(logits_.data()), logits_.size() * sizeof(T));
      }
    } catch (const NumericalError& error) {
      throw NumericalError(data_.origin + ": sample " +
                           std::to_string(data_.first_sample + sample + 1) + ": " + error.what() +
                           " (" + culprit(models) + ")");
    }
  }
  return text;
}

template <class T>
template <class U>
void EnsembleScorer<T>::put(std::size_t member, MatrixView<const U> logits) {
  if constexpr (sizeof(U) <= sizeof(T)) {
    exchange_.put(exchange_.models().begin + member, logits,
                  std::span<const std::int32_t>(members_[member].classes));
  }
}

template <class T>
std::size_t EnsembleScorer<T>::predict(std::size_t sample, LossSums& sums) {
  const std::span<T> row = logits_.span();
  if (data_.has_labels()) {
    sums += SoftmaxCrossEntropy().evaluate<T>({row.data(), 1, row.size()},
                                              data_.label_view().subspan(sample, 1));
  }
  const auto predicted = static_cast<std::size_t>(predicted_class<T>(row));
  softmax(row);
  return predicted;
}

template <class T>
void EnsembleScorer<T>::add_line(std::size_t sample, std::size_t predicted,
                                 std::string& text) const {
  text += std::to_string(data_.first_sample + sample + 1);
  for (std::size_t j = 0; j < data_.kept_names.size(); ++j) {
    text += ',' + spreadsheet_field(std::string(data_.kept(sample, j)));
  }
  text += ',' + spreadsheet_field(data_.class_names[predicted]);
  if (data_.has_labels()) {
    const auto label = static_cast<std::size_t>(data_.label_view()[sample]);
    text += ',' + spreadsheet_field(data_.class_names[label]);
  }
  for (const T probability : logits_.span()) {
    text += ',';
    append_number(text, static_cast<double>(probability));
  }
  text += '\n';
}

/// The first model whose logits are no numbers; the models together, if they only mask too much.
template <class T>
std::string EnsembleScorer<T>::culprit(const std::vector<std::span<const T>>& models) const {
  for (std::size_t k = 0; k < models.size(); ++k) {
    const auto is_number = [](T a) { return a < std::numeric_limits<T>::infinity(); };
    const bool masks_all = std::all_of(models[k].begin(), models[k].end(), [](T a) {
      return a == -std::numeric_limits<T>::infinity();
    });
    if (masks_all || !std::all_of(models[k].begin(), models[k].end(), is_number)) {
      return paths_[k];
    }
  }
  return paths_.size() == 1 ? paths_[0] : "the models together";
}

template class EnsembleScorer<float>;
template class EnsembleScorer<double>;

}  // namespace dnn
