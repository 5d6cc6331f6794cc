#include "dnn/core/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "dnn/core/printable.hpp"

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
  const std::string_view shown = beginning_of(text, most);
  return "'" + printable_name(shown) + (shown.size() < text.size() ? "...'" : "'");
}

FileError::FileError(const std::string& doing, const std::string& path, int code)
    : InputError(fmt::format("cannot {}: {}: {}{}", doing, printable_name(path),
                             std::generic_category().message(code), advice(code))) {}

}  // namespace dnn
