#include "dnn/options/chosen_defaults.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dnn/options/config_changes.hpp"

namespace dnn {
namespace {

/// What the data decide for a command line that gives these options.
Config chosen_for(const DataFacts& facts, const std::set<std::string>& given = {},
                  Config config = {}) {
  config.defaults = Defaults::automatic;
  config.given = given;
  choose_defaults(config, facts);
  return config;
}

DataFacts rows(std::size_t samples, std::size_t features = 20) {
  return {.samples = samples,
          .features = features,
          .classes = 2,
          .rarest_class = samples / 2,
          .commonest_class = samples - samples / 2};
}

std::uint64_t updates_of(const Config& config, const DataFacts& facts) {
  const auto train =
      static_cast<std::uint64_t>((1 - config.validation) * static_cast<double>(facts.samples));
  return config.epochs * ((train + *config.batch_size - 1) / *config.batch_size);
}

TEST(ChosenDefaults, TheBudgetOfUpdatesGrowsWithTheData) {
  std::uint64_t before = 0;
  for (const std::size_t samples : {150U, 1'000U, 3'000U, 30'000U, 300'000U, 30'000'000U}) {
    const Config config = chosen_for(rows(samples));
    const std::uint64_t updates = updates_of(config, rows(samples));
    EXPECT_GT(updates, before) << samples;
    before = updates;
  }
  EXPECT_GE(updates_of(chosen_for(rows(150)), rows(150)), 300U);
  EXPECT_LE(chosen_for(rows(30'000'000)).epochs, 15U);
}

TEST(ChosenDefaults, SmallSetsHaveSmallBatchesThatFit) {
  EXPECT_EQ(chosen_for(rows(2'000)).batch_size, 32U);
  EXPECT_EQ(chosen_for(rows(60'000)).batch_size, 128U);
  for (std::size_t samples = 2; samples < 200; ++samples) {
    const Config config = chosen_for(rows(samples));
    EXPECT_GE(*config.batch_size, 1U);
    EXPECT_LE(*config.batch_size, std::max<std::size_t>(1, samples / 2));
    EXPECT_GE(config.epochs, 1U);
  }
}

TEST(ChosenDefaults, FewSamplesForEachFeatureDecayMore) {
  EXPECT_GT(chosen_for(rows(1'000, 100)).weight_decay, chosen_for(rows(1'000, 10)).weight_decay);
  EXPECT_GT(chosen_for(rows(1'000, 30)).weight_decay, chosen_for(rows(100'000, 30)).weight_decay);
  EXPECT_LE(chosen_for(rows(10, 100'000)).weight_decay, 3);
}

TEST(ChosenDefaults, OptionsGivenAreObeyed) {
  Config config;
  config.epochs = 7;
  config.dropout = 0;
  config.batch_size = 500;
  config.optimizer = OptimizerKind::sgd;
  const Config chosen =
      chosen_for(rows(5'000), {"epochs", "dropout", "batch-size", "optimizer"}, config);
  EXPECT_EQ(chosen.epochs, 7U);
  EXPECT_EQ(chosen.early_stop, 0U);  // so many epochs, not fewer
  EXPECT_EQ(chosen.dropout, 0);
  EXPECT_EQ(chosen.batch_size, 500U);
  EXPECT_EQ(chosen.optimizer, OptimizerKind::sgd);
  EXPECT_EQ(chosen.learning_rate(), 0.1);
  EXPECT_EQ(chosen.weight_decay, 0);
  for (const ChosenValue& value : chosen.chosen) {
    EXPECT_FALSE(chosen.given.contains(value.option)) << value.option;
    EXPECT_FALSE(value.reason.empty());
  }
}

TEST(ChosenDefaults, PlainIsTheSameForAllData) {
  Config config;
  choose_defaults(config, rows(150));
  config.resolved = false;
  EXPECT_EQ(to_json(config), to_json(Config{}));
  EXPECT_FALSE(config.split_by_class);
}

TEST(ChosenDefaults, SparseRowsAndManyClassesKeepThePlainOnes) {
  DataFacts sparse = rows(5'000);
  sparse.sparse_rows = true;
  DataFacts classes = rows(5'000);
  classes.classes = 2'000;
  for (const DataFacts& facts : {sparse, classes}) {
    const Config config = chosen_for(facts);
    EXPECT_EQ(config.epochs, Config{}.epochs);
    EXPECT_EQ(config.optimizer, Config{}.optimizer);
    ASSERT_EQ(config.chosen.size(), 1U);
    EXPECT_EQ(config.chosen[0].value, "plain");
  }
}

/// The same once the features have been read, which are of this kind.
Config chosen_by_kind(const DataFacts& facts, const std::set<std::string>& given = {},
                      Config config = {}, Normalization kind = Normalization::standard) {
  config = chosen_for(facts, given, std::move(config));
  Dataset train;
  train.samples = facts.samples;
  train.features = facts.features;
  choose_by_kind(config, {.train = std::move(train),
                          .digest = {},
                          .test = {},
                          .held = {},
                          .held_test = {},
                          .placement = {},
                          .normalizer = {},
                          .normalization = kind,
                          .facts = facts,
                          .sampler = Sampler({.samples = facts.samples}),
                          .fold = {}});
  return config;
}

TEST(ChosenDefaults, WeightsAreAveragedWhereTheHeldOutLossEndsTheTraining) {
  const Config many = chosen_by_kind(rows(5'000));
  EXPECT_GT(many.early_stop, 0U);
  EXPECT_EQ(many.average_weights, 1);
  EXPECT_EQ(many.lr_schedule, ScheduleKind::constant);
  const auto is_chosen = [&many](const std::string& option) {
    return std::ranges::count(many.chosen, option, &ChosenValue::option) == 1;
  };
  EXPECT_TRUE(is_chosen("average-weights"));
  EXPECT_TRUE(is_chosen("lr-schedule"));
  // A rate that does not fall towards the end of the budget allows more epochs, with one patience.
  const Config budget = chosen_for(rows(5'000));
  EXPECT_EQ(many.epochs, budget.epochs + budget.epochs / 2);
  EXPECT_EQ(many.early_stop, budget.early_stop);
  EXPECT_EQ(std::ranges::find(many.chosen, "epochs", &ChosenValue::option)->value,
            std::to_string(many.epochs));
  EXPECT_EQ(chosen_by_kind(rows(5'000, 784), {}, {}, Normalization::common).epochs, budget.epochs);
  Config fixed;
  fixed.epochs = 7;
  Config sgd;
  sgd.optimizer = OptimizerKind::sgd;
  for (const Config& cosine :
       {chosen_by_kind(rows(1'500)), chosen_by_kind(rows(5'000), {"epochs"}, fixed),
        chosen_by_kind(rows(5'000), {"early-stop"}),
        chosen_by_kind(rows(5'000), {"optimizer"}, sgd),
        chosen_by_kind(rows(5'000, 784), {}, {}, Normalization::common)}) {
    EXPECT_EQ(cosine.average_weights, 0);
    EXPECT_EQ(cosine.lr_schedule, ScheduleKind::cosine);
  }
  // Without the average, the rate has to fall.
  EXPECT_EQ(chosen_by_kind(rows(5'000), {"average-weights"}).lr_schedule, ScheduleKind::cosine);
  const Config falling = chosen_by_kind(rows(5'000), {"lr-schedule"});
  EXPECT_EQ(falling.lr_schedule, ScheduleKind::cosine);
  EXPECT_EQ(falling.average_weights, 1);
}

TEST(ChosenDefaults, WithoutHeldOutSamplesNothingEndsEarly) {
  Config config;
  config.validation = 0;
  EXPECT_EQ(chosen_for(rows(5'000), {"validation"}, config).early_stop, 0U);
  EXPECT_EQ(chosen_for(rows(4)).early_stop, 0U);  // a tenth of four is none
}

TEST(ChosenDefaults, UnevenClassesNameTheOption) {
  DataFacts facts = rows(20'000);
  EXPECT_EQ(uneven_classes(Config{}, facts), "");
  facts.rarest_class = 200;
  facts.commonest_class = 19'800;
  EXPECT_NE(uneven_classes(Config{}, facts).find("--class-weights balanced"), std::string::npos);
  Config weighted;
  weighted.class_weights = ClassWeights::balanced;
  EXPECT_EQ(uneven_classes(weighted, facts), "");
}

TEST(ChosenDefaults, AResumedRunIsLeftToTheDataAgain) {
  const DataFacts facts = rows(5'000);
  const Config ran = chosen_for(facts);
  const std::string record = to_json(ran).dump();
  Config now;
  now.defaults = Defaults::automatic;
  EXPECT_TRUE(config_changes(record, now, 3).empty());
  choose_defaults(now, facts);
  EXPECT_TRUE(config_changes(record, now, 3).empty());
  // Other data, or another version's rules.
  choose_defaults(now, rows(50));
  EXPECT_FALSE(config_changes(record, now, 3).empty());
  // Nobody has made these changes.
  EXPECT_TRUE(given_changes(record, now, 3).empty());
  now.seed = 9;
  EXPECT_EQ(given_changes(record, now, 3), std::vector<std::string>{"seed: was 1, is 9"});
  // A run whose epochs were given is not the one where the data decide them.
  Config fixed;
  fixed.epochs = ran.epochs;
  const Config other = chosen_for(facts, {"epochs"}, fixed);
  Config open;
  open.defaults = Defaults::automatic;
  const auto changes = config_changes(to_json(other).dump(), open, 3);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0],
            fmt::format("epochs: was {0}, is left to the data; --epochs {0} keeps it", ran.epochs));
}

}  // namespace
}  // namespace dnn
