#include "dnn/nn/softmax_row.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

#include "dnn/core/simd.hpp"
#include "dnn/nn/exponential.hpp"

namespace dnn {

namespace {

/// Elements at a time: one AVX-512 register of floats. Fixed, so that every instruction set sums in
/// the same order.
constexpr std::size_t lanes = 16;

template <class T>
constexpr T minus_infinity = -std::numeric_limits<T>::infinity();

template <class T>
DNN_SIMD_BODY T max_of(const T* a, std::size_t count) {
  T best[lanes];
  std::fill_n(best, lanes, minus_infinity<T>);
  std::size_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    for (std::size_t k = 0; k < lanes; ++k) {
      best[k] = a[j + k] > best[k] ? a[j + k] : best[k];
    }
  }
  for (; j < count; ++j) {
    best[j % lanes] = a[j] > best[j % lanes] ? a[j] : best[j % lanes];
  }
  return *std::max_element(best, best + lanes);
}
DNN_SIMD float max_of_row(const float* a, std::size_t count) {
  return max_of(a, count);
}
DNN_SIMD double max_of_row(const double* a, std::size_t count) {
  return max_of(a, count);
}

/// One block: block[k] = exp(a[k] - max), added to sums[k]. `a` may be `block`.
template <class T>
DNN_SIMD_BODY void exp_block(const T* a, T max, T* block, double* sums) {
  for (std::size_t k = 0; k < lanes; ++k) {
    block[k] = exp_of_nonpositive(a[k] - max);
    sums[k] += static_cast<double>(block[k]);
  }
}

/// Σ exp(a_j - max); the exponentials go to `out`, which may be `a`, or nowhere if it is null.
template <class T>
DNN_SIMD_BODY double exp_all(const T* a, std::size_t count, T max, T* out) {
  double sums[lanes] = {};
  T block[lanes];
  std::size_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    exp_block(a + j, max, block, sums);
    if (out != nullptr) {
      std::copy_n(block, lanes, out + j);
    }
  }
  if (j < count) {  // the last block is filled up with classes of probability 0
    std::fill_n(block, lanes, minus_infinity<T>);
    std::copy(a + j, a + count, block);
    exp_block(block, max, block, sums);
    if (out != nullptr) {
      std::copy_n(block, count - j, out + j);
    }
  }
  return std::accumulate(sums, sums + lanes, 0.0);
}
DNN_SIMD double exp_all_of_row(const float* a, std::size_t count, float max, float* out) {
  return exp_all(a, count, max, out);
}
DNN_SIMD double exp_all_of_row(const double* a, std::size_t count, double max, double* out) {
  return exp_all(a, count, max, out);
}

template <class T>
DNN_SIMD_BODY double differences(const T* a, std::size_t count, T max) {
  double sums[lanes] = {};
  std::size_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    for (std::size_t k = 0; k < lanes; ++k) {
      sums[k] += static_cast<double>(a[j + k] - max);
    }
  }
  for (; j < count; ++j) {
    sums[j % lanes] += static_cast<double>(a[j] - max);
  }
  return std::accumulate(sums, sums + lanes, 0.0);
}
DNN_SIMD double differences_of_row(const float* a, std::size_t count, float max) {
  return differences(a, count, max);
}
DNN_SIMD double differences_of_row(const double* a, std::size_t count, double max) {
  return differences(a, count, max);
}

template <class T>
DNN_SIMD_BODY void scale_all(T* a, std::size_t count, T scale, T offset) {
  for (std::size_t j = 0; j < count; ++j) {
    a[j] = a[j] * scale - offset;
  }
}
DNN_SIMD void scale_all_of_row(float* a, std::size_t count, float scale, float offset) {
  scale_all(a, count, scale, offset);
}
DNN_SIMD void scale_all_of_row(double* a, std::size_t count, double scale, double offset) {
  scale_all(a, count, scale, offset);
}

}  // namespace

template <class T>
T row_max(std::span<const T> a) {
  return max_of_row(a.data(), a.size());
}

template <class T>
double exp_sum(std::span<const T> a, T max) {
  return exp_all_of_row(a.data(), a.size(), max, nullptr);
}

template <class T>
double exp_row(std::span<T> a, T max) {
  return exp_all_of_row(a.data(), a.size(), max, a.data());
}

template <class T>
double difference_sum(std::span<const T> a, T max) {
  return differences_of_row(a.data(), a.size(), max);
}

template <class T>
void scale_row(std::span<T> a, T scale, T offset) {
  scale_all_of_row(a.data(), a.size(), scale, offset);
}

#define DNN_INSTANTIATE(T)                               \
  template T row_max(std::span<const T>);                \
  template double exp_sum(std::span<const T>, T);        \
  template double exp_row(std::span<T>, T);              \
  template double difference_sum(std::span<const T>, T); \
  template void scale_row(std::span<T>, T, T);
DNN_INSTANTIATE(float)
DNN_INSTANTIATE(double)
#undef DNN_INSTANTIATE

}  // namespace dnn
