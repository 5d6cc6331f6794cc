#pragma once

// How the answers of a model are written and judged, by its task.

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "dnn/core/exact_sum.hpp"
#include "dnn/core/targets.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/evaluate/figures.hpp"
#include "dnn/nn/softmax.hpp"

namespace dnn {

/// The answers of a task to the samples of a data set.
template <class T>
class Answers {
 public:
  virtual ~Answers() = default;

  /// The columns of the file of predictions, each after a comma.
  [[nodiscard]] virtual std::string header() const = 0;

  /// `row`, the outputs of the model (numbers: in the data's unit), becomes the answer:
  /// probabilities or numbers. Adds to the sums where there are labels. Returns the predicted
  /// class, of tasks that have one. Throws NumericalError for outputs that are no numbers.
  virtual std::size_t predict(std::size_t sample, std::span<T> row, LossSums& sums) const = 0;

  /// Appends the cells of `sample`, each after a comma: `predicted` and `row` as from predict().
  virtual void append(std::size_t sample, std::size_t predicted, std::span<const T> row,
                      std::string& text) const = 0;
};

/// What is known of predictions, where there are labels.
struct PredictionSums {
  LossSums sums;
  std::unique_ptr<FigureSums<double>> figures;  ///< null: the task has none here
};

/// The targets of a sample of `data`.
[[nodiscard]] Targets targets_of(const Dataset& data, std::size_t sample);

/// The answers to `data`, which has the outputs' names and must outlive them. `top`: of so many
/// classes, the likeliest, name and probability are written, in that order; 0: the probability of
/// every class, or whatever the task has.
template <class T>
[[nodiscard]] std::unique_ptr<Answers<T>> make_answers(const Dataset& data, std::size_t top);

}  // namespace dnn
