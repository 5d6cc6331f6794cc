#include "dnn/options/options.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "support/train_arguments.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::expect_refusal;
using test::parse;

TEST(Options, NoArgumentIsTheBuiltinDataWithGoodDefaults) {
  const Options options = parse({});
  EXPECT_FALSE(options.print);
  EXPECT_EQ(options.config.data, "builtin:digits");
  EXPECT_EQ(options.config.learning_rate(), 0.001);
}

TEST(Options, NothingOfACommandLineStaysForTheNext) {
  const std::string untouched = to_toml(parse({}).config);
  EXPECT_TRUE(parse({"--help"}).print);
  EXPECT_TRUE(
      parse({"--epochs", "3", "--hidden", "5,6", "--print-config", "--reproducible"}).print);
  (void)parse({"--replay", "2", "--from", "checkpoints"});
  expect_refusal({"--optimizer", "sgd", "--lr", "0.5", "--quiet", "--epocs", "2"}, {"--epochs"});
  expect_refusal({"--seed", "7", "--batch-size", "many"}, {"batch-size"});
  const Options options = parse({});
  EXPECT_FALSE(options.print);
  EXPECT_FALSE(options.replay);
  EXPECT_EQ(options.note, "");
  EXPECT_TRUE(options.config.given.empty());
  EXPECT_EQ(to_toml(options.config), untouched);
}

TEST(Options, ReadingManyCommandLinesTakesNoMemory) {
  const auto held = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  (void)parse({});
  const std::size_t before = held();
  for (int i = 0; i < 5000; ++i) {
    (void)parse({"--quiet", "--epochs", "3", "--seed", "1", "--hidden", "5", "--dropout", "0"});
  }
  EXPECT_LT(held(), before + 100'000);
}

TEST(Options, DefaultLearningRateFollowsTheOptimizer) {
  EXPECT_EQ(parse({"--optimizer", "sgd"}).config.learning_rate(), 0.1);
  EXPECT_EQ(parse({"--optimizer", "nesterov"}).config.learning_rate(), 0.02);
  EXPECT_EQ(parse({"--optimizer", "sgd", "--lr", "0.5"}).config.learning_rate(), 0.5);
}

TEST(Options, FileGivesWhatTheCommandLineDoesNot) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("c.toml",
                                 "# comment\nhidden = [32, 16]\nepochs = 7\nlr = 0.25\n"
                                 "optimizer = \"adamw\"\nquiet = true\ndata = \"my data.csv\"\n");
  const Config config = parse({"--config", file.c_str(), "--epochs", "9"}).config;
  EXPECT_EQ(config.hidden, (std::vector<std::size_t>{32, 16}));
  EXPECT_EQ(config.epochs, 9U);
  EXPECT_EQ(config.learning_rate(), 0.25);
  EXPECT_EQ(config.optimizer, OptimizerKind::adamw);
  EXPECT_TRUE(config.quiet);
  EXPECT_EQ(config.data, "my data.csv");
}

