#include "dnn/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace dnn {

namespace {

/// What to do about what the system says.
std::string advice(int code) {
  switch (code) {
    case ENOSPC:
      return " (make room on this disk)";
    case EDQUOT:
      return " (remove files, or have the quota raised)";
    case EFBIG:
      return " (raise the limit on the size of files: ulimit -f)";
    case EROFS:
      return " (have it mounted for writing, or use another folder)";
    case EACCES:
    case EPERM:
      return " (give this user the right to it, or use another folder)";
    case ELOOP:
      return " (a symbolic link is in the place of this file; remove the link)";
    case EMLINK:
      return " (the file has another name, a hard link; remove one of the two)";
    case EMFILE:
    case ENFILE:
      return " (raise the limit on open files: ulimit -n)";
    case EIO:
    case ESTALE:
      return " (see to the disk, or to the file server's connection)";
    default:
      return {};
  }
}

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 60;
  std::string shown(text.substr(0, most));
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return "'" + shown + (text.size() > most ? "...'" : "'");
}

FileError::FileError(const std::string& doing, const std::string& path, int code)
    : InputError(fmt::format("cannot {}: {}: {}{}", doing, path,
                             std::generic_category().message(code), advice(code))) {}

}  // namespace dnn
