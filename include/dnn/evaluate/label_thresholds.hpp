#pragma once

// From which probability on a label is given.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/data/dataset.hpp"

namespace dnn {

/// What is known of one sample and one label.
struct LabelScore {
  double probability = 0;
  double weight = 1;  ///< of the sample
  bool has_label = false;
};

/// The threshold with the largest F1 of a label on these samples, where the label is given to
/// samples whose probability is at least the threshold: in the middle between the two neighbouring
/// probabilities, but 1/2 where that lies between the two as well; of several that are equally
/// good, the one nearest to 1/2. It is 1/2 where no sample that counts has the label, and where a
/// probability is NaN. It follows from the set of samples alone, not from their order; they become
/// sorted.
[[nodiscard]] double best_threshold(std::vector<LabelScore>& scores);

/// Collects what networks say of samples that they were not trained on, and chooses each label's
/// threshold by it. The thresholds have the same bits however the samples lie on the ranks.
class LabelThresholds {
 public:
  /// `data`: of the task labels; must outlive it.
  explicit LabelThresholds(const Dataset& data) : data_(data) {}

  /// What the last layer gives for these samples of the data: a row for each.
  template <class T>
  void add(std::span<const std::uint64_t> samples, MatrixView<const T> outputs);

  /// Collective over `world`, whose ranks have added each sample once: a threshold for each label,
  /// on all ranks.
  [[nodiscard]] std::vector<double> choose(const Communicator& world) const;

 private:
  /// This rank's scores of a label, as bytes.
  [[nodiscard]] std::string scores_of(std::size_t label) const;

  const Dataset& data_;
  std::vector<std::uint64_t> samples_;
  std::vector<double> probabilities_;  ///< a row for each sample
};

}  // namespace dnn
