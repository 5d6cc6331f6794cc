#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dnn {

/// The folder of a run's checkpoints. A checkpoint is named after the number of updates before it.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file_for(std::uint64_t updates) const;

  /// The paths of all checkpoints, newest (most updates) first; empty if there is no such folder.
  [[nodiscard]] std::vector<std::string> newest_first() const;

  /// Creates the folder. Throws FileError.
  void create() const;
  /// Removes all but the newest `count`.
  void keep_newest(std::size_t count) const;
  /// Removes those of more than `updates` updates: a run that goes on from there is another one.
  void remove_after(std::uint64_t updates) const;
  /// Removes what a write that was killed has left.
  void remove_temporary_files() const;
  /// Removes all checkpoints, and the folder if it is empty then.
  void clear() const;

 private:
  std::string path_;
};

}  // namespace dnn
