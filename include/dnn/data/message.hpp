#pragma once

// What processes of one program tell each other: numbers and texts, one after another.

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace dnn {

/// Puts a message together.
class MessageWriter {
 public:
  template <class T>
  void add(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void add_text(std::string_view text) {
    add(text.size());
    bytes_.append(text);
  }

  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Takes a message apart, in the order in which it was put together. `message` must outlive the
/// object and the texts that it returns. Throws std::logic_error where the message ends too early.
class MessageReader {
 public:
  explicit MessageReader(std::string_view message) : rest_(message) {}

  template <class T>
  [[nodiscard]] T next() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  [[nodiscard]] std::string_view next_text() { return take(next<std::size_t>()); }

 private:
  std::string_view take(std::size_t bytes) {
    if (bytes > rest_.size()) {
      throw std::logic_error("MessageReader: the message ends too early");
    }
    const std::string_view part = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return part;
  }

  std::string_view rest_;
};

}  // namespace dnn
