// Runs whose numbers leave the range of float, by two samples of the training data.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

/// 400 samples of 4 features, finite all, of which the 101st and the 302nd are beyond what the
/// network's first product can hold. All are trained on.
struct Nonfinite : public testing::Test {
  static constexpr int bad_samples[] = {101, 302};
  TemporaryFolder folder;
  std::string data = folder.write("d.csv", csv());

  static std::string csv() {
    std::ostringstream text;
    for (int i = 1; i <= 400; ++i) {
      const bool is_bad = i == bad_samples[0] || i == bad_samples[1];
      for (int j = 0; j < 4; ++j) {
        text << (is_bad && j == 2 ? "3e38" : std::to_string((i * (j + 3)) % 17 - 8 + i % 2)) << ',';
      }
      text << (i % 2 == 0 ? "even" : "odd") << '\n';
    }
    return text.str();
  }
  [[nodiscard]] CommandResult run(int ranks, const std::string& out,
                                  const std::string& options) const {
    return run_command(mpirun(ranks) + train + " --data " + data + " --output " + folder / out +
                       " --normalize none --validation 0 --epochs 3 --batch-size 20 "
                       "--dropout 0.1 --checkpoint-every 7 " +
                       (options.find("--hidden") == options.npos ? "--hidden 16,8 " : "") +
                       options);
  }
  [[nodiscard]] nlohmann::json summary(const std::string& out) const {
    return summary_of(folder / out);
  }
  [[nodiscard]] std::vector<nlohmann::json> reports(const std::string& out) const {
    std::istringstream lines(read_file(folder / out + "/nonfinite.jsonl"));
    std::vector<nlohmann::json> all;
    for (std::string line; std::getline(lines, line);) {
      all.push_back(nlohmann::json::parse(line));
    }
    return all;
  }
};

// W^1, which sparse rows keep out of the exchange, ends within a cache line: what lies between it
// and B^1 is no gradient, and must not carry the mark of a bad update to the next ones.
TEST_F(Nonfinite, SkipLeavesOutTheBadUpdatesAloneWithSparseRows) {
  std::string text;
  for (int i = 1; i <= 200; ++i) {
    const bool is_bad = i == 51 || i == 152;
    text += std::to_string(i % 2) + ' ' + std::to_string(1 + i % 300) + ':' +
            (is_bad ? "3e38" : std::to_string(1 + i % 3)) + " 641:" + std::to_string(i % 5 + 1) +
            '\n';
  }
  data = folder.write("d.svm", text);
  for (const int ranks : {1, 2, 3}) {
    const std::string out = "sparse" + std::to_string(ranks);
    const CommandResult result = run(ranks, out, "--hidden 37,8 --on-nonfinite skip");
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(count(result.output, "sparse:"), 1) << result.output;
    const auto skipped = summary(out)["nonfinite"]["skipped_updates"].get<int>();
    EXPECT_GE(skipped, 1);
    EXPECT_LE(skipped, 6);  // of 30: two bad samples an epoch
  }
}

TEST_F(Nonfinite, AbortNamesTheSampleAndSavesTheStateBefore) {
  for (const int ranks : {1, 3}) {
    const std::string out = "abort" + std::to_string(ranks);
    const CommandResult result = run(ranks, out, "");
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_EQ(count(result.output, "error:"), 1) << result.output;
    const auto all = reports(out);
    ASSERT_EQ(all.size(), 1U);
    const std::uint64_t update = all[0]["update"];
    const auto& finding = all[0]["findings"][0];
    const int sample = finding["samples"][0];
    EXPECT_TRUE(sample == bad_samples[0] || sample == bad_samples[1]) << all[0].dump();
    for (const std::string& part :
         {"update " + std::to_string(update) + " (epoch 1, step " + std::to_string(update) + ")",
          "rank " + finding["rank"].dump() + " (host ", std::string("layer 3 of 3"),
          std::string("it begins in layer "), "samples " + std::to_string(sample),
          std::string("--on-nonfinite skip")}) {
      EXPECT_NE(result.output.find(part), std::string::npos) << part << " is not in\n"
                                                             << result.output;
    }
    const std::string digits = std::to_string(update - 1);
    EXPECT_TRUE(std::filesystem::exists(folder / out + "/checkpoints/step-" +
                                        std::string(12 - digits.size(), '0') + digits + ".ckpt"));
  }
}

