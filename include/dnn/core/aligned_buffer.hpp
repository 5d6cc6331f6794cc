#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace dnn {

/// An owned array of `T`, zeroed, that starts on a cache line (64 bytes). Move-only.
template <class T>
class AlignedBuffer {
 public:
  static constexpr std::size_t alignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size)
      : data_(size == 0 ? nullptr : new (std::align_val_t{alignment}) T[size]()), size_(size) {}

  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<T> span() { return {data_.get(), size_}; }
  [[nodiscard]] std::span<const T> span() const { return {data_.get(), size_}; }
  [[nodiscard]] T& operator[](std::size_t i) { return data_.get()[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  struct Release {
    void operator()(T* data) const { ::operator delete[](data, std::align_val_t{alignment}); }
  };
  std::unique_ptr<T[], Release> data_;
  std::size_t size_ = 0;
};

}  // namespace dnn
