#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace dnn {

/// Where large arrays are stored while data are read: in memory, or, for data larger than that, in
/// files without a name in a folder of a disk. The system writes pages of these files out where
/// memory is short, and the files disappear with the process. Copies use the same folder.
class ScratchMemory {
 public:
  /// Memory.
  ScratchMemory() = default;
  /// `folder`: of the files; empty: memory.
  explicit ScratchMemory(const std::string& folder)
      : folder_(folder.empty() ? nullptr : std::make_shared<const std::string>(folder)) {}

  [[nodiscard]] bool is_on_disk() const { return folder_ != nullptr; }

  /// `bytes` that hold anything, aligned to 64. Throws std::bad_alloc, or FileError where the disk
  /// has no room.
  [[nodiscard]] void* allocate(std::size_t bytes) const;
  /// Gives them back.
  void release(void* memory, std::size_t bytes) const noexcept;

  friend bool operator==(const ScratchMemory&, const ScratchMemory&) = default;

 private:
  /// Small arrays stay in memory: each file takes pages and a mapping of its own.
  [[nodiscard]] bool maps(std::size_t bytes) const { return is_on_disk() && bytes >= 65536; }

  std::shared_ptr<const std::string> folder_;
};

/// The allocator of a standard container whose elements are in scratch memory.
template <class T>
class ScratchAllocator {
 public:
  using value_type = T;
  // What is moved keeps its memory.
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  ScratchAllocator() = default;
  explicit ScratchAllocator(ScratchMemory memory) : memory_(std::move(memory)) {}
  template <class Other>
  explicit ScratchAllocator(const ScratchAllocator<Other>& other) : memory_(other.memory()) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(memory_.allocate(count * sizeof(T)));
  }
  void deallocate(T* elements, std::size_t count) noexcept {
    memory_.release(elements, count * sizeof(T));
  }
  [[nodiscard]] const ScratchMemory& memory() const { return memory_; }
  friend bool operator==(const ScratchAllocator&, const ScratchAllocator&) = default;

 private:
  ScratchMemory memory_;
};

template <class T>
using ScratchVector = std::vector<T, ScratchAllocator<T>>;

}  // namespace dnn
