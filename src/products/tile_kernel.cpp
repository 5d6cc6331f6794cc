#include "dnn/products/tile_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/simd.hpp"

namespace dnn {

namespace {

/// Calls visit(i, j) for every row and vector of a tile, each written out.
template <std::size_t Rows, std::size_t Vectors, class Visitor>
DNN_SIMD_BODY void for_each_of(Visitor&& visit) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < Vectors; ++j) {
      visit(i, j);
    }
  }
}

template <class T, std::size_t Bytes, std::size_t Rows, std::size_t Vectors>
DNN_SIMD_BODY void sum_tile(const TileSum<T>& given) {
  const TileSum<T> sum = given;  // which no store can change
  constexpr std::size_t lanes = Bytes / sizeof(T);
  constexpr std::size_t rows_ahead = 16;  // of b, which the processor does not foresee
  typedef T Vector __attribute__((vector_size(Bytes)));
  typedef T InMemory __attribute__((vector_size(Bytes), aligned(alignof(T)), may_alias));
  const auto at = [](const T* p) { return reinterpret_cast<const InMemory*>(p); };
  if (sum.ahead != nullptr) {
    for_each_of<Rows, Vectors>([&](std::size_t i, std::size_t j) DNN_SIMD_LAMBDA {
      __builtin_prefetch(sum.ahead + i * sum.ahead_row + j * lanes, 1);
    });
  }
  const T* a = sum.a;
  const T* b = sum.b;
  auto* copy = reinterpret_cast<InMemory*>(sum.copy);
  auto* stack = reinterpret_cast<InMemory*>(sum.stack);
  const TreeLeaf* leaf = sum.leaves.data();
  const TreeLeaf* const last = leaf + sum.leaves.size() - 1;
  for (;; ++leaf) {
    Vector c[Rows][Vectors] = {};
    if (sum.before != nullptr && leaf == sum.leaves.data()) {
      for_each_of<Rows, Vectors>([&](std::size_t i, std::size_t j) DNN_SIMD_LAMBDA {
        c[i][j] = *at(sum.before + i * sum.to_row + j * lanes);
      });
    }
    const auto add_terms = [&](auto copies) DNN_SIMD_LAMBDA {
      for (std::size_t p = 0; p < leaf->terms; ++p) {
        Vector row[Vectors];
#pragma GCC unroll 8
        for (std::size_t j = 0; j < Vectors; ++j) {
          row[j] = *at(b + j * lanes);
          if constexpr (decltype(copies)::value) {
            __builtin_prefetch(b + (Vectors + j) * lanes, 0, 2);  // of the next panel
            __builtin_prefetch(b + rows_ahead * sum.b_step + j * lanes);
            *copy++ = row[j];
          }
        }
        for_each_of<Rows, Vectors>([&](std::size_t i, std::size_t j) DNN_SIMD_LAMBDA {
          // The factor in every lane: x - 0 is x, -0 too.
          c[i][j] += (a[i * sum.a_row] - Vector{}) * row[j];
        });
        a += sum.a_step;
        b += sum.b_step;
      }
    };
    if (copy != nullptr) {
      add_terms(std::true_type());
    } else {
      add_terms(std::false_type());
    }
    for (std::size_t n = 0; n < leaf->additions; ++n) {
      stack -= Rows * Vectors;
      for_each_of<Rows, Vectors>([&](std::size_t i, std::size_t j) DNN_SIMD_LAMBDA {
        c[i][j] = stack[i * Vectors + j] + c[i][j];
      });
    }
    if (leaf == last) {
      for_each_of<Rows, Vectors>([&](std::size_t i, std::size_t j) DNN_SIMD_LAMBDA {
        *reinterpret_cast<InMemory*>(sum.to + i * sum.to_row + j * lanes) = c[i][j];
      });
      return;
    }
    for_each_of<Rows, Vectors>([&](std::size_t i, std::size_t j)
                                   DNN_SIMD_LAMBDA { stack[i * Vectors + j] = c[i][j]; });
    stack += Rows * Vectors;
  }
}

