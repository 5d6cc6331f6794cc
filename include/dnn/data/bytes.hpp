#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dnn {

/// Read-only bytes and what keeps them alive. Copies share the same memory.
struct Bytes {
  std::span<const std::byte> view;
  std::shared_ptr<const void> owner;
  /// For bytes that lie in a file as they are: the file, and where in it. Another process of the
  /// node maps the same file instead of copying them.
  std::string mapped_path;
  std::size_t mapped_offset = 0;

  [[nodiscard]] std::size_t size() const { return view.size(); }
  /// The bytes as elements of type T; they are aligned for it.
  template <class T>
  [[nodiscard]] std::span<const T> as() const {
    return {reinterpret_cast<const T*>(view.data()), view.size() / sizeof(T)};
  }
  /// The part [offset, offset + count).
  [[nodiscard]] Bytes part(std::size_t offset, std::size_t count) const {
    return {view.subspan(offset, count), owner, mapped_path, mapped_offset + offset};
  }
  /// Takes over the elements of a vector.
  template <class T, class Allocator>
  [[nodiscard]] static Bytes from(std::vector<T, Allocator> elements) {
    const auto kept = std::make_shared<const std::vector<T, Allocator>>(std::move(elements));
    return {std::as_bytes(std::span(*kept)), kept, {}, 0};
  }
};

/// Maps the file at `path` from `offset` on, `count` bytes (npos: to its end); the operating system
/// reads pages when they are touched, so it may be larger than memory. Throws FileError, or
/// InputError where the file is shorter or empty.
[[nodiscard]] Bytes map_file(const std::string& path, std::size_t offset = 0,
                             std::size_t count = static_cast<std::size_t>(-1));

}  // namespace dnn
