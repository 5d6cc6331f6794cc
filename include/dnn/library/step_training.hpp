#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/library/given_samples.hpp"
#include "dnn/library/global_order.hpp"
#include "dnn/library/ground.hpp"
#include "dnn/library/library_settings.hpp"
#include "dnn/library/records.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/train/distributed_model.hpp"
#include "dnn/train/nonfinite_policy.hpp"

namespace dnn {

/// A network that is trained update by update, from samples that are there at that time. Collective
/// over the communicator.
///
/// Note [Batches of any size]
/// A batch is the samples of all ranks in the order of their ids, and is cut into as many logical
/// shards as a batch of the option batch-size is, whatever its size; each rank computes some of
/// them. So the sums have one order (see Note [One tree over logical shards]), and the parameters
/// do not depend on who gave which samples, nor on the number of ranks.
template <class T>
class StepTraining {
 public:
  /// Goes on with `model`, where it has parameters, or from initial ones. Both references must
  /// outlive this. Throws AgreedError for a network that cannot be had.
  StepTraining(const Communicator& world, const LibrarySettings& settings, const SavedModel& model);
  StepTraining(const StepTraining&) = delete;
  StepTraining& operator=(const StepTraining&) = delete;
  ~StepTraining();

  /// One update from the samples of all ranks. Throws AgreedError where it is not finite and the
  /// settings do not say to leave such updates out, and where a rank has no memory for its rows;
  /// everything is then as before.
  dnn_train::Step run(const Records& samples);
  /// The same from samples in the caller's memory; for communicators of one rank.
  dnn_train::Step run_alone(const GivenSamples& samples);

  /// The mean loss since this was last called; NaN where there was no update.
  [[nodiscard]] double recent_loss();

  void set_learning_rate(double rate) { learning_rate_ = rate; }
  [[nodiscard]] double learning_rate() const { return learning_rate_; }

  [[nodiscard]] std::uint64_t updates() const { return updates_; }

  /// All of W and B, packed as in a saved model. Not collective.
  [[nodiscard]] std::vector<std::byte> parameters();

  /// On rank 0, the state between two updates.
  [[nodiscard]] Checkpoint checkpoint();
  /// Goes to the state of rank 0's `checkpoint`, after so many updates (the same on all ranks).
  void restore(Checkpoint checkpoint, std::uint64_t updates);

  /// Gives the shared memory back; nothing else may be called then.
  void close();

 private:
  struct Parts;
  dnn_train::Step update(const Dataset& rows, bool weighted, std::span<const std::uint64_t> order,
                         Range which, std::size_t samples);
  [[nodiscard]] Dataset with_mean_weight(Dataset rows, std::size_t samples) const;
  void make_room(std::size_t rows);
  [[nodiscard]] Parts& parts() const;
  [[nodiscard]] std::unique_ptr<Parts> make_parts(std::size_t rows) const;
  [[nodiscard]] Range share(std::size_t samples, std::size_t rank) const;

  const Communicator& world_;
  Config config_;
  const SavedModel& model_;
  std::size_t logical_shards_;
  std::unique_ptr<Parts> parts_;
  NonfinitePolicy nonfinite_;
  double learning_rate_;
  std::uint64_t updates_ = 0;
  LossSums recent_;
  GlobalOrder::Dealt dealt_;
  Records room_;
};

}  // namespace dnn
