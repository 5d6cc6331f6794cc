#include "dnn/checkpoint/checkpoint_writer.hpp"

#include <fmt/format.h>

#include <exception>
#include <filesystem>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/stopwatch.hpp"
#include "dnn/core/thread_limit.hpp"

namespace dnn {

namespace {

/// Whether the file at `path` is that of this checkpoint, which is in parts.
bool names_parts_of(const std::string& path, const Checkpoint& checkpoint) {
  const std::vector<CheckpointPart>& parts = checkpoint.parts.parts;
  try {
    const std::vector<std::string> files = part_files(path);  // none: a whole one, of one rank
    return !parts.empty() && !files.empty() && files.front() == parts.front().file;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace

CheckpointWriter::CheckpointWriter(CheckpointFolder folder, std::size_t keep)
    : folder_(std::move(folder)), keep_(keep), thread_(start_thread([this] { work(); })) {}

CheckpointWriter::~CheckpointWriter() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CheckpointWriter::submit(Checkpoint checkpoint, double seconds) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !pending_ && !writing_; });
  report_.write_seconds += seconds;
  pending_ = std::move(checkpoint);
  changed_.notify_all();
}

void CheckpointWriter::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !pending_ && !writing_; });
}

CheckpointWriter::Report CheckpointWriter::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void CheckpointWriter::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return pending_ || end_; });
    if (!pending_) {
      return;
    }
    const Checkpoint checkpoint = *std::exchange(pending_, std::nullopt);
    writing_ = true;
    lock.unlock();
    write(checkpoint);
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

void CheckpointWriter::write(const Checkpoint& checkpoint) {
  const Stopwatch watch;
  const std::string path = folder_.file_for(checkpoint.updates);
  std::size_t bytes = 0;
  std::string error;
  try {
    folder_.create();  // again, where it is gone
    bytes = save_checkpoint(path, checkpoint);
    std::vector<std::string> parts;
    for (const CheckpointPart& part : checkpoint.parts.parts) {
      parts.push_back(part.file);
    }
    folder_.remove_parts(checkpoint.updates, parts);
    folder_.keep_newest(keep_);
  } catch (const std::exception& thrown) {
    error = thrown.what();
    // First what names the parts: it may be there, where only the folder could not be flushed.
    if (names_parts_of(path, checkpoint)) {
      folder_.remove(std::filesystem::path(path).filename());
    }
    for (const CheckpointPart& part : checkpoint.parts.parts) {
      folder_.remove(part.file);
    }
  }
  if (!error.empty()) {
    fail(checkpoint.updates, error);
  }
  const std::lock_guard lock(mutex_);
  report_.write_seconds += watch.seconds();
  if (error.empty()) {
    ++report_.written;
    report_.bytes = bytes;
    report_.last_written = path;
    report_.last_error.clear();
  }
}

void CheckpointWriter::fail(std::uint64_t updates, const std::string& error) {
  const std::lock_guard lock(mutex_);
  report_.last_error = error;
  ++report_.failed;
  complain(fmt::format(
      "dnn_train: warning: could not write a checkpoint at update {}: {}. Training continues; {}.",
      updates, error,
      report_.last_written.empty() ? "this run has no checkpoint yet"
                                   : "the last good checkpoint is " + report_.last_written));
}

}  // namespace dnn
