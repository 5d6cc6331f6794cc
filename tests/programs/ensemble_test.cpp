// dnn_predict --logit-ensemble as a user runs it.

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <span>
#include <vector>

#include "dnn/model/model_file.hpp"
#include "support/csv_rows.hpp"
#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

struct Ensemble : public testing::Test {
  TemporaryFolder folder;

  /// Trains a model; returns its file.
  std::string model_of(const std::string& name, const std::string& arguments) {
    const std::string out = folder / name;
    const CommandResult result = run_command(train + " --quiet --output " + out + " " + arguments);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return out;
  }
  CommandResult predict_with(int ranks, const std::string& arguments) {
    return run_command(mpirun(ranks) + predicting(arguments));
  }
  [[nodiscard]] std::string predicting(const std::string& arguments) const {
    return predict + " --output " + (folder / "p.csv") + " --overwrite " + arguments;
  }
  [[nodiscard]] std::string predictions() const { return read_file(folder / "p.csv"); }

  /// What predict reports, in percent.
  static double accuracy(const CommandResult& result) {
    const std::string before = "accuracy ";
    const std::size_t found = result.output.find(before);
    EXPECT_NE(found, std::string::npos) << result.output;
    return found == std::string::npos ? 0 : std::stod(result.output.substr(found + before.size()));
  }
};

TEST_F(Ensemble, OfOneModelIsTheModelAndOfSeveralNoWorseThanTheirMean) {
  std::string models;
  double mean = 0;
  for (const int seed : {1, 2, 3}) {
    // Different hidden layers, normalization and precision go together.
    const std::string path =
        model_of(std::to_string(seed),
                 "--epochs 8 --lr 0.003 --validation 0.3 --hidden " + std::to_string(16 * seed) +
                     " --seed " + std::to_string(seed) + (seed == 2 ? " --precision double" : "") +
                     (seed == 3 ? " --normalize minmax" : ""));
    models += " " + path;
    const CommandResult alone = predict_with(2, "--model " + path);
    EXPECT_EQ(alone.exit_code, 0) << alone.output;
    mean += accuracy(alone) / 3;
    const std::string expected = predictions();
    for (const std::string kind : {"logits", "probabilities"}) {
      EXPECT_EQ(
          predict_with(3, "--logit-ensemble " + path + " --ensemble-average " + kind).exit_code, 0);
      EXPECT_EQ(predictions(), expected);
    }
  }
  for (const std::string kind : {"logits", "probabilities"}) {
    std::string expected;
    for (const int ranks : {1, 2, 4, 8}) {
      const CommandResult result =
          predict_with(ranks, "--ensemble-average " + kind + " --logit-ensemble" + models);
      EXPECT_EQ(result.exit_code, 0) << result.output;
      EXPECT_NE(result.output.find("ensemble of 3 models, " + kind), std::string::npos);
      EXPECT_GE(accuracy(result), mean);
      expected = expected.empty() ? predictions() : expected;
      EXPECT_EQ(predictions(), expected) << ranks << " ranks";
    }
  }
}

TEST_F(Ensemble, RefusesModelsThatDoNotGoTogether) {
  const auto csv = [this](const std::string& name, const std::string& text) {
    return "--epochs 1 --hidden 4 --validation 0 --data " + folder.write(name, text);
  };
  const std::string plane = model_of("plane", csv("a.csv", "1,2,red\n3,4,blue\n"));
  const std::string other = model_of("other", csv("b.csv", "1,2,red\n3,4,grey\n"));
  const std::string line = model_of("line", csv("c.csv", "1,red\n3,blue\n"));
  const auto refuses = [&](const std::string& arguments, const std::vector<std::string>& parts) {
    const CommandResult result = run_command(mpirun_to_refuse(3) + predicting(arguments));
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_EQ(count(result.output, "error:"), 1) << result.output;
    for (const std::string& part : parts) {
      EXPECT_NE(result.output.find(part), std::string::npos) << part << " in " << result.output;
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "p.csv"));
  };
  refuses("--logit-ensemble " + plane + " " + other, {"class", plane, other, "'grey'"});
  refuses("--logit-ensemble " + plane + " " + line, {"features", plane, line});
  refuses("--logit-ensemble " + plane + " " + plane,
          {"65 columns", "the training data have 3", "No --data was given"});
  refuses("--logit-ensemble " + plane + " " + (folder / "none"), {"none: No such file"});
  refuses("--logit-ensemble " + plane + " " + (folder / "a.csv"), {"not a dnn_train model"});
  refuses("--model " + plane + " --ensemble-average logits", {"requires --logit-ensemble"});
  refuses("--model " + plane + " --logit-ensemble " + plane, {"excludes"});
  refuses("", {"no model", "--logit-ensemble"});
}

