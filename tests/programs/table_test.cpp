// Tables as people have them: text, dates and missing values, trained on at any number of ranks,
// matched by name, told and remembered.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "dnn/data/bytes.hpp"
#include "dnn/readers/npy_array.hpp"
#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/summary_of.hpp"
#include "support/temporary_folder.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;

/// 240 rows of two numbers (one with missing values), a date, two texts, an identifier and a label
/// that follows from the colour and the hour.
std::string visits_csv(bool with_label) {
  std::string text =
      std::string("visit,size,age,when,colour,note") + (with_label ? ",paid\n" : "\n");
  for (int i = 0; i < 240; ++i) {
    const bool red = i * 7 % 3 == 0;
    const bool late = i * 5 % 4 < 2;
    text += "V" + std::to_string(1000 + i) + "," + std::to_string(i * 37 % 101) + "," +
            (i % 9 == 0 ? std::string("NA") : std::to_string(20 + i * 13 % 60)) + ",2024-0" +
            std::to_string(1 + i % 9) + (late ? "-05 21:30" : "-05 09:30") + "," +
            (red          ? "red"
             : i % 2 == 0 ? "green"
                          : "blue") +
            "," + (i % 5 == 0 ? "?" : "seen");
    text += with_label ? (red == late ? ",yes\n" : ",no\n") : "\n";
  }
  return text;
}

TEST(Table, TrainsAtAnyNumberOfRanksToTheSameBits) {
  const TemporaryFolder folder;
  const std::string data = folder.write("visits.csv", visits_csv(true));
  std::string hash;
  for (const int ranks : {1, 2, 3, 8}) {
    const std::string out = folder / std::to_string(ranks);
    const CommandResult result =
        run_command(mpirun(ranks) + train + " --epochs 60 --data " + data + " --output " + out);
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const auto summary = summary_of(out);
    hash = hash.empty() ? summary["sha256_last"].get<std::string>() : hash;
    EXPECT_EQ(summary["sha256_last"], hash) << ranks;
    EXPECT_GE(summary["final"]["train_accuracy"].get<double>(), 0.97);
    EXPECT_EQ(summary["table"]["columns"][0]["kind"], "identifier");
    EXPECT_EQ(count(result.output, "column 'visit' is left out as an identifier"), 1)
        << result.output;
    EXPECT_GT(summary["table"]["columns"][2]["fill"].get<double>(), 20);  // the median of the ages
    EXPECT_EQ(summary["table"]["columns"][4]["categories"],
              nlohmann::ordered_json({"blue", "green", "red"}));
  }
}

/// 3,000 rows with a shop among 600 that the label follows from, a number and a city among 400.
std::string shops_csv(bool with_label) {
  std::string text = std::string("shop,sum,city") + (with_label ? ",late\n" : "\n");
  for (int i = 0; i < 3000; ++i) {
    const int shop = i * 7919 % 600;
    text += "S" + std::to_string(1000 + shop) + "," + std::to_string(i * 37 % 101) + ",C" +
            std::to_string(i * 31 % 400);
    text += with_label ? (shop * 13 % 29 < 14 ? ",yes\n" : ",no\n") : "\n";
  }
  return text;
}

