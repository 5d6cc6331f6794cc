#pragma once

#include <chrono>
#include <string>

#include "dnn/core/descriptor.hpp"

namespace dnn {

/// Holds a run folder for one job: a lock file with flock(2), which the system lifts when its
/// process ends however it ends, and in it the host and process, for messages. Where the file
/// system has no flock, host and process decide whether the job still lives. Move-only.
class RunLock {
 public:
  /// Takes the lock of the folder at `path`; waits up to `patience` for a job that is about to end.
  /// Throws InputError that names the job which holds it, or FileError.
  [[nodiscard]] static RunLock take(const std::string& path, std::chrono::milliseconds patience);

  /// Whether it is certain that no job holds the folder at `path`. False where that cannot be
  /// told: a lock of another host's job may be invisible here, and its process cannot be asked.
  /// Changes nothing.
  [[nodiscard]] static bool is_surely_free(const std::string& path);

  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&& other) noexcept;
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;
  /// Gives the folder back and removes the file.
  ~RunLock();

  /// The job that held the folder before and ended without giving it back; empty if there is none.
  [[nodiscard]] const std::string& stale() const { return stale_; }

  /// The file system's answer where it has no flock, so that host and process are the lock; else 0.
  [[nodiscard]] int refusal() const { return refusal_; }

 private:
  RunLock(std::string file, Descriptor descriptor, std::string stale, int refusal);
  void release() noexcept;

  std::string file_;
  Descriptor descriptor_;
  std::string stale_;
  int refusal_ = 0;
};

}  // namespace dnn
