#include "dnn/data/feature_statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "dnn/core/error.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/gatherer.hpp"
#include "support/expect_error.hpp"
#include "support/small_dataset.hpp"

namespace dnn {
namespace {

std::vector<std::uint64_t> all(const Dataset& data) {
  std::vector<std::uint64_t> samples(data.samples);
  std::iota(samples.begin(), samples.end(), 0U);
  return samples;
}

Dataset dense(const std::string& text) {
  return test::small_dataset<double>(text);
}

TEST(FeatureStatistics, MeanAndDeviationByHand) {
  // Columns 1, 2, 3, 4 (mean 2.5, variance 1.25), a constant, and a large offset with spread 2.
  const Dataset data =
      dense("1,5,1000000000,a\n2,5,1000000002,b\n3,5,1000000000,a\n4,5,1000000002,b\n");
  FeatureStatistics statistics(3);
  statistics.add(data, all(data));
  const Normalizer standard = statistics.normalizer(Normalization::standard);
  EXPECT_DOUBLE_EQ(standard.center[0], 2.5);
  EXPECT_DOUBLE_EQ(standard.scale[0], 1 / std::sqrt(1.25));
  EXPECT_EQ(standard.scale[1], 0);  // constant: nothing to learn from, and no division by 0
  EXPECT_DOUBLE_EQ(standard.center[2], 1000000001);
  EXPECT_DOUBLE_EQ(standard.scale[2], 1);
  const Normalizer minmax = statistics.normalizer(Normalization::minmax);
  EXPECT_DOUBLE_EQ(minmax.center[0], 1);
  EXPECT_DOUBLE_EQ(minmax.scale[0], 1.0 / 3);
  EXPECT_TRUE(statistics.normalizer(Normalization::none).is_identity());

  std::vector<float> x(12);
  Gatherer<float>(data, minmax).gather(all(data), {x.data(), 4, 3});
  EXPECT_EQ(x[0], 0);
  EXPECT_EQ(x[9], 1);
  EXPECT_EQ(x[1], 0);
  EXPECT_EQ(x[5], 1);  // 1e9 + 2 is told from 1e9, which float alone could not
}

TEST(FeatureStatistics, InCommonAllFeaturesHaveOneMeanAndDeviation) {
  const Dataset data = dense("1,5,a\n3,5,b\n1,9,a\n3,9,b\n");
  FeatureStatistics statistics(2);
  statistics.add(data, all(data));
  const Normalizer common = statistics.normalizer(Normalization::common);
  // All eight numbers: mean 4.5, squared deviations 2 (12.25 + 2.25 + 0.25 + 20.25).
  EXPECT_EQ(common.center, (std::vector<double>{4.5, 4.5}));
  EXPECT_DOUBLE_EQ(common.scale[0], 1 / std::sqrt(70.0 / 8));
  EXPECT_DOUBLE_EQ(common.scale[1], common.scale[0]);
  const Normalizer first = statistics.normalizer(Normalization::common, {true, false});
  EXPECT_EQ(first.center, (std::vector<double>{2, 0}));
  EXPECT_EQ(first.scale, (std::vector<double>{1, 1}));
}

TEST(FeatureStatistics, PixelsAreOfOneKindAndMeasurementsAreNot) {
  const auto of_one_kind = [](const std::vector<std::pair<double, double>>& ranges) {
    std::string low;
    std::string high;
    for (const auto& [least, most] : ranges) {
      low += std::to_string(least) + ",";
      high += std::to_string(most) + ",";
    }
    const Dataset data = dense(low + "a\n" + high + "b\n");
    FeatureStatistics statistics(ranges.size());
    statistics.add(data, all(data));
    return statistics.are_of_one_kind();
  };
  std::vector<std::pair<double, double>> pixels(20, {0, 255});
  pixels[0] = {0, 0};
  pixels[1] = {0, 3};
  EXPECT_TRUE(of_one_kind(pixels));
  pixels.resize(15);
  EXPECT_FALSE(of_one_kind(pixels));  // too few
  EXPECT_FALSE(of_one_kind(std::vector<std::pair<double, double>>(20, {0, 2.5})));
  EXPECT_FALSE(of_one_kind(std::vector<std::pair<double, double>>(20, {-4, 4})));
  EXPECT_FALSE(of_one_kind(std::vector<std::pair<double, double>>(20, {0, 0})));
  std::vector<std::pair<double, double>> amounts;
  for (std::size_t j = 0; j < 20; ++j) {
    amounts.emplace_back(0, std::pow(2, j));
  }
  EXPECT_FALSE(of_one_kind(amounts));
}

TEST(FeatureStatistics, OutliersAreClippedAndBoundedSo) {
  const Dataset data = dense("0,a\n0,b\n0,a\n1000,b\n");
  FeatureStatistics statistics(1);
  statistics.add(data, all(data));
  Normalizer normalizer = statistics.normalizer(Normalization::standard);
  std::vector<float> x(4);
  Gatherer<float>(data, normalizer).gather(all(data), {x.data(), 4, 1});
  EXPECT_NEAR(x[3], std::sqrt(3), 1e-6);
  EXPECT_NEAR(statistics.largest(normalizer), std::sqrt(3), 1e-12);
  normalizer.clip = 1.25;
  Gatherer<float>(data, normalizer).gather(all(data), {x.data(), 4, 1});
  EXPECT_EQ(x[3], 1.25F);
  EXPECT_NEAR(x[0], -1 / std::sqrt(3), 1e-6);
  EXPECT_EQ(statistics.largest(normalizer), 1.25);
}

TEST(FeatureStatistics, SparseDataHaveTheDenseOnesNumbers) {
  Dataset sparse;
  sparse.samples = 4;
  sparse.features = 3;
  sparse.element = ElementType::f64;
  sparse.values = Bytes::from(std::vector<double>{4, -2, 1, 2});
  sparse.value_columns = Bytes::from(std::vector<std::uint32_t>{0, 2, 1, 0});
  sparse.row_offsets = Bytes::from(std::vector<std::uint64_t>{0, 2, 3, 4, 4});
  const Dataset same = dense("4,0,-2,1\n0,1,0,0\n2,0,0,1\n0,0,0,0\n");
  for (const Normalization kind : {Normalization::standard, Normalization::minmax}) {
    FeatureStatistics from_sparse(3);
    from_sparse.add(sparse, all(sparse));
    FeatureStatistics from_dense(3);
    from_dense.add(same, all(same));
    const Normalizer a = from_sparse.normalizer(kind);
    const Normalizer b = from_dense.normalizer(kind);
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(a.center[j], b.center[j], 1e-15);
      EXPECT_NEAR(a.scale[j], b.scale[j], 1e-14);
    }
    std::vector<double> x(12);
    std::vector<double> y(12);
    Gatherer<double>(sparse, a).gather(all(sparse), {x.data(), 4, 3});
    Gatherer<double>(same, a).gather(all(same), {y.data(), 4, 3});
    EXPECT_EQ(x, y);
  }
}

TEST(FeatureStatistics, ScalingLeavesZerosAsTheyAre) {
  const Dataset data = dense("1,5,-4,a\n2,5,0,b\n3,5,2,a\n4,5,0,b\n");
  FeatureStatistics statistics(3);
  statistics.add(data, all(data));
  const Normalizer standard = statistics.scaling(Normalization::standard);
  EXPECT_EQ(standard.center, std::vector<double>(3, 0));
  EXPECT_EQ(standard.scale, statistics.normalizer(Normalization::standard).scale);
  const Normalizer minmax = statistics.scaling(Normalization::minmax);
  EXPECT_EQ(minmax.center, std::vector<double>(3, 0));
  EXPECT_EQ(minmax.scale, (std::vector<double>{0.25, 0, 0.25}));
  EXPECT_TRUE(statistics.scaling(Normalization::none).is_identity());
}

TEST(FeatureStatistics, NotFiniteFeaturesNameTheirSample) {
  Dataset data = dense("1,2,a\n3,4,b\n5,6,a\n");
  std::vector<double> values = {1, 2, 3, std::nan(""), 5, 6};
  data.values = Bytes::from(values);
  FeatureStatistics statistics(2);
  test::expect_error<InputError>([&] { statistics.add(data, all(data)); },
                                 {"t.csv", "feature 2", "sample 2", "NaN"});
  values = {1, 2, 3, 4, -std::numeric_limits<double>::infinity(), 6};
  data.values = Bytes::from(values);
  test::expect_error<InputError>([&] { FeatureStatistics(2).add(data, all(data)); },
                                 {"feature 1", "sample 3", "infinite"});
}

TEST(FeatureStatistics, AFeatureThatCannotBeNormalizedNamesItsEnds) {
  const Dataset data = dense("1,2,a\n3,-1e300,b\n5,6,a\n");
  FeatureStatistics statistics(2);
  statistics.add(data, all(data));
  test::expect_error<InputError>([&] { (void)statistics.normalizer(Normalization::standard); },
                                 {"feature 2", "from -1e+300 to 6"});
}

TEST(FeatureStatistics, ChunksDependOnTheDataAlone) {
  EXPECT_EQ(FeatureStatistics::chunk_count(1000000, 10), 64U);
  EXPECT_EQ(FeatureStatistics::chunk_count(5, 10), 5U);
  EXPECT_EQ(FeatureStatistics::chunk_count(1000000, 10000000), 1U);
  EXPECT_EQ(FeatureStatistics::chunk_count(0, 10), 1U);
}

}  // namespace
}  // namespace dnn
