// What a run shows of itself while it trains: step log, lines, trace, OpenMetrics file, curves.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <utility>

#include "support/programs.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_lines.hpp"

namespace dnn::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string watch_program = quoted(DNN_BIN "/dnn_watch");
const std::string small_network = " --hidden 16 --lr-schedule constant --validation 0.1";

std::vector<Json> steps_of(const std::string& run) {
  std::vector<Json> steps;
  for (const std::string& line : lines_of(read_file(run + "/steps.jsonl"))) {
    steps.push_back(Json::parse(line));
  }
  return steps;
}

/// A step log without what differs from run to run: the times.
std::string without_times(const std::string& run) {
  return std::regex_replace(read_file(run + "/steps.jsonl"), std::regex(",\"samples_per_second.*"),
                            "");
}

TEST(StepLog, IsTheSameAtAnyNumberOfRanksAndAgreesWithTheEpochs) {
  const TemporaryFolder folder;
  for (const int ranks : {1, 3}) {
    const CommandResult result =
        run_command(mpirun(ranks) + train + small_network + " --epochs 3 --step-log 1 --output " +
                    (folder / std::to_string(ranks)));
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }
  EXPECT_EQ(without_times(folder / "1"), without_times(folder / "3"));
  ASSERT_EQ(run_command(mpirun(4) + train + small_network +
                        " --epochs 3 --step-log 1 --model-parallel 2 --tensorboard histograms "
                        "--output " +
                        (folder / "4"))
                .exit_code,
            0);
  EXPECT_EQ(without_times(folder / "1"), without_times(folder / "4"));
  const std::vector<Json> steps = steps_of(folder / "3");
  const std::vector<std::string> epochs = lines_of(read_file(folder / "3/metrics.jsonl"));
  ASSERT_EQ(epochs.size(), 3U);
  ASSERT_EQ(steps.size(), 39U);  // 1,617 samples in batches of 128
  double loss = 0;
  for (std::size_t i = 0; i < 13; ++i) {
    EXPECT_EQ(steps[i]["update"], i + 1);
    EXPECT_EQ(steps[i]["epoch"], 1);
    EXPECT_EQ(steps[i]["updates"], 1);
    EXPECT_GT(steps[i]["gradient_norm"], 0);
    EXPECT_EQ(steps[i]["learning_rate"], 0.001);
    EXPECT_GT(steps[i]["samples_per_second"], 0);
    for (const char* phase : {"load", "compute", "exchange", "update"}) {
      EXPECT_GE(steps[i]["seconds"][phase], 0) << phase;
    }
    loss += steps[i]["loss"].get<double>() * (i < 12 ? 128 : 1617 - 12 * 128);
  }
  EXPECT_NEAR(loss / 1617, Json::parse(epochs[0])["train_loss"].get<double>(), 1e-12);
}

TEST(StepLog, HasTheNormThatAReplayFinds) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(
      run_command(mpirun(2) + train + small_network +
                  " --epochs 1 --step-log 4 --checkpoint-every 5 --clip-norm 0.01 --output " + run)
          .exit_code,
      0);
  ASSERT_EQ(run_command(train + " --replay 8 --from " + run + " --output " + (folder / "replay"))
                .exit_code,
            0);
  const Json replayed = Json::parse(read_file(folder / "replay/replay-8.json"));
  double squares = 0;
  for (const Json& layer : replayed["layers"]) {
    for (const char* part : {"norm_dW", "norm_dB"}) {
      squares += std::pow(layer[part].get<double>(), 2);
    }
  }
  const std::vector<Json> steps = steps_of(run);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[1]["update"], 8);
  EXPECT_EQ(steps[1]["updates"], 4);
  EXPECT_NEAR(steps[1]["gradient_norm"], std::sqrt(squares), 1e-5 * std::sqrt(squares));
}

