// The programs as a user runs them.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "dnn/model/container.hpp"
#include "dnn/products/bf16.hpp"
#include "support/archive_files.hpp"
#include "support/array_files.hpp"
#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_lines.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;

/// Two classes in the plane, 60 samples, told apart by the sign of the first feature.
std::string plane_csv(const std::string& header) {
  std::string text = header;
  for (int i = 0; i < 60; ++i) {
    const double x = (i % 2 == 0 ? 1 : -1) * (1 + i * 0.05);
    text +=
        std::to_string(x) + "," + std::to_string(i % 7) + "," + (x > 0 ? "plus" : "minus") + "\n";
  }
  return text;
}

TEST(Train, WithoutArgumentsLearnsTheBuiltinDigits) {
  const TemporaryFolder folder;
  const CommandResult result = run_command("cd " + folder.path() + " && " + train);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("1,797 handwritten digits"), std::string::npos);
  EXPECT_NE(result.output.find("UCI"), std::string::npos);
  EXPECT_NE(result.output.find("--data"), std::string::npos);
  EXPECT_TRUE(fs::exists(folder / "runs/001/model.dnn"));
  EXPECT_EQ(count(result.output, "\r"), 0);  // plain lines where there is no terminal
}

TEST(Train, ReachesNinetySixPercentOnAHeldOutFifthOfTheDigits) {
  const TemporaryFolder folder;
  for (const int ranks : {1, 8}) {
    const std::string out = folder / std::to_string(ranks);
    const CommandResult result =
        run_command(mpirun(ranks) + train + " --validation 0.2 --output " + out);
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const auto summary = summary_of(out);
    EXPECT_EQ(summary["ranks"], ranks);
    EXPECT_EQ(summary["evaluation_of_best"]["samples"], 359);
    EXPECT_GE(summary["evaluation_of_best"]["accuracy"].get<double>(), 0.96);
  }
}

TEST(Train, RunFolderHoldsWhatTheReadmeSays) {
  const TemporaryFolder folder;
  const auto data = folder.write("plane.csv", plane_csv("x,y,label\n"));
  const std::string out = folder / "run";
  const CommandResult result =
      run_command(mpirun(3) + train + " --data " + data + " --epochs 6 --hidden 8 --output " + out);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(lines_of(read_file(out + "/metrics.jsonl")).size(), 6U);
  for (const std::string& line : lines_of(read_file(out + "/metrics.jsonl"))) {
    const auto metrics = nlohmann::json::parse(line);
    for (const char* key : {"epoch", "lr", "train_loss", "train_accuracy", "validation_loss",
                            "validation_accuracy", "sha256", "samples_per_second"}) {
      EXPECT_TRUE(metrics.contains(key)) << key;
    }
  }
  const auto summary = summary_of(out);
  EXPECT_EQ(summary["ranks"], 3);
  EXPECT_EQ(summary["configuration"]["hidden"], std::vector<int>{8});
  EXPECT_EQ(summary["exchange"]["used"], "node");
  EXPECT_NE(summary["exchange"]["reason"].get<std::string>().find("3 ranks share"),
            std::string::npos);
  EXPECT_EQ(summary["seconds_by_rank"].size(), 3U);
  for (const char* phase : {"load", "compute", "exchange", "update", "evaluation"}) {
    EXPECT_GE(summary["seconds_by_rank"][2][phase].get<double>(), 0) << phase;
  }
  EXPECT_EQ(summary["sha256_last"].get<std::string>().size(), 64U);
  // Every evaluated sample is in the confusion matrix once, the right ones on its diagonal.
  const auto confusion = lines_of(read_file(out + "/confusion.csv"));
  ASSERT_EQ(confusion.size(), 3U);
  EXPECT_EQ(confusion[0], "true\\predicted,minus,plus");
  int minus[2] = {};
  int plus[2] = {};
  EXPECT_EQ(std::sscanf(confusion[1].c_str(), "minus,%d,%d", &minus[0], &minus[1]), 2);
  EXPECT_EQ(std::sscanf(confusion[2].c_str(), "plus,%d,%d", &plus[0], &plus[1]), 2);
  const auto& best = summary["evaluation_of_best"];
  EXPECT_EQ(minus[0] + minus[1] + plus[0] + plus[1], best["samples"]);
  EXPECT_DOUBLE_EQ((minus[0] + plus[1]) / best["samples"].get<double>(), best["accuracy"]);
  // A second run into the same folder is refused, and leaves the first one as it is.
  const std::string before = read_file(out + "/model.dnn");
  const CommandResult again =
      run_command(mpirun(2) + train + " --data " + data + " --output " + out);
  EXPECT_NE(again.exit_code, 0);
  EXPECT_NE(again.output.find("--overwrite"), std::string::npos);
  EXPECT_EQ(read_file(out + "/model.dnn"), before);
  EXPECT_EQ(
      run_command(train + " --overwrite --quiet --epochs 2 --data " + data + " --output " + out)
          .output,
      "");
}

