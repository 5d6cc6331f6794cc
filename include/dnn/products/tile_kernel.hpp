#pragma once

// The innermost kernels of matrix products, for each instruction set.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dnn {

/// A leaf of a tree of sums (see Note [One tree over logical shards]): how many terms it has, and
/// what follows it (see additions_after).
struct TreeLeaf {
  std::size_t terms = 0;
  std::size_t additions = 0;
};

/// One tile of a product, c_ij = Σ_p a_ip b_pj. Owns nothing.
template <class T>
struct TileSum {
  const T* a = nullptr;  ///< a_ip = a[i a_row + p a_step]
  std::size_t a_row = 0;
  std::size_t a_step = 0;
  const T* b = nullptr;  ///< b_pj = b[p b_step + j], for whole vectors
  std::size_t b_step = 0;
  T* copy = nullptr;  ///< null, or where the rows of b are copied to, one after the other
  std::span<const TreeLeaf> leaves;  ///< of one tree, at least one; p runs over their terms
  T* stack = nullptr;         ///< of several leaves: room for as many tiles as the tree is deep
  const T* before = nullptr;  ///< the sum that the first leaf's terms go on from, laid out as `to`
  T* to = nullptr;            ///< c_ij goes to to[i to_row + j], for whole vectors
  std::size_t to_row = 0;
  const T* ahead = nullptr;  ///< where a tile will be written soon; null: not known
  std::size_t ahead_row = 0;
};

/// One row of a product of whose left operand only the terms that are not zero are given: c_j = Σ_p
/// a_p b_{i_p j} for j < columns. Owns nothing.
///
/// Note [Sums over the terms that are there]
/// Each element is one chain of multiply-adds in the order of p, from 0, as in a tile. A term a = 0
/// would leave a chain of finite numbers as it is. So with the terms in the order of the dense
/// product the bits are the dense product's, except that a sum that is -0 (its terms were too small
/// for the type) becomes 0: then it may be left out of the sums that it is a part of.
template <class T>
struct IndexedSum {
  const T* a = nullptr;                  ///< the factors, one after the other
  const std::uint32_t* index = nullptr;  ///< i_p: the row of b of each
  std::size_t terms = 0;
  const T* b = nullptr;
  std::size_t b_row = 0;  ///< elements from one row of b to the next
  std::size_t columns = 0;
  T* to = nullptr;
};

/// How one instruction set computes tiles.
///
/// Note [Sums in order]
/// Each element of a leaf is one chain of multiply-adds, c = a_ip b_pj + c for p = 0, 1, ..., from
/// 0, and leaves are added up along the tree. A tile takes several vectors of columns and several
/// rows at once, and so has enough chains for the processor's units; which tile an element lies in
/// changes nothing about it. So the bits of a product are the same whatever its extents, the
/// threads, and the instruction set, as long as multiply-adds are fused (rounded once) in all
/// tiles. They are with AVX2, AVX-512 and on aarch64, in builds with optimization; tile_kernels()
/// looks.
template <class T>
struct TileKernel {
  static constexpr std::size_t most_rows = 8;
  static constexpr std::size_t most_vectors = 3;
  using Function = void (*)(const TileSum<T>&);
  using IndexedFunction = void (*)(const IndexedSum<T>&);

  const char* instructions = "";  ///< "AVX-512"
  bool fused = false;             ///< whether its multiply-adds are
  std::size_t rows = 0;           ///< of the largest tile
  std::size_t vector = 0;         ///< elements of a vector
  std::size_t vectors = 0;        ///< of a row of the largest tile
  std::array<std::array<Function, most_vectors>, most_rows> functions{};
  IndexedFunction indexed = nullptr;  ///< fused where the tiles are

  [[nodiscard]] std::size_t columns() const { return vector * vectors; }
  /// Computes a tile of 1 to `rows` rows and 1 to `vectors` vectors.
  void operator()(std::size_t tile_rows, std::size_t tile_vectors, const TileSum<T>& sum) const {
    functions[tile_rows - 1][tile_vectors - 1](sum);
  }
};

/// The kernels that this processor can run, the fastest first. The environment variable DNN_MAX_ISA
/// (avx512, avx2 or portable) leaves out faster ones. Throws InputError if its value is another
/// word, and std::logic_error if the compiler has fused multiply-adds in some tiles only.
template <class T>
[[nodiscard]] std::span<const TileKernel<T>> tile_kernels();

}  // namespace dnn