TEST(StepLog, IsCutBackWhereTheRunResumes) {
  const TemporaryFolder folder;
  const std::string options = mpirun(2) + train + small_network + " --step-log 5 --output ";
  const std::string run = folder / "run";
  ASSERT_EQ(run_command(options + run + " --epochs 2").exit_code, 0);
  ASSERT_EQ(steps_of(run).size(), 5U);
  // As if the run had been killed later than its last checkpoint.
  std::ofstream(run + "/steps.jsonl", std::ios::app) << "{\"update\":30,\"loss\":99}\n{\"upda";
  const CommandResult resumed = run_command(options + run + " --epochs 4");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_NE(resumed.output.find("resuming from"), std::string::npos) << resumed.output;
  ASSERT_EQ(run_command(options + (folder / "undisturbed") + " --epochs 4").exit_code, 0);
  const std::vector<Json> steps = steps_of(run);
  const std::vector<Json> expected = steps_of(folder / "undisturbed");
  ASSERT_EQ(steps.size(), 10U);
  ASSERT_EQ(expected.size(), 10U);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i]["update"], expected[i]["update"]);
    EXPECT_EQ(steps[i]["gradient_norm"], expected[i]["gradient_norm"]) << i;
    // The mean of the line amid which it resumed, after update 26, is of what it did itself.
    EXPECT_EQ(steps[i]["updates"], i == 5 ? 4 : 5);
    EXPECT_EQ(steps[i]["loss"] == expected[i]["loss"], i != 5) << i;
  }
  ASSERT_EQ(
      run_command(train + small_network + " --epochs 1 --overwrite --step-log off --output " + run)
          .exit_code,
      0);
  EXPECT_FALSE(fs::exists(run + "/steps.jsonl"));
}

TEST(Progress, LinesWithinAnEpochOffATerminalOnly) {
  const TemporaryFolder folder;
  const std::string options =
      train + small_network + " --epochs 2 --overwrite --step-log 1 --output " + (folder / "run");
  const std::regex line(
      R"(epoch   [12]/2  [ 0-9]\d %  loss \d+\.?\d*  [\d,]+ samples/s, \d+:\d\d left)");
  const auto matches = [&line](const std::string& output) {
    return std::distance(std::sregex_iterator(output.begin(), output.end(), line), {});
  };
  const CommandResult often = run_command(mpirun(2) + options + " --log-every 1e-6");
  EXPECT_EQ(matches(often.output), 2 * 12) << often.output;  // the last update's is the epoch's
  for (const std::string& text : lines_of(often.output)) {
    EXPECT_TRUE(!text.starts_with("epoch") || text.size() <= 80) << text;
  }
  EXPECT_EQ(matches(read_file(folder / "run/run.log")), 24);
  for (const char* rare : {"", " --log-every 0", " --log-every 1e6"}) {
    const CommandResult result = run_command(options + rare);
    EXPECT_EQ(matches(result.output), 0) << result.output;
    EXPECT_EQ(count(result.output, "epoch   2/2  train loss "), 1) << result.output;
  }
  const CommandResult terminal =
      run_command("script -qec " + quoted(options + " --log-every 1e-6 && true") + " /dev/null");
  EXPECT_EQ(matches(terminal.output), 0) << terminal.output;
}

TEST(Progress, ColoursOnATerminalAreForbiddenByNoColor) {
  const TemporaryFolder folder;
  const std::string green = "\033[32m";
  const auto output = [&](const std::string& environment) {
    return run_command(
               "unset NO_COLOR; " + environment + " script -qec " +
               quoted(train + " --epochs 2 --overwrite --output " + (folder / "run") + " && true") +
               " /dev/null")
        .output;
  };
  EXPECT_GT(count(output("TERM=xterm"), green), 0);
  EXPECT_EQ(count(output("TERM=xterm NO_COLOR=1"), green), 0);
  EXPECT_EQ(count(output("TERM=dumb"), green), 0);
  EXPECT_EQ(count(run_command("TERM=xterm " + train + " --epochs 1 --overwrite --output " +
                              (folder / "run"))
                      .output,
                  "\033"),
            0);
}

TEST(Progress, TheLastLinesSayWhatToDoNext) {
  const TemporaryFolder folder;
  const std::string run = folder / "a run's";
  const CommandResult result =
      run_command(train + small_network + " --epochs 1 --output " + quoted(run));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  std::vector<std::string> last = lines_of(result.output);
  ASSERT_GT(last.size(), 5U);
  last.erase(last.begin(), last.end() - 4);
  EXPECT_EQ(last[0], "model:   " + run + "/model.dnn");
  EXPECT_EQ(last[1], "report:  " + run + "/report.html  (for a browser)");
  EXPECT_TRUE(last[2].starts_with("files:   " + run + ": summary.json, metrics.jsonl")) << last[2];
  ASSERT_TRUE(last[3].starts_with("predict: dnn_predict --model ")) << last[3];
  // The command that it names can be typed as it is.
  const auto data = folder.write("d.csv", "1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n7,a\n8,b\n9,a\n0,b\n");
  const CommandResult trained = run_command(train + " --validation 0 --epochs 1 --data " + data +
                                            " --overwrite --output " + quoted(run));
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  std::string command = lines_of(trained.output).back().substr(std::string("predict: ").size());
  command.replace(command.find("FILE"), 4, data);
  const CommandResult predicted =
      run_command("cd " + folder.path() + " && PATH=" + quoted(DNN_BIN) + ":$PATH " + command);
  EXPECT_EQ(predicted.exit_code, 0) << predicted.output;
  EXPECT_TRUE(fs::exists(folder / "predictions.csv"));
}