/// The samples and labels of plane_csv with `offset` added to the first feature, as NumPy saves
/// them: column by column, as numbers of type T.
template <class T>
std::pair<std::string, std::string> plane_arrays(const std::string& type, double offset) {
  std::vector<T> features(120);
  std::vector<char> labels;
  for (int i = 0; i < 60; ++i) {
    const int x = (i % 2 == 0 ? 1 : -1) * (20 + i);
    features[i] = static_cast<T>(offset + x);
    features[60 + i] = static_cast<T>(i % 7);
    const std::string label = x > 0 ? "plus\0" : "minus";
    labels.insert(labels.end(), label.begin(), label.end());
    labels.resize(5 * (i + 1));
  }
  return {npy(type, "(60, 2)", features, true), npy("|S5", "(60,)", labels)};
}

double accuracy_of(const std::string& run) {
  const auto summary = nlohmann::json::parse(read_file(run + "/summary.json"));
  return summary["evaluation_of_best"]["accuracy"].get<double>();
}

// Times of today in seconds: float has no two of a minute that differ.
TEST(Train, LargeNumbersThatDifferInTheirLastDigits) {
  const TemporaryFolder folder;
  const auto check = [&](const std::string& type, const auto& arrays) {
    const auto& [x, y] = arrays;
    const std::string pair = folder.write("x.npy", x) + "," + folder.write("y.npy", y);
    const std::string out = folder / type.substr(1);
    const CommandResult result = run_command(mpirun(2) + train + " --data " + pair +
                                             " --validation 0.2 --epochs 60 --output " + out);
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(accuracy_of(out), 1) << type;
    const CommandResult predicted = run_command(predict + " --model " + out + "/model.dnn --data " +
                                                pair + " --output " + out + "/p.csv");
    EXPECT_NE(predicted.output.find("accuracy 100.00 %"), std::string::npos) << predicted.output;
  };
  check("<f8", plane_arrays<double>("<f8", 1.7e9));
  check("<i8", plane_arrays<std::int64_t>("<i8", 1.7e9));
}

TEST(Train, ArraysOfAnArchiveWithATestPart) {
  const TemporaryFolder folder;
  const auto [x, y] = plane_arrays<float>("<f4", 0);
  const auto data = folder.write(
      "d.npz", zip({{"x_train.npy", x}, {"y_train.npy", y}, {"x_test.npy", x}, {"y_test.npy", y}}));
  const std::string options = " --epochs 20 --hidden 8 --output ";
  const CommandResult result =
      run_command(mpirun(3) + train + " --data " + data + options + (folder / "run"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("test accuracy"), std::string::npos) << result.output;
  // The same through a pipe.
  const CommandResult piped = run_command("cat " + data + " | " + mpirun(3) + train + " --data -" +
                                          options + (folder / "piped"));
  ASSERT_EQ(piped.exit_code, 0) << piped.output;
  const auto hash = [](const std::string& run) {
    return nlohmann::json::parse(read_file(run + "/summary.json"))["sha256_last"];
  };
  EXPECT_EQ(hash(folder / "piped"), hash(folder / "run"));
  const CommandResult predicted =
      run_command("cat " + data + " | " + mpirun(2) + predict + " --model " +
                  (folder / "run/model.dnn") + " --data - --output " + (folder / "p.csv"));
  EXPECT_EQ(predicted.exit_code, 0) << predicted.output;
  EXPECT_NE(predicted.output.find("60 samples"), std::string::npos) << predicted.output;
  // A table in a compressed archive.
  const auto table = folder.write("t.tar.xz", compressed("xz", tar({{"d.csv", plane_csv("")}})));
  EXPECT_EQ(run_command(train + " --data " + table + options + (folder / "table")).exit_code, 0);
}

// `script` gives a shell a terminal (`true` keeps the shell there, the program's parent).
TEST(Train, ShowsABarWithRateAndTimeLeftOnATerminal) {
  const TemporaryFolder folder;
  const CommandResult result = run_command(
      "script -qec " + quoted(train + " --epochs 2 --output " + (folder / "run") + " && true") +
      " /dev/null");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* part : {"\r\033[Kepoch 1/2 [", "samples/s, ", " left", "epoch   2/2"}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << " in " << result.output;
  }
}

