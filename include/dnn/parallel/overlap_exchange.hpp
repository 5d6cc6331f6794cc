#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/parallel/private_buffers.hpp"

namespace dnn {

/// Gradients travel during backward: finished layers are collected into buckets, and each
/// full bucket's MPI_Iallreduce, or sum along the tree of logical shards, begins at once; every
/// rank then updates everything.
///
/// Note [Real progress]
/// Open MPI moves a non-blocking collective on only inside MPI calls. Measured with Open MPI 4.1.4,
/// 12 MiB between four hosts at 1 Gbit/s: begun, left alone for 400 ms and then waited for, it took
/// 424 ms of waiting (434 without those 400 ms); tested every 50 µs meanwhile, it was done when
/// they were over. So a thread of its own begins the buckets and tests them. While backward
/// computes it sleeps twenty times as long as a test took, since it may have to share the core;
/// once the rank waits in combine() it only yields. It and the rank's main thread never call MPI at
/// the same time (MPI_THREAD_SERIALIZED): from the first ready() to the end of combine() all MPI
/// calls of this rank are the thread's.
///
/// What TCP costs the processor itself (copies, packets) is not hidden but moved: where every core
/// computes, backward becomes longer by it.
template <class T>
class OverlapExchange final : public PrivateBuffers<T> {
 public:
  /// Collective over `ranks`, see PrivateBuffers. `bucket_bytes`: how much is collected before it
  /// is sent.
  OverlapExchange(const Communicator& ranks, std::size_t size, std::size_t logical_shards,
                  std::size_t bucket_bytes, std::size_t not_exchanged = 0);
  ~OverlapExchange() override;

  void ready(Range range) override;
  [[nodiscard]] bool combine(bool finite) override;

 private:
  /// The sum of one bucket, under way.
  struct Sum {
    Request plain;
    std::unique_ptr<typename TreeReduction<T>::Pending> tree;

    [[nodiscard]] bool test() { return tree ? tree->test() : plain.test(); }
  };

  void send(Range bucket);
  [[nodiscard]] Sum begin(Range bucket);
  void work();
  void begin_and_test(std::unique_lock<std::mutex>& lock);

  const Communicator& ranks_;
  std::size_t bucket_elements_;
  Range collected_;             ///< finished, not yet given to the thread
  std::vector<Sum> under_way_;  ///< the thread's

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Range> buckets_;  ///< given to the thread, not yet begun
  bool busy_ = false;          ///< the thread has buckets under way
  bool waiting_ = false;       ///< the rank waits in combine()
  bool stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace dnn