/// A model of two features that says the same of every sample: its logits are `B`, or, of numbers,
/// 10 + 2 `B`.
std::string constant_model(const TemporaryFolder& folder, const std::string& name,
                           const std::vector<std::string>& classes, const std::vector<double>& B,
                           Task task = Task::classes) {
  std::vector<double> parameters(2 * B.size(), 0);  // W
  parameters.insert(parameters.end(), B.begin(), B.end());
  ModelDescription description;
  description.widths = {2, B.size()};
  description.precision = Precision::f64;
  description.class_names = classes;
  description.task = task;
  if (task == Task::numbers) {
    description.target_scale.center.assign(B.size(), 10);
    description.target_scale.scale.assign(B.size(), 0.5);
  }
  save_model(folder / name, description, std::as_bytes(std::span(parameters)));
  return folder / name;
}

TEST_F(Ensemble, TakesExtremesAndMasksAndMapsClassesByName) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const std::string data = " --data " + folder.write("d.csv", "1,2\n3,4\n5,6\n");
  const std::string up = constant_model(folder, "up", {"a", "b", "c"}, {1e300, -1e300, -inf});
  const std::string down = constant_model(folder, "down", {"c", "b", "a"}, {-inf, 1e300, -1e300});
  for (const int ranks : {1, 2, 3}) {
    for (const std::string kind : {"logits", "probabilities"}) {
      const CommandResult result = predict_with(
          ranks, "--logit-ensemble " + up + " " + down + " --ensemble-average " + kind + data);
      EXPECT_EQ(result.exit_code, 0) << result.output;
      EXPECT_EQ(predictions(),
                "sample,class,p(a),p(b),p(c)\n1,a,0.5,0.5,0\n2,a,0.5,0.5,0\n3,a,0.5,0.5,0\n");
    }
  }
}

/// The numbers of the first line of predictions.
std::vector<double> first_numbers(const std::string& predictions) {
  const std::vector<std::string> row = csv_rows(predictions).at(1);
  std::vector<double> numbers;
  for (std::size_t j = row.size() - 2; j < row.size(); ++j) {
    numbers.push_back(std::stod(row[j]));
  }
  return numbers;
}

TEST_F(Ensemble, OfProbabilitiesIsTheMeanOfItsModelsPredictionsWhateverTheTask) {
  const std::string data = " --data " + folder.write("d.csv", "1,2\n3,4\n5,6\n");
  for (const Task task : {Task::classes, Task::distribution, Task::labels, Task::numbers}) {
    std::string models;
    std::vector<double> mean(2, 0);
    for (const double b : {0.5, -4.0, 3.0}) {
      const std::string path = constant_model(
          folder, std::string(word_for(task)) + std::to_string(b), {"a", "b"}, {b, -0.3 * b}, task);
      models += " " + path;
      ASSERT_EQ(predict_with(1, "--model " + path + data).exit_code, 0);
      const std::vector<double> alone = first_numbers(predictions());
      mean = {mean[0] + alone[0] / 3, mean[1] + alone[1] / 3};
    }
    for (const int ranks : {1, 3}) {
      const CommandResult result =
          predict_with(ranks, "--ensemble-average probabilities --logit-ensemble" + models + data);
      ASSERT_EQ(result.exit_code, 0) << result.output;
      const std::string averaged = task == Task::numbers ? "numbers" : "probabilities";
      EXPECT_NE(result.output.find(averaged + " averaged"), std::string::npos) << result.output;
      const std::vector<double> together = first_numbers(predictions());
      EXPECT_NEAR(together[0], mean[0], 1e-6) << word_for(task);
      EXPECT_NEAR(together[1], mean[1], 1e-6) << word_for(task);
    }
  }
}

TEST_F(Ensemble, NumbersThatAreNoneAreToldOnceWithSampleAndModel) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string data = " --data " + folder.write("d.csv", "1,2\n3,4\n5,6\n");
  const std::string good = constant_model(folder, "good", {"a", "b"}, {1, 2});
  const std::string bad = constant_model(folder, "bad", {"a", "b"}, {1, nan});
  for (const std::string kind : {"logits", "probabilities"}) {
    const CommandResult result = predict_with(
        3, "--logit-ensemble " + good + " " + bad + " --ensemble-average " + kind + data);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_EQ(count(result.output, "error"), 1) << result.output;
    for (const std::string& part : {std::string("d.csv: sample 1: "), std::string("NaN"), bad}) {
      EXPECT_NE(result.output.find(part), std::string::npos) << part << " in " << result.output;
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "p.csv"));
  }
}

}  // namespace
}  // namespace dnn::test