TEST(Table, RowsWithManyCategoriesStaySparse) {
  const TemporaryFolder folder;
  const std::string data = folder.write("shops.csv", shops_csv(true));
  const std::string run = train +
                          " --epochs 8 --batch-size 64 --logical-shards 8 --lr-schedule constant "
                          "--optimizer adam --data " +
                          data + " --overwrite --output ";
  const std::string one = folder / "one";
  const CommandResult result = run_command(run + one);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("sparse:   3.0 of 1,001 features a sample"), std::string::npos)
      << result.output;
  EXPECT_GE(summary_of(one)["final"]["train_accuracy"].get<double>(), 0.97);
  const std::vector<std::pair<std::string, std::string>> others = {
      {mpirun(3), ""},
      {mpirun(8), " --exchange tree"},
      {mpirun(2), " --exchange overlap --bucket-mib 0.01"},
      {mpirun(4), " --model-parallel 2"}};
  for (const auto& [before, added] : others) {
    const CommandResult other = run_command(before + run + (folder / "other") + added);
    ASSERT_EQ(other.exit_code, 0) << other.output;
    EXPECT_EQ(summary_of(folder / "other")["sha256_last"], summary_of(one)["sha256_last"])
        << before << added;
  }
  // A shop that nobody knows has an answer too; the bits do not depend on the ranks.
  const std::string fresh = folder.write("new.csv", shops_csv(false) + "S9999,5,C3\n");
  std::string predictions;
  for (const int ranks : {1, 3}) {
    const CommandResult scored =
        run_command(mpirun(ranks) + predict + " --model " + one + "/model.dnn --data " + fresh +
                    " --overwrite --output " + (folder / "p.csv"));
    ASSERT_EQ(scored.exit_code, 0) << scored.output;
    EXPECT_NE(scored.output.find("'shop' has 1 value that the training data do not have"),
              std::string::npos)
        << scored.output;
    const std::string written = read_file(folder / "p.csv");
    EXPECT_NE(written.find("\n3001,"), std::string::npos);
    predictions = predictions.empty() ? written : predictions;
    EXPECT_EQ(written, predictions);
  }
}

TEST(Table, PredictsByNameAndKeepsAColumn) {
  const TemporaryFolder folder;
  const std::string data = folder.write("visits.csv", visits_csv(true));
  const std::string out = folder / "run";
  ASSERT_EQ(run_command(train + " --epochs 60 --data " + data + " --output " + out).exit_code, 0);
  const std::string scores = predict + " --model " + out + "/model.dnn --data ";
  const std::string fresh = folder.write("new.csv",
                                         "extra,colour,note,when,age,size,visit\n"
                                         "1,red,seen,2024-02-05 21:30,46,5,A1\n"
                                         "2,pink,seen,2024-02-05 09:30,,50,\"B,2\"\n");
  const CommandResult result =
      run_command(scores + fresh + " --keep visit --output " + (folder / "p.csv"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("left out: 'extra'"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("'colour' has 1 value that the training data do not have"),
            std::string::npos)
      << result.output;
  const std::string written = read_file(folder / "p.csv");
  EXPECT_TRUE(written.starts_with("sample,visit,class,p(no),p(yes)\n1,A1,")) << written;
  EXPECT_NE(written.find("\n2,\"B,2\","), std::string::npos) << written;
  const CommandResult many =
      run_command(mpirun(3) + scores + fresh + " --keep visit --output " + (folder / "3.csv"));
  ASSERT_EQ(many.exit_code, 0) << many.output;
  EXPECT_EQ(read_file(folder / "3.csv"), written);
  const std::string missing = folder.write("missing.csv", "colour,when\nred,2024-02-05\n");
  const CommandResult refused = run_command(scores + missing + " --output " + (folder / "m.csv"));
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_NE(refused.output.find("no column 'size', 'age', 'note'"), std::string::npos)
      << refused.output;
  EXPECT_FALSE(fs::exists(folder / "m.csv"));
}

/// The cells of a line without quotes.
std::vector<std::string> split_line(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) {
    cells.push_back(cell);
  }
  return cells;
}

TEST(Predict, WritesTheLikeliestClassesAlone) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  ASSERT_EQ(run_command(train + " --epochs 3 --output " + out).exit_code, 0);
  const std::string scores = predict + " --model " + out + "/model.dnn --overwrite";
  ASSERT_EQ(run_command(scores + " --output " + (folder / "all.csv")).exit_code, 0);
  ASSERT_EQ(run_command(mpirun(3) + scores + " --top 3 --output " + (folder / "top.csv")).exit_code,
            0);
  std::istringstream all(read_file(folder / "all.csv"));
  std::istringstream top(read_file(folder / "top.csv"));
  std::string line;
  std::getline(all, line);
  std::getline(top, line);
  EXPECT_EQ(line, "sample,class,label,class1,p1,class2,p2,class3,p3");
  std::size_t samples = 0;
  for (std::string of_all; std::getline(all, of_all); ++samples) {
    ASSERT_TRUE(std::getline(top, line));
    const std::vector<std::string> every = split_line(of_all);
    const std::vector<std::string> few = split_line(line);
    ASSERT_EQ(few.size(), 9U) << line;
    std::vector<std::pair<double, int>> likeliest;  // digit d has its probability in cell d + 3
    for (int digit = 0; digit < 10; ++digit) {
      likeliest.emplace_back(-std::stod(every.at(static_cast<std::size_t>(digit) + 3)), digit);
    }
    std::sort(likeliest.begin(), likeliest.end());
    EXPECT_EQ(few[1], few[3]);
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(few[3 + 2 * k], std::to_string(likeliest[k].second)) << line << "\n" << of_all;
      EXPECT_EQ(std::stod(few[4 + 2 * k]), -likeliest[k].first);
    }
  }
  EXPECT_GT(samples, 1000U);
  const CommandResult npy = run_command(scores + " --top 3 --output " + (folder / "p.npy"));
  EXPECT_EQ(npy.exit_code, 2);
  EXPECT_NE(npy.output.find("--top 3: an NPY file holds the probability of every class"),
            std::string::npos)
      << npy.output;
}