TEST_F(Nonfinite, SkipLeavesThoseUpdatesOutAtAnyRankCount) {
  const CommandResult one = run(1, "one", "--on-nonfinite skip --precision double");
  EXPECT_EQ(one.exit_code, 0);  // double holds all of it
  EXPECT_EQ(summary("one")["nonfinite"]["skipped_updates"], 0);
  nlohmann::json first;
  for (const std::string options : {"1", "3", "2 --exchange allreduce", "2 --exchange overlap"}) {
    const int ranks = options[0] - '0';
    const std::string out = "skip-" + options.substr(0, 1) + options.substr(options.size() - 1);
    const CommandResult result = run(ranks, out, "--on-nonfinite skip" + options.substr(1));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const auto now = summary(out);
    // Each of the two, in each of the three epochs; fewer where they share a batch.
    EXPECT_GE(now["nonfinite"]["skipped_updates"], 3);
    EXPECT_LE(now["nonfinite"]["skipped_updates"], 6);
    EXPECT_EQ(now["nonfinite"]["skipped_updates"], reports(out).size());
    EXPECT_LT(now["final"]["train_samples"], 400);
    if (first.is_null()) {
      first = now;
    }
    EXPECT_EQ(now["nonfinite"], first["nonfinite"]);
    EXPECT_EQ(now["final"]["train_samples"], first["final"]["train_samples"]);
    EXPECT_NEAR(now["final"]["train_loss"], first["final"]["train_loss"], 1e-4);
  }
}

TEST_F(Nonfinite, AnAbortedRunGoesOnWithSkipAsIfItHadSkippedAllAlong) {
  EXPECT_EQ(run(2, "at-once", "--on-nonfinite skip").exit_code, 0);
  EXPECT_EQ(run(2, "later", "").exit_code, 2);
  const CommandResult again = run(2, "later", "--on-nonfinite skip");
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_NE(again.output.find("resuming from "), std::string::npos);
  EXPECT_EQ(summary("later")["sha256_last"], summary("at-once")["sha256_last"]);
  EXPECT_EQ(summary("later")["nonfinite"]["skipped_updates"],
            summary("at-once")["nonfinite"]["skipped_updates"]);
}

// The numbers come again, so that every such update is left out in the end.
TEST_F(Nonfinite, RollbackEndsAsSkipDoes) {
  EXPECT_EQ(run(2, "skip", "--on-nonfinite skip --average-weights 2").exit_code, 0);
  const CommandResult result =
      run(3, "rollback", "--on-nonfinite rollback --average-weights 2 --exchange tree");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("goes back"), std::string::npos);
  const auto now = summary("rollback");
  EXPECT_EQ(now["sha256_last"], summary("skip")["sha256_last"]);
  EXPECT_EQ(now["nonfinite"]["rollbacks"], summary("skip")["nonfinite"]["skipped_updates"]);
  EXPECT_EQ(now["nonfinite"]["skipped_updates"], summary("skip")["nonfinite"]["skipped_updates"]);
}

// All samples but a few: update after update is left out, which is no training.
TEST_F(Nonfinite, SkippingUpdateAfterUpdateEnds) {
  std::ostringstream text;
  for (int i = 0; i < 400; ++i) {
    text << (i < 395 ? "3e38" : "1") << ",-3e38," << (i % 2 == 0 ? "a" : "b") << '\n';
  }
  data = folder.write("all.csv", text.str());
  const CommandResult result = run(2, "all", "--on-nonfinite skip");
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(reports("all").size(), 11U);
  EXPECT_EQ(count(result.output, "More than 10 updates in a row were not finite"), 1)
      << result.output;
  EXPECT_EQ(count(result.output, "--on-nonfinite skip"), 0) << result.output;
}

// The held-out loss is no number where a held-out sample is: then no epoch is better than another,
// and the last one's model is kept, in a file that can be read.
TEST_F(Nonfinite, AHeldOutLossThatIsNoNumberKeepsTheLastEpoch) {
  std::ostringstream text;
  for (int i = 0; i < 200; ++i) {
    for (int j = 0; j < 20; ++j) {
      text << (i == 1 ? "3.4e38" : std::to_string((i * 37 + j * 11) % 13 - 6)) << ',';
    }
    text << (i * 37 % 13 > 5 ? "high" : "low") << '\n';
  }
  const std::string table = folder.write("held-out.csv", text.str());
  const CommandResult result =
      run_command(train + " --data " + table + " --output " + (folder / "out") +
                  " --csv-header no --normalize none --validation 0.1 --epochs 3 --hidden 64,32");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  ASSERT_NE(result.output.find("loss nan"), std::string::npos) << result.output;
  for (const char* file : {"out/model.dnn", "out/last.dnn"}) {
    EXPECT_EQ(run_command(model + " verify " + folder / file).exit_code, 0) << file;
  }
  EXPECT_EQ(run_command(model + " hash " + folder / "out/model.dnn").output.substr(0, 64),
            run_command(model + " hash " + folder / "out/last.dnn").output.substr(0, 64));
}

}  // namespace
}  // namespace dnn::test
