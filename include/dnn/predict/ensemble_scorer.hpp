#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/model/saved_network.hpp"
#include "dnn/nn/ensemble_average.hpp"
#include "dnn/parallel/ensemble_exchange.hpp"
#include "dnn/predict/answers.hpp"
#include "dnn/predict/model_interface.hpp"
#include "dnn/predict/prediction_file.hpp"

namespace dnn {

/// Scores samples with the models of an ensemble, spread over the ranks (EnsembleLayout); T is the
/// widest of their element types.
template <class T>
class EnsembleScorer {
 public:
  /// Collective over `world`. `own`: the models of this rank; `paths`: all models' files, for
  /// messages; `top`: see make_answers. `data` must outlive the scorer. Throws AgreedError.
  EnsembleScorer(std::vector<std::string> paths, EnsembleAverage average,
                 std::vector<SavedModel> own, const ModelInterface& ensemble, const Dataset& data,
                 const Communicator& world, std::size_t top);

  /// Goes over to other data of the same kind: another piece of the same table. They must outlive
  /// what is scored of them.
  void use(const Dataset& data);

  /// Samples that all data shards together score at a time.
  [[nodiscard]] std::size_t block() const { return rows_ * exchange_.shards(); }

  /// Collective over the ranks of the data shard: its chunk of the block of samples that starts at
  /// `first`, forward through all models. Returns those of its samples whose lines this rank
  /// writes.
  Range forward(std::size_t first);

  /// What a PredictionFile has of `samples`, which forward() returned; adds to the sums where there
  /// are labels. Throws NumericalError, naming sample and model, for logits that softmax cannot
  /// take.
  std::string predictions(Range samples, PredictionFormat format, PredictionSums& sums);

 private:
  /// A model of this rank.
  struct Member {
    std::variant<SavedNetwork<float>, SavedNetwork<double>> network;
    std::vector<std::int32_t> classes;  ///< as EnsembleExchange wants them
    Normalizer target_scale;            ///< of its numbers

    Member(const SavedModel& model, const ModelInterface& ensemble, const Dataset& data,
           std::size_t rows);
  };

  template <class U>
  void put(std::size_t member, MatrixView<const U> logits);
  /// Turns the outputs into the answer; returns the predicted class.
  std::size_t predict(std::size_t sample, PredictionSums& sums);
  void add_line(std::size_t sample, std::size_t predicted, std::string& text) const;
  [[nodiscard]] std::string culprit(const std::vector<std::span<const T>>& models) const;

  std::vector<std::string> paths_;
  EnsembleAverage average_;
  std::size_t top_;
  const Dataset* data_;
  std::size_t rows_;
  EnsembleExchange<T> exchange_;
  std::vector<Member> members_;
  AlignedBuffer<T> logits_;  ///< the ensemble's, of one sample; then its answer
  std::unique_ptr<Answers<T>> answers_;
  std::vector<T> unscaled_;
  std::size_t chunk_begin_ = 0;
};

}  // namespace dnn
