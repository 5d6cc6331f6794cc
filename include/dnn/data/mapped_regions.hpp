#pragma once

// Names the file, where a mapped file can no longer be read.

#include <cstddef>
#include <string>

namespace dnn {

/// Note [A mapped file that shrinks]
/// Reading a page that a mapped file no longer has, or that its disk does not give, is a bus error
/// (SIGBUS) at any instruction. Its handler can reach nothing but globals, so the mapped regions
/// are in a table. The handler prints one message with the file's name and ends the process with
/// exit code 2; mpirun then ends the other ranks. A bus error elsewhere has the effect that it had
/// before.
///
/// A region of memory that maps a file, known to the handler while this object lives. More regions
/// than the table has places are not known to it.
class MappedRegion {
 public:
  /// `size` bytes at `base` map the file at `path` from its beginning.
  MappedRegion(const void* base, std::size_t size, const std::string& path);
  MappedRegion(const MappedRegion&) = delete;
  MappedRegion& operator=(const MappedRegion&) = delete;
  ~MappedRegion();

 private:
  std::size_t place_;
};

}  // namespace dnn
