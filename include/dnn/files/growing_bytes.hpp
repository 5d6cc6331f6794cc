#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "dnn/core/available_memory.hpp"
#include "dnn/data/bytes.hpp"

namespace dnn {

/// Tells how many bytes of memory may be used (available_memory, or a test's number).
using MemoryProbe = std::function<std::size_t()>;

/// Bytes of which nobody knows how many there will be: what a decompressor or a pipe gives. Grows
/// as far as memory allows, and no further: a small compressed file may hold more than a machine.
class GrowingBytes {
 public:
  /// `origin` and `packed_size`, the bytes that the compressed file has (0: a pipe), are for the
  /// message where memory ends.
  GrowingBytes(
      std::string origin, std::size_t packed_size,
      MemoryProbe available = [] { return available_memory(); });

  /// Where the next bytes go, after those that are there; never empty. Throws InputError where
  /// memory ends.
  [[nodiscard]] std::span<std::byte> room();

  /// Adds the first `count` bytes of room() to those that are there.
  void added(std::size_t count) { size_ += count; }

  [[nodiscard]] std::size_t size() const { return size_; }

  /// Gives all bytes away.
  [[nodiscard]] Bytes finish();

 private:
  struct Free {
    void operator()(void* memory) const;
  };

  void grow();
  void resize(std::size_t capacity);

  std::string origin_;
  std::size_t packed_size_;
  MemoryProbe available_;
  std::unique_ptr<void, Free> memory_;  // of malloc's: a large block grows without being copied
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace dnn
