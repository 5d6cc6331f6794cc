// A training step allocates nothing: operator new of this program counts, while a test asks it to.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "dnn/nn/initializer.hpp"
#include "dnn/train/training_step.hpp"
#include "support/no_exchange.hpp"
#include "support/test_numbers.hpp"

namespace {

std::atomic<bool> counting = false;
std::atomic<int> allocations = 0;

void* counted(std::size_t bytes) {
  allocations += counting ? 1 : 0;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) {
    return memory;
  }
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes);
}
void* operator new[](std::size_t bytes) {
  return counted(bytes);
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  allocations += counting ? 1 : 0;
  const auto step = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(step, (bytes + step - 1) / step * step + step)) {
    return memory;
  }
  throw std::bad_alloc();
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace dnn {
namespace {

TEST(TrainingStep, AllocatesNothing) {
  constexpr std::size_t rows = 24;
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    const ParameterLayout layout({50, 70, 40, 7});
    test::NoExchange<double> exchange(layout.size());
    TrainingStep<double> step(
        layout, {.max_rows = rows, .dropout = 0.2, .clip_norm = 1, .largest_input = 1},
        LossSettings{.label_smoothing = 0.1, .class_weights = {}}, {.kind = kind}, exchange);
    step.set_values([&](std::span<double> v) { initialize(layout, Initializer::he, 1, v); });
    const std::vector<double> x = test::numbers<double>(rows * 50, 3);
    const std::vector<std::int32_t> labels(rows, 3);
    const std::vector<std::uint64_t> samples(rows, 8);
    PhaseSeconds seconds;
    const auto run = [&](std::size_t count) {
      (void)step.run(
          {{x.data(), count, 50}, std::span(labels).first(count), std::span(samples).first(count)},
          count, 1, 0.01, seconds);
    };
    const auto run_each_size = [&] {
      run(rows);
      run(rows - 5);
      run(0);
    };
    run_each_size();  // packed operands get their memory
    counting = true;
    run_each_size();
    counting = false;
    EXPECT_EQ(allocations, 0);
  }
}

}  // namespace
}  // namespace dnn