TEST(Train, DryRunChecksAndWritesNothing) {
  const TemporaryFolder folder;
  const CommandResult result =
      run_command("cd " + folder.path() + " && " + mpirun(3) + train + " --dry-run");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* part : {"3 ranks", "50,058 parameters", "rank 2:", "samples a batch", "MiB",
                           "exchange node: up to 3 ranks share memory"}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << " in " << result.output;
  }
  EXPECT_FALSE(fs::exists(folder / "runs"));
}

TEST(Train, WarnsOfMoreThreadsThanCores) {
  const std::string warning = "ranks and threads are more than the cores";
  EXPECT_EQ(count(run_command(train + " --dry-run --threads 1000").output, warning), 1);
  EXPECT_EQ(count(run_command(train + " --dry-run --threads 1").output, warning), 0);
}

TEST(Train, Bf16IsUsedOrRefusedOrReplacedWhenToldTo) {
  const CommandResult plain = run_command(train + " --dry-run --precision bf16");
  const CommandResult allowed = run_command(train + " --dry-run --precision bf16 --bf16-fallback");
  EXPECT_EQ(allowed.exit_code, 0) << allowed.output;
  if (has_bf16_unit()) {
    EXPECT_EQ(plain.exit_code, 0) << plain.output;
    EXPECT_EQ(count(plain.output + allowed.output, "parameters, bf16\n"), 2);
  } else {
    EXPECT_EQ(plain.exit_code, 2);
    EXPECT_NE(plain.output.find("have no bf16 unit"), std::string::npos) << plain.output;
    EXPECT_NE(allowed.output.find("in float: a processor has no bf16 unit"), std::string::npos);
  }
}

TEST(Train, PrintedConfigurationMakesTheSameRun) {
  const TemporaryFolder folder;
  const std::string options = " --epochs 2 --hidden 16 --seed 9 --dropout 0.1";
  const CommandResult printed = run_command(train + options + " --print-config");
  ASSERT_EQ(printed.exit_code, 0);
  const auto file = folder.write("c.toml", printed.output);
  const auto sha = [&](const std::string& arguments, const std::string& name) {
    const std::string out = folder / name;
    EXPECT_EQ(run_command(train + " " + arguments + " --output " + out).exit_code, 0);
    return summary_of(out)["sha256_last"];
  };
  EXPECT_EQ(sha(options, "a"), sha("--config " + file, "b"));
}

TEST(Train, InstallsAndRunsFromAnywhereAlsoWhenMoved) {
  const TemporaryFolder place;
  const CommandResult install =
      run_command("cd / && cmake --install " + quoted(DNN_BIN) + " --prefix " + (place / "first"));
  ASSERT_EQ(install.exit_code, 0) << install.output;
  fs::rename(place / "first", place / "moved");
  const auto folder = [&place](const std::string& name) { return place / ("moved/" + name); };
  const CommandResult result =
      run_command("cd / && " + folder("bin/dnn_train") + " --epochs 1 --output " + folder("run") +
                  " && " + folder("bin/dnn_model") + " verify " + folder("run/model.dnn"));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* name :
       {"share/dnn_train/slurm.sbatch", "share/bash-completion/completions/dnn_train",
        "share/dnn_train/modulefiles/dnn_train/" DNN_VERSION}) {
    EXPECT_TRUE(fs::exists(folder(name))) << name;
  }
  for (const char* name : {"example.toml", "fashion_mnist.toml"}) {
    const CommandResult dry_run =
        run_command("cd / && " + folder("bin/dnn_train") + " --dry-run --config " +
                    folder("share/dnn_train/") + name);
    EXPECT_EQ(dry_run.exit_code, 0) << dry_run.output;
  }
}

