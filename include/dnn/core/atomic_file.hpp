#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace dnn {

/// Writes a file whole or not at all: to a temporary name beside `path`, flushed to the disk, then
/// renamed. `pieces` are written one after the other. Throws FileError, and leaves no temporary
/// file; only where the folder's own flush failed may `path` be the new file.
void write_file_atomically(const std::string& path,
                           const std::vector<std::span<const std::byte>>& pieces);

/// The same for a text.
void write_file_atomically(const std::string& path, const std::string& text);

/// Throws InputError unless write_file_atomically may write the file that the user names with
/// --output: there is none yet, or it is a regular file, `overwrite` is set, and it is none of
/// `inputs`, the paths that the command reads, by whatever name. An input that does not exist is
/// passed over.
void check_output(const std::string& path, bool overwrite, const std::vector<std::string>& inputs);

}  // namespace dnn
