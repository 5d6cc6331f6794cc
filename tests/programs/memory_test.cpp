#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "support/array_files.hpp"
#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::CommandResult;
using test::mpirun;
using test::run_command;
using test::summary_of;
using test::TemporaryFolder;
using test::train;

/// Trains for an epoch; the memory that each rank has used is what was planned, to a tenth where
/// it is above 100 MiB.
void expect_planned(const TemporaryFolder& folder, int ranks, const std::string& options) {
  const std::string out = folder / "run";
  const CommandResult result =
      run_command((ranks > 1 ? mpirun(ranks) : std::string()) + train +
                  " --epochs 1 --batch-size 256 --threads 1 --overwrite --output " + out + options);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto summary = summary_of(out);
  const auto& measured = summary["peak_memory_by_rank"];
  const auto& planned = summary["planned_memory"]["peak_by_rank"];
  ASSERT_EQ(measured.size(), static_cast<std::size_t>(ranks));
  ASSERT_EQ(planned.size(), measured.size());
  for (std::size_t rank = 0; rank < measured.size(); ++rank) {
    const auto used = measured[rank].get<double>();
    ASSERT_GT(used, 100 << 20) << "too small a run to tell";
    EXPECT_NEAR(planned[rank].get<double>() / used, 1, 0.1)
        << options << ", rank " << rank << " of " << ranks << ": used " << used / (1 << 20)
        << " MiB, planned " << summary["planned_memory"].dump();
  }
}

TEST(Memory, IsAsPlanned) {
  const TemporaryFolder folder;
  std::vector<std::uint8_t> pixels(2000 * 784);
  std::vector<std::int32_t> labels(2000);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(i * 7919 % 251);
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = static_cast<std::int32_t>(i % 10);
  }
  const std::string data = " --data " +
                           folder.write("x.npy", test::npy("|u1", "(2000, 784)", pixels)) + "," +
                           folder.write("y.npy", test::npy("<i4", "(2000,)", labels));
  for (const int ranks : {1, 2, 4}) {
    expect_planned(folder, ranks, data + " --hidden 2048,2048 --optimizer sgd");
    expect_planned(folder, ranks, data + " --hidden 2048,2048 --optimizer adam");
  }
  expect_planned(folder, 2, data + " --hidden 2048,2048 --average-weights 1");
  expect_planned(folder, 2, data + " --hidden 2048,2048 --optimizer adam --exchange tree");
}

TEST(Memory, OfTheDataIsPlannedToo) {
  const TemporaryFolder folder;
  constexpr std::size_t samples = 60'000;
  std::vector<float> values(samples * 500);
  std::vector<std::int32_t> labels(samples);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i * 7919 % 1009);
  }
  for (std::size_t i = 0; i < samples; ++i) {
    labels[i] = static_cast<std::int32_t>(i % 3);
  }
  const std::string data = folder.write("x.npy", test::npy("<f4", "(60000, 500)", values)) + "," +
                           folder.write("y.npy", test::npy("<i4", "(60000,)", labels));
  for (const int ranks : {1, 2}) {
    expect_planned(folder, ranks, " --data " + data + " --hidden 16");
  }
}

}  // namespace
}  // namespace dnn
