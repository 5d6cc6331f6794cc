#include "dnn/files/growing_bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

constexpr std::size_t first_capacity = 4096;
/// Stays free for all else that the process does.
constexpr std::size_t reserve = std::size_t{32} << 20;

}  // namespace

void GrowingBytes::Free::operator()(void* memory) const {
  std::free(memory);
}

GrowingBytes::GrowingBytes(std::string origin, std::size_t packed_size, MemoryProbe available)
    : origin_(std::move(origin)), packed_size_(packed_size), available_(std::move(available)) {
  resize(std::clamp(4 * packed_size, first_capacity, std::size_t{1} << 20));
}

std::span<std::byte> GrowingBytes::room() {
  if (size_ == capacity_) {
    grow();
  }
  return {static_cast<std::byte*>(memory_.get()) + size_, capacity_ - size_};
}

void GrowingBytes::grow() {
  const std::size_t available = available_();
  const std::size_t more = std::min(capacity_, available > reserve ? available - reserve : 0);
  if (more == 0) {
    const std::string packed =
        packed_size_ > 0 ? fmt::format(" ({} compressed)", size_text(packed_size_)) : "";
    throw InputError(fmt::format(
        "{}{} holds more data than fit in memory: {} are read, and this job may use {} more. "
        "Convert the data to uncompressed NPY files, which are mapped and may be larger than "
        "memory, or ask the batch system for more memory",
        origin_, packed, size_text(size_), size_text(available)));
  }
  resize(capacity_ + more);
}

void GrowingBytes::resize(std::size_t capacity) {
  void* const moved = std::realloc(memory_.get(), capacity);
  if (moved == nullptr) {
    throw std::bad_alloc();
  }
  (void)memory_.release();  // realloc has freed it
  memory_.reset(moved);
  capacity_ = capacity;
}

Bytes GrowingBytes::finish() {
  resize(std::max<std::size_t>(size_, 1));
  const auto* begin = static_cast<const std::byte*>(memory_.get());
  const std::size_t size = std::exchange(size_, 0);
  capacity_ = 0;
  return {{begin, size}, std::shared_ptr<const void>(std::move(memory_)), {}, 0};
}

}  // namespace dnn