/// Whether each event lies inside the one that it is nested in, in order of their beginnings.
void expect_nested(const std::vector<Json>& events) {
  std::vector<std::pair<double, double>> open;
  double before = -1;
  for (const Json& event : events) {
    const double begin = event["ts"].get<double>();
    const double end = begin + event["dur"].get<double>();
    EXPECT_GE(begin, before);
    before = begin;
    constexpr double rounding = 1e-6;  // of a sum of two decimal numbers
    while (!open.empty() && open.back().second <= begin + rounding) {
      open.pop_back();
    }
    if (!open.empty()) {
      EXPECT_LE(end, open.back().second + rounding) << event.dump();
    }
    open.emplace_back(begin, end);
  }
}

TEST(Trace, HasThePhasesOfEveryRankOnOneClock) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  const CommandResult result =
      run_command(mpirun(3) + train + small_network + " --epochs 2 --trace 11-14 --output " + run);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const Json trace = Json::parse(read_file(run + "/trace.json"));
  std::map<int, std::vector<Json>> by_rank;
  std::map<int, std::string> names;
  for (const Json& event : trace["traceEvents"]) {
    if (event["ph"] == "X") {
      by_rank[event["pid"].get<int>()].push_back(event);
    } else if (event["name"] == "process_name") {
      names[event["pid"].get<int>()] = event["args"]["name"];
    }
  }
  ASSERT_EQ(by_rank.size(), 3U);
  std::map<int, std::map<int, std::pair<double, double>>> updates;  // by update and rank
  for (const auto& [rank, events] : by_rank) {
    EXPECT_TRUE(names[rank].starts_with("rank " + std::to_string(rank) + " on ")) << names[rank];
    expect_nested(events);
    std::map<std::string, int> counts;
    for (const Json& event : events) {
      ++counts[event["name"]];
      EXPECT_GE(event["args"]["update"], 11);
      EXPECT_LE(event["args"]["update"], 14);
      if (event["name"] == "whole update") {
        const double begin = event["ts"].get<double>();
        updates[event["args"]["update"].get<int>()][rank] = {begin,
                                                             begin + event["dur"].get<double>()};
      }
    }
    for (const char* phase :
         {"whole update", "load", "compute", "forward", "loss", "backward", "update", "publish"}) {
      EXPECT_EQ(counts[phase], 4) << phase;
    }
    EXPECT_EQ(counts["evaluation"], 1);  // after update 13
  }
  // No rank ends an update before another has begun it: they exchange gradients in between.
  for (const auto& [update, ranks] : updates) {
    ASSERT_EQ(ranks.size(), 3U) << update;
    constexpr double clocks = 1000;  // us that the clocks may be off by on a busy machine
    for (const auto& [rank, time] : ranks) {
      for (const auto& [other, times] : ranks) {
        EXPECT_GE(time.second + clocks, times.first) << rank << " and " << other;
      }
    }
  }
}

TEST(Trace, OfUpdatesThatTheRunDoesNotReach) {
  const TemporaryFolder folder;
  const std::string options =
      train + small_network + " --epochs 1 --overwrite --output " + (folder / "run") + " --trace ";
  CommandResult result = run_command(options + "12-1000");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(read_file(folder / "run/trace.json"), "\"whole update\""), 2);
  result = run_command(options + "1000");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(count(result.output, "there is no trace"), 1) << result.output;
  EXPECT_FALSE(fs::exists(folder / "run/trace.json"));
  result = run_command(options + "5-3");
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(count(result.output, "--trace 5-3: must be updates like 100-120"), 1) << result.output;
}

