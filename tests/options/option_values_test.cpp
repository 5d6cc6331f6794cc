#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dnn/options/command_line.hpp"
#include "dnn/options/options.hpp"
#include "support/temporary_folder.hpp"
#include "support/train_arguments.hpp"

namespace dnn {
namespace {

using test::expect_refusal;
using test::parse;

TEST(OptionValues, AFileGivesNoOptionOfTheCommandLineAlone) {
  const test::TemporaryFolder folder;
  for (const std::string key : {"print-config", "replay", "help"}) {
    const auto file = folder.write("c.toml", key + " = 1\n");
    expect_refusal({"--config", file.c_str()},
                   {"c.toml", key.c_str(), "for the command line alone"});
  }
}

TEST(OptionValues, WholeNumbersAreDecimal) {
  const Config config = parse({"--seed", "010", "--epochs", "08", "--hidden", "064, +7"}).config;
  EXPECT_EQ(config.seed, 10U);
  EXPECT_EQ(config.epochs, 8U);
  EXPECT_EQ(config.hidden, (std::vector<std::size_t>{64, 7}));
  EXPECT_EQ(parse({"--seed", "18446744073709551615"}).config.seed, 18446744073709551615U);
  expect_refusal({"--seed", "18446744073709551616"}, {"--seed", "more than the largest number"});
  expect_refusal({"--hidden", "8,99999999999999999999"},
                 {"--hidden", "more than the largest number"});
  for (const char* text : {"0x10", "3.0", "many", "1 2", "+"}) {
    expect_refusal({"--epochs", text}, {"--epochs", text, "no whole number"});
  }
}

TEST(OptionValues, RealNumbersHaveADecimalPoint) {
  EXPECT_EQ(parse({"--lr", "+0.25"}).config.learning_rate(), 0.25);
  EXPECT_EQ(parse({"--lr", ".5e0"}).config.learning_rate(), 0.5);
  expect_refusal({"--lr", "0,25"}, {"--lr", "'0,25' is no number"});
  expect_refusal({"--lr", "1e400"}, {"--lr inf", "finite"});
}

TEST(OptionValues, AnOptionWhoseNameAloneStandsForAWord) {
  EXPECT_EQ(parse({}).config.tensorboard, TensorBoard::off);
  EXPECT_EQ(parse({"--tensorboard"}).config.tensorboard, TensorBoard::scalars);
  EXPECT_EQ(parse({"--tensorboard", "--seed", "3"}).config.tensorboard, TensorBoard::scalars);
  EXPECT_EQ(parse({"--tensorboard", "--seed", "3"}).config.seed, 3U);
  EXPECT_EQ(parse({"--tensorboard=histograms"}).config.tensorboard, TensorBoard::histograms);
  EXPECT_EQ(parse({"--tensorboard", "off"}).config.tensorboard, TensorBoard::off);
  expect_refusal({"--tensorboard", "yes"}, {"--tensorboard", "yes"});
  expect_refusal({"--step-log", "often"}, {"--step-log often", "auto, off"});
  expect_refusal({"--trace", "9-3"}, {"--trace 9-3", "100-120"});
  expect_refusal({"--log-every", "-1"}, {"--log-every"});
}

TEST(OptionValues, UnknownOnesNameTheNearest) {
  expect_refusal({"--epoch", "3"}, {"--epoch", "did you mean --epochs?"});
  expect_refusal({"--batchsize=3"}, {"--batchsize", "did you mean --batch-size?"});
  expect_refusal({"--zzzzzzzzzzzzzzz"}, {"--zzzzzzzzzzzzzzz", "--help"});
  expect_refusal({"data.csv"}, {"'data.csv'", "--option value"});
  const test::TemporaryFolder folder;
  const auto file = folder.write("c.toml", "epochs = 3\nlearning-rat = 0.1\nhiden = [3]\n");
  expect_refusal({"--config", file.c_str()}, {"c.toml", "'learning-rat'"});
  const auto other = folder.write("d.toml", "hiden = [3]\n");
  expect_refusal({"--config", other.c_str()}, {"d.toml", "'hiden'", "did you mean hidden?"});
  const auto section = folder.write("e.toml", "[train]\nepochs = 3\n");
  expect_refusal({"--config", section.c_str()}, {"e.toml", "line 1", "'train'", "sections"});
  expect_refusal({"--config", "/nowhere.toml"}, {"/nowhere.toml"});
  const auto large = folder.write("f.toml", "EPOCH = 3\n");
  expect_refusal({"--config", large.c_str()}, {"'EPOCH'", "did you mean epochs?"});
  const auto binary = folder.write("g.toml", "\x01\x02\x7f= 3\n");
  expect_refusal({"--config", binary.c_str()}, {"g.toml", "line 1", "no TOML"});
  const auto marked = folder.write("h.toml", "\xef\xbb\xbfquiet = true\n");
  EXPECT_TRUE(parse({"--config", marked.c_str()}).config.quiet);
}

TEST(OptionValues, UnusableValuesNameTheOption) {
  expect_refusal({"--hidden", "64,0"}, {"--hidden 64,0", "1 to"});
  expect_refusal({"--hidden", "999999999999"}, {"--hidden 999999999999"});
  expect_refusal({"--hidden", "-5"}, {"--hidden"});
  expect_refusal({"--batch-size", "0"}, {"--batch-size 0"});
  expect_refusal({"--batch-size", "-1"}, {"--batch-size"});
  expect_refusal({"--lr", "-0.1"}, {"--lr -0.1"});
  expect_refusal({"--lr", "nan"}, {"--lr nan"});
  expect_refusal({"--lr", "abc"}, {"--lr", "abc"});
  expect_refusal({"--seed", ""}, {"--seed", "missing"});
  expect_refusal({"--epochs", "--quiet"}, {"--epochs", "'--quiet' is no whole number"});
  const test::TemporaryFolder folder;
  const auto file = folder.write("c.toml", "validation = \n");
  expect_refusal({"--config", file.c_str()}, {"c.toml", "line 1", "expected value"});
  expect_refusal({"--epochs", "0"}, {"--epochs 0"});
  expect_refusal({"--validation", "1"}, {"--validation 1"});
  expect_refusal({"--dropout", "1"}, {"--dropout 1"});
  expect_refusal({"--label-smoothing", "-0.5"}, {"--label-smoothing -0.5"});
  expect_refusal({"--weight-decay", "inf"}, {"--weight-decay inf"});
  expect_refusal({"--clip-norm", "-1"}, {"--clip-norm -1"});
  expect_refusal({"--warmup-epochs", "20"}, {"--warmup-epochs 20", "less than the epochs"});
  expect_refusal({"--optimizer", "adma"}, {"--optimizer", "'adma'", "adam|adamw"});
  expect_refusal({"--exchange", "gossip"}, {"--exchange", "'gossip'"});
  expect_refusal({"--early-stop", "3", "--validation", "0"}, {"--early-stop 3", "validation"});
  expect_refusal({"--checkpoint-every", "5minutes"},
                 {"--checkpoint-every 5minutes", "updates", "off"});
  expect_refusal({"--checkpoint-every", "-5"}, {"--checkpoint-every -5"});
  expect_refusal({"--keep", "0"}, {"--keep 0", "at least 1"});
  expect_refusal({"--stall-timeout", "0.5"}, {"--stall-timeout 0.5", "at least 1"});
  expect_refusal({"--on-nonfinite", "ignore"}, {"--on-nonfinite", "abort|rollback|skip"});
  expect_refusal({"--on-nonfinite", "rollback", "--checkpoint-every", "off"},
                 {"--on-nonfinite rollback"});
  expect_refusal({"--time-limit", "1:2:3:4"}, {"--time-limit 1:2:3:4", "HH:MM:SS"});
  expect_refusal({"--time-limit", "0.9"}, {"--time-limit 0.9", "whole seconds"});
}

TEST(CommandLine, NearestName) {
  const std::vector<std::string> known = {"lr", "hidden", "dropout"};
  EXPECT_EQ(nearest_name("droput", known), "dropout");
  EXPECT_EQ(nearest_name("l", known), "lr");
  EXPECT_EQ(nearest_name("something-else", known), "");
  EXPECT_EQ(nearest_name("help", known), "");
}

}  // namespace
}  // namespace dnn
