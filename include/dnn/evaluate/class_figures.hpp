#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "dnn/evaluate/figures.hpp"
#include "dnn/plots/calibration.hpp"

namespace dnn {

/// The figures of the task classes, see make_figures.
template <class T>
class ClassFigures final : public FigureSums<T> {
 public:
  ClassFigures(std::size_t classes, const HeldOutputs& held, bool thorough);

  void add(MatrixView<const T> A, const Targets& targets,
           std::span<const SoftmaxRow> rows) override;
  [[nodiscard]] std::vector<Figure> finish(const Communicator& world) const override;

 private:
  void add_scores(MatrixView<const T> A, const Targets& targets, std::span<const SoftmaxRow> rows);
  [[nodiscard]] bool takes_scores() const;
  /// Collective: on all ranks; NaN where no class is apart from a rest.
  [[nodiscard]] double area_under_curve(const Communicator& world) const;

  std::size_t classes_;
  HeldOutputs held_;
  bool thorough_;
  bool counts_;  ///< this rank counts the samples of its model group
  // Samples of each class, of each predicted class, and of both the same.
  std::vector<std::uint64_t> actual_, predicted_, right_;
  Calibration calibration_;
  std::uint64_t samples_ = 0;
  std::vector<double> scores_;        ///< log y_j of each sample and output held
  std::vector<std::int32_t> labels_;  ///< of each sample
};

/// The area under the curve of true and false positives: the part of all pairs of a positive and a
/// negative in which the positive has the larger score; of equal scores, half. NaN without a pair.
/// The scores become sorted.
[[nodiscard]] double area_under_curve(std::vector<std::pair<double, bool>>& scores);

}  // namespace dnn
