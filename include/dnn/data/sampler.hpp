#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dnn/core/partition.hpp"
#include "dnn/core/permutation.hpp"
#include "dnn/data/split_order.hpp"

namespace dnn {

/// Which samples are trained on, in which order, and which of them are this rank's. Every rank
/// computes the same split and the same order from the seed; nothing is stored but keys.
class Sampler {
 public:
  struct Settings {
    std::size_t samples = 0;     ///< of the data set, or that `split` orders
    std::size_t held_out = 0;    ///< of them for validation; less than samples
    std::size_t batch_size = 1;  ///< global
    std::uint64_t seed = 0;
    std::size_t ranks = 1;
    std::size_t rank = 0;
    /// A batch is cut into so many parts (part_of), and a rank has some of these, one after another
    /// (part_of again); 0: into as many as there are ranks.
    std::size_t logical_shards = 0;
    /// Orders the samples and holds `held_out` of them out; null: these are drawn from all samples
    /// by the seed.
    std::shared_ptr<const SplitOrder> split = nullptr;
  };

  explicit Sampler(const Settings& settings);

  [[nodiscard]] std::size_t training_samples() const { return training_; }
  [[nodiscard]] std::size_t validation_samples() const { return settings_.held_out; }
  /// Batches of an epoch: the last one may be short.
  [[nodiscard]] std::size_t steps() const;
  /// The most samples of a batch that any rank gets.
  [[nodiscard]] std::size_t max_share() const;

  /// The samples of global batch `step` of an epoch, all ranks together.
  [[nodiscard]] std::size_t batch_samples(std::size_t step) const;
  /// Which of them, in the batch's order, are rank `rank`'s.
  [[nodiscard]] Range share(std::size_t step, std::size_t rank) const;
  /// This rank's samples of that batch, as indices into the data set.
  void batch(std::size_t epoch, std::size_t step, std::vector<std::uint64_t>& samples) const;
  /// The same of any rank, after what `samples` has already.
  void append_batch(std::size_t epoch, std::size_t step, std::size_t rank,
                    std::vector<std::uint64_t>& samples) const;
  /// The samples of all ranks of that batch.
  void global_batch(std::size_t epoch, std::size_t step, std::vector<std::uint64_t>& samples) const;

  /// Where a sample is in the batches of an epoch.
  struct Place {
    std::uint64_t position = 0;  ///< among all of the epoch, batch after batch
    std::size_t step = 0;
    std::size_t rank = 0;  ///< whose share of the batch it is in
  };
  /// Finds samples in the batches of one epoch: the inverse of append_batch.
  class Places {
   public:
    /// Nothing: the sample is not trained on.
    [[nodiscard]] std::optional<Place> of(std::uint64_t sample) const;

   private:
    friend class Sampler;
    Places(const Sampler& sampler, std::size_t epoch);

    const Sampler& sampler_;
    Permutation order_;
    std::size_t last_step_;
    std::vector<std::size_t> ends_;       ///< of the ranks' shares of a whole batch
    std::vector<std::size_t> last_ends_;  ///< of those of the last batch
  };
  /// The sampler must outlive the result.
  [[nodiscard]] Places places(std::size_t epoch) const { return {*this, epoch}; }

  /// Whether sample `sample` of the data set is trained on.
  [[nodiscard]] bool is_training(std::uint64_t sample) const;
  /// Whether it is held out for validation.
  [[nodiscard]] bool is_validation(std::uint64_t sample) const;
  /// Validation sample `position` < validation_samples().
  [[nodiscard]] std::uint64_t validation_sample(std::uint64_t position) const;

 private:
  /// Sample `position` of all, those that are held out first.
  [[nodiscard]] std::uint64_t sample_at(std::uint64_t position) const;
  /// Training sample `position` < training_samples(), in the split's order.
  [[nodiscard]] std::uint64_t training_sample(std::uint64_t position) const;
  [[nodiscard]] std::optional<std::uint64_t> training_position(std::uint64_t sample) const;
  [[nodiscard]] Permutation order_of(std::size_t epoch) const;
  /// Appends those of a batch, in its order.
  void take(std::size_t epoch, std::size_t step, Range which,
            std::vector<std::uint64_t>& samples) const;

  Settings settings_;
  std::size_t training_;
  Permutation split_;
};

}  // namespace dnn
