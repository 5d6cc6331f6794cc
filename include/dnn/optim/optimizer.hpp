#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/gradient_places.hpp"
#include "dnn/core/partition.hpp"

namespace dnn {

enum class OptimizerKind { sgd, momentum, nesterov, adam, adamw };

struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::sgd;
  double momentum = 0.9;       ///< momentum and nesterov
  double beta1 = 0.9;          ///< adam and adamw: decay of the first moment
  double beta2 = 0.999;        ///< adam and adamw: decay of the second moment
  double epsilon = 1e-8;       ///< adam and adamw: added to the root of the second moment
  double weight_decay = 0;     ///< λ, on W only: λW joins the gradient (adamw: W shrinks by ηλ)
  double average_updates = 0;  ///< memory of the averaged parameters, in updates; 0: no average
};

/// The deferred update of a flat buffer of parameters [Challa 2022: ΔW = -η dW, ΔB = -η dB], and
/// the methods built on it. Owns its state, for the range that this rank updates. Reads gradients,
/// never writes them; padding (gradient and value 0) stays 0.
///
/// Note [Rows without a gradient]
/// Where gradients are compact (see Note [Compact gradients]), an update leaves the other rows of
/// W^1 as they are, and their state too: velocity and moments neither decay nor move a row, and
/// weight decay acts on the rows of the batch alone. That is what "lazy" or "sparse" Adam does
/// elsewhere. Bias correction counts all updates of the run. For plain gradient descent without
/// weight decay it is the dense update to the last bit; for the others it is another method, whose
/// updates cost what the batch uses, not all features.
///
/// Note [Bits that flip between two updates]
/// What this rank updates, values and state, is written by nobody else and by this alone. So the
/// sum of their bits (bit_sum) after a step must be the one before the next step; where it is not,
/// a bit has flipped in memory, or somebody has written there. Both sums are taken while the
/// numbers are in the cache for the update, so they cost next to nothing. Without a gradient for
/// each parameter, a step sees some rows only: then verify() finds it.
///
/// Note [Averaged parameters]
/// The exponential average of the parameters over the updates, corrected for its start: Kingma and
/// Ba, ICLR 2015, section 7.2. With a memory of M updates, β = 1 - 1/M and t steps,
///     average_t = Σ_i β^(t-i) w_i / Σ_i β^(t-i)
/// so that average_1 = w_1 and the initial parameters never count. It is updated as
///     average += (1 - β) / (1 - β^t) (w - average)
/// by the rank that updates w, and is one more buffer of the optimizer's state: it is stored,
/// watched for flipped bits and given to other numbers of ranks as the moments are.
/// A sum of floats loses what is less than 6e-8 of it, so that the average of a long memory would
/// stand still. From 2,048 remembered updates on, min(M, t), it sees every n-th one only, which
/// then counts for n, (1 - β^n) / (1 - β^t): n is the power of two that leaves 1,024 to 2,047.
template <class T>
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// values[own] moves by one step along scale · gradients[own]. `values` and `gradients` are the
  /// whole flat buffers; `own` is the constructor's. `learning_rate` is η. `places`: where the
  /// gradients are; parameters without a gradient stay as they are, see Note [Rows without a
  /// gradient].
  void step(std::span<T> values, std::span<const T> gradients, const GradientPlaces& places,
            double learning_rate, double scale);
  /// The same where every parameter has its gradient at its own place.
  void step(std::span<T> values, std::span<const T> gradients, double learning_rate, double scale) {
    step(values, gradients, GradientPlaces(), learning_rate, scale);
  }

  /// What the next steps depend on besides their arguments: the steps taken so far, and buffer
  /// `i` < buffers() of state, one element for each of the own range.
  [[nodiscard]] std::size_t buffers() const { return state_.size(); }
  [[nodiscard]] std::span<T> state(std::size_t i) { return state_[i].span(); }
  /// The own values or states were written from outside: what they are now is right.
  void accept(std::span<const T> values);
  /// Looks whether the own values and states are what the last step, or accept, has left.
  void verify(std::span<const T> values);
  /// Whether a step or verify has found that they are not; they never become sound again but by
  /// accept.
  [[nodiscard]] bool is_damaged() const { return damaged_; }

  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  void set_steps(std::uint64_t steps) { steps_ = steps; }

  /// Whether the parameters are averaged, and there was a step; see Note [Averaged parameters].
  [[nodiscard]] bool has_average() const { return average_updates_ > 0 && steps_ > 0; }
  /// The own values and their average change places.
  void swap_average(std::span<T> values);

 protected:
  /// `own`: what this rank updates; `decayed`: the ranges of the flat buffer that weight decay acts
  /// on, ascending; `buffers`: how many elements of state the method has for a parameter.
  Optimizer(Range own, const std::vector<Range>& decayed, const OptimizerSettings& settings,
            int buffers);

  /// Elements [first, first + count) of the own range, whose values, gradients and states start at
  /// the pointers given.
  struct Piece {
    T* values;
    const T* gradients;
    T* state[3];  ///< the method's, and the average
    std::size_t count;
    T learning_rate;
    T scale;
    T decay;  ///< λ or 0
  };

 private:
  /// Called once before the pieces of a step; `step_number` counts from 1.
  virtual void begin_step(std::uint64_t step_number, double learning_rate);
  virtual void update(const Piece& piece) = 0;

  using BitSum = std::conditional_t<sizeof(T) == sizeof(float), std::uint32_t, std::uint64_t>;
  /// Of pieces before and after their update.
  struct Sums {
    BitSum before = 0;
    BitSum after = 0;
  };
  [[nodiscard]] BitSum sum_of(const Piece& piece) const;
  [[nodiscard]] BitSum sum_of_all(std::span<const T> values) const;
  void update_and_sum(Piece piece, Sums& sums);
  /// Of the parameters after this step in their average; 0: it does not see this step.
  [[nodiscard]] double share_in_average() const;

  struct Segment {
    Range range;
    bool decayed;
  };
  Range own_;
  std::vector<Segment> segments_;
  double weight_decay_;
  double average_updates_;
  T average_share_{};  ///< share_in_average() of this step
  std::vector<AlignedBuffer<T>> state_;
  std::uint64_t steps_ = 0;
  std::optional<BitSum> sum_;  ///< of the own values and states; none: unknown yet
  bool damaged_ = false;
};

/// The optimizer that `settings` names.
template <class T>
[[nodiscard]] std::unique_ptr<Optimizer<T>> make_optimizer(const OptimizerSettings& settings,
                                                           Range own,
                                                           const std::vector<Range>& decayed);

}  // namespace dnn
