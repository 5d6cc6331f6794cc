#include "dnn/options/bash_completion.hpp"

#include <gtest/gtest.h>

#include <set>

#include "dnn/options/model_options.hpp"
#include "dnn/options/option_table.hpp"
#include "dnn/options/options.hpp"

namespace dnn {
namespace {

void expect_case(const std::string& script, const std::string& expected) {
  EXPECT_NE(script.find("    " + expected + " ;;\n"), std::string::npos) << expected << "\nin:\n"
                                                                         << script;
}

TEST(BashCompletion, OffersWordsFilesAndFolders) {
  CLI::App app("", "program");
  std::string text;
  bool flag = false;
  app.add_option("--mode", text)->type_name("auto|f16|FILE");
  app.add_option("--kind", text)->check(CLI::IsMember({"npz", "onnx"}));
  app.add_option("--run", text)->type_name("RUN");
  app.add_option("--count", text)->type_name("N[steps]|Ns|off");
  app.add_option("--name", text)->type_name("NAME|N");
  app.add_flag("--fast", flag);
  app.add_option("--secret", text)->group("");
  app.add_option("input", text)->type_name("FOLDER");
  const std::string script = bash_completion(app);
  expect_case(script, R"(" --mode") words="auto f16" paths=files)");
  expect_case(script, R"(" --kind") words="npz onnx")");
  expect_case(script, R"(" --run") paths=folders)");
  expect_case(script, R"(" --count") words="off")");
  expect_case(script, R"(" --name"))");
  expect_case(
      script,
      R"("") if [[ $current == -* ]]; then )"
      R"(words="--help --mode --kind --run --count --name --fast" ; else paths=folders ; fi)");
  EXPECT_EQ(script.find(R"(" --fast"))"), std::string::npos) << script;
  EXPECT_EQ(script.find("--secret"), std::string::npos) << script;
  EXPECT_TRUE(script.ends_with("complete -F _program program\n")) << script;
}

TEST(BashCompletion, KnowsEveryOptionOfTheTable) {
  const char* arguments[] = {"dnn_train", "--bash-completion"};
  const std::string script = parse_options(2, arguments).print.value();
  for (const Option& option : option_table()) {
    EXPECT_NE(script.find(" --" + option.name + " "), std::string::npos) << option.name;
    if (const auto* field = std::get_if<WordField>(&option.field)) {
      std::string words;
      for (const std::string& word : field->words) {
        words += (words.empty() ? "" : " ") + word;
      }
      expect_case(script, "\" --" + option.name + "\") words=\"" + words + "\"");
    }
  }
}

// A new name of a value has to be a file, a folder or neither: it is added here, and to offer_for.
TEST(BashCompletion, NamesOfValuesAreKnown) {
  const std::set<std::string> known = {"PATH",
                                       "FILE",
                                       "DIR",
                                       "NAME|N",
                                       "TEXT",
                                       "KIND:NAME,...;...",
                                       "WORD,...",
                                       "N",
                                       "K",
                                       "RATE",
                                       "FACTOR",
                                       "NORM",
                                       "N,N,...",
                                       "DEVIATIONS",
                                       "MIB",
                                       "DELTA",
                                       "SECONDS",
                                       "FRACTION",
                                       "M",
                                       "NAME",
                                       "",
                                       "FIRST-LAST",
                                       "SECONDS|HH:MM:SS",
                                       "N|auto|off",
                                       "auto|never|PATH",
                                       "N[steps]|Nepochs|Ns|off"};
  for (const Option& option : option_table()) {
    EXPECT_TRUE(known.contains(option.type)) << option.name << ": " << option.type;
  }
}

TEST(BashCompletion, SubcommandsHaveTheirOwnOptions) {
  const char* arguments[] = {"dnn_model", "--bash-completion"};
  const std::string script = parse_model_options(2, arguments).print.value();
  expect_case(script, R"(info|verify|hash|compare|report|export) command=${command:-$word})");
  expect_case(script, R"("export --format") words="header npz onnx safetensors")");
  expect_case(script,
              R"("report") if [[ $current == -* ]]; then words="--help --output --overwrite" ; )"
              R"(else paths=folders ; fi)");
}

TEST(BashCompletion, HelpOfAllCommands) {
  const char* arguments[] = {"dnn_model", "--help-all"};
  const std::string help = parse_model_options(2, arguments).print.value();
  for (const char* part : {"export", "--format", "compare", "verify"}) {
    EXPECT_NE(help.find(part), std::string::npos) << help;
  }
}

}  // namespace
}  // namespace dnn
