#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "dnn/data/bytes.hpp"

namespace dnn {

/// In which order the pages of a mapped file are read.
enum class MappedAccess { in_order, at_random };

/// Note [Advice on mapped files]
/// The operating system reads more of a mapped file than is touched, up to its device's read-ahead
/// (128 KiB, or megabytes). That is right where a file is read in order. Batches touch rows
/// anywhere: with a file that is larger than memory, what is read ahead pushes out what is needed
/// (2 GiB in 700 MiB of memory, read-ahead 8 MiB, rows of 3 KiB: 234 rows/s, with the advice
/// 16,251). A file that fits into memory is there after the first pass, and the advice changes
/// nothing.
///
/// Tells the operating system how `bytes` will be read from now on, if they are in a mapped file.
void advise(const Bytes& bytes, MappedAccess access);

/// The whole pages that `bytes` touch.
[[nodiscard]] std::span<const std::byte> pages_of(std::span<const std::byte> bytes);

/// Whether whole pages of a mapped file are in memory. The system says so of all pages of a file
/// that this process may not write.
[[nodiscard]] bool are_in_memory(std::span<const std::byte> pages);

/// Asks the operating system to read whole pages of a mapped file, all together, and does not wait.
void request_pages(std::span<const std::byte> pages);

/// Tells the operating system that whole pages of a mapped file are not needed soon: where memory
/// is short, it takes theirs first.
void release_pages(std::span<const std::byte> pages);

/// Gives back the memory that a piece of a mapped file takes in this process, which has been read
/// and is not needed soon; reading it again brings it back. `text` must be in a mapped file.
void forget_mapped(std::string_view text);

/// Gives back the memory of a piece of this process' own memory, which loses its contents. It must
/// be nobody else's, and no part of a file.
void discard(std::span<const std::byte> bytes);

}  // namespace dnn
