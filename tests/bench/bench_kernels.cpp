// The kernels around the products, float, in bytes read and written a second, beside STREAM's triad
// (McCalpin 1995), which shows what memory at that size can give (counted as STREAM does, without
// the reads that its writes cause; kernels that work in place cause none and can be faster). Rows
// of 512: 64 of them lie in the L2 cache, 20,000 (41 MB) beyond it.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "bench/measure.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/simd.hpp"
#include "dnn/nn/activation.hpp"
#include "dnn/nn/dropout.hpp"
#include "dnn/nn/softmax.hpp"

namespace dnn::bench {
namespace {

/// A matrix of the benchmark's extents, with its numbers.
struct Matrix {
  std::size_t rows, cols;
  AlignedBuffer<float> values = aligned_numbers(rows * cols, 1);

  explicit Matrix(const benchmark::State& state) : rows(extent(state, 0)), cols(extent(state, 1)) {}
  MatrixView<float> view() { return {values.data(), rows, cols}; }
};

/// `passes`: how many times a byte of the matrix is read or written.
void report_bytes(benchmark::State& state, double passes) {
  report_rate(state, "B",
              passes * sizeof(float) * static_cast<double>(state.range(0) * state.range(1)));
}

DNN_SIMD void triad_row(const float* b, const float* c, float factor, float* a, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    a[i] = b[i] + factor * c[i];
  }
}

void triad(benchmark::State& state) {
  Matrix a(state);
  Matrix b(state);
  Matrix c(state);
  while (state.KeepRunning()) {
    triad_row(b.values.data(), c.values.data(), 3, a.values.data(), a.values.size());
    benchmark::ClobberMemory();
  }
  report_bytes(state, 3);
}

void bias_relu(benchmark::State& state) {
  Matrix A(state);
  const AlignedBuffer<float> B(A.cols);
  while (state.KeepRunning()) {
    add_bias_relu<float>(A.view(), B.span(), {0, A.rows}, {0, A.cols});
    benchmark::ClobberMemory();
  }
  report_bytes(state, 2);
}

void relu_gradient(benchmark::State& state) {
  Matrix X(state);
  Matrix dX(state);
  while (state.KeepRunning()) {
    relu_backward<float>(X.view(), 1, dX.view(), {0, X.rows}, {0, X.cols});
    benchmark::ClobberMemory();
  }
  report_bytes(state, 3);
}

void dropout(benchmark::State& state) {
  Matrix X(state);
  std::vector<std::uint64_t> samples(X.rows);
  std::iota(samples.begin(), samples.end(), 0U);
  while (state.KeepRunning()) {
    apply_dropout<float>(X.view(), 0.5, 1, {7, 1, samples}, 0, {0, X.rows}, {0, X.cols});
    benchmark::ClobberMemory();
  }
  report_bytes(state, 2);
}

/// The gradient of one iteration is the next one's logits: small numbers, as valid as any.
void softmax_gradient(benchmark::State& state) {
  Matrix A(state);
  const std::vector<std::int32_t> labels(A.rows, 1);
  const SoftmaxCrossEntropy loss;
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(loss.differentiate<float>(A.view(), labels, A.rows));
  }
  report_bytes(state, 5);  // max reads, exp reads and writes, the scaling too
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"rows", "cols"})->Args({64, 512})->Args({20000, 512});
}
BENCHMARK(triad)->Apply(sizes);
BENCHMARK(bias_relu)->Apply(sizes);
BENCHMARK(relu_gradient)->Apply(sizes);
BENCHMARK(dropout)->Apply(sizes);
BENCHMARK(softmax_gradient)->Apply(sizes)->Args({64, 10})->Args({64, 1000});

}  // namespace
}  // namespace dnn::bench
