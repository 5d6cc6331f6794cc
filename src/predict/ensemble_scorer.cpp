#include "dnn/predict/ensemble_scorer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/csv_text.hpp"

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

}  // namespace

template <class T>
EnsembleScorer<T>::Member::Member(const SavedModel& model, const ModelInterface& ensemble,
                                  const Dataset& data, std::size_t rows)
    : network(model.description.precision == Precision::f64
                  ? decltype(network)(std::in_place_type<SavedNetwork<double>>, model, data, rows)
                  : decltype(network)(std::in_place_type<SavedNetwork<float>>, model, data, rows)),
      classes(ensemble.classes_in(model.description)),
      target_scale(model.description.target_scale) {}

template <class T>
EnsembleScorer<T>::EnsembleScorer(std::vector<std::string> paths, EnsembleAverage average,
                                  std::vector<SavedModel> own, const ModelInterface& ensemble,
                                  const Dataset& data, const Communicator& world, std::size_t top)
    : paths_(std::move(paths)),
      average_(average),
      top_(top),
      data_(&data),
      rows_(chunk_rows(data.classes())),
      exchange_(world, paths_.size(), data.classes(), rows_),
      logits_(data.classes()),
      answers_(make_answers<T>(data, top)) {
  agree(world, [&] {
    for (SavedModel& model : own) {
      members_.emplace_back(model, ensemble, data, rows_);
      model.parameters = {};  // not two copies of all models at a time
    }
  });
}

template <class T>
void EnsembleScorer<T>::use(const Dataset& data) {
  data_ = &data;
  for (Member& member : members_) {
    std::visit([&data](auto& network) { network.use(data); }, member.network);
  }
  answers_ = make_answers<T>(data, top_);
}

template <class T>
Range EnsembleScorer<T>::forward(std::size_t first) {
  const std::size_t begin = std::min(first + exchange_.shard() * rows_, data_->samples);
  const Range chunk{begin, std::min(begin + rows_, data_->samples)};
  for (std::size_t i = 0; i < members_.size() && !chunk.empty(); ++i) {
    std::visit([&](auto& network) { put(i, network.logits(chunk)); }, members_[i].network);
  }
  const Range mine = exchange_.exchange(chunk.size());
  chunk_begin_ = chunk.begin;
  return {chunk.begin + mine.begin, chunk.begin + mine.end};
}

template <class T>
std::string EnsembleScorer<T>::predictions(Range samples, PredictionFormat format,
                                           PredictionSums& sums) {
  std::string text;
  for (std::size_t sample = samples.begin; sample < samples.end; ++sample) {
    const auto models = exchange_.logits(sample - chunk_begin_);
    try {
      average<T>(average_, data_->task, models, logits_.span());
      const std::size_t predicted = predict(sample, sums);
      if (format == PredictionFormat::csv) {
        add_line(sample, predicted, text);
      } else {
        text.append(reinterpret_cast<const char*>(logits_.data()), logits_.size() * sizeof(T));
      }
    } catch (const NumericalError& error) {
      throw NumericalError(data_->origin + ": sample " +
                           std::to_string(data_->first_sample + sample + 1) + ": " + error.what() +
                           " (" + culprit(models) + ")");
    }
  }
  return text;
}

template <class T>
template <class U>
void EnsembleScorer<T>::put(std::size_t member, MatrixView<const U> logits) {
  const Member& model = members_[member];
  const std::size_t place = exchange_.models().begin + member;
  const std::span<const std::int32_t> classes(model.classes);
  if (!model.target_scale.is_identity()) {
    // Each model has a scale of its own: what is averaged has the data's unit.
    unscaled_.resize(logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const std::size_t j = i % logits.cols;
      unscaled_[i] =
          static_cast<T>(static_cast<double>(logits.data[i]) / model.target_scale.scale[j] +
                         model.target_scale.center[j]);
    }
    exchange_.put(place, MatrixView<const T>{unscaled_.data(), logits.rows, logits.cols}, classes);
  } else if constexpr (sizeof(U) <= sizeof(T)) {
    exchange_.put(place, logits, classes);
  }
}

template <class T>
std::size_t EnsembleScorer<T>::predict(std::size_t sample, PredictionSums& sums) {
  const std::span<T> row = logits_.span();
  if (sums.figures && data_->has_labels()) {
    const std::vector<double> outputs(row.begin(), row.end());
    sums.figures->add({outputs.data(), 1, outputs.size()}, targets_of(*data_, sample), {});
  }
  return answers_->predict(sample, row, sums.sums);
}

template <class T>
void EnsembleScorer<T>::add_line(std::size_t sample, std::size_t predicted,
                                 std::string& text) const {
  text += std::to_string(data_->first_sample + sample + 1);
  for (std::size_t j = 0; j < data_->kept_names.size(); ++j) {
    text += ',' + spreadsheet_field(std::string(data_->kept(sample, j)));
  }
  answers_->append(sample, predicted, logits_.span(), text);
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
