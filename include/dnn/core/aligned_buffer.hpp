#pragma once

#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace dnn {

namespace detail {
/// Asks the system for pages of 2 MiB for memory that nothing has been written to yet; where it has
/// none, nothing happens.
void prefer_huge_pages(void* memory, std::size_t bytes);
}  // namespace detail

/// Says that memory need not be zeroed, since every element will be written before it is read.
struct Uninitialized {};

/// An owned array of `T`, zeroed, that starts on a cache line (64 bytes); a large one on a page of
/// 2 MiB. Move-only.
///
/// Note [Huge pages]
/// A step with sparse rows reads rows of W^1 all over a large buffer, and finds the address of
/// nearly each in the page tables. Measured (100,000 rows of 256 floats, of which 22,600 are used;
/// AMD EPYC), pages of 2 MiB take a tenth off the product and a fifth off the update. Large arrays
/// that are written once, as a table's cells are, take 500 times fewer page faults.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_default_constructible_v<T> &&
                std::is_trivially_destructible_v<T>);

 public:
  static constexpr std::size_t alignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) : AlignedBuffer(size, Uninitialized()) {
    if (size > 0) {
      std::memset(static_cast<void*>(data_.get()), 0, size * sizeof(T));
    }
  }
  AlignedBuffer(std::size_t size, Uninitialized) : size_(size) {
    if (size == 0) {
      return;
    }
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      throw std::bad_array_new_length();
    }
    const std::size_t bytes = size * sizeof(T);
    const std::align_val_t wanted{bytes >= least_huge ? huge_page : alignment};
    data_ = {static_cast<T*>(::operator new[](bytes, wanted)), Release{wanted}};
    if (bytes >= least_huge) {
      detail::prefer_huge_pages(data_.get(), bytes);
    }
  }

  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<T> span() { return {data_.get(), size_}; }
  [[nodiscard]] std::span<const T> span() const { return {data_.get(), size_}; }
  [[nodiscard]] T& operator[](std::size_t i) { return data_.get()[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  static constexpr std::size_t huge_page = std::size_t{2} << 20;
  static constexpr std::size_t least_huge = 2 * huge_page;

  struct Release {
    std::align_val_t allocated{alignment};
    void operator()(T* data) const { ::operator delete[](data, allocated); }
  };
  std::unique_ptr<T[], Release> data_;
  std::size_t size_ = 0;
};

}  // namespace dnn
