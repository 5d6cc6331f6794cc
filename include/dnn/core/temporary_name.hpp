#pragma once

#include <string>
#include <utility>

namespace dnn {

/// The path of a file, which is removed at the end; an empty one means none. Move-only. Removing
/// leaves errno as it is.
class TemporaryName {
 public:
  TemporaryName() = default;
  explicit TemporaryName(std::string path);
  /// `path`.tmp.DIGITS. Nobody can foresee the digits, so that nobody can put something in the
  /// place of the file, and programs that write the same file do not share one.
  [[nodiscard]] static TemporaryName beside(const std::string& path);
  TemporaryName(TemporaryName&& other) noexcept;
  TemporaryName& operator=(TemporaryName&& other) noexcept;
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  ~TemporaryName() { remove(); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_empty() const { return path_.empty(); }
  /// Removes the file now.
  void remove() noexcept;
  /// Gives the file another name, which stays; the file that had it is replaced, but no
  /// device is. False, with errno set, where that fails.
  [[nodiscard]] bool rename_to(const std::string& path);
  /// The same where no file has that name yet; else false, and errno is EEXIST.
  [[nodiscard]] bool rename_to_new(const std::string& path);
  /// Leaves the file where it is for good; its path.
  [[nodiscard]] std::string keep() noexcept { return std::exchange(path_, {}); }

 private:
  std::string path_;
};

}  // namespace dnn
