#include "dnn/options/config_changes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using test::expect_error;

std::string changed(const Config& before, const Config& now, std::uint64_t epochs_done = 3) {
  std::string text;
  for (const std::string& line : config_changes(to_json(before).dump(), now, epochs_done)) {
    text += line + "\n";
  }
  return text;
}

TEST(ConfigChanges, HarmlessOnesAreNone) {
  Config now;
  now.exchange = ExchangeKind::overlap;
  now.threads = 3;
  now.bucket_mib = 1;
  now.quiet = true;
  now.output = "x";
  now.keep = 9;
  now.checkpoint_every = "1epochs";
  now.time_limit = "5";
  now.resume = "y";
  EXPECT_EQ(changed(Config{}, now), "");
}

TEST(ConfigChanges, AllOthersAreListedWithBothValues) {
  Config now;
  now.hidden = {9};
  now.dropout = 0.5;
  now.optimizer = OptimizerKind::sgd;
  now.batch_size = 7;
  now.seed = 2;
  const std::string text = changed(Config{}, now);
  for (const char* part : {"hidden: was [256,128], is [9]\n", "dropout: was 0.0, is 0.5\n",
                           "optimizer: was \"adam\", is \"sgd\"\n", "lr: was 0.001, is 0.1\n",
                           "batch-size: was 128, is 7\n", "seed: was 1, is 2\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
  }
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6);
}

TEST(ConfigChanges, MoreEpochsOnlyWhereTheRateDoesNotDependOnThem) {
  Config before;
  Config now;
  now.epochs = 30;
  EXPECT_NE(changed(before, now).find("epochs: was 20, is 30 (the cosine"), std::string::npos);
  now.lr_schedule = ScheduleKind::constant;  // it is the run's schedule that counts
  EXPECT_NE(changed(before, now).find("epochs: was 20, is 30 (the cosine"), std::string::npos);
  EXPECT_EQ(changed(now, before), "lr-schedule: was \"constant\", is \"cosine\"\n");
  before.lr_schedule = now.lr_schedule = ScheduleKind::step;
  EXPECT_EQ(changed(before, now), "");
  now.epochs = 3;
  EXPECT_EQ(changed(before, now), "");
  now.epochs = 2;
  EXPECT_NE(changed(before, now).find("3 are done"), std::string::npos);
}

TEST(ConfigChanges, WhatAnOlderVersionDidNotKnowCountsAsItsDefault) {
  nlohmann::ordered_json before = to_json(Config{});
  before.erase("label-smoothing");
  Config now;
  EXPECT_TRUE(config_changes(before.dump(), now, 1).empty());
  now.label_smoothing = 0.1;
  EXPECT_EQ(config_changes(before.dump(), now, 1).size(), 1U);
  expect_error<InputError>([&] { (void)config_changes("nonsense", now, 1); }, {"configuration"});
}

}  // namespace
}  // namespace dnn
