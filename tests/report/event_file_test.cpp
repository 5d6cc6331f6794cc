#include "dnn/report/event_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>

#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

namespace fs = std::filesystem;
using test::read_file;
using test::TemporaryFolder;

std::string only_file(const std::string& folder) {
  std::string found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    EXPECT_EQ(found, "");
    found = entry.path().string();
  }
  return found;
}

TEST(EventFile, FramesRecordsAsTFRecordDoes) {
  // The length and its CRC, the data and theirs, computed bit by bit with another program.
  const std::string framed = framed_record("abc");
  EXPECT_EQ(framed, std::string("\x03\x00\x00\x00\x00\x00\x00\x00\xb0\x99\x49\x0e", 12) + "abc" +
                        std::string("\x6e\x57\xf1\x21", 4));
  const std::string two = framed_record("abc") + framed_record("");
  EXPECT_EQ(records_in(two), (std::vector<std::string_view>{"abc", ""}));
  EXPECT_EQ(records_in(two.substr(0, two.size() - 1)), std::vector<std::string_view>{"abc"});
  for (std::size_t i = 0; i < framed.size(); ++i) {  // any damage is found
    std::string damaged = framed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_TRUE(records_in(damaged).empty()) << i;
  }
}

TEST(EventFile, IsCutBackToWhereARunResumes) {
  const TemporaryFolder folder;
  const std::string events = folder / "tensorboard";
  {
    EventFile file(events, {"seed = 1\n", {{"seed", 1.0}}});
    for (std::uint64_t update = 100; update <= 500; update += 100) {
      StepRecord record;
      record.update = update;
      record.loss = 1;
      file.add(record);
    }
    file.flush();
  }
  const std::string path = only_file(events);
  const std::string whole = read_file(path);
  // The version, the configuration, the session, five updates.
  std::vector<std::string_view> records = records_in(whole);
  ASSERT_EQ(records.size(), 8U);
  folder.write(fs::relative(path, folder.path()).string(), whole + "half a rec");
  std::ofstream(path + ".tmp.0123456789abcdef") << "of a job that was killed while it cut";
  cut_event_files(events, 300);
  EXPECT_EQ(only_file(events), path);
  const std::string cut = read_file(path);
  records.erase(records.begin() + 2);
  records.resize(5);
  EXPECT_EQ(records_in(cut), records);
  {
    EventFile again(events, {"seed = 2\n", {{"epochs", 9.0}}});
    EpochMetrics epoch;
    epoch.epoch = 1;
    again.add(epoch, 400);
    again.conclude({.loss = 0.5, .accuracy = 0.75}, 400);
  }
  EXPECT_EQ(only_file(events), path);
  const std::string longer = read_file(path);
  EXPECT_TRUE(longer.starts_with(cut));
  EXPECT_EQ(records_in(longer).size(), 5U + 4);  // session, epoch, best model, end
  cut_event_files(events, 400);
  EXPECT_EQ(records_in(read_file(path)).size(), 5U + 2);

  std::ofstream(events + "/other") << "not ours";
  std::ofstream(path + ".tmp.0123456789abcdef") << "left over";
  remove_event_files(events);
  EXPECT_EQ(only_file(events), events + "/other");
  fs::remove(events + "/other");
  remove_event_files(events);
  EXPECT_FALSE(fs::exists(events));
}

TEST(EventFile, TellsItsHyperparametersAgainWhereTheRunWentBack) {
  const TemporaryFolder folder;
  const std::string events = folder / "tensorboard";
  EventFile file(events, {"seed = 1\n", {{"seed", 1.0}}});
  const std::string path = only_file(events);
  const std::string begun = read_file(path);
  StepRecord record;
  record.update = 10;
  file.add(record);
  file.flush();
  file.add(record);  // waits, and is lost
  cut_event_files(events, 5);
  file.went_back();
  file.flush();
  const std::string after = read_file(path);
  const auto sessions = [](const std::string& bytes) {
    return std::ranges::count_if(records_in(bytes), [](std::string_view one) {
      return one.find("_hparams_/session_start_info") != one.npos;
    });
  };
  EXPECT_EQ(sessions(begun), 1);
  EXPECT_EQ(sessions(after), 1);
  EXPECT_EQ(records_in(after).size(), 3U);
  EXPECT_EQ(after.size(), begun.size());  // the same but for the time
}

TEST(Histogram, CountsEveryFiniteNumber) {
  std::vector<float> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  numbers.push_back(std::numeric_limits<float>::quiet_NaN());
  numbers.push_back(std::numeric_limits<float>::infinity());
  const Histogram made = Histogram::of(std::span<const float>(numbers));
  EXPECT_EQ(made.least, 0);
  EXPECT_EQ(made.largest, 999);
  EXPECT_EQ(made.count, 1000);
  EXPECT_EQ(made.sum, 999 * 500);
  EXPECT_EQ(made.counts.size(), made.limits.size());
  EXPECT_EQ(std::accumulate(made.counts.begin(), made.counts.end(), 0.0), 1000);
  EXPECT_EQ(made.limits.back(), 999);
  double before = 0;
  for (std::size_t i = 0; i < made.limits.size(); ++i) {
    EXPECT_NEAR(made.counts[i], made.limits[i] - before, 2) << i;
    before = made.limits[i];
  }
}

TEST(Histogram, OfEqualNumbersOrNone) {
  const std::vector<double> equal(5, -2.5);
  const Histogram made = Histogram::of(std::span<const double>(equal));
  EXPECT_EQ(made.counts, std::vector<double>{5});
  EXPECT_EQ(made.limits, std::vector<double>{-2.5});
  EXPECT_EQ(Histogram::of(std::span<const double>()).count, 0);
}

}  // namespace
}  // namespace dnn
