#include "dnn/store/training_data.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "dnn/comm/collective_error.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "support/array_files.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_world.hpp"
#include "support/open_grid.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_numbers.hpp"

namespace dnn {
namespace {

using test::self;
using test::world;

/// A folder that rank 0 makes and all ranks use.
class SharedFolder {
 public:
  SharedFolder() {
    if (world().is_root()) {
      own_.emplace();
    }
    path_ = world().broadcast(own_ ? own_->path() : std::string(), 0);
  }
  ~SharedFolder() { world().barrier(); }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;

  std::string write(const std::string& name, const std::string& contents) const {
    if (own_) {
      own_->write(name, contents);
    }
    world().barrier();
    return path_ + "/" + name;
  }

 private:
  std::optional<test::TemporaryFolder> own_;
  std::string path_;
};

std::string random_csv(std::size_t samples, std::size_t features) {
  const auto x = test::numbers<double>(samples * features, 5);
  std::string text;
  for (std::size_t i = 0; i < samples; ++i) {
    for (std::size_t j = 0; j < features; ++j) {
      text += std::to_string(x[i * features + j] * std::pow(10.0, static_cast<double>(j))) + ",";
    }
    text += "class " + std::to_string(i % 3) + "\n";
  }
  return text;
}

TEST(TrainingData, NormalizationHasTheSameBitsAsOnOneRank) {
  const SharedFolder folder;
  DataSettings config;
  config.data = folder.write("d.csv", random_csv(301, 5));
  for (const Normalization kind : {Normalization::standard, Normalization::minmax}) {
    config.normalize = kind;
    Node node(world());
    Node alone(self());
    const TrainingData many =
        load_training_data(config, RankGrid(world(), node, 1), {.wide = true});
    const TrainingData one = load_training_data(config, RankGrid(self(), alone, 1), {.wide = true});
    EXPECT_EQ(many.normalizer.center, one.normalizer.center);
    EXPECT_EQ(many.normalizer.scale, one.normalizer.scale);
    EXPECT_EQ(many.train.class_names, one.train.class_names);
    node.close();
    alone.close();
  }
}

// Sums over ranks make a 0 of it, and the bytes of the normalization are part of the fingerprint.
TEST(TrainingData, ALeastValueOfMinusZeroIsZeroAtAnyRankCount) {
  const SharedFolder folder;
  DataSettings config;
  config.validation = 0;
  config.data = folder.write("d.csv", "-0.0,a\n0.75,b\n-0.0,a\n1.5,b\n0.25,a\n");
  config.normalize = Normalization::minmax;
  Node node(world());
  const TrainingData data = load_training_data(config, RankGrid(world(), node, 1));
  EXPECT_EQ(data.normalizer.center[0], 0);
  EXPECT_FALSE(std::signbit(data.normalizer.center[0]));
  node.close();
}

TEST(TrainingData, TheDigestIsTheSameAtAnyRankCount) {
  const SharedFolder folder;
  DataSettings config;
  config.data = folder.write("d.csv", random_csv(301, 5));
  Node node(world());
  Node alone(self());
  const TrainingData data = load_training_data(config, RankGrid(world(), node, 1), {});
  EXPECT_TRUE(data.digest == load_training_data(config, RankGrid(self(), alone, 1), {}).digest);
  EXPECT_EQ(data.digest.features, digest_of(data.train).features);
  EXPECT_EQ(data.digest.labels, digest_of(data.train).labels);
  Dataset large = data.train;  // of several pieces
  large.values = Bytes::from(std::vector<float>(std::size_t{5} << 20, 0.5F));
  EXPECT_EQ(digest_of(world(), large).features, digest_of(large).features);
  node.close();
  alone.close();
}

// Each rank is a node here, as far as the data go.
TEST(TrainingData, NodesWithDifferentDataAreRefused) {
  if (world().size() == 1) {
    return;  // nothing to compare
  }
  Dataset data = open_dataset(builtin_digits_name, Part::train, ReadOptions{});
  check_same_everywhere(world(), self(), digest_of(data), data.origin);
  const bool last = world().rank() == world().size() - 1;
  const auto expect_refusal = [&](const char* what) {
    const std::string copies = " (" + std::to_string(world().size() - 1) + " of " +
                               std::to_string(world().size()) + " copies are as on ";
    test::expect_error<AgreedError>(
        [&] { check_same_everywhere(world(), self(), digest_of(data), "d.csv"); },
        {"d.csv: hosts ", what, copies.c_str()});
  };
  auto values = data.values.as<std::uint8_t>();
  std::vector<std::uint8_t> others(values.begin(), values.end());
  others.back() ^= last ? std::uint8_t{1} : std::uint8_t{0};
  data.values = Bytes::from(others);
  expect_refusal("have different features under this name");
  data.class_names.front() = last ? "none" : data.class_names.front();
  expect_refusal("have different shapes, classes or columns under this name");
}

TEST(TrainingData, WhatTheDataDecideIsTheSameAtAnyRankCount) {
  const SharedFolder folder;
  DataSettings given;
  given.data = folder.write("d.csv", random_csv(301, 5));
  DataFacts facts;
  const LoadOptions options{.wide = true, .choose = [&](const DataFacts& known) {
                              facts = known;
                              DataSettings chosen = given;
                              chosen.choose_scaling = true;
                              chosen.split_by_class = true;
                              return chosen;
                            }};
  Node node(world());
  const TrainingData data = load_training_data(given, RankGrid(world(), node, 1), options);
  EXPECT_EQ(facts.samples, 301U);
  EXPECT_EQ(facts.features, 5U);
  EXPECT_EQ(facts.rarest_class, 100U);
  EXPECT_EQ(facts.commonest_class, 101U);
  EXPECT_EQ(data.normalization, Normalization::standard);
  EXPECT_EQ(data.normalizer.clip, usual_clip);
  EXPECT_LE(data.largest_feature, usual_clip);
  std::vector<int> held_out(3, 0);
  std::vector<double> samples;
  for (std::size_t i = 0; i < data.sampler.validation_samples(); ++i) {
    const auto sample = data.sampler.validation_sample(i);
    ++held_out[static_cast<std::size_t>(data.train.label_view()[sample])];
    samples.push_back(static_cast<double>(sample));
  }
  EXPECT_EQ(held_out, (std::vector<int>{10, 10, 10}));
  const auto count = static_cast<double>(world().size());
  std::vector<double> sums = samples;
  world().all_reduce(std::span(sums), Reduction::sum);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(sums[i], count * samples[i]);
  }
  node.close();
}

TEST(TrainingData, StatisticsLeaveTheHeldOutSamplesAside) {
  const SharedFolder folder;
  // The one held-out sample of 10 is found, then made an outlier: the normalization must not see
  // it.
  DataSettings config;
  config.validation = 0.1;
  const Sampler sampler({.samples = 10, .held_out = 1, .seed = config.seed});
  std::string csv;
  for (std::uint64_t i = 0; i < 10; ++i) {
    csv += (sampler.is_training(i) ? std::to_string(i % 2) : "1000000") + "," +
           std::to_string(i % 2) + "\n";
  }
  config.data = folder.write("outlier.csv", csv);
  config.normalize = Normalization::minmax;
  Node node(world());
  const TrainingData data = load_training_data(config, RankGrid(world(), node, 1));
  EXPECT_EQ(data.normalizer.center[0], 0);
  EXPECT_EQ(data.normalizer.scale[0], 1);
  EXPECT_EQ(data.sampler.validation_samples(), 1U);
  node.close();
}

/// 40 rows of a feature and a target that goes from -4 to 4, in units of 10^`exponent`; one sample
/// has another target.
std::string targets_csv(int exponent, std::size_t sample, const std::string& other) {
  std::string text = "x,price\n";
  for (std::size_t i = 0; i < 40; ++i) {
    text += std::to_string(i % 7) + ",";
    text += i == sample
                ? other
                : std::to_string(static_cast<int>(i * 5 % 9) - 4) + "e" + std::to_string(exponent);
    text += "\n";
  }
  return text;
}

TEST(TrainingData, TinyTargetsAreScaledAsOthersAre) {
  const SharedFolder folder;
  DataSettings config;
  config.task = Task::numbers;
  config.validation = 0;
  Node node(world());
  const auto scale_of = [&](int exponent) {
    config.data = folder.write("e" + std::to_string(exponent), targets_csv(exponent, 40, ""));
    return load_training_data(config, RankGrid(world(), node, 1)).train.target_scale;
  };
  const Normalizer usual = scale_of(0);
  const Normalizer tiny = scale_of(-200);
  const Normalizer small = scale_of(-100);
  EXPECT_NEAR(usual.scale[0], 0.38, 0.02);
  EXPECT_NEAR(tiny.scale[0] * 1e-200, usual.scale[0], 1e-12);
  EXPECT_NEAR(small.scale[0] * 1e-100, usual.scale[0], 1e-12);
  for (const std::string same :
       {"1e-200", "0.11"}) {  // the mean of 40 times 0.11 is another number
    std::string text = "x,price\n";
    for (int i = 0; i < 40; ++i) {
      text += std::to_string(i % 7) + ',' + same + '\n';
    }
    config.data = folder.write(same, text);
    const Normalizer constant =
        load_training_data(config, RankGrid(world(), node, 1)).train.target_scale;
    EXPECT_EQ(constant.scale[0], 1);
    EXPECT_EQ(constant.center[0], std::stod(same));
  }
  node.close();
}

TEST(TrainingData, TargetsThatCannotBeScaledNameTheirColumn) {
  const SharedFolder folder;
  DataSettings config;
  config.task = Task::numbers;
  Node node(world());
  const auto is_refused = [&](const std::string& text, std::initializer_list<const char*> parts) {
    config.data = folder.write("d.csv", text);
    test::expect_error<AgreedError>(
        [&] { (void)load_training_data(config, RankGrid(world(), node, 1)); }, parts);
    world().barrier();
  };
  // A target that is held out has to be compared with the others, too.
  const Sampler sampler({.samples = 40, .held_out = 4, .seed = config.seed});
  const std::size_t held_out = sampler.validation_sample(0);
  const std::size_t trained_on = sampler.is_training(0) ? 0 : sampler.is_training(1) ? 1 : 2;
  for (const std::size_t sample : {held_out, trained_on}) {
    is_refused(targets_csv(0, sample, "1e300"),
               {"d.csv", "'price'", "beyond what can be scaled", "from -4 to 1e+300"});
  }
  is_refused(targets_csv(0, 7, "-1e200"), {"from -1e+200 to 4"});
  is_refused(targets_csv(307, 40, ""), {"'price'", "from -4e+307 to 4e+307"});
  is_refused(targets_csv(-310, 40, ""), {"'price'", "beyond what can be scaled"});
  node.close();
}

/// 40 rows with weights and missing numbers; with `bad`, rows of weight 0 among them.
std::string weighted_csv(bool bad) {
  std::string text = "a,b,w,price\n";
  for (std::size_t i = 0; i < 40; ++i) {
    const std::string b = i % 6 == 0 ? "" : std::to_string(i * 3 % 8);
    text += std::to_string(i * 7 % 11) + "," + b + ",0." + std::to_string(i % 4 + 1) + "," +
            std::to_string(i * 5 % 9) + "\n";
    text += bad && i % 3 == 0 ? "-9999,-7777,0,-1e300\n" : "";
  }
  return text;
}

/// What follows from the samples of a table.
struct Scales {
  explicit Scales(const TrainingData& data)
      : features(data.normalizer),
        targets(data.train.target_scale),
        largest(data.largest_feature),
        median(data.train.schema.columns.at(1).fill),
        samples(data.train.samples) {}

