#include "dnn/store/data_digest.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "dnn/readers/open_dataset.hpp"

namespace dnn {
namespace {

// More than two pieces.
TEST(DataDigest, FollowsEachByteOfLargeFeatures) {
  Dataset data = open_dataset(builtin_digits_name, Part::train, ReadOptions{});
  std::vector<std::uint8_t> values((std::size_t{9} << 20) + 1, 1);
  data.values = Bytes::from(values);
  const DataDigest first = digest_of(data);
  for (const std::size_t at : {std::size_t{0}, values.size() / 2, values.size() - 1}) {
    std::vector<std::uint8_t> others = values;
    others[at] = 2;
    data.values = Bytes::from(others);
    const DataDigest second = digest_of(data);
    EXPECT_NE(second.features, first.features) << at;
    EXPECT_EQ(second.labels, first.labels);
    EXPECT_EQ(second.description, first.description);
  }
}

TEST(DataDigest, TellsWhatDiffers) {
  const Dataset data = open_dataset(builtin_digits_name, Part::train, ReadOptions{});
  const DataDigest first = digest_of(data);
  Dataset other = data;
  other.class_names.back() = "nine";
  EXPECT_NE(digest_of(other).description, first.description);
  EXPECT_EQ(digest_of(other).labels, first.labels);
  other = data;
  std::vector<std::int32_t> labels(data.label_view().begin(), data.label_view().end());
  labels.back() = (labels.back() + 1) % 10;
  other.labels = Bytes::from(labels);
  EXPECT_NE(digest_of(other).labels, first.labels);
  EXPECT_EQ(digest_of(other).features, first.features);
  other = data;
  other.weights = Bytes::from(std::vector<double>(data.samples, 1));
  EXPECT_NE(digest_of(other).labels, first.labels);
}

}  // namespace
}  // namespace dnn
