#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dnn {

/// The folder of a run's checkpoints. A checkpoint is named after the number of updates before it,
/// a part of one (see Note [Checkpoints in parts]) after its checkpoint.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file_for(std::uint64_t updates) const;

  /// The name of a part's file. `begun`: the same for all parts of a checkpoint, and no other's.
  [[nodiscard]] std::string part_for(std::uint64_t updates, const std::string& begun,
                                     int rank) const;

  /// The paths of all checkpoints, newest (most updates) first; empty if there is no such folder.
  [[nodiscard]] std::vector<std::string> newest_first() const;

  /// The paths of all that belongs to checkpoints, parts and damaged ones too.
  [[nodiscard]] std::vector<std::string> all_files() const;

  /// Creates the folder, where there is none. Throws FileError.
  void create() const;
  /// Removes a file of the folder, if it is there.
  void remove(const std::string& file) const;
  /// Removes all but the newest `count`, with their parts.
  void keep_newest(std::size_t count) const;
  /// Removes the checkpoints after `updates` updates: a run that resumes there is another run.
  void remove_after(std::uint64_t updates) const;
  /// Removes the parts of that many updates which `kept` does not name.
  void remove_parts(std::uint64_t updates, const std::vector<std::string>& kept) const;
  /// Removes what a write that was killed has left, parts that no checkpoint names included.
  void remove_temporary_files() const;
  /// Removes all checkpoints, and the folder if it is empty then.
  void clear() const;

 private:
  void remove_checkpoint(const std::string& path) const;

  std::string path_;
};

}  // namespace dnn
