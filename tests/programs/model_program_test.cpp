// dnn_model as a user runs it.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_lines.hpp"

namespace dnn::test {
namespace {

TEST(Model, InfoAndVerify) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  ASSERT_EQ(run_command(train + " --epochs 1 --hidden 12 --output " + out).exit_code, 0);
  const std::string path = out + "/model.dnn";
  const CommandResult info = run_command(model + " info " + path);
  EXPECT_EQ(info.exit_code, 0);
  for (const char* part : {"61-12-10", "874 (float)", "0, 1, 2", "epochs = 1"}) {
    EXPECT_NE(info.output.find(part), std::string::npos) << part << " in " << info.output;
  }
  const CommandResult verify = run_command(model + " verify " + path);
  EXPECT_EQ(verify.exit_code, 0);
  EXPECT_NE(verify.output.find("good"), std::string::npos);
  EXPECT_EQ(run_command(model + " info " + out).output, info.output);
  EXPECT_EQ(run_command(model + " verify " + out).output, verify.output);
  EXPECT_EQ(run_command(model + " hash " + out).output,
            run_command(model + " hash " + path).output);
  EXPECT_EQ(run_command(model + " compare " + out + " " + path).exit_code, 0);
  std::string damaged = read_file(path);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  const auto bad = folder.write("bad.dnn", damaged);
  const CommandResult refused = run_command(model + " verify " + bad);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("checksum"), std::string::npos);
  EXPECT_NE(run_command(predict + " --model " + bad).output.find("checksum"), std::string::npos);
}

TEST(Model, NoFileIsReplacedUnasked) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  ASSERT_EQ(run_command(train + " --epochs 1 --hidden 4 --quiet --output " + out).exit_code, 0);
  const std::string file = folder.write("thesis.txt", "years of work");
  for (const std::string command : {"export --format npz ", "report "}) {
    const std::string line = model + " " + command + out + " --output ";
    const CommandResult refused = run_command(line + file);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_NE(refused.output.find(file + ": the file exists"), std::string::npos) << refused.output;
    EXPECT_EQ(read_file(file), "years of work");
    const CommandResult other = run_command(line + out);
    EXPECT_EQ(other.exit_code, 2);
    EXPECT_NE(other.output.find("regular file"), std::string::npos) << other.output;
    const std::string copy = folder.write("copy", "");
    EXPECT_EQ(run_command(line + copy + " --overwrite").exit_code, 0);
    EXPECT_NE(read_file(copy), "");
  }
}

TEST(Programs, NoOutputReplacesAnInput) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const std::string rows = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n";
  const std::string data = folder.write("data.csv", rows);
  const std::string moved = folder.write("moved.csv", rows);
  const std::string options =
      " --epochs 1 --hidden 4 --quiet --validation 0 --data " + data + " --output ";
  ASSERT_EQ(run_command(train + options + out).exit_code, 0);
  const std::string best = out + "/model.dnn";
  const std::string saved = read_file(best);
  const std::string plain = folder.write("plain", saved);  // a name that predictions may have
  const std::string scores = predict + " --overwrite --model " + plain + " --data ";
  const std::string ensemble =
      predict + " --overwrite --data " + data + " --logit-ensemble " + plain + " " + out;
  for (const std::string& command :
       {scores + data + " --output " + data, scores + data + " --output " + plain,
        scores + quoted(folder / "*.csv") + " --output " + moved,
        ensemble + "/last.dnn --output " + plain, ensemble + "/last.dnn --output " + data,
        model + " export " + out + " --format npz --overwrite --output " + best,
        model + " export " + best + " --format npz --overwrite --output " + best,
        model + " report " + out + " --overwrite --output " + best,
        model + " report " + out + " --overwrite --output " + out + "/summary.json"}) {
    const CommandResult result = run_command(command);
    EXPECT_EQ(result.exit_code, 2) << command << "\n" << result.output;
    EXPECT_EQ(count(result.output, "is an input of the same command"), 1) << result.output;
  }
  const CommandResult metrics =
      run_command(train + options + (folder / "other") + " --openmetrics " + data);
  EXPECT_EQ(metrics.exit_code, 2) << metrics.output;
  EXPECT_EQ(count(metrics.output, "holds no metrics of dnn_train"), 1) << metrics.output;
  EXPECT_FALSE(std::filesystem::exists(folder / "other"));
  EXPECT_EQ(read_file(data), rows);
  EXPECT_EQ(read_file(moved), rows);
  EXPECT_EQ(read_file(best), saved);
  EXPECT_EQ(read_file(plain), saved);
  EXPECT_EQ(run_command(model + " report " + out + " --overwrite --output " + out + "/report.html")
                .exit_code,
            0);
}

