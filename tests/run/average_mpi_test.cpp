// Averaged parameters: they are what their definition says, and a resumed run has them as well.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/model/model_file.hpp"
#include "dnn/report/saved_parameters.hpp"
#include "support/shared_folder.hpp"
#include "support/whole_run.hpp"

namespace dnn {
namespace {

using test::self;
using test::SharedFolder;
using test::train;
using test::world;

constexpr std::uint64_t steps = 17;  ///< of an epoch

Config averaged_run(double memory) {
  Config config;
  config.hidden = {24, 17};
  config.epochs = 3;
  config.batch_size = 101;
  config.dropout = 0.2;
  config.average_weights = memory;
  return config;
}

std::string checkpoint_of(const SharedFolder& folder, std::uint64_t update) {
  return CheckpointFolder(folder.path()).file_for(update);
}

// By every exchange, and by one rank's writing and all ranks': whoever goes on ends with the same
// bits.
TEST(Average, GoesOnAtAnyNumberOfRanks) {
  Config config = averaged_run(1.5);
  const auto one = train<float>(config, self());
  for (const ExchangeKind kind : {ExchangeKind::node, ExchangeKind::tree, ExchangeKind::overlap}) {
    const SharedFolder folder;
    config.exchange = kind;
    const bool in_parts = kind != ExchangeKind::tree;
    const auto many =
        train<float>(config, world(), {.write_to = folder.path(), .in_parts = in_parts});
    test::expect_same_run(many, one, 0, "without a break");
    config.exchange = ExchangeKind::automatic;
    for (const std::uint64_t point : {7U, 28U}) {
      const test::Job from = {.resume_from = checkpoint_of(folder, point)};
      test::expect_same_run(train<float>(config, self(), from), one, 0, "resumed by one");
      test::expect_same_run(train<float>(config, world(), from), one, 0, "resumed by all");
    }
    world().barrier();
  }
}

std::vector<double> numbers_of(const std::vector<std::byte>& bytes) {
  std::vector<double> numbers(bytes.size() / sizeof(double));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

// What is validated and kept are the averages of the parameters that the run had after each update,
// as its checkpoints have them.
TEST(Average, IsThatOfTheParametersAfterEachUpdate) {
  Config config = averaged_run(0.5);
  config.epochs = 2;
  config.exchange = ExchangeKind::node;
  const SharedFolder folder;
  const auto trained = train<double>(config, world(), {.write_to = folder.path(), .interval = "1"});
  const double kept = 1 - 1 / (config.average_weights * steps);
  std::vector<double> averages(trained.parameters.size());
  double weights = 0;
  for (std::uint64_t update = 1; update <= 2 * steps; ++update) {
    const auto values = numbers_of(load_checkpoint(checkpoint_of(folder, update)).parameters);
    EXPECT_EQ(values.size(), averages.size());
    const double before = kept * weights;
    weights = before + 1;
    for (std::size_t i = 0; i < std::min(values.size(), averages.size()); ++i) {
      averages[i] = (before * averages[i] + values[i]) / weights;
    }
  }
  const Checkpoint last = load_checkpoint(checkpoint_of(folder, 2 * steps));
  EXPECT_LE(largest_difference(trained.parameters, averages), 1e-14);
  EXPECT_LE(largest_difference(numbers_of(last.best_parameters), averages), 1e-14);
  EXPECT_GT(largest_difference(numbers_of(last.parameters), averages), 1e-4);
  EXPECT_TRUE(last.has_average);
  const SavedParameters saved = SavedParameters::load(checkpoint_of(folder, 2 * steps));
  EXPECT_EQ(parameters_sha256(saved.packed), trained.result.epochs[1].sha256);
  EXPECT_EQ(parameters_sha256(last.best_parameters), trained.result.epochs[1].sha256);
  world().barrier();
}

}  // namespace
}  // namespace dnn
