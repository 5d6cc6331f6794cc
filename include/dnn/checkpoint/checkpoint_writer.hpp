#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/checkpoint/checkpoint_folder.hpp"

namespace dnn {

/// Writes checkpoints in a thread of its own, one at a time, while training continues.
///
/// If a checkpoint cannot be written (a full disk), a warning goes to standard error; the run
/// continues, and the last good one stays.
class CheckpointWriter {
 public:
  struct Report {
    std::size_t written = 0;
    std::size_t failed = 0;
    std::size_t bytes = 0;     ///< of the last one
    double write_seconds = 0;  ///< in threads, of all
    std::string last_error;    ///< of the last write; empty if it went well
    std::string last_written;  ///< path
  };

  /// `keep`: how many checkpoints the folder holds at most.
  CheckpointWriter(CheckpointFolder folder, std::size_t keep);
  /// Waits for what is being written.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Hands a checkpoint over; `seconds`: that its parts have taken already. Waits while the one
  /// before is being written.
  void submit(Checkpoint checkpoint, double seconds = 0);

  /// Tells that there is no checkpoint at that update, and why, as for one that was submitted.
  void fail(std::uint64_t updates, const std::string& error);

  /// Waits until everything is written.
  void wait();

  [[nodiscard]] Report report() const;

 private:
  void work();
  void write(const Checkpoint& checkpoint);

  CheckpointFolder folder_;
  std::size_t keep_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Checkpoint> pending_;
  bool writing_ = false;
  bool end_ = false;
  Report report_;
  std::thread thread_;
};

}  // namespace dnn
