#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dnn/comm/request.hpp"
#include "dnn/comm/shared_mapping.hpp"
#include "dnn/data/feature_rows.hpp"
#include "dnn/data/sampler.hpp"
#include "dnn/store/held_rows.hpp"
#include "dnn/store/leaving_index.hpp"

namespace dnn {

/// Brings the rows of batches from the nodes that hold them, some batches (a window) at a time, and
/// the next window while this one is computed with.
///
/// Note [No index travels]
/// Which samples a batch has is a function of seed, epoch and step (Sampler), so every rank can
/// compute who needs what, and in which order. It computes the samples of its own node's shards.
/// Once a pass, the ranks of a node find out in which batches and shards the samples are that the
/// node holds, each for its part of them, in an index that they share: with 64 nodes, planning all
/// shards of batches of 4,096 took 0.5 ms a step. The ranks of a node copy the
/// rows that other nodes want into one shared buffer, each its part; the leaders send and receive,
/// without blocking, into another one, where all ranks of the node read them. There are two of
/// these, so that the next window arrives while this one is read. Nobody needs MPI_THREAD_MULTIPLE:
/// the thread that computes makes all calls, between two batches, and the thread that loads batches
/// waits for it at a window's end.
class RowWindows : public RowSource {
 public:
  /// Finds a sample in the batches of a pass; nothing: no batch has it.
  using Finder = std::function<std::optional<Sampler::Place>(std::uint64_t sample)>;

  struct Settings {
    /// Appends the samples of data shard `shard` in batch `step` of pass `pass`; the same on all
    /// ranks. A pass has a sample once at most.
    std::function<void(std::size_t pass, std::size_t step, std::size_t shard,
                       std::vector<std::uint64_t>& samples)>
        plan;
    /// The inverse of `plan` in pass `pass`; empty: `plan` is asked for all batches, once a pass.
    std::function<Finder(std::size_t pass)> finder = {};
    std::size_t steps = 0;    ///< of a pass
    std::size_t samples = 0;  ///< with `finder`: of the batches of a pass
    std::size_t batch = 0;    ///< the most samples of a batch; with `finder`: of all but the last
    /// Passes: 0 to passes - 1. One: every pass is as the first, which may be begun again.
    std::size_t passes = 1;
    bool whole_batches = false;  ///< each node needs the rows of all shards
    /// A window ends with the batch in which it comes to so many bytes, as a mean of the nodes.
    /// With `finder`, each batch counts as the mean of all: its samples are in random order.
    std::size_t bytes = 1;
  };

  /// `data` and `held` must outlive this. Not collective.
  RowWindows(const Dataset& data, const HeldRows& held, Settings settings);

  /// Collective over the grid's world, as those below: the next batch is `step` of pass `pass`.
  /// Nobody waits in of_batch.
  void begin(std::size_t pass, std::size_t step);

  /// Before batch `step` is taken: its rows are here when this returns.
  void require(std::size_t step);

  /// After it was taken, by all ranks of the node: begins to bring the next window, if it was the
  /// first of its own.
  void look_ahead();

  /// Ends what is under way: before the destructor, unless an error ends the job.
  void finish();

  [[nodiscard]] FeatureRows of_batch(std::size_t step, std::span<const std::uint64_t> samples,
                                     std::vector<std::uint64_t>& places) override;
  [[nodiscard]] FeatureRows of_whole_batch(std::size_t step, std::span<const std::uint64_t> samples,
                                           std::vector<std::uint64_t>& places) override;
  void stop() override;

 private:
  /// Memory that the ranks of the node share, in units of rows.
  struct Buffer {
    std::optional<SharedMapping> memory;
    std::span<std::byte> values, columns;
    std::size_t units = 0;
  };
  struct Window {
    std::size_t pass = 0;
    Range steps;
    std::vector<std::uint64_t> places;  ///< of all rows that this node needs, in the plan's order
    std::vector<Range> own;             ///< of each step: which of them are this rank's
    std::vector<Range> all;             ///< of each step: all of them
    std::size_t buffer = 0;             ///< where they are

    [[nodiscard]] bool has(std::size_t of_pass, std::size_t step) const {
      return of_pass == pass && step >= steps.begin && step < steps.end;
    }
  };
  /// What a window takes from and gives to each node.
  struct Traffic;

  [[nodiscard]] std::size_t end_of_window(std::size_t begin) const;
  void find_leaving(std::size_t pass);
  [[nodiscard]] std::size_t find_by_sample(std::size_t pass);
  [[nodiscard]] std::size_t find_by_batch(std::size_t pass);
  [[nodiscard]] bool leaves(std::size_t shard) const;
  void prepare(std::size_t pass, std::size_t step);
  [[nodiscard]] Traffic plan(Window& window);
  void make_room(Buffer& buffer, std::size_t units);
  void pack(const Traffic& traffic, Buffer& to, Buffer& out) const;
  void exchange(const Traffic& traffic, Buffer& to, Buffer& out);
  void complete();
  [[nodiscard]] FeatureRows rows_of(std::size_t step, bool whole);

  const Dataset& data_;
  const HeldRows& held_;
  Settings settings_;
  RowUnits units_;
  std::vector<std::vector<std::size_t>> needed_by_;  ///< of each shard: nodes
  std::vector<std::size_t> own_shards_;              ///< whose rows this node needs
  std::optional<LeavingIndex> leaving_index_;
  std::optional<std::size_t> indexed_pass_;  ///< that it is of
  std::vector<std::uint64_t> step_units_;    ///< without finder: that arrive, on all nodes
  Buffer arrived_[2];
  Buffer leaving_;
  std::vector<Request> requests_;  ///< on leaders
  Window coming_;                  ///< under way where it has steps
  bool looked_ahead_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  Window window_;  ///< whose rows are here
  std::size_t pass_ = 0;
  std::size_t first_ = 0;  ///< step 0 of the loader's pass
  bool stopped_ = false;
};

}  // namespace dnn
