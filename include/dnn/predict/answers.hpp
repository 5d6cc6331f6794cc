#pragma once

// How the answers of a model are written and judged, by its task.

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "dnn/core/exact_sum.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/nn/softmax.hpp"

namespace dnn {

/// The answers of a task to the samples of a data set.
template <class T>
class Answers {
 public:
  virtual ~Answers() = default;

  /// The columns of the file of predictions, each after a comma.
  [[nodiscard]] virtual std::string header() const = 0;

  /// Appends the cells of `sample`, each after a comma. `row`: the outputs of the model (numbers:
  /// in the data's unit), which the call may change. Adds to the sums where there are labels.
  /// Throws NumericalError for outputs that are no numbers.
  virtual void append(std::size_t sample, std::span<T> row, std::string& text,
                      LossSums& sums) const = 0;
};

/// The answers to `data`, which has the outputs' names and must outlive them.
template <class T>
[[nodiscard]] std::unique_ptr<Answers<T>> make_answers(const Dataset& data);

}  // namespace dnn
