#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/data/batch_loader.hpp"
#include "dnn/nn/network.hpp"
#include "dnn/nn/softmax.hpp"
#include "dnn/optim/optimizer.hpp"
#include "dnn/parallel/gradient_exchange.hpp"
#include "dnn/train/stopwatch.hpp"

namespace dnn {

/// What a rank found that is NaN or infinite, or larger than all ranks together can sum.
struct BadNumbers {
  std::string what;                    ///< "layer 2 of 3: the gradients are NaN"
  std::vector<std::uint64_t> samples;  ///< this rank's that lead to it; all of its, where that
                                       ///< cannot be told from their logits
};

/// What came of one update.
struct StepResult {
  LossSums sums;                  ///< over this rank's samples; none where the step does not count
  bool counts = true;             ///< the same on all ranks; if not, nothing was changed
  std::optional<BadNumbers> bad;  ///< where the step does not count because of this rank
};

/// One update of the model: forward, loss, backward, exchange, deferred update. Owns the flat
/// buffers of values and gradients; knows nothing of how the ranks are laid out.
template <class T>
class TrainingStep {
 public:
  struct Settings {
    std::size_t max_rows = 1;  ///< the most samples that any call of network() gets
    double dropout = 0;
    double clip_norm = 0;  ///< 0: no clipping
    std::uint64_t seed = 0;
    ProductPrecision products = ProductPrecision::full;
    double largest_input = std::numeric_limits<double>::infinity();  ///< no |X^0| is above it
    /// A larger |dW| or |dB| counts as infinite: the sum of the ranks' could be.
    double largest_gradient = std::numeric_limits<T>::max();
  };

  /// `exchange` must outlive the step.
  TrainingStep(const ParameterLayout& layout, const Settings& settings, SoftmaxCrossEntropy loss,
               const OptimizerSettings& optimizer, GradientExchange<T>& exchange);

  /// Collective: one update from this rank's part of a batch of `global_samples`, at the learning
  /// rate given. Where a rank's loss or gradients are no numbers, nothing is changed on any rank.
  /// Adds to `seconds`.
  StepResult run(const Batch<T>& batch, std::size_t global_samples, std::uint64_t epoch,
                 double learning_rate, PhaseSeconds& seconds);

  [[nodiscard]] const ParameterLayout& layout() const { return layout_; }
  [[nodiscard]] std::span<const T> values() { return exchange_.values(); }
  [[nodiscard]] std::span<const T> gradients() { return exchange_.gradients(); }
  /// Collective, see GradientExchange::set_values.
  void set_values(const std::function<void(std::span<T>)>& write);
  /// For evaluation: forward without dropout.
  [[nodiscard]] Network<T>& network() { return network_; }
  [[nodiscard]] Optimizer<T>& optimizer() { return *optimizer_; }

 private:
  /// Forward, loss and backward.
  StepResult compute(const Batch<T>& batch, const DropoutKey& key, std::size_t global_samples);
  void look_at(const LayerGradients<T>& gradients, StepResult& result);
  [[nodiscard]] std::string name_of_layer(std::size_t layer) const;
  /// This rank's samples whose logits are not finite; all of them, if none is such.
  std::vector<std::uint64_t> suspects(const Batch<T>& batch, const DropoutKey& key);
  /// The factor that brings the gradients' norm down to the limit, or 1.
  double clip_scale(Range own);

  ParameterLayout layout_;
  Settings settings_;
  GradientExchange<T>& exchange_;
  Network<T> network_;
  SoftmaxCrossEntropy loss_;
  std::unique_ptr<Optimizer<T>> optimizer_;
};

}  // namespace dnn
