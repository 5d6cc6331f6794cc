#pragma once

#include <string>
#include <vector>

#include "dnn/core/exact_sum.hpp"
#include "dnn/plots/held_out_plots.hpp"
#include "dnn/plots/output_points.hpp"
#include "dnn/plots/ranked_samples.hpp"

namespace dnn {

/// The plots of distributions, see make_plots: y are the predicted shares of the outputs, ŷ the
/// true ones. How wrong a sample is says its divergence Σ ŷ (log ŷ - log y) (Kullback and Leibler,
/// Annals of Mathematical Statistics 22, 1951): the cross-entropy, the loss, less the entropy of ŷ,
/// below which no prediction gets.
template <class T>
class DistributionPlots final : public HeldOutPlots<T> {
 public:
  /// `outputs`, `held` and `order` as for make_plots.
  DistributionPlots(const Dataset& outputs, const HeldOutputs& held, const Permutation& order);

  void add(MatrixView<const T> A, const Targets& targets, std::span<const SoftmaxRow> rows,
           std::span<const std::uint64_t> samples) override;
  [[nodiscard]] nlohmann::ordered_json finish(const Communicator& world) const override;

 private:
  /// Sums over the samples.
  struct Sums {
    ExactSum truth;          ///< Σ ŷ
    ExactSum predicted;      ///< Σ y
    ExactSum distance;       ///< Σ |y - ŷ|
    ExactSum cross_entropy;  ///< -Σ ŷ log y
    ExactSum entropy;        ///< -Σ ŷ log ŷ

    /// Adds one output of one sample.
    void add(double true_share, double predicted_share, double log_predicted);
  };
  /// Collective: their values over all ranks, five for each of `sums`.
  [[nodiscard]] static std::vector<double> totals(const Communicator& world,
                                                  const std::vector<Sums>& sums);

  const std::vector<std::string>& names_;
  HeldOutputs held_;
  bool counts_;  ///< this rank counts the samples of its model group
  std::uint64_t samples_ = 0;
  Sums all_;                ///< over all outputs
  std::vector<Sums> sums_;  ///< of each output of the table
  OutputPoints points_;
  RankedSamples worst_;
};

}  // namespace dnn
