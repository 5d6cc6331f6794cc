#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/dnn_train.hpp"
#include "dnn/library/given_samples.hpp"
#include "dnn/model/saved_network.hpp"

namespace dnn {

/// Collective over `world`: how good `model` is on the samples of all ranks. All sums are exact, so
/// the result does not depend on which rank holds which samples.
template <class T>
[[nodiscard]] dnn_train::Evaluation evaluate_samples(const Communicator& world,
                                                     const SavedModel& model,
                                                     const GivenSamples& samples);

/// What a model says of rows of features, on this rank alone.
template <class T>
class Scorer {
 public:
  explicit Scorer(const SavedModel& model);

  /// `take(row, column, answer)`: probabilities, or numbers in their unit. `features` has as many
  /// columns as the model has inputs. Throws NumericalError for outputs that are no numbers.
  void predict(const dnn_train::Matrix& features,
               const std::function<void(std::size_t, std::size_t, double)>& take);

 private:
  static constexpr std::size_t rows_at_a_time = 256;

  Dataset outputs_;  ///< what the model answers with; no samples
  SavedNetwork<T> network_;
};

}  // namespace dnn