TEST(Predict, ScoresDataWithAndWithoutLabelsTheSameAtAnyRankCount) {
  const TemporaryFolder folder;
  const auto data = folder.write("plane.csv", plane_csv("x,y,label\n"));
  const auto unlabelled = folder.write("new.csv", "x,y\n2.5,1\n-2.5,3\n");
  ASSERT_EQ(run_command(train + " --hidden 8 --epochs 60 --lr 0.01 --data " + data + " --output " +
                        (folder / "run"))
                .exit_code,
            0);
  const std::string with_model = predict + " --model " + (folder / "run/model.dnn");
  const CommandResult one =
      run_command(with_model + " --data " + data + " --output " + (folder / "1.csv"));
  EXPECT_EQ(one.exit_code, 0) << one.output;
  EXPECT_NE(one.output.find("accuracy 100.00 % (60 of 60)"), std::string::npos) << one.output;
  const CommandResult three =
      run_command(mpirun(3) + with_model + " --data " + data + " --output " + (folder / "3.csv"));
  EXPECT_EQ(three.exit_code, 0) << three.output;
  const auto written = lines_of(read_file(folder / "1.csv"));
  EXPECT_EQ(written[0], "sample,class,label,p(minus),p(plus)");
  EXPECT_EQ(written.size(), 61U);
  EXPECT_EQ(read_file(folder / "1.csv"), read_file(folder / "3.csv"));

  const CommandResult fresh =
      run_command(with_model + " --data " + unlabelled + " --output " + (folder / "n.csv"));
  EXPECT_EQ(fresh.exit_code, 0) << fresh.output;
  const auto scored = lines_of(read_file(folder / "n.csv"));
  ASSERT_EQ(scored.size(), 3U);
  EXPECT_EQ(scored[0], "sample,class,p(minus),p(plus)");
  EXPECT_EQ(scored[1].substr(0, 7), "1,plus,");
  EXPECT_EQ(scored[2].substr(0, 8), "2,minus,");

  const CommandResult again =
      run_command(with_model + " --data " + unlabelled + " --output " + (folder / "n.csv"));
  EXPECT_NE(again.exit_code, 0);
  EXPECT_NE(again.output.find("--overwrite"), std::string::npos);
  // Nothing but a file is replaced.
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& place :
       {pipe, folder.path(), std::string("/dev/null"), std::string("-")}) {
    const CommandResult refused =
        run_command(with_model + " --overwrite --data " + unlabelled + " --output " + place);
    EXPECT_EQ(refused.exit_code, 2) << place;
    EXPECT_EQ(count(refused.output, "name a regular file"), 1) << refused.output;
  }
  const auto wide = folder.write("wide.csv", "1,2,3,4\n5,6,7,8\n");
  const CommandResult other =
      run_command(with_model + " --data " + wide + " --output " + (folder / "w.csv"));
  EXPECT_NE(other.exit_code, 0);
  EXPECT_NE(other.output.find("the training data have 3"), std::string::npos) << other.output;
  EXPECT_FALSE(fs::exists(folder / "w.csv"));
  const CommandResult nowhere = run_command(mpirun_to_refuse(2) + with_model + " --data " +
                                            unlabelled + " --output " + (folder / "nowhere/p.csv"));
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_NE(nowhere.output.find("nowhere/p.csv: No such file or directory"), std::string::npos)
      << nowhere.output;
}

TEST(Predict, RefusesModelsThatAreNone) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_command(train + " --epochs 1 --hidden 4 --output " + (folder / "run")).exit_code,
            0);
  const std::string good = read_file(folder / "run/model.dnn");
  (void)write_container(folder / "newer", Container::model, "{}", {}, 2);
  const std::pair<std::string, const char*> cases[] = {
      {folder / "missing", "No such file"},
      {folder.write("empty", ""), "the file is empty"},
      {folder.write("foreign", "label,x\n1,2\n"), "not a dnn_train model"},
      {folder.write("cut", good.substr(0, good.size() - 1)), "truncated"},
      {folder / "newer", "version 2"}};
  for (const auto& [path, what] : cases) {
    const CommandResult result = run_command(mpirun_to_refuse(2) + predict + " --model " + path +
                                             " --output " + (folder / "p.csv"));
    EXPECT_EQ(result.exit_code, 2) << path;
    EXPECT_EQ(count(result.output, "error:"), 1) << result.output;
    EXPECT_NE(result.output.find(what), std::string::npos) << what << " in " << result.output;
    EXPECT_NE(run_command(model + " info " + path).output.find(what), std::string::npos) << path;
    EXPECT_FALSE(fs::exists(folder / "p.csv"));
  }
  // A folder is that of a run.
  const std::string at_folder = " --model " + folder.path() + " --output " + (folder / "p.csv");
  const CommandResult none = run_command(predict + at_folder);
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_NE(none.output.find("/model.dnn: No such file"), std::string::npos) << none.output;
  const CommandResult info = run_command(model + " info " + folder.path());
  EXPECT_NE(info.output.find("/model.dnn: No such file"), std::string::npos) << info.output;
}

}  // namespace
}  // namespace dnn::test
