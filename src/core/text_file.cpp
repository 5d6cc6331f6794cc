#include "dnn/core/text_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/output_file.hpp"

namespace dnn {

namespace {

/// Calls `visit` for each piece of a regular file; false where there is no file of that name.
template <class Visit>
bool for_each_piece(const std::string& path, Visit&& visit) {
  const Descriptor file(open_regular_file(path, O_RDONLY));
  if (!file.is_open()) {
    if (errno == ENOENT) {
      return false;
    }
    throw FileError("read", path, errno);
  }
  std::array<char, 1 << 16> buffer{};
  ssize_t count = 0;
  while ((count = ::read(file.value(), buffer.data(), buffer.size())) != 0) {
    if (count > 0) {
      visit(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    } else if (errno != EINTR) {
      throw FileError("read", path, errno);
    }
  }
  return true;
}

}  // namespace

std::optional<std::string> contents_of(const std::string& path) {
  std::string text;
  const bool is_there = for_each_piece(path, [&text](std::string_view piece) { text += piece; });
  return is_there ? std::optional(std::move(text)) : std::nullopt;
}

std::size_t for_each_line(const std::string& path,
                          const std::function<void(std::string_view line)>& visit) {
  std::size_t lines = 0;
  std::string begun;  // a line whose end has not been read
  for_each_piece(path, [&](std::string_view rest) {
    for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos;
         rest.remove_prefix(end + 1)) {
      visit(begun.empty() ? rest.substr(0, end) : begun.append(rest.substr(0, end)));
      begun.clear();
      ++lines;
    }
    begun.append(rest);
  });
  return lines;
}

}  // namespace dnn
