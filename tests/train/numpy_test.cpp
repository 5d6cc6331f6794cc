// The same network, data, initial values, batches and learning rate in an independent
// implementation.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iomanip>

#include "dnn/data/sampler.hpp"
#include "dnn/nn/initializer.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "dnn/train/training_step.hpp"
#include "support/no_exchange.hpp"
#include "support/shell.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

template <class T>
void append(std::ofstream& file, std::span<const T> elements) {
  file.write(reinterpret_cast<const char*>(elements.data()),
             static_cast<std::streamsize>(elements.size_bytes()));
}

/// Trains 50 steps and writes, for numpy_reference.py: the initial parameters and all batches as
/// raw doubles (labels as doubles too), and the loss before each step as text.
void export_run(const test::TemporaryFolder& folder, OptimizerKind kind, double rate) {
  const Dataset digits = open_dataset(builtin_digits_name, Part::train, {.wide = true});
  const ParameterLayout layout({61, 40, 24, 10});
  test::NoExchange<double> exchange(layout.size());
  constexpr std::size_t batch_size = 96;
  TrainingStep<double> step(layout, {.max_rows = batch_size}, LossSettings(),
                            {.kind = kind, .weight_decay = 0.01}, exchange);
  initialize(layout, Initializer::he, 5, exchange.values());
  std::ofstream values(folder / "values.bin", std::ios::binary);
  for (const LayerLayout& layer : layout.layers()) {
    for (const Range range : {layer.weights, layer.bias}) {
      append<double>(values, step.values().subspan(range.begin, range.size()));
    }
  }
  const Sampler sampler({.samples = digits.samples, .batch_size = batch_size, .seed = 2});
  const Gatherer<double> gatherer(digits,
                                  {std::vector<double>(61, 8.0), std::vector<double>(61, 0.125)});
  std::ofstream batches(folder / "batches.bin", std::ios::binary);
  std::ofstream losses(folder / "losses.txt");
  losses << std::setprecision(17);
  PhaseSeconds seconds;
  std::vector<std::uint64_t> samples;
  for (std::size_t k = 0; k < 50; ++k) {
    const std::size_t in_epoch = k % (sampler.steps() - 1);  // whole batches only
    sampler.batch(1 + k / (sampler.steps() - 1), in_epoch, samples);
    std::vector<double> x(samples.size() * 61);
    std::vector<std::int32_t> labels(samples.size());
    gatherer.gather(samples, {x.data(), samples.size(), 61});
    gatherer.gather_labels(samples, labels);
    append<double>(batches, x);
    append<double>(batches, std::vector<double>(labels.begin(), labels.end()));
    const LossSums sums = step.run({{x.data(), samples.size(), 61}, labels, samples},
                                   samples.size(), 1, rate, seconds)
                              .sums;
    losses << sums.loss.value() / static_cast<double>(samples.size()) << '\n';
  }
}

void follows(OptimizerKind kind, const char* name, double rate) {
  const test::TemporaryFolder folder;
  export_run(folder, kind, rate);
  const std::string command = test::quoted(DNN_PYTHON) + " " + test::quoted(DNN_NUMPY_REFERENCE) +
                              " " + folder.path() + " " + name + " " + std::to_string(rate);
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

TEST(NumpyReference, FollowsTheLossCurveWithSgd) {
  follows(OptimizerKind::sgd, "sgd", 0.1);
}
TEST(NumpyReference, FollowsTheLossCurveWithNesterov) {
  follows(OptimizerKind::nesterov, "nesterov", 0.02);
}
TEST(NumpyReference, FollowsTheLossCurveWithAdam) {
  follows(OptimizerKind::adam, "adam", 0.001);
}

}  // namespace
}  // namespace dnn
