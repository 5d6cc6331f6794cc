// The three matrix products of a dense layer, float, one thread, at the layers of typical networks:
// the library's, and those in order (OrderedProducts), whose dW is one of 1 and one of 8 shards.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/measure.hpp"
#include "dnn/core/aligned_buffer.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/nn/matrix_product.hpp"
#include "dnn/nn/ordered_products.hpp"

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

void forward(benchmark::State& state) {
  Layer l(state);
  run(state, [&] { multiply<float>(Transpose::no, l.x(), Transpose::no, l.w(), 0, l.da()); });
}

void weight_gradient(benchmark::State& state) {
  Layer l(state);
  run(state, [&] { multiply<float>(Transpose::yes, l.x(), Transpose::no, l.da(), 0, l.w()); });
}

void input_gradient(benchmark::State& state) {
  Layer l(state);
  run(state, [&] { multiply<float>(Transpose::no, l.da(), Transpose::yes, l.w(), 0, l.x()); });
}

void ordered_forward(benchmark::State& state) {
  Layer l(state);
  OrderedProducts<float> products;
  run(state, [&] { products.forward(l.x(), l.w(), l.da()); });
}

void ordered_weight_gradient(benchmark::State& state, std::size_t shards) {
  Layer l(state);
  OrderedProducts<float> products;
  AlignedBuffer<float> dB(l.out);
  std::vector<Range> rows;
  for (std::size_t i = 0; i < shards; ++i) {
    rows.push_back(part_of(l.samples, shards, i));
  }
  const std::vector<ShardSum<float>> sums = {{{0, shards}, l.w(), dB.span()}};
  run(state, [&] { products.backward_parameters(l.x(), l.da(), rows, sums); });
}
void ordered_weight_gradient_of_1(benchmark::State& state) {
  ordered_weight_gradient(state, 1);
}
void ordered_weight_gradient_of_8(benchmark::State& state) {
  ordered_weight_gradient(state, 8);
}

void ordered_input_gradient(benchmark::State& state) {
  Layer l(state);
  OrderedProducts<float> products;
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
BENCHMARK(weight_gradient)->Apply(layers);
BENCHMARK(input_gradient)->Apply(layers);
BENCHMARK(ordered_forward)->Apply(layers);
BENCHMARK(ordered_weight_gradient_of_1)->Apply(layers);
BENCHMARK(ordered_weight_gradient_of_8)->Apply(layers);
BENCHMARK(ordered_input_gradient)->Apply(layers);

}  // namespace
}  // namespace dnn::bench
