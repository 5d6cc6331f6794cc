#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/core/aligned_buffer.hpp"

namespace dnn {

/// The sum over ranks of a vector of floats that travels as bf16: half the bytes of MPI_Allreduce.
///
/// Note [Error feedback]
/// The vector is cut into one block a rank. Each rank rounds its blocks to bf16 and sends them to
/// their owners; an owner adds up in float what it gets, rounds the sum to bf16, and sends it to
/// all. What rounding takes away at either place is kept and added to the next vector there (Seide
/// et al., Interspeech 2014; Karimireddy et al., ICML 2019), so that nothing is lost, only late.
/// All ranks, the owner included, continue with the rounded sum: the result is the same bits on
/// every rank. A vector that does not count (see Note [Agreement on bad numbers]) leaves nothing
/// behind: what it loses is kept only once the sum says that it counts.
class CompressedSum {
 public:
  /// Collective over `ranks`, which must outlive it. `size`: elements of the vectors, alike on all.
  CompressedSum(const Communicator& ranks, std::size_t size);

  /// Collective: `vector` (size elements) becomes the sum over all ranks. A NaN that any of them
  /// has as its first element marks vectors that do not count: the sum has one there, too.
  void run(std::span<float> vector);

  /// See GradientExchange.
  [[nodiscard]] std::string save_residual() const;
  bool load_residual(const std::string& bytes);

 private:
  using Bits = std::uint16_t;

  const Communicator& ranks_;
  std::size_t block_;                  ///< elements of one rank's block
  AlignedBuffer<float> residual_;      ///< what rounding took from this rank's vectors
  AlignedBuffer<float> sum_;           ///< of this rank's own block
  AlignedBuffer<float> sum_residual_;  ///< what rounding took from it
  AlignedBuffer<Bits> sent_;
  AlignedBuffer<Bits> received_;
};

}  // namespace dnn