TEST(Table, WritesProbabilitiesAsNpy) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const std::string data = folder.write("visits.csv", visits_csv(true));
  ASSERT_EQ(run_command(train + " --epochs 5 --data " + data + " --output " + out).exit_code, 0);
  const std::string scores = predict + " --model " + out + "/model.dnn --overwrite --data " + data;
  ASSERT_EQ(run_command(scores + " --output " + (folder / "p.csv")).exit_code, 0);
  std::istringstream lines(read_file(folder / "p.csv"));
  std::string line;
  std::getline(lines, line);
  for (const int ranks : {1, 3}) {
    const CommandResult result =
        run_command(mpirun(ranks) + scores + " --output " + (folder / "p.npy"));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const NpyArray array = parse_npy(map_file(folder / "p.npy"), "p.npy");
    ASSERT_EQ(array.shape, (std::vector<std::size_t>{240, 2}));
    const auto probabilities = array.elements.as<float>();
    std::istringstream rest(read_file(folder / "p.csv"));
    std::getline(rest, line);
    for (std::size_t i = 0; i < 240; ++i) {
      std::getline(rest, line);
      EXPECT_NEAR(std::stod(line.substr(line.rfind(',') + 1)), probabilities[2 * i + 1], 1e-6);
    }
  }
  const CommandResult kept = run_command(scores + " --keep visit --output " + (folder / "p.npy"));
  EXPECT_EQ(kept.exit_code, 2);
  EXPECT_NE(kept.output.find("--keep copies text; write to a file that ends in .csv"),
            std::string::npos)
      << kept.output;
}

