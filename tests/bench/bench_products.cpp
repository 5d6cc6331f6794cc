// The three matrix products of a dense layer, float, one thread, at the layers of typical networks.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/measure.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/nn/matrix_product.hpp"

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

void run(benchmark::State& state, Transpose ta, MatrixView<const float> a, Transpose tb,
         MatrixView<const float> b, MatrixView<float> c) {
  while (state.KeepRunning()) {
    multiply(ta, a, tb, b, 0.0F, c);
    benchmark::ClobberMemory();
  }
  double flops = 2;
  for (std::size_t i = 0; i < 3; ++i) {
    flops *= static_cast<double>(state.range(i));
  }
  report_rate(state, "FLOP", flops);
}

void forward(benchmark::State& state) {
  Layer layer(state);
  run(state, Transpose::no, layer.x(), Transpose::no, layer.w(), layer.da());
}

void weight_gradient(benchmark::State& state) {
  Layer layer(state);
  run(state, Transpose::yes, layer.x(), Transpose::no, layer.da(), layer.w());
}

void input_gradient(benchmark::State& state) {
  Layer layer(state);
  run(state, Transpose::no, layer.da(), Transpose::yes, layer.w(), layer.x());
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
BENCHMARK(weight_gradient)->Apply(layers);
BENCHMARK(input_gradient)->Apply(layers);

}  // namespace
}  // namespace dnn::bench
