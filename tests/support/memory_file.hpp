#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>

namespace dnn::test {

/// A file in memory alone, whose contents may change a million times; code that reads paths can
/// read it.
class MemoryFile {
 public:
  MemoryFile()
      : descriptor_(::memfd_create("test", MFD_CLOEXEC)),
        path_("/proc/self/fd/" + std::to_string(descriptor_)) {
    if (descriptor_ < 0) {
      throw std::runtime_error("cannot make a file in memory");
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  /// Replaces the contents. Nothing may have the old ones mapped.
  void write(std::span<const std::byte> contents) const {
    const auto size = static_cast<ssize_t>(contents.size());
    if (::pwrite(descriptor_, contents.data(), contents.size(), 0) != size ||
        ::ftruncate(descriptor_, size) != 0) {
      throw std::runtime_error("cannot write a file in memory");
    }
  }
  void write(const std::string& contents) const { write(std::as_bytes(std::span(contents))); }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace dnn::test