  Normalizer features, targets;
  double largest, median;
  std::size_t samples;
};

TEST(TrainingData, RowsOfWeight0AreInNoMeanMedianOrDeviation) {
  const SharedFolder folder;
  DataSettings config;
  config.task = Task::numbers;
  config.label_column = "price";
  config.weight_column = "w";
  config.validation = 0;
  const auto load = [&](const Communicator& ranks, int color, Placement placement) {
    config.placement = placement;
    test::OpenGrid of(ranks, 1, 0, color);
    const Scales found(load_training_data(config, of.grid, {.wide = true}));
    of.close();
    return found;
  };
  config.data = folder.write("clean.csv", weighted_csv(false));
  const Scales clean = load(self(), 0, Placement::node);
  config.data = folder.write("bad.csv", weighted_csv(true));
  const Scales one = load(self(), 0, Placement::node);
  EXPECT_EQ(one.samples, clean.samples + 14);
  EXPECT_EQ(one.median, clean.median);
  EXPECT_EQ(one.targets.center, clean.targets.center);
  EXPECT_EQ(one.targets.scale, clean.targets.scale);
  EXPECT_NEAR(one.largest, clean.largest, 1e-12);
  ASSERT_EQ(one.features.scale.size(), 3U);  // a, b, and whether b is missing
  for (std::size_t j = 0; j < 2; ++j) {
    EXPECT_NEAR(one.features.center[j], clean.features.center[j], 1e-12);
    EXPECT_NEAR(one.features.scale[j], clean.features.scale[j], 1e-12);
  }
  for (const auto& many :
       {load(world(), 0, Placement::node), load(world(), world().rank(), Placement::job)}) {
    EXPECT_EQ(many.median, one.median);
    EXPECT_EQ(many.targets.center, one.targets.center);
    EXPECT_EQ(many.targets.scale, one.targets.scale);
    EXPECT_EQ(many.features.center, one.features.center);
    EXPECT_EQ(many.features.scale, one.features.scale);
  }
}

TEST(TrainingData, ATestTableMayHaveOfTheClassesOnlyThoseThatAreNumbers) {
  const SharedFolder folder;
  DataSettings config;
  config.data = folder.write("d.csv", "x,label\n1,0.5\n2,1.5\n3,none\n4,none\n");
  config.test_data = folder.write("t.csv", "x,label\n1,1.5\n2,0.5\n");
  config.task = Task::classes;
  config.validation = 0;
  Node node(world());
  const TrainingData data = load_training_data(config, RankGrid(world(), node, 1));
  EXPECT_EQ(data.test->label_view()[0], 1);
  EXPECT_EQ(data.test->class_names, (std::vector<std::string>{"0.5", "1.5", "none"}));
  config.data = config.test_data;  // nothing but numbers to learn
  test::expect_error<AgreedError>(
      [&] { (void)load_training_data(config, RankGrid(world(), node, 1)); },
      {"t.csv", "label '0.5' is not a class", "--task numbers"});
  node.close();
}

TEST(TrainingData, OneCopyANodeAndMappedFilesStayMapped) {
  const SharedFolder folder;
  DataSettings config;
  config.data = folder.write("X.npy", test::npy<float>("<f4", "(4, 2)", {1, 2, 3, 4, 5, 6, 7, 8})) +
                "," + folder.write("y.npy", test::npy<std::int32_t>("<i4", "(4,)", {0, 1, 0, 1}));
  config.validation = 0;
  Node node(world());
  const TrainingData data = load_training_data(config, RankGrid(world(), node, 1));
  EXPECT_FALSE(data.train.values.mapped_path.empty());
  EXPECT_EQ(data.train.values.as<float>()[7], 8);
  EXPECT_EQ(data.train.label_view()[3], 1);
  node.close();
}

// Ranks that share no memory read the data each for themselves; a pipe is there for one alone.
TEST(TrainingData, APipeHasOneReader) {
  Node node(world(), world().rank());
  DataSettings config;
  config.data = "-";
  config.test_data = "-";
  test::expect_error<AgreedError>(
      [&] { (void)load_training_data(config, RankGrid(world(), node, 1)); },
      {"standard input", world().size() == 1 ? "named twice" : "a pipe has one reader"});
  node.close();
}

TEST(TrainingData, ABadFeatureInTheLastSampleIsEveryRanksError) {
  const SharedFolder folder;
  DataSettings config;
  config.data =
      folder.write("X.npy", test::npy<float>("<f4", "(4, 2)", {1, 2, 3, 4, 5, 6, 7, NAN})) + "," +
      folder.write("y.npy", test::npy<std::int32_t>("<i4", "(4,)", {0, 1, 0, 1}));
  Node node(world());
  test::expect_error<AgreedError>(
      [&] { (void)load_training_data(config, RankGrid(world(), node, 1)); },
      {"X.npy", "feature 2", "sample 4", "NaN"});
  node.close();
}

TEST(TrainingData, BatchSizeIsTheDatasAtMost) {
  const SharedFolder folder;
  DataSettings config;
  config.data = folder.write("d.csv", random_csv(30, 2));
  config.validation = 0.1;
  Node node(world());
  EXPECT_EQ(load_training_data(config, RankGrid(world(), node, 1)).batch_size,
            27U);  // the default is too large
  config.batch_size = 28;
  test::expect_error<AgreedError>(
      [&] { (void)load_training_data(config, RankGrid(world(), node, 1)); },
      {"--batch-size 28", "27"});
  node.close();
}

}  // namespace
}  // namespace dnn
