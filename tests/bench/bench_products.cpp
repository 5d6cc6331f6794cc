// The three matrix products of a dense layer, float, one thread, at the layers of typical networks:
// DenseProducts, whose dW is one of 1 and one of 8 shards, beside oneDNN's and OpenBLAS's sgemm;
// and what this processor could do at most, a loop of fused multiply-adds alone.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/measure.hpp"
#include "bench/sgemm.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/products/dense_products.hpp"

namespace dnn::bench {
namespace {

/// A layer's X (S x in), W (in x out) and dA (S x out), or results of their shapes.
struct Layer {
  std::size_t samples, in, out;
  AlignedBuffer<float> X = aligned_numbers(samples * in, 1);
  AlignedBuffer<float> W = aligned_numbers(in * out, 2);
  AlignedBuffer<float> dA = aligned_numbers(samples * out, 3);

  explicit Layer(const benchmark::State& state)
      : samples(extent(state, 0)), in(extent(state, 1)), out(extent(state, 2)) {
    set_threads(1);
  }
  MatrixView<float> x() { return {X.data(), samples, in}; }
  MatrixView<float> w() { return {W.data(), in, out}; }
  MatrixView<float> da() { return {dA.data(), samples, out}; }
};

template <class Product>
void run(benchmark::State& state, Product&& product) {
  while (state.KeepRunning()) {
    product();
    benchmark::ClobberMemory();
  }
  double flops = 2;
  for (std::size_t i = 0; i < 3; ++i) {
    flops *= static_cast<double>(state.range(i));
  }
  report_rate(state, "FLOP", flops);
}

Sgemm forward_of(Layer& l) {
  return {Transpose::no, Transpose::no, l.x(), l.w(), l.da()};
}
Sgemm weight_gradient_of(Layer& l) {
  return {Transpose::yes, Transpose::no, l.x(), l.da(), l.w()};
}
Sgemm input_gradient_of(Layer& l) {
  return {Transpose::no, Transpose::yes, l.da(), l.w(), l.x()};
}

template <Sgemm (*product)(Layer&)>
void onednn(benchmark::State& state) {
  Layer l(state);
  const Sgemm sgemm = product(l);
  run(state, [&] { sgemm.by_onednn(); });
}
template <Sgemm (*product)(Layer&)>
void openblas(benchmark::State& state) {
  Layer l(state);
  const Sgemm sgemm = product(l);
  run(state, [&] { sgemm.by_openblas(); });
}

#if defined(__x86_64__)
/// Twelve chains of multiply-adds, more than the latency and the units of a core need.
void fma_peak(benchmark::State& state) {
  const std::size_t vector = tile_kernels<float>().front().vector;
  if (vector < 8) {
    state.SkipWithError("no AVX2");
    return;
  }
  constexpr int repetitions = 1000;
  while (state.KeepRunning()) {
    for (int i = 0; i < repetitions; ++i) {
      if (vector == 16) {
        asm volatile(
            ".irp n,0,1,2,3,4,5,6,7,8,9,10,11\n vfmadd231ps %%zmm12,%%zmm13,%%zmm\\n\n .endr" ::
                : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                  "xmm10", "xmm11", "xmm12", "xmm13");
      } else {
        asm volatile(
            ".irp n,0,1,2,3,4,5,6,7,8,9,10,11\n vfmadd231ps %%ymm12,%%ymm13,%%ymm\\n\n .endr" ::
                : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                  "xmm10", "xmm11", "xmm12", "xmm13");
      }
    }
  }
  report_rate(state, "FLOP", 2.0 * 12 * repetitions * static_cast<double>(vector));
}
BENCHMARK(fma_peak);
#endif

void forward(benchmark::State& state) {
  Layer l(state);
  DenseProducts<float> products;
  run(state, [&] { products.forward(l.x(), l.w(), l.da()); });
}

void weight_gradient(benchmark::State& state, std::size_t shards) {
  Layer l(state);
  DenseProducts<float> products;
  AlignedBuffer<float> dB(l.out);
  std::vector<Range> rows;
  for (std::size_t i = 0; i < shards; ++i) {
    rows.push_back(part_of(l.samples, shards, i));
  }
  const std::vector<ShardSum<float>> sums = {{{0, shards}, l.w(), dB.span()}};
  run(state, [&] { products.backward_parameters(l.x(), l.da(), rows, sums); });
}
void weight_gradient_of_1(benchmark::State& state) {
  weight_gradient(state, 1);
}
void weight_gradient_of_8(benchmark::State& state) {
  weight_gradient(state, 8);
}

void input_gradient(benchmark::State& state) {
  Layer l(state);
  DenseProducts<float> products;
  run(state, [&] { products.backward_input(l.da(), l.w(), {0, l.out}, l.x()); });
}

/// The layers of 784-128-10, 784-512-256-10, 784-1024-1024-10 and 784-2048-2048-2048-10 (whose two
/// layers of 2048 x 2048 are the same), each with the batch it is trained with.
void layers(benchmark::internal::Benchmark* benchmark) {
  struct Network {
    std::int64_t samples;
    std::vector<std::int64_t> sizes;
  };
  benchmark->ArgNames({"S", "in", "out"});
  for (const Network& network :
       {Network{32, {784, 128, 10}}, Network{64, {784, 512, 256, 10}},
        Network{128, {784, 1024, 1024, 10}}, Network{512, {784, 2048, 2048, 10}}}) {
    for (std::size_t n = 1; n < network.sizes.size(); ++n) {
      benchmark->Args({network.samples, network.sizes[n - 1], network.sizes[n]});
    }
  }
}
BENCHMARK(forward)->Apply(layers);
BENCHMARK(weight_gradient_of_1)->Apply(layers);
BENCHMARK(weight_gradient_of_8)->Apply(layers);
BENCHMARK(input_gradient)->Apply(layers);
BENCHMARK(onednn<forward_of>)->Apply(layers);
BENCHMARK(onednn<weight_gradient_of>)->Apply(layers);
BENCHMARK(onednn<input_gradient_of>)->Apply(layers);
BENCHMARK(openblas<forward_of>)->Apply(layers);
BENCHMARK(openblas<weight_gradient_of>)->Apply(layers);
BENCHMARK(openblas<input_gradient_of>)->Apply(layers);

}  // namespace
}  // namespace dnn::bench
