#include "dnn/options/model_options.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using Command = ModelOptions::Command;
using Files = std::vector<std::string>;

ModelOptions parse_model(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "dnn_model");
  return parse_model_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(ModelOptions, CommandsAndTheirFiles) {
  const auto expect = [](std::vector<const char*> arguments, Command command, const Files& files) {
    const ModelOptions options = parse_model(std::move(arguments));
    EXPECT_EQ(options.command, command);
    EXPECT_EQ(options.files, files);
    EXPECT_FALSE(options.print);
  };
  expect({"info", "a"}, Command::info, {"a"});
  expect({"verify", "a"}, Command::verify, {"a"});
  expect({"hash", "a"}, Command::hash, {"a"});
  expect({"hash", "a", "b", "c"}, Command::hash, {"a", "b", "c"});
  expect({"compare", "a", "b"}, Command::compare, {"a", "b"});
  expect({"report", "a", "b", "--output", "c"}, Command::report, {"a", "b"});
  expect({"export", "a", "--format", "header", "--output", "b"}, Command::export_model, {"a"});
  EXPECT_EQ(parse_model({"export", "a", "--format", "onnx", "--output", "b"}).format,
            ExportFormat::onnx);
  EXPECT_EQ(parse_model({"report", "a", "--output", "c"}).output, "c");
  EXPECT_FALSE(parse_model({"report", "a", "--output", "c"}).overwrite);
  EXPECT_TRUE(parse_model({"report", "a", "--output", "c", "--overwrite"}).overwrite);
  EXPECT_EQ(parse_model({"export", "a", "--format", "header", "--output", "b"}).format,
            ExportFormat::header);
}

TEST(ModelOptions, HelpIsPrintedAndMistakesAreRefused) {
  EXPECT_TRUE(parse_model({"--help"}).print);
  EXPECT_TRUE(parse_model({"info", "--help"}).print);
  test::expect_error<InputError>([] { (void)parse_model({}); }, {"subcommand", "--help"});
  test::expect_error<InputError>([] { (void)parse_model({"compare", "a"}); }, {"--help"});
  test::expect_error<InputError>(
      [] {
        (void)parse_model({"export", "a", "--format", "zip", "--output", "b"});
      },
      {"--format", "npz"});
  test::expect_error<InputError>(
      [] {
        (void)parse_model({"export", "a", "--format", "npz"});
      },
      {"--output"});
  test::expect_error<InputError>(
      [] {
        (void)parse_model({"info", "a", "b"});
      },
      {" b (see --help)"});
}

}  // namespace
}  // namespace dnn
