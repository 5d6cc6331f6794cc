#pragma once

// Memory that the ranks of a node share without /dev/shm, for hosts where that is too small.

#include <cstddef>
#include <span>
#include <string>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// Memory that the ranks of a node share, without a window of MPI. It comes from a file without a
/// name (memfd), which is no part of /dev/shm and disappears with the last process that maps it.
/// Where the ranks cannot open each other's files (separate containers), it comes from a temporary
/// file in TMPDIR. Move-only.
class SharedMapping {
 public:
  /// Where the memory may come from, in the order in which it is tried.
  enum class Source { unnamed, temporary_file };

  /// Collective over `ranks`, which are on one node: `bytes` (the same on all ranks) of zeros that
  /// all of them see, aligned to pages. `first`: the source to begin with. Throws AgreedError that
  /// says why each source failed.
  [[nodiscard]] static SharedMapping make(const Communicator& ranks, std::size_t bytes,
                                          Source first = Source::unnamed);

  SharedMapping(SharedMapping&& other) noexcept;
  SharedMapping& operator=(SharedMapping&& other) noexcept;
  SharedMapping(const SharedMapping&) = delete;
  SharedMapping& operator=(const SharedMapping&) = delete;
  /// Not collective.
  ~SharedMapping();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  [[nodiscard]] Source source() const { return source_; }

 private:
  SharedMapping(std::span<std::byte> bytes, Source source) : bytes_(bytes), source_(source) {}
  void release() noexcept;

  std::span<std::byte> bytes_;
  Source source_;
};

/// Where memory of that source comes from, as words of a message.
[[nodiscard]] std::string describe(SharedMapping::Source source);

}  // namespace dnn
