#pragma once

// Loads the next batch while this one computes.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/input_rows.hpp"
#include "dnn/core/matrix.hpp"
#include "dnn/core/sparse_columns.hpp"
#include "dnn/core/targets.hpp"
#include "dnn/data/batch_targets.hpp"
#include "dnn/data/feature_rows.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/data/sparse_batch.hpp"

namespace dnn {

/// This rank's part of one global batch.
template <class T>
struct Batch {
  InputRows<T> X;                          ///< S_r x M_0, may have no rows
  Targets targets;                         ///< of S_r samples; empty where the data set has none
  std::span<const std::uint64_t> samples;  ///< S_r indices into the data set
  ActiveColumns<T> columns = {};           ///< where asked for, see BatchLoader::WholeBatch
};

/// In which form samples are given to the network.
enum class InputForm { dense, sparse };

/// Prepares batches in a thread of its own: while one is computed with, the next ones are gathered.
///
/// Note [A few batches ahead]
/// Waking a thread costs as much as gathering a small batch. The thread therefore fills a ring of
/// several batches in one go and sleeps until half of it is used up. The ring is short where
/// batches are large (ring_bytes): two then are enough.
template <class T>
class BatchLoader {
 public:
  /// Writes the sample indices of batch `step` into the vector.
  using Plan = std::function<void(std::size_t step, std::vector<std::uint64_t>& samples)>;

  /// `max_rows`: the most samples of a batch. Throws std::invalid_argument for sparse rows of a
  /// normalizer with a center, which leaves no zeros.
  BatchLoader(Gatherer<T> gatherer, std::size_t max_rows, InputForm form = InputForm::dense);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// What backward needs besides, with sparse rows: the samples of all ranks by features, of some
  /// of the features.
  struct WholeBatch {
    Plan plan;       ///< of the samples of all ranks; empty: nothing is asked for
    Range features;  ///< those wanted
  };

  /// Begins a pass of `steps` batches, after the last one's batches have all been taken or never
  /// will be. `rows`: the source of their features, which must outlive the pass or the loader;
  /// null: the data set.
  void start(Plan plan, std::size_t steps, WholeBatch whole = {}, RowSource* rows = nullptr);

  /// Ends the pass: no batch is gathered any more, and its source of rows is not used again.
  void stop();

  /// The next batch of the pass, valid until the next call of next() or start(). Throws what the
  /// loading thread threw.
  [[nodiscard]] Batch<T> next();

 private:
  static constexpr std::size_t ring_bytes = std::size_t{4} << 20;
  static constexpr std::size_t longest_ring = 16;

  struct Slot {
    AlignedBuffer<T> features;  ///< dense
    SparseBatch<T> sparse, whole;
    SparseColumns<T> columns;
    std::vector<std::uint64_t> samples, samples_of_whole;
    std::vector<std::uint64_t> places;
    BatchTargets targets;
  };

  [[nodiscard]] bool has_room() const;
  void work();
  void fill(Slot& slot, std::size_t step);
  void fill_whole(Slot& slot, std::size_t step);
  [[nodiscard]] MatrixView<T> dense_rows(Slot& slot) {
    return {slot.features.data(), slot.samples.size(), gatherer_.data().features};
  }

  Gatherer<T> gatherer_;
  std::size_t max_rows_;
  InputForm form_;
  std::vector<Slot> slots_;

  std::mutex mutex_;
  std::condition_variable ready_;  ///< for the rank: a batch is ready, or the thread is idle
  std::condition_variable room_;   ///< for the thread: slots are free
  Plan plan_;
  WholeBatch whole_;
  RowSource* rows_ = nullptr;
  std::size_t steps_ = 0;
  std::size_t filled_ = 0;  ///< batches of the pass that are ready, or were
  std::size_t taken_ = 0;   ///< batches of the pass that next() has returned
  bool filling_ = false;
  bool ends_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace dnn
