#include "dnn/files/file_stamp.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "dnn/core/error.hpp"

namespace dnn {

FileStamp::FileStamp(std::string path) : path_(std::move(path)), mark_(now()) {}

std::vector<FileStamp> FileStamp::of_folder(const std::string& folder,
                                            const std::vector<std::string>& marks) {
  std::vector<FileStamp> stamps;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (std::any_of(marks.begin(), marks.end(), [&name](const std::string& mark) {
          return name.find(mark) != std::string::npos;
        })) {
      stamps.emplace_back(entry.path().string());
    }
  }
  std::sort(stamps.begin(), stamps.end(),
            [](const FileStamp& a, const FileStamp& b) { return a.path_ < b.path_; });
  return stamps;
}

FileStamp::Mark FileStamp::now() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return {};
  }
  return {true,
          status.st_dev,
          status.st_ino,
          status.st_size,
          status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec,
          status.st_ctim.tv_sec,
          status.st_ctim.tv_nsec};
}

void FileStamp::check() const {
  Mark after = now();
  // Who may read a file, and what it is called, may change while it is read.
  after.change_seconds = mark_.change_seconds;
  after.change_nanoseconds = mark_.change_nanoseconds;
  if (!mark_.is_file || after == mark_) {
    return;
  }
  throw InputError(fmt::format(
      "{}: the file {}while it was being read; let whoever writes it finish, or copy it, and start "
      "again",
      path_,
      !after.is_file ? "was removed "
      : after.size != mark_.size
          ? fmt::format("changed from {} to {} bytes ", mark_.size, after.size)
          : "was written to "));
}

}  // namespace dnn
