#include "dnn/train/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

constexpr const char* doing = "write the file";

/// A file being written under a temporary name; removed again unless it is committed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path)
      : final_path_(path),
        path_(path + ".tmp." + std::to_string(::getpid())),
        descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) {
      throw FileError(doing, final_path_, errno);
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
      ::unlink(path_.c_str());
    }
  }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written =
          ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), 1U << 30));
      if (written < 0 && errno == EINTR) {
        continue;
      }
      check(written >= 0);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void commit() {
    check(::fsync(descriptor_) == 0);
    const int closing = descriptor_;
    check(::rename(path_.c_str(), final_path_.c_str()) == 0);
    descriptor_ = -1;
    if (::close(closing) != 0) {
      throw FileError(doing, final_path_, errno);
    }
    flush_folder();
  }

 private:
  void check(bool done) const {
    if (!done) {
      throw FileError(doing, final_path_, errno);
    }
  }

  /// The rename itself reaches the disk with the folder.
  void flush_folder() const {
    const auto folder = std::filesystem::absolute(final_path_).parent_path();
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
      ::fsync(descriptor);  // not every file system can; the file itself is safe by now
      ::close(descriptor);
    }
  }

  std::string final_path_;
  std::string path_;
  int descriptor_;
};

}  // namespace

void write_file_atomically(const std::string& path,
                           const std::vector<std::span<const std::byte>>& pieces) {
  TemporaryFile file(path);
  for (const auto piece : pieces) {
    file.write(piece);
  }
  file.commit();
}

void write_file_atomically(const std::string& path, const std::string& text) {
  write_file_atomically(path, std::vector{std::as_bytes(std::span(text))});
}

}  // namespace dnn
