#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace dnn {

/// Where large arrays lie while data are read: in memory, or, for data larger than that, in files
/// without a name in a folder of a disk, whose pages the system writes out where memory is short.
/// The files disappear with the arrays, also where the process is killed.
class ScratchMemory {
 public:
  /// `folder`: of the files; empty: memory.
  explicit ScratchMemory(std::string folder = {}) : folder_(std::move(folder)) {}

  [[nodiscard]] bool is_on_disk() const { return !folder_.empty(); }

  /// `bytes` that hold anything, aligned to 64. Throws std::bad_alloc, or FileError where the disk
  /// has no room.
  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) const;

 private:
  std::string folder_;
};

}  // namespace dnn