TEST(Options, PrintedConfigurationIsTakenBack) {
  const test::TemporaryFolder folder;
  const std::vector<const char*> arguments = {"--data",
                                              "a \"b\".csv",
                                              "--test-data",
                                              "t",
                                              "--label-column",
                                              "k \\ \"l\"",
                                              "--csv-header",
                                              "no",
                                              "--validation",
                                              "0.25",
                                              "--normalize",
                                              "minmax",
                                              "--hidden",
                                              "5,6,7",
                                              "--precision",
                                              "bf16",
                                              "--bf16-fallback",
                                              "--dropout",
                                              "0.5",
                                              "--init",
                                              "xavier",
                                              "--epochs",
                                              "3",
                                              "--batch-size",
                                              "17",
                                              "--optimizer",
                                              "momentum",
                                              "--lr",
                                              "0.3",
                                              "--momentum",
                                              "0.8",
                                              "--lr-schedule",
                                              "step",
                                              "--warmup-epochs",
                                              "0.5",
                                              "--lr-step-epochs",
                                              "2",
                                              "--lr-step-factor",
                                              "0.5",
                                              "--weight-decay",
                                              "1e-05",
                                              "--clip-norm",
                                              "2",
                                              "--average-weights",
                                              "1.5",
                                              "--label-smoothing",
                                              "0.1",
                                              "--class-weights",
                                              "balanced",
                                              "--seed",
                                              "12345678901234567890",
                                              "--early-stop",
                                              "2",
                                              "--split-hidden",
                                              "--model-parallel",
                                              "4",
                                              "--domain",
                                              "node",
                                              "--exchange",
                                              "node",
                                              "--bucket-mib",
                                              "0.5",
                                              "--compress",
                                              "bf16",
                                              "--threads",
                                              "3",
                                              "--output",
                                              "o",
                                              "--overwrite",
                                              "--job",
                                              "night 17",
                                              "--resume",
                                              "never",
                                              "--checkpoint-every",
                                              "7epochs",
                                              "--keep",
                                              "5",
                                              "--time-limit",
                                              "01:30:00",
                                              "--stall-timeout",
                                              "7.5",
                                              "--on-nonfinite",
                                              "rollback",
                                              "--verify-every",
                                              "17",
                                              "--quiet",
                                              "--dry-run",
                                              "--importance",
                                              "off",
                                              "--explain-data",
                                              "e.csv",
                                              "--folds",
                                              "4",
                                              "--label-thresholds",
                                              "half",
                                              "--data-access",
                                              "local",
                                              "--placement",
                                              "disk",
                                              "--scratch",
                                              "/scratch",
                                              "--columns",
                                              "category:a",
                                              "--missing",
                                              "-9",
                                              "--max-categories",
                                              "7",
                                              "--drop-unlabelled",
                                              "--defaults",
                                              "auto",
                                              "--clip-features",
                                              "4",
                                              "--task",
                                              "classes",
                                              "--weight-column",
                                              "w",
                                              "--log-every",
                                              "2.5",
                                              "--step-log",
                                              "50",
                                              "--tensorboard",
                                              "histograms",
                                              "--trace",
                                              "3-5",
                                              "--openmetrics",
                                              "m.prom"};
  const Config config = parse(arguments).config;
  auto printing = arguments;
  printing.push_back("--print-config");
  const auto text = parse(printing).print;
  ASSERT_TRUE(text);
  const auto file = folder.write("c.toml", *text);
  const Config again = parse({"--config", file.c_str()}).config;
  EXPECT_EQ(to_json(again).dump(2), to_json(config).dump(2));
  EXPECT_NE(to_json(config).dump(), to_json(Config{}).dump());
  const nlohmann::ordered_json defaults_json = to_json(Config{});
  const nlohmann::ordered_json given_json = to_json(config);
  for (const auto& [key, value] : defaults_json.items()) {
    EXPECT_NE(text->find(key + " = "), std::string::npos) << key;
    // These go with some of the others only: --logical-shards, see the next test, --huber and
    // --label-separator.
    EXPECT_NE(value == given_json[key],
              key != "logical-shards" && key != "huber" && key != "label-separator")
        << key << " was not varied";
  }
  // A replay takes the same settings back from a checkpoint, but for how the run was run.
  const std::vector<const char*> replaying = {"dnn_train", "--seed", "4"};
  const auto replayed = to_json(parse_options(3, replaying.data(), given_json.dump()).config);
  for (const auto& [key, value] : replayed.items()) {
    const bool of_running = std::set<std::string>{"output",
                                                  "overwrite",
                                                  "job",
                                                  "resume",
                                                  "checkpoint-every",
                                                  "keep",
                                                  "time-limit",
                                                  "quiet",
                                                  "dry-run",
                                                  "on-nonfinite",
                                                  "explain-data",
                                                  "log-every",
                                                  "step-log",
                                                  "tensorboard",
                                                  "trace",
                                                  "openmetrics",
                                                  "importance",
                                                  "label-thresholds"}
                                .contains(key);
    const auto& expected = of_running ? defaults_json[key] : given_json[key];
    EXPECT_EQ(value, key == "seed" ? nlohmann::ordered_json(4) : expected) << key;
  }
  const auto defaults = folder.write("d.toml", *parse({"--print-config"}).print);
  EXPECT_FALSE(parse({"--config", defaults.c_str()}).config.batch_size);
  EXPECT_EQ(to_json(parse({"--config", defaults.c_str()}).config), to_json(parse({}).config));
  EXPECT_EQ(to_json(parse({"--defaults", "plain"}).config), to_json(Config{}));
}