TEST(OpenMetrics, HasTheStateOfTheRun) {
  const TemporaryFolder folder;
  const std::string file = folder / "run.prom";
  const std::string run = folder / "a \"run\" \\ ";
  CommandResult result =
      run_command(mpirun(2) + train + small_network + " --epochs 2 --step-log 1 --openmetrics " +
                  file + " --output " + quoted(run));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const std::string text = read_file(file);
  const std::string label = "{run=\"" + (folder / "a \\\"run\\\" \\\\ ") + "\"} ";
  for (const std::string& line :
       {"dnn_train_ranks" + label + "2\n", "dnn_train_epochs_done" + label + "2\n",
        "dnn_train_updates_done" + label + "26\n", "dnn_train_samples_total" + label + "3234\n"}) {
    EXPECT_EQ(count(text, line), 1) << line << text;
  }
}

TEST(OpenMetrics, AFileThatCannotBeWrittenIsAWarning) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  for (const std::string overwrite : {"", " --overwrite"}) {
    const CommandResult result =
        run_command(mpirun(2) + train + small_network + " --epochs 2 --step-log 1 --openmetrics " +
                    (folder / "none/run.prom") + " --output " + run + overwrite);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(count(result.output, "none/run.prom"), 1) << result.output;
    EXPECT_EQ(count(result.output, "could not write the OpenMetrics file"), 1) << result.output;
    EXPECT_TRUE(fs::exists(run + "/model.dnn"));
  }
}

TEST(Watch, DrawsCurvesInTheTerminal) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_command(train + small_network + " --epochs 3 --step-log 1 --output " +
                        (folder / "runs/a"))
                .exit_code,
            0);
  CommandResult result =
      run_command("LC_ALL=C " + watch_program + " --text --once " + (folder / "runs"));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* part : {"runs/a: finished, 3 of 3 epochs done, update 39\n",
                           "training loss: ", "validation loss: ", "validation accuracy: ", "*"}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << " in " << result.output;
  }
  EXPECT_EQ(std::count_if(result.output.begin(), result.output.end(),
                          [](char c) { return static_cast<unsigned char>(c) >= 0x80; }),
            0);
  result = run_command("LC_ALL=C.UTF-8 " + watch_program + " --text " + (folder / "runs/a"));
  EXPECT_EQ(result.exit_code, 0) << result.output;  // a finished run is drawn once
  EXPECT_NE(result.output.find("\u2502"), std::string::npos) << result.output;
  fs::copy(folder / "runs/a", folder / "runs/b", fs::copy_options::recursive);
  result = run_command(watch_program + " --text --once " + (folder / "runs"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("name the folder of one: a, b"), std::string::npos) << result.output;
}

TEST(Watch, AnAddressThatIsNotOfThisMachineIsNamed) {
  const TemporaryFolder folder;
  for (const auto& [address, reason] :
       {std::pair("no-such-name.invalid", "no address of that name is known"),
        std::pair("192.0.2.1", "it is not an address of this machine")}) {
    const CommandResult result =
        run_command(watch_program + " " + folder.path() + " --listen " + address);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    for (const std::string& part :
         {std::string("cannot listen on ") + address + ": " + reason, std::string("--listen")}) {
      EXPECT_EQ(count(result.output, part), 1) << part << " in " << result.output;
    }
    EXPECT_EQ(count(result.output, "--port"), 0) << result.output;
  }
}

// Runs that stop in order, or not: what ends is the job, and there is no summary.
TEST(Watch, EndsWithARunThatIsNotFinished) {
  const TemporaryFolder folder;
  for (const std::string end : {"touch stop", "kill -KILL $job"}) {
    const std::string run = folder / end.substr(0, 4);
    const CommandResult result = run_command(
        "mkdir " + run + " && cd " + run + " || exit; " + train + small_network +
        " --epochs 1000000 --step-log 1 --output . >/dev/null 2>&1 & job=$!; "
        "for i in $(seq 1000); do test -s metrics.jsonl && break; sleep 0.02; done; timeout 60 " +
        watch_program +
        " --text . >drawn & watching=$!; for i in $(seq 1000); do grep -q training drawn && break; "
        "sleep 0.02; done; " +
        end + "; wait $watching; echo code $?; wait $job; echo job $?");
    EXPECT_EQ(count(result.output, "code 0"), 1) << result.output;
    const std::string drawn = read_file(run + "/drawn");
    EXPECT_GE(count(drawn, ".: training, "), 1) << drawn;
    EXPECT_EQ(count(drawn, ".: stopped, "), 1) << drawn;
    EXPECT_GT(drawn.find(".: stopped, "), drawn.rfind(".: training, ")) << drawn;
  }
}

}  // namespace
}  // namespace dnn::test
