#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "dnn/data/batch_loader.hpp"
#include "dnn/nn/network.hpp"
#include "dnn/nn/softmax.hpp"
#include "dnn/optim/optimizer.hpp"
#include "dnn/parallel/gradient_exchange.hpp"
#include "dnn/train/stopwatch.hpp"

namespace dnn {

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
  };

  /// `exchange` must outlive the step.
  TrainingStep(const ParameterLayout& layout, const Settings& settings, SoftmaxCrossEntropy loss,
               const OptimizerSettings& optimizer, GradientExchange<T>& exchange);

  /// Collective: one update from this rank's part of a batch of `global_samples`, at the learning
  /// rate given. Returns the sums over this rank's samples. Adds to `seconds`.
  LossSums run(const Batch<T>& batch, std::size_t global_samples, std::uint64_t epoch,
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
