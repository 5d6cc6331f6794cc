#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dnn {

/// A file that grows while a run goes on. What is added waits in memory until flush() appends it.
/// Where an append fails, the next one makes up for it: the file never keeps half of what was added
/// with one call between two flushes that succeed.
class AppendedFile {
 public:
  /// Continues the file at `path` with what it holds now, or begins it.
  explicit AppendedFile(std::string path);

  /// Adds bytes at the end.
  void add(std::string_view bytes) { waiting_ += bytes; }
  /// Somebody else has cut the file back, to a whole one: continues with what it holds now. What is
  /// not in the file yet is dropped.
  void begin_again();
  /// Appends what has been added. Throws FileError; the bytes then wait for the next flush.
  void flush();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void append();
  void write_anew();
  [[nodiscard]] std::uint64_t size_on_disk() const;

  std::string path_;
  std::string waiting_;
  std::uint64_t size_ = 0;  ///< of the file's part that is known to be good
  bool is_whole_ = true;    ///< nothing else is in the file
};

}  // namespace dnn