TEST(Options, HyperparametersAreWhatMakesOneModelBetterThanAnother) {
  const Config config = parse({"--hidden", "8,4", "--optimizer", "sgd", "--dropout", "0.25",
                               "--drop-unlabelled", "--threads", "2", "--output", "runs/a"})
                            .config;
  std::map<std::string, std::variant<bool, double, std::string>> found;
  for (const HyperParameter& one : hyperparameters(config)) {
    EXPECT_TRUE(found.emplace(one.name, one.value).second) << one.name;
  }
  EXPECT_EQ(std::get<std::string>(found.at("hidden")), "8,4");
  EXPECT_EQ(std::get<std::string>(found.at("optimizer")), "sgd");
  EXPECT_EQ(std::get<double>(found.at("dropout")), 0.25);
  EXPECT_EQ(std::get<double>(found.at("lr")), config.learning_rate());
  EXPECT_TRUE(std::get<bool>(found.at("drop-unlabelled")));
  for (const char* other : {"threads", "output", "tensorboard"}) {
    EXPECT_FALSE(found.contains(other)) << other;
  }
}

TEST(Options, WhatTheDataDecideIsACommentInAConfigurationAndAutoInHelp) {
  const auto text = parse({"--dropout", "0.4", "--print-config"}).print;
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("\n# epochs = "), std::string::npos) << *text;
  EXPECT_NE(text->find("\ndropout = 0.4"), std::string::npos) << *text;
  EXPECT_NE(text->find("\nseed = "), std::string::npos) << *text;
  EXPECT_NE(parse({"--help"}).print->find("--epochs N=auto"), std::string::npos);
  const auto plain = parse({"--defaults", "plain", "--print-config"}).print;
  EXPECT_NE(plain->find("\nepochs = 20"), std::string::npos) << *plain;
}

TEST(Options, AReplayLeavesToTheDataWhatTheRunDid) {
  const std::vector<const char*> none = {"dnn_train"};
  const auto replayed = [&none](const char* settings) {
    return parse_options(1, none.data(), settings).config;
  };
  const Config left = replayed(
      R"({"epochs":77,"dropout":0.3,"defaults":"auto","chosen":{"epochs":"for a reason"}})");
  EXPECT_FALSE(left.given.contains("epochs"));
  EXPECT_TRUE(left.given.contains("dropout"));
  EXPECT_EQ(left.defaults, Defaults::automatic);
  // A version that did not average, and did not choose the schedule.
  const Config before =
      replayed(R"({"defaults":"auto","lr-schedule":"cosine","lr":0.002,"chosen":{"lr":"tables"}})");
  EXPECT_TRUE(before.given.contains("average-weights"));
  EXPECT_EQ(before.average_weights, 0);
  EXPECT_TRUE(before.given.contains("lr-schedule"));
  EXPECT_FALSE(before.given.contains("lr"));
  const Config old = replayed(R"({"epochs":77})");
  EXPECT_EQ(old.epochs, 77U);
  EXPECT_EQ(old.defaults, Defaults::plain);
}

