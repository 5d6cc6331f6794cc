// The deferred update, float, in bytes read and written a second: 540,000 parameters
// (784-512-256-10) and ten million.
#include <benchmark/benchmark.h>

#include <cstddef>

#include "bench/measure.hpp"
#include "dnn/optim/optimizer.hpp"

namespace dnn::bench {
namespace {

/// `passes`: arrays read and written a step.
void step(benchmark::State& state, OptimizerKind kind, double passes) {
  const std::size_t count = extent(state, 0);
  OptimizerSettings settings;
  settings.kind = kind;
  const auto optimizer = make_optimizer<float>(settings, Range{0, count}, {});
  auto values = aligned_numbers(count, 1);
  const auto gradients = aligned_numbers(count, 2);
  while (state.KeepRunning()) {
    optimizer->step(values.span(), gradients.span(), 1e-3, 1);
    benchmark::ClobberMemory();
  }
  report_rate(state, "B", passes * static_cast<double>(sizeof(float) * count));
}

// w and g are read, w is written, and so is what state there is: v, or m and v.
BENCHMARK_CAPTURE(step, sgd, OptimizerKind::sgd, 3)->Arg(540000)->Arg(10000000);
BENCHMARK_CAPTURE(step, momentum, OptimizerKind::momentum, 5)->Arg(540000)->Arg(10000000);
BENCHMARK_CAPTURE(step, adam, OptimizerKind::adam, 7)->Arg(540000)->Arg(10000000);

}  // namespace
}  // namespace dnn::bench