/// `Vectors` vectors of columns of an IndexedSum, from `first` on.
template <class T, std::size_t Bytes, std::size_t Vectors>
DNN_SIMD_BODY void sum_indexed_vectors(const IndexedSum<T>& sum, std::size_t first) {
  constexpr std::size_t lanes = Bytes / sizeof(T);
  // Rows that the processor cannot foresee are fetched into the second cache. Measured with 128 x
  // 200 rows of 1 KiB out of 100 MB (AMD EPYC): 1.5 ms; four rows ahead, into the first cache: 2.8
  // ms.
  constexpr std::size_t rows_ahead = 8;
  constexpr int second_cache = 2;
  constexpr std::size_t line = 64 / sizeof(T);
  typedef T Vector __attribute__((vector_size(Bytes)));
  typedef T InMemory __attribute__((vector_size(Bytes), aligned(alignof(T)), may_alias));
  const T* const b = sum.b + first;
  Vector c[Vectors] = {};
  for (std::size_t p = 0; p < sum.terms; ++p) {
    if (p + rows_ahead < sum.terms) {
      const T* const ahead = b + sum.index[p + rows_ahead] * sum.b_row;
#pragma GCC unroll 16
      for (std::size_t j = 0; j < Vectors * lanes; j += line) {
        __builtin_prefetch(ahead + j, 0, second_cache);
      }
    }
    const T* const row = b + sum.index[p] * sum.b_row;
    const Vector a = sum.a[p] - Vector{};
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Vectors; ++j) {
      c[j] += a * *reinterpret_cast<const InMemory*>(row + j * lanes);
    }
  }
#pragma GCC unroll 16
  for (std::size_t j = 0; j < Vectors; ++j) {
    *reinterpret_cast<InMemory*>(sum.to + first + j * lanes) = c[j] + Vector{};  // -0 becomes 0
  }
}

/// The last columns, which are no whole vector.
template <class T, std::size_t Bytes>
DNN_SIMD_BODY void sum_indexed_rest(const IndexedSum<T>& sum, std::size_t first) {
  typedef T Vector __attribute__((vector_size(Bytes)));
  const std::size_t bytes = (sum.columns - first) * sizeof(T);
  Vector c = {};
  for (std::size_t p = 0; p < sum.terms; ++p) {
    Vector row = {};
    std::memcpy(&row, sum.b + sum.index[p] * sum.b_row + first, bytes);
    c += (sum.a[p] - Vector{}) * row;
  }
  c = c + Vector{};
  std::memcpy(sum.to + first, &c, bytes);
}

template <class T, std::size_t Bytes, std::size_t Vectors>
DNN_SIMD_BODY void sum_indexed(const IndexedSum<T>& given) {
  const IndexedSum<T> sum = given;  // which no store can change
  constexpr std::size_t lanes = Bytes / sizeof(T);
  std::size_t first = 0;
  for (; first + Vectors * lanes <= sum.columns; first += Vectors * lanes) {
    sum_indexed_vectors<T, Bytes, Vectors>(sum, first);
  }
  for (; first + lanes <= sum.columns; first += lanes) {
    sum_indexed_vectors<T, Bytes, 1>(sum, first);
  }
  if (first < sum.columns) {
    sum_indexed_rest<T, Bytes>(sum, first);
  }
}

struct Portable {
  static constexpr std::size_t level = 2;
  static constexpr const char* name = "portable";
  static constexpr std::size_t bytes = 16;
  static constexpr std::size_t rows = 4;
  static constexpr std::size_t vectors = 2;
  static bool runs() { return true; }
  template <class T, std::size_t Rows, std::size_t Vectors>
  static void run(const TileSum<T>& sum) {
    sum_tile<T, bytes, Rows, Vectors>(sum);
  }
  template <class T>
  static void run_indexed(const IndexedSum<T>& sum) {
    sum_indexed<T, bytes, 8>(sum);
  }
};

#if defined(__x86_64__)
/// 16 registers: 12 sums, 3 of b, 1 of a.
struct Avx2 {
  static constexpr std::size_t level = 1;
  static constexpr const char* name = "AVX2";
  static constexpr std::size_t bytes = 32;
  static constexpr std::size_t rows = 4;
  static constexpr std::size_t vectors = 3;
  static bool runs() {
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  }
  template <class T, std::size_t Rows, std::size_t Vectors>
  __attribute__((target("avx2,fma"))) static void run(const TileSum<T>& sum) {
    sum_tile<T, bytes, Rows, Vectors>(sum);
  }
  template <class T>
  __attribute__((target("avx2,fma"))) static void run_indexed(const IndexedSum<T>& sum) {
    sum_indexed<T, bytes, 8>(sum);
  }
};

/// 32 registers: 24 sums, 3 of b, 1 of a.
struct Avx512 {
  static constexpr std::size_t level = 0;
  static constexpr const char* name = "AVX-512";
  static constexpr std::size_t bytes = 64;
  static constexpr std::size_t rows = 8;
  static constexpr std::size_t vectors = 3;
  static bool runs() { return Avx2::runs() && __builtin_cpu_supports("avx512f") != 0; }
  template <class T, std::size_t Rows, std::size_t Vectors>
  __attribute__((target("avx512f,fma"))) static void run(const TileSum<T>& sum) {
    sum_tile<T, bytes, Rows, Vectors>(sum);
  }
  template <class T>
  __attribute__((target("avx512f,fma"))) static void run_indexed(const IndexedSum<T>& sum) {
    sum_indexed<T, bytes, 16>(sum);
  }
};
#endif