std::string hash_of(const std::string& file) {
  return run_command(model + " hash " + file).output.substr(0, 64);
}

// One definition, whoever writes it: the model's file, the checkpoint, each epoch's line, the
// summary; over a split network too.
TEST(Model, HashIsThatOfTheParametersWhereverItIsWritten) {
  const TemporaryFolder folder;
  for (const std::string options : {"1", "3", "2 --model-parallel 2"}) {
    const std::string out = folder / options.substr(0, 1);
    const CommandResult result =
        run_command(mpirun(options[0] - '0') + train + options.substr(1) + " --output " + out +
                    " --hidden 64,100 --epochs 3 --checkpoint-every 1epochs --batch-size 400");
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const std::vector<std::string> epochs = lines_of(read_file(out + "/metrics.jsonl"));
    ASSERT_EQ(epochs.size(), 3U);
    for (std::size_t epoch = 0; epoch < epochs.size(); ++epoch) {
      char name[48];
      std::snprintf(name, sizeof(name), "/checkpoints/step-%012zu.ckpt", (epoch + 1) * 5);
      EXPECT_EQ(nlohmann::json::parse(epochs[epoch])["sha256"], hash_of(out + name)) << options;
    }
    const auto summary = summary_of(out);
    EXPECT_EQ(summary["sha256_last"], summary["final"]["sha256"]);
    EXPECT_EQ(summary["sha256_last"], hash_of(out + "/last.dnn"));
    EXPECT_EQ(summary["sha256_best"], hash_of(out + "/model.dnn"));
  }
  const CommandResult both =
      run_command(model + " hash " + (folder / "1/last.dnn ") + (folder / "1/metrics.jsonl"));
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_EQ(count(both.output, "1/last.dnn\n"), 1) << both.output;
  EXPECT_EQ(count(both.output, "not a dnn_train model"), 1) << both.output;
}

// Other logical shards: the same sums in another order. oneDNN's own switch makes this processor an
// older one, which is no other environment for products that oneDNN does not compute.
TEST(Model, CompareNamesTheLargestDifference) {
  const TemporaryFolder folder;
  const std::string run = train + " --hidden 12 --epochs 2 --output ";
  ASSERT_EQ(run_command(run + (folder / "a")).exit_code, 0);
  ASSERT_EQ(run_command(run + (folder / "b")).exit_code, 0);
  ASSERT_EQ(run_command("DNNL_MAX_CPU_ISA=SSE41 " + run + (folder / "c") + " --logical-shards 1")
                .exit_code,
            0);
  ASSERT_EQ(run_command(train + " --hidden 13 --epochs 2 --output " + (folder / "d")).exit_code, 0);
  const auto compare = [&](const std::string& a, const std::string& b) {
    return run_command(model + " compare " + (folder / a) + " " + (folder / b));
  };
  const CommandResult same = compare("a/last.dnn", "b/last.dnn");
  EXPECT_EQ(same.exit_code, 0);
  EXPECT_EQ(same.output, "parameters:  the same bits (SHA-256 " + hash_of(folder / "a/last.dnn") +
                             ")\nenvironment: the same\n");
  const CommandResult elsewhere = compare("a/last.dnn", "c/last.dnn");
  EXPECT_EQ(elsewhere.exit_code, 1) << elsewhere.output;
  for (const char* part : {"parameters:  differ in ", " of 874; the largest difference is ",
                           "environment: the same\n"}) {
    EXPECT_EQ(count(elsewhere.output, part), 1) << part << " in " << elsewhere.output;
  }
  const CommandResult shape = compare("a/last.dnn", "d/last.dnn");
  EXPECT_EQ(shape.exit_code, 1);
  EXPECT_EQ(count(shape.output, "differ: 61-12-10 (float) against 61-13-10 (float)"), 1)
      << shape.output;
  EXPECT_EQ(compare("a/last.dnn", "a/summary.json").exit_code, 2);
  EXPECT_EQ(run_command(model + " compare " + (folder / "a/last.dnn")).exit_code, 2);
  EXPECT_EQ(count(run_command(model + " info " + (folder / "c/last.dnn")).output,
                  "environment:\n  program: dnn_train "),
            1);
}

}  // namespace
}  // namespace dnn::test
