#pragma once

#include <string>
#include <vector>

#include "dnn/data/normalizer.hpp"
#include "dnn/plots/held_out_plots.hpp"
#include "dnn/plots/output_points.hpp"
#include "dnn/plots/ranked_samples.hpp"

namespace dnn {

/// The plots of numbers, see make_plots. Sums are of scaled numbers, which become the target's unit
/// at the end.
template <class T>
class NumberPlots final : public HeldOutPlots<T> {
 public:
  /// `outputs`, `held` and `order` as for make_plots.
  NumberPlots(const Dataset& outputs, const HeldOutputs& held, const Permutation& order);

  void add(MatrixView<const T> A, const Targets& targets, std::span<const SoftmaxRow> rows,
           std::span<const std::uint64_t> samples) override;
  [[nodiscard]] nlohmann::ordered_json finish(const Communicator& world) const override;

 private:
  const std::vector<std::string>& names_;
  Normalizer scale_;
  HeldOutputs held_;
  OutputPoints points_;
  RankedSamples worst_;
};

}  // namespace dnn
