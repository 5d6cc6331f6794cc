#include "fuzz/invariants.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "dnn/data/feature_statistics.hpp"
#include "dnn/data/gatherer.hpp"
#include "dnn/files/archive.hpp"
#include "support/dataset_problem.hpp"

namespace dnn::fuzz {

namespace {

constexpr std::size_t small = 4096;  ///< numbers of a data set that is read as a whole

/// Reads all samples; a feature that is not finite is refused here at the latest.
void read_all(const Dataset& data) {
  std::vector<std::uint64_t> all(data.samples);
  std::iota(all.begin(), all.end(), 0U);
  FeatureStatistics statistics(data.features);
  if (!accepts(data.origin, [&] { statistics.add(data, all); })) {
    return;
  }
  std::vector<float> X(data.samples * data.features);
  Gatherer<float>(data, {}).gather(all, {X.data(), data.samples, data.features});
  for (const double number : statistics.flat()) {
    expect(!std::isnan(number) || data.element == ElementType::f64, "statistics are numbers");
  }
}

}  // namespace

void expect(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "invariant broken: %s\n", what);
    std::abort();
  }
}

void expect_helpful(const std::string& message, const std::string& origin) {
  expect(message.find(origin) != std::string::npos, "the message names the input");
  expect(message.size() <= origin.size() + 1000, "the message is short");
}

void expect_well_formed(const Dataset& data) {
  const std::string problem = test::dataset_problem(data);
  expect(problem.empty(), problem.c_str());
  if (accepts(data.origin, [&] { check_trainable(data); }) && data.samples <= small &&
      data.features <= small / data.samples) {
    read_all(data);
  }
}

bool is_packed(std::span<const std::byte> contents) {
  return !compression_of(contents).empty() || looks_like_archive(contents);
}

ReadOptions read_options(std::byte choice) {
  constexpr std::array columns = {"", "first", "last", "2", "-2", "y"};
  const auto bits = std::to_integer<unsigned>(choice);
  ReadOptions options;
  options.available = available_memory();
  options.header = static_cast<HeaderMode>(bits % 3);
  options.wide = bits % 2 == 1;
  options.label_column = columns[bits / 2 % columns.size()];
  if (bits >= 128) {
    options.features = bits / 8 % 4;
    options.index_base = static_cast<int>(bits / 4 % 2);
  }
  return options;
}

}  // namespace dnn::fuzz
