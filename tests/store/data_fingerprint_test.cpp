#include "dnn/store/data_fingerprint.hpp"

#include <gtest/gtest.h>

#include "dnn/readers/open_dataset.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::TemporaryFolder;

TrainingData read(const std::string& path) {
  Dataset train = open_dataset(path, Part::train, ReadOptions{});
  const Sampler sampler({.samples = train.samples, .held_out = 0});
  DataDigest digest = digest_of(train);
  return {.train = std::move(train),
          .digest = std::move(digest),
          .test = std::nullopt,
          .sampler = sampler,
          .batch_size = 1};
}

TEST(DataFingerprint, FollowsWhatIsInTheDataAndNotWhereTheyLie) {
  const TemporaryFolder folder;
  const std::string text = "x,y,label\n1,2,a\n3,4,b\n5,6,a\n";
  const std::string first = data_fingerprint(read(folder.write("1.csv", text)));
  EXPECT_EQ(first.size(), 64U);
  EXPECT_EQ(data_fingerprint(read(folder.write("2.csv", text))), first);
  for (const char* other : {"x,y,label\n1,2,a\n3,4.5,b\n5,6,a\n",
                            "x,y,label\n1,2,a\n3,4,b\n5,6,b\n", "x,z,label\n1,2,a\n3,4,b\n5,6,a\n",
                            "x,y,label\n1,2,a\n3,4,c\n5,6,a\n", "x,y,label\n1,2,a\n3,4,b\n"}) {
    EXPECT_NE(data_fingerprint(read(folder.write("3.csv", other))), first) << other;
  }
}

TEST(DataFingerprint, FollowsTheNormalization) {
  TrainingData data = read(builtin_digits_name);
  const std::string first = data_fingerprint(data);
  data.normalizer = {std::vector<double>(64, 0.0), std::vector<double>(64, 1.0)};
  const std::string second = data_fingerprint(data);
  EXPECT_NE(second, first);
  data.normalizer.center[63] = 1e-300;
  EXPECT_NE(data_fingerprint(data), second);
}

}  // namespace
}  // namespace dnn
