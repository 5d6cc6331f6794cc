// Note [Dead nodes and the dense product] in dnn/nn/activation.hpp, measured: dA^n = (dA · Wᵀ) ⊙ [X
// > 0] as one dense product that is masked, against a dot product for each live node alone. Float,
// one thread, the hidden layer of 784-512-256-10: dA 64 x 256, W 512 x 256, X 64 x 512.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>

#include "bench/measure.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/simd.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/nn/activation.hpp"
#include "dnn/products/dense_products.hpp"

namespace dnn::bench {
namespace {

constexpr std::size_t samples = 64;
constexpr std::size_t nodes = 512;
constexpr std::size_t outputs = 256;
constexpr std::size_t block = 32;  ///< nodes whose rows of W stay in the L1 cache (32 KB)

DNN_SIMD_BODY float dot(const float* a, const float* b) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t j = 0; j < outputs; ++j) {
    sum += a[j] * b[j];
  }
  return sum;
}

/// dX = (dA · Wᵀ) ⊙ [X > 0], dead nodes skipped. The live ones are listed first, without a branch
/// that would be mispredicted for every other node.
DNN_SIMD void skip_dead(const float* dA, const float* W, const float* X, float* dX) {
  std::fill_n(dX, samples * nodes, 0.0F);
  for (std::size_t first = 0; first < nodes; first += block) {
    for (std::size_t s = 0; s < samples; ++s) {
      std::size_t live[block];
      std::size_t count = 0;
      for (std::size_t i = first; i < first + block; ++i) {
        live[count] = i;
        count += X[s * nodes + i] > 0 ? 1 : 0;
      }
      for (std::size_t l = 0; l < count; ++l) {
        dX[s * nodes + live[l]] = dot(dA + s * outputs, W + live[l] * outputs);
      }
    }
  }
}

void dense(const float* dA, const float* W, const float* X, float* dX) {
  const MatrixView<float> result{dX, samples, nodes};
  static DenseProducts<float> products;
  const auto mask = [&](Range rows, Range columns) {
    relu_backward<float>({X, samples, nodes}, 1, result, rows, columns);
  };
  products.backward_input({dA, samples, outputs}, {W, nodes, outputs}, {0, outputs}, result,
                          std::cref(mask));
}

/// state.range(0): how many of a hundred nodes are dead, at random.
void run(benchmark::State& state,
         void (*gradient)(const float*, const float*, const float*, float*)) {
  set_threads(1);
  const auto dA = aligned_numbers(samples * outputs, 1);
  const auto W = aligned_numbers(nodes * outputs, 2);
  auto X = aligned_numbers(samples * nodes, 3);
  const auto dead = static_cast<float>(state.range(0)) / 50 - 1;
  std::ranges::transform(X.span(), X.data(), [dead](float x) { return std::max(0.0F, x - dead); });
  AlignedBuffer<float> dX(samples * nodes);
  AlignedBuffer<float> expected(samples * nodes);
  dense(dA.data(), W.data(), X.data(), expected.data());
  while (state.KeepRunning()) {
    gradient(dA.data(), W.data(), X.data(), dX.data());
    benchmark::ClobberMemory();
  }
  const auto close = [](float a, float b) { return std::abs(a - b) < 1e-3F; };
  if (!std::ranges::equal(dX.span(), expected.span(), close)) {
    state.SkipWithError("the two ways differ");
  }
}

BENCHMARK_CAPTURE(run, dense, dense)->ArgName("dead%")->Arg(50)->Arg(90);
BENCHMARK_CAPTURE(run, skip_dead, skip_dead)->ArgName("dead%")->Arg(0)->Arg(50)->Arg(75)->Arg(90);

}  // namespace
}  // namespace dnn::bench