// More text than is scored at a time, most of it in a column that is left out.
TEST(Table, PredictsPieceByPiece) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const std::string data = folder.write("visits.csv", visits_csv(true));
  ASSERT_EQ(run_command(train + " --epochs 5 --data " + data + " --output " + out).exit_code, 0);
  std::istringstream lines(visits_csv(true));
  std::string header;
  std::getline(lines, header);
  const std::string filler(std::size_t{300} << 10, 'x');
  std::string small = header + ",more\n";
  std::string large = small;
  for (std::string line; std::getline(lines, line);) {
    small += line + ",\n";
    large += line + "," + filler + "\n";
  }
  const std::string scores = predict + " --keep visit --model " + out + "/model.dnn --overwrite";
  const CommandResult whole = run_command(scores + " --data " + folder.write("small.csv", small) +
                                          " --output " + (folder / "small.out"));
  ASSERT_EQ(whole.exit_code, 0) << whole.output;
  folder.write("large.csv", large);
  for (const int ranks : {1, 3}) {
    const CommandResult pieces =
        run_command(mpirun(ranks) + scores + " --data " + (folder / "large.csv") + " --output " +
                    (folder / "large.out"));
    ASSERT_EQ(pieces.exit_code, 0) << pieces.output;
    EXPECT_EQ(read_file(folder / "large.out"), read_file(folder / "small.out")) << ranks;
    const std::size_t accuracy = whole.output.find("accuracy ");
    ASSERT_NE(accuracy, std::string::npos) << whole.output;
    const std::string line =
        whole.output.substr(accuracy, whole.output.find('\n', accuracy) - accuracy);
    EXPECT_NE(pieces.output.find(line), std::string::npos) << pieces.output;
  }
}

TEST(Table, FilesOfOneTableGiveTheModelOfTheWhole) {
  const TemporaryFolder folder;
  const std::string whole = visits_csv(true);
  const std::size_t header = whole.find('\n') + 1;
  const std::size_t middle = whole.find('\n', whole.size() / 2) + 1;
  folder.write("whole.csv", whole);
  fs::create_directory(folder / "parts");
  folder.write("parts/part-1.csv", whole.substr(0, middle));
  folder.write("parts/part-2.csv", whole.substr(0, header) + whole.substr(middle));
  std::string hash;
  for (const std::string source :
       {"whole.csv", "parts", "'parts/part-*.csv'", "parts/part-1.csv,parts/part-2.csv"}) {
    const CommandResult result =
        run_command("cd " + folder.path() + " && " + train + " --overwrite --epochs 2 --data " +
                    source + " --output run");
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const std::string now = summary_of(folder / "run")["sha256_last"];
    hash = hash.empty() ? now : hash;
    EXPECT_EQ(now, hash) << source;
  }
}

TEST(Table, AResumedRunNamesTheColumnThatHasChanged) {
  const TemporaryFolder folder;
  const std::string data = folder.write("visits.csv", visits_csv(true));
  const std::string command = train + " --data " + data + " --output " + (folder / "run");
  // Ends after it has a checkpoint, so that run.json stays.
  const CommandResult first = run_command(
      "( until ls " + (folder / "run/checkpoints") + "/*.ckpt; do sleep 0.1; done; touch " +
      (folder / "run/stop") + " ) >/dev/null 2>&1 & " + command +
      " --epochs 100000 --checkpoint-every 1epochs; code=$?; wait; exit $code");
  ASSERT_EQ(first.exit_code, 75) << first.output;
  std::string other = visits_csv(true);
  for (std::size_t at = other.find(",green,"); at != std::string::npos;
       at = other.find(",green,")) {
    other.replace(at, 7, ",grass,");
  }
  folder.write("visits.csv", other);
  const CommandResult again = run_command(command + " --epochs 100000 --checkpoint-every 1epochs");
  EXPECT_NE(again.exit_code, 0);
  EXPECT_NE(again.output.find("column 'colour' has changed"), std::string::npos) << again.output;
}

/// Two classes that overlap: the weights say which counts more. `whole`: rows of weight 3 are three
/// rows instead.
std::string weighted_csv(int rows, bool whole = false) {
  std::string text = whole ? "x,z,label\n" : "x,z,count,label\n";
  for (int i = 0; i < rows; ++i) {
    const int count = i % 2 == 0 ? 3 : 1;
    const std::string cells =
        std::to_string(i * 37 % 101) + "," + std::to_string(i * 53 % 89) + ",";
    const std::string label = i % 2 == 0 ? "often\n" : "seldom\n";
    for (int k = 0; k < (whole ? count : 1); ++k) {
      text += cells + (whole ? label : std::to_string(count) + "," + label);
    }
  }
  return text;
}

