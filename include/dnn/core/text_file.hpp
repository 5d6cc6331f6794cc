#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dnn {

/// The contents of a regular file; nothing where there is no file of that name. No link is
/// followed. Throws FileError.
[[nodiscard]] std::optional<std::string> contents_of(const std::string& path);

/// Calls `visit` for each line of a regular file, without its end; returns how many there are. The
/// file is read piece by piece. A line at the end that is not complete belongs to a run that still
/// writes, or that was killed: it is left out. A file that is not there has no lines. No link is
/// followed. Throws FileError.
std::size_t for_each_line(const std::string& path,
                          const std::function<void(std::string_view line)>& visit);

}  // namespace dnn
