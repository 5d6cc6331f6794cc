#pragma once

// Data that come through a pipe, which can be read only once and by one process alone.

#include <cstddef>
#include <string>
#include <vector>

#include "dnn/data/bytes.hpp"

namespace dnn {

/// The name of standard input among the sources of data.
inline constexpr const char* standard_input = "-";

/// Whether `path` is standard input or a pipe (a FIFO, /dev/stdin behind a pipe).
[[nodiscard]] bool is_stream(const std::string& path);

/// `path` as messages name it: "standard input" or the path itself.
[[nodiscard]] std::string name_of(const std::string& path);

/// Reads the stream `path` to its end. A FIFO is waited for until someone opens it to write. Throws
/// FileError, or InputError for an empty stream, for a terminal, and for more data than memory.
[[nodiscard]] Bytes read_stream(const std::string& path);

/// Throws InputError where the data that `sources` name (as open_dataset takes them; empty ones
/// aside) cannot be read by `readers` processes: a stream has one reader, and is read once.
void check_streams(const std::vector<std::string>& sources, std::size_t readers);

}  // namespace dnn
