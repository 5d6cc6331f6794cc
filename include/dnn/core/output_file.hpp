#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace dnn {

/// A file that is written through a descriptor of its own. Calls that a signal interrupts are
/// repeated, short writes are continued; whatever else fails throws FileError.
class OutputFile {
 public:
  /// Opens `path` as open(2) does with `flags` (and with O_WRONLY and O_CLOEXEC). `name`: the path
  /// in messages.
  OutputFile(const std::string& path, int flags, std::string name);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Closes a file that is still open, and looks at no error: it has not been written whole.
  ~OutputFile();

  void write(std::span<const std::byte> bytes);
  /// Returns once everything is on the disk.
  void flush();
  /// Some file systems tell only now that there was no room (NFS, quotas).
  void close();

 private:
  void check(bool done) const;

  std::string name_;
  int descriptor_;
};

/// open(2), again where a signal interrupts it.
[[nodiscard]] int open_file(const std::string& path, int flags);

/// Writes all bytes; false, with errno set, where that fails.
[[nodiscard]] bool write_all(int descriptor, std::span<const std::byte> bytes);

}  // namespace dnn
