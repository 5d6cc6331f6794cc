#include "dnn/core/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/output_file.hpp"
#include "dnn/core/temporary_name.hpp"

namespace dnn {

namespace {

/// A rename reaches the disk with its folder. Not every file system can flush one, or lets it be
/// opened; a disk that fails or is full is an error.
void flush_folder_of(const std::string& path) {
  const auto folder = std::filesystem::absolute(path).parent_path();
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) {
    return;
  }
  const int code = ::fsync(opened.value()) == 0 ? 0 : errno;
  if (code == EIO || code == ENOSPC || code == EDQUOT) {
    throw FileError("write the folder of the file", path, code);
  }
}

}  // namespace

void write_file_atomically(const std::string& path,
                           const std::vector<std::span<const std::byte>>& pieces) {
  TemporaryName temporary = TemporaryName::beside(path);
  OutputFile file(temporary.path(), O_CREAT | O_EXCL, path);
  for (const auto piece : pieces) {
    file.write(piece);
  }
  file.flush();
  file.close();
  if (!temporary.rename_to(path)) {
    throw FileError("write the file", path, errno);
  }
  flush_folder_of(path);
}

void write_file_atomically(const std::string& path, const std::string& text) {
  write_file_atomically(path, std::vector{std::as_bytes(std::span(text))});
}

void check_output(const std::string& path, bool overwrite, const std::vector<std::string>& inputs) {
  std::error_code error;  // what cannot be looked at cannot be written either, which says why
  const bool is_there = std::filesystem::exists(path, error);
  if (path == "-" || (is_there && !std::filesystem::is_regular_file(path, error))) {
    throw InputError(fmt::format(
        "--output {}: the result is written into a file, which appears when it is complete; name a "
        "regular file, or one that does not exist yet",
        path));
  }
  if (!is_there && std::filesystem::is_symlink(path, error)) {
    throw InputError(fmt::format(
        "--output {}: a symbolic link to a file that does not exist; name that file, or remove the "
        "link",
        path));
  }
  for (const std::string& input : inputs) {
    if (is_there && std::filesystem::equivalent(path, input, error)) {
      throw InputError(fmt::format(
          "--output {}: this file is an input of the same command ({}) and is not overwritten; "
          "name another file",
          path, input));
    }
  }
  if (is_there && !overwrite) {
    throw InputError(
        fmt::format("--output {}: the file exists; name another one, or add --overwrite", path));
  }
}

}  // namespace dnn
