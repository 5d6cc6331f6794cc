#include "dnn/run/predict_options.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

PredictOptions parse_predict(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "dnn_predict");
  return parse_predict_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(PredictOptions, OneModelOrAnEnsemble) {
  const auto one = parse_predict({"--model", "m.dnn", "--data", "d.csv"}).config;
  EXPECT_EQ(one.models, std::vector<std::string>{"m.dnn"});
  EXPECT_EQ(one.data, "d.csv");
  EXPECT_EQ(one.average, EnsembleAverage::logits);
  const auto two = parse_predict({"--logit-ensemble", "a.dnn", "b.dnn", "--ensemble-average",
                                  "probabilities", "--quiet"})
                       .config;
  EXPECT_EQ(two.models, (std::vector<std::string>{"a.dnn", "b.dnn"}));
  EXPECT_EQ(two.average, EnsembleAverage::probabilities);
  EXPECT_TRUE(two.quiet);
}

TEST(PredictOptions, HelpIsPrintedAndMistakesNameTheOption) {
  const auto help = parse_predict({"--help"}).print;
  ASSERT_TRUE(help);
  EXPECT_NE(help->find("--keep NAME|N,..."), std::string::npos) << *help;
  EXPECT_FALSE(parse_predict({}).print);
  test::expect_error<InputError>([] { (void)parse_predict({"--modle", "m.dnn"}); }, {"--model"});
  test::expect_error<InputError>(
      [] {
        (void)parse_predict({"--ensemble-average", "logits"});
      },
      {"--logit-ensemble"});
}

}  // namespace
}  // namespace dnn