TEST(Options, AReplayKeepsABatchSizeThatWasGivenThoughItIsTheUsualOne) {
  const std::vector<const char*> none = {"dnn_train"};
  const auto batch_size = [&none](const char* settings) {
    return parse_options(1, none.data(), settings).config.batch_size;
  };
  EXPECT_EQ(batch_size(R"({"defaults":"auto","batch-size":128})"), 128U);
  EXPECT_EQ(batch_size(R"({"batch-size":128,"defaults":"auto","chosen":{"lr":"tables"}})"), 128U);
  // Else the data choose it again, or have as many samples as the run had.
  for (const char* settings :
       {R"({"defaults":"auto","batch-size":128,"chosen":{"batch-size":"few"}})",
        R"({"defaults":"auto","batch-size":128,"chosen":{"defaults":"many"}})",
        R"({"defaults":"plain","batch-size":128})", R"({"batch-size":128})"}) {
    EXPECT_FALSE(batch_size(settings)) << settings;
  }
  EXPECT_EQ(batch_size(R"({"defaults":"plain","batch-size":64})"), 64U);
}

TEST(Options, LogicalShardsArePrintedAndNeedAFixedOrder) {
  const test::TemporaryFolder folder;
  const auto file =
      folder.write("c.toml", *parse({"--logical-shards", "5", "--print-config"}).print);
  EXPECT_EQ(parse({"--config", file.c_str()}).config.logical_shards, 5U);
  for (const char* other : {"--precision", "--compress"}) {
    EXPECT_THROW(parse({"--logical-shards", "5", other, "bf16"}), InputError) << other;
  }
}

// An option of earlier versions, whose promise now always holds.
TEST(Options, ReproducibleIsAcceptedWithANote) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("c.toml", "reproducible = true\n");
  EXPECT_NE(parse({"--reproducible"}).note.find("no longer an option"), std::string::npos);
  EXPECT_NE(parse({"--config", file.c_str()}).note.find("no longer an option"), std::string::npos);
  EXPECT_EQ(parse({}).note, "");
  EXPECT_EQ(to_json(parse({"--reproducible"}).config), to_json(parse({}).config));
  const std::vector<const char*> none = {"dnn_train"};
  EXPECT_NO_THROW((void)parse_options(1, none.data(), R"({"reproducible":true,"epochs":3})"));
}

TEST(Options, HelpNamesEveryOption) {
  const auto help = parse({"--help"}).print;
  ASSERT_TRUE(help);
  const nlohmann::ordered_json all = to_json(Config{});
  for (const auto& [key, value] : all.items()) {
    EXPECT_NE(help->find("--" + key), std::string::npos) << key;
  }
}

TEST(Options, AReplayNeedsAnUpdateAndACheckpoint) {
  const auto replay = parse({"--replay", "17", "--from", "runs/a", "--output", "o"}).replay;
  ASSERT_TRUE(replay);
  EXPECT_EQ(replay->update, 17U);
  EXPECT_EQ(replay->from, "runs/a");
  EXPECT_EQ(replay->output, "o");
  EXPECT_FALSE(parse({}).replay);
  expect_refusal({"--replay", "17"}, {"--from"});
  expect_refusal({"--from", "c"}, {"--replay"});
  expect_refusal({"--replay", "0", "--from", "c"}, {"counted from 1"});
  expect_refusal({"--replay", "-1", "--from", "c"}, {"--replay"});
  expect_refusal({"--replay", "1", "--from", "c", "--job", "j"}, {"--job"});
  const std::vector<const char*> none = {"dnn_train"};
  const auto with = [&none](const char* settings) {
    (void)parse_options(1, none.data(), settings);
  };
  expect_error<InputError>([&] { with("{\"newest\": 1}"); }, {"newest"});
  expect_error<InputError>([&] { with("{\"seed\": \"x\"}"); }, {"seed"});
}

}  // namespace
}  // namespace dnn
