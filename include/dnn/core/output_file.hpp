#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace dnn {

/// A file that is written through a descriptor of its own. Calls that a signal interrupts are
/// repeated, short writes are continued; whatever else fails throws FileError.
///
/// Note [Files in folders that others may write to]
/// Somebody may have put a link, a pipe or a folder in the place of a file. So files are opened
/// without following links and without waiting, and only regular files are written that have no
/// other name: a hard link may be to somebody else's file.
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
  /// The next write goes over the beginning of the file.
  void rewind();
  /// Returns once everything is on the disk; false where the file system cannot promise that.
  bool flush();
  /// Some file systems tell only now that there was no room (NFS, quotas).
  void close();

 private:
  void check(bool done) const;

  std::string name_;
  int descriptor_;
};

/// open(2), again where a signal interrupts it.
[[nodiscard]] int open_file(const std::string& path, int flags);

/// The same for a regular file alone, see Note [Files in folders that others may write to]; -1,
/// with errno set (ELOOP for a symbolic link, EMLINK for a file of several names that is to be
/// written, EINVAL for what is no regular file).
[[nodiscard]] int open_regular_file(const std::string& path, int flags);

/// Whether `path` is a name of the open file, rather than of another one or of none.
[[nodiscard]] bool is_file_at(const std::string& path, int descriptor);

/// Whether a file system says with this errno value that it has no such operation (flock, fsync).
[[nodiscard]] bool means_unsupported(int code);

/// Writes all bytes; false, with errno set, where that fails.
[[nodiscard]] bool write_all(int descriptor, std::span<const std::byte> bytes);

}  // namespace dnn