TEST(Table, WeightsGiveTheSameBitsAtAnyNumberOfRanks) {
  const TemporaryFolder folder;
  const std::string data = folder.write("w.csv", weighted_csv(230));
  for (const std::string options : {"", " --model-parallel M --exchange tree",
                                    " --class-weights balanced --exchange overlap"}) {
    std::string hash;
    for (const int ranks : {1, 2, 3}) {
      std::string own = options;
      if (const std::size_t at = own.find(" M "); at != std::string::npos) {
        own.replace(at, 3, " " + std::to_string(ranks) + " ");
      }
      const std::string out = folder / std::to_string(ranks);
      const CommandResult result = run_command(
          mpirun(ranks) + train + " --overwrite --epochs 3 --hidden 16 --weight-column count" +
          own + " --data " + data + " --output " + out);
      ASSERT_EQ(result.exit_code, 0) << result.output;
      const auto summary = summary_of(out);
      hash = hash.empty() ? summary["sha256_last"].get<std::string>() : hash;
      EXPECT_EQ(summary["sha256_last"], hash) << ranks << own;
      EXPECT_EQ(summary["table"]["columns"][2]["kind"], "weight");
    }
  }
}

// As long as all samples are in one batch, rows of weight k are k rows: to rounding, the same
// losses; the accuracy of the weighted run counts as that of the copies.
TEST(Table, AWeightOfKTrainsLikeKCopies) {
  const TemporaryFolder folder;
  const std::string weighted = folder.write("w.csv", weighted_csv(60));
  const std::string copied = folder.write("c.csv", weighted_csv(60, true));
  const std::string common =
      " --validation 0 --normalize none --precision double --epochs 5 --hidden 8 ";
  ASSERT_EQ(run_command(train + common + "--batch-size 60 --columns weight:count --data " +
                        weighted + " --output " + (folder / "w"))
                .exit_code,
            0);
  ASSERT_EQ(run_command(train + common + "--batch-size 120 --data " + copied + " --output " +
                        (folder / "c"))
                .exit_code,
            0);
  const auto by_weight = summary_of(folder / "w");
  const auto by_copies = summary_of(folder / "c");
  for (const char* what : {"train_loss", "train_accuracy"}) {
    EXPECT_NEAR(by_weight["final"][what].get<double>(), by_copies["final"][what].get<double>(),
                1e-9)
        << what;
  }
  EXPECT_NEAR(by_weight["evaluation_of_last"]["loss"].get<double>(),
              by_copies["evaluation_of_last"]["loss"].get<double>(), 1e-9);
}

TEST(Table, ANegativeWeightIsRefusedWithItsLine) {
  const TemporaryFolder folder;
  std::string text = weighted_csv(40);
  text += "5,6,-1,seldom\n";
  const std::string data = folder.write("w.csv", text);
  const CommandResult result = run_command(mpirun(2) + train + " --weight-column count --data " +
                                           data + " --output " + (folder / "run"));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.output.find("w.csv: line 42, column 'count': '-1' is negative"),
            std::string::npos)
      << result.output;
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST(Table, IsExplainedWithoutTraining) {
  const TemporaryFolder folder;
  const std::string data = folder.write("visits.csv", visits_csv(true));
  const CommandResult result =
      run_command("cd " + folder.path() + " && " + mpirun(2) + train + " --explain-data " + data);
  EXPECT_EQ(result.exit_code, 0);
  for (const char* part :
       {"240 samples", "the label is 'paid'", "left out; 240 different values",
        "the median, marked", "time, hour, weekday, month", "3: blue 33 %", "the class"}) {
    EXPECT_EQ(count(result.output, part), 1) << part << "\n" << result.output;
  }
  EXPECT_FALSE(fs::exists(folder / "runs"));
}

}  // namespace
}  // namespace dnn::test
