#include "dnn/data/prefetched_rows.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

/// 3,000 samples of 4,000 bytes in a file, each byte its sample's number.
class PrefetchedRowsOfAFile : public testing::Test {
 protected:
  PrefetchedRowsOfAFile() {
    std::string text;
    for (std::size_t i = 0; i < 3000; ++i) {
      text.append(4000, static_cast<char>(i));
    }
    data_.samples = 3000;
    data_.features = data_.row_elements = 4000;
    data_.element = ElementType::u8;
    data_.values = map_file(folder_.write("rows", text));
  }

  test::TemporaryFolder folder_;
  Dataset data_;
};

TEST_F(PrefetchedRowsOfAFile, AsksForEachBatchOnceAndGivesItsRows) {
  ASSERT_TRUE(PrefetchedRows::suits(data_));
  PrefetchedRows rows(data_);
  constexpr std::size_t steps = 60;
  const auto sample_at = [](std::size_t step, std::size_t i) {
    return (step * 50 + i) * 1999 % 3000;
  };
  std::vector<std::size_t> asked;
  rows.begin(
      [&](std::size_t step, std::vector<std::uint64_t>& samples) {
        asked.push_back(step);
        for (std::size_t i = 0; i < 50; ++i) {
          samples.push_back(sample_at(step, i));
        }
      },
      steps);
  std::vector<std::uint64_t> places;
  for (std::size_t step = 0; step < steps; ++step) {
    std::vector<std::uint64_t> samples;
    for (std::size_t i = 0; i < 50; ++i) {
      samples.push_back(sample_at(step, i));
    }
    const FeatureRows found = rows.of_batch(step, samples, places);
    EXPECT_GT(asked.size(), step);  // ahead
    for (std::size_t i = 0; i < 50; ++i) {
      EXPECT_EQ(static_cast<unsigned char>(found.values[found.places[i] * 4000 + 3999]),
                samples[i] % 256);
    }
  }
  ASSERT_EQ(asked.size(), steps);
  for (std::size_t step = 0; step < steps; ++step) {
    EXPECT_EQ(asked[step], step);
  }
}

TEST(PrefetchedRows, SuitNothingThatLiesInMemory) {
  Dataset data;
  data.samples = 1;
  data.values = Bytes::from(std::vector<float>(3));
  EXPECT_FALSE(PrefetchedRows::suits(data));
}

}  // namespace
}  // namespace dnn