template <class T, class Level, std::size_t Rows, std::size_t... Vectors>
void add_row(TileKernel<T>& kernel, std::index_sequence<Vectors...>) {
  ((kernel.functions[Rows][Vectors] = &Level::template run<T, Rows + 1, Vectors + 1>), ...);
}

template <class T, class Level, std::size_t... Rows>
TileKernel<T> kernel_of(std::index_sequence<Rows...>) {
  TileKernel<T> kernel{Level::name,
                       false,
                       Level::rows,
                       Level::bytes / sizeof(T),
                       Level::vectors,
                       {},
                       &Level::template run_indexed<T>};
  (add_row<T, Level, Rows>(kernel, std::make_index_sequence<Level::vectors>()), ...);
  return kernel;
}

/// Whether all tiles fuse multiply-adds: (1 + e)^2 - (1 + 2e) is e^2 then, and else 0.
template <class T>
bool is_fused(const TileKernel<T>& kernel) {
  const T e = std::ldexp(T{1}, -(std::numeric_limits<T>::digits / 2 + 1));
  const std::array<T, 2> a = {-(1 + 2 * e), 1 + e};
  const std::size_t columns = kernel.columns();
  std::vector<T> b(columns, T{1});
  b.resize(2 * columns, 1 + e);
  std::vector<T> copied(2 * columns);
  const TreeLeaf leaf{2, 0};
  std::size_t sums = 0;
  std::size_t fused = 0;
  for (std::size_t rows = 1; rows <= kernel.rows; ++rows) {
    for (std::size_t vectors = 1; vectors <= kernel.vectors; ++vectors) {
      for (T* copy : {static_cast<T*>(nullptr), copied.data()}) {
        std::vector<T> c(rows * columns);
        kernel(rows, vectors,
               {.a = a.data(),
                .a_row = 0,
                .a_step = 1,
                .b = b.data(),
                .b_step = columns,
                .copy = copy,
                .leaves = {&leaf, 1},
                .to = c.data(),
                .to_row = columns});
        sums += rows * vectors * kernel.vector;
        fused += static_cast<std::size_t>(std::count(c.begin(), c.end(), e * e));
      }
    }
  }
  for (const std::size_t width : {2 * columns * kernel.most_rows, std::size_t{1}}) {
    std::vector<T> rows(width, T{1});
    rows.resize(2 * width, 1 + e);
    std::vector<T> c(width);
    const std::array<std::uint32_t, 2> index = {0, 1};
    kernel.indexed({a.data(), index.data(), 2, rows.data(), width, width, c.data()});
    sums += width;
    fused += static_cast<std::size_t>(std::count(c.begin(), c.end(), e * e));
  }
  if (fused != 0 && fused != sums) {
    throw std::logic_error(fmt::format(
        "{}{} only, so that sums have no fixed order; build it without options that tune for a "
        "processor",
        std::string("this build fuses the multiply-adds of some tiles of "), kernel.instructions));
  }
  return fused != 0;
}

/// Whether DNN_MAX_ISA allows the instruction sets from `level` on (counted from 0, the fastest).
bool is_allowed(std::size_t level) {
  constexpr std::array<std::string_view, 3> words = {"avx512", "avx2", "portable"};
  const char* const most = std::getenv("DNN_MAX_ISA");  // NOLINT(concurrency-mt-unsafe)
  if (most == nullptr || *most == '\0') {
    return true;
  }
  const auto* const found = std::find(words.begin(), words.end(), most);
  if (found == words.end()) {
    throw InputError(fmt::format("DNN_MAX_ISA is '{}'; use avx512, avx2 or portable, or unset it",
                                 std::string(most)));
  }
  return level >= static_cast<std::size_t>(found - words.begin());
}

template <class T, class Level>
void append(std::vector<TileKernel<T>>& kernels) {
  if (is_allowed(Level::level) && Level::runs()) {
    kernels.push_back(kernel_of<T, Level>(std::make_index_sequence<Level::rows>()));
    kernels.back().fused = is_fused(kernels.back());
  }
}

template <class T>
std::vector<TileKernel<T>> kernels_that_run() {
  std::vector<TileKernel<T>> kernels;
#if defined(__x86_64__)
  append<T, Avx512>(kernels);
  append<T, Avx2>(kernels);
#endif
  append<T, Portable>(kernels);
  return kernels;
}

}  // namespace

template <class T>
std::span<const TileKernel<T>> tile_kernels() {
  static const std::vector<TileKernel<T>> kernels = kernels_that_run<T>();
  return kernels;
}

template std::span<const TileKernel<float>> tile_kernels();
template std::span<const TileKernel<double>> tile_kernels();

}  // namespace dnn
