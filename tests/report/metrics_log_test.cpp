#include "dnn/report/metrics_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::read_file;
using test::TemporaryFolder;

/// The epochs of a run so far.
std::vector<EpochMetrics> epochs(std::size_t count) {
  std::vector<EpochMetrics> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i].epoch = i + 1;
  }
  return all;
}

std::size_t lines(const std::string& path) {
  const std::string text = read_file(path);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(MetricsLog, ALineAnEpoch) {
  const TemporaryFolder folder;
  MetricsLog log(folder / "m.jsonl");
  for (std::size_t i = 1; i <= 3; ++i) {
    log.add(epochs(i));
    EXPECT_EQ(lines(folder / "m.jsonl"), i);
  }
  MetricsLog later(folder / "m.jsonl");  // of a run that goes on
  later.add(epochs(4));
  EXPECT_EQ(lines(folder / "m.jsonl"), 4U);
}

TEST(MetricsLog, MakesUpForWhatCouldNotBeWritten) {
  const TemporaryFolder folder;
  const std::string inner = folder / "inner";
  std::filesystem::create_directory(inner);
  MetricsLog log(inner + "/m.jsonl");
  log.add(epochs(1));
  std::filesystem::remove_all(inner);
  test::expect_error<FileError>([&] { log.add(epochs(2)); }, {"m.jsonl", "No such file"});
  std::filesystem::create_directory(inner);
  log.add(epochs(3));
  EXPECT_EQ(lines(inner + "/m.jsonl"), 3U);
}

TEST(MetricsLog, AFileThatWasRemovedIsWrittenWhole) {
  const TemporaryFolder folder;
  MetricsLog log(folder / "m.jsonl");
  log.add(epochs(1));
  std::filesystem::remove(folder / "m.jsonl");
  log.add(epochs(2));
  EXPECT_EQ(lines(folder / "m.jsonl"), 2U);
}

}  // namespace
}  // namespace dnn
