#include "dnn/checkpoint/checkpoint.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <limits>

#include "dnn/checkpoint/checkpoint_folder.hpp"
#include "dnn/checkpoint/checkpoint_writer.hpp"
#include "dnn/core/error.hpp"
#include "dnn/model/container.hpp"
#include "dnn/model/model_file.hpp"
#include "support/damages.hpp"
#include "support/expect_error.hpp"
#include "support/memory_file.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::read_file;
using test::TemporaryFolder;

constexpr std::size_t bytes = (2 + 1) * 2 * sizeof(float);

std::vector<std::byte> tensor(int first) {
  std::vector<std::byte> result;
  for (std::size_t i = 0; i < bytes; ++i) {
    result.push_back(static_cast<std::byte>(first + static_cast<int>(i)));
  }
  return result;
}

/// In the second of its epochs, with numbers that text would not keep.
Checkpoint example(std::uint64_t step = 2) {
  Checkpoint c;
  c.program = "test";
  c.configuration = "{\"a\": \"with \\\"quotes\\\"\nand lines\"}";
  c.data_sha256 = std::string(64, 'a');
  c.environment = "{\"cpu\":\"one\"}";
  c.widths = {2, 2};
  c.steps_per_epoch = 5;
  c.epoch = 2;
  c.step = step;
  c.updates = 5 + step;
  c.loss_sum = 0.1;
  c.loss_sum += 1e-30;  // together no double
  c.correct = 7;
  c.correct += 1e-25;
  c.weight = 9.5;
  c.weight += 1e-25;
  c.learning_rate = std::numeric_limits<double>::denorm_min();
  c.epoch_seconds = std::numeric_limits<double>::infinity();
  EpochMetrics metrics;
  metrics.epoch = 1;
  metrics.learning_rate = 1.0 / 3;
  metrics.train = {std::nan(""), 0.5, 12};
  metrics.validation = Evaluation{2.0 / 3, 0.25, 4};
  metrics.seconds = 1e-300;
  metrics.sha256 = std::string(64, 'b');
  c.epochs = {metrics};
  c.best_epoch = 1;
  c.optimizer_steps = c.updates;
  c.residuals = {std::string("\0\1 x\n", 5), ""};
  c.parameters = tensor(1);
  c.optimizer_state = {tensor(50), tensor(100)};
  c.has_average = true;
  c.best_parameters = tensor(150);
  return c;
}

TEST(Checkpoint, ComesBackBitForBit) {
  const TemporaryFolder folder;
  const Checkpoint given = example();
  const std::size_t written = save_checkpoint(folder / "c.ckpt", given);
  EXPECT_EQ(written, read_file(folder / "c.ckpt").size());
  const Checkpoint again = load_checkpoint(folder / "c.ckpt");
  EXPECT_EQ(describe_checkpoint(again), describe_checkpoint(given));
  EXPECT_EQ(again.parameters, given.parameters);
  EXPECT_EQ(again.optimizer_state, given.optimizer_state);
  EXPECT_EQ(again.best_parameters, given.best_parameters);
  EXPECT_EQ(again.loss_sum.expansion(), given.loss_sum.expansion());
  EXPECT_EQ(again.correct.expansion(), given.correct.expansion());
  EXPECT_EQ(again.weight.expansion(), given.weight.expansion());
  EXPECT_EQ(again.learning_rate, given.learning_rate);
  EXPECT_EQ(again.epoch_seconds, given.epoch_seconds);
  EXPECT_TRUE(std::isnan(again.epochs[0].train.loss));
  ASSERT_TRUE(again.epochs[0].validation);
  EXPECT_EQ(again.epochs[0].validation->loss, 2.0 / 3);
  EXPECT_EQ(again.epochs[0].seconds, 1e-300);
  EXPECT_EQ(again.epochs[0].sha256, given.epochs[0].sha256);
  EXPECT_EQ(again.residuals, given.residuals);
  EXPECT_EQ(again.environment, given.environment);
  EXPECT_TRUE(again.has_average);
}

// As the first version wrote it: without what was added later.
TEST(Checkpoint, AnOlderVersionsIsRead) {
  const Checkpoint old = parse_checkpoint(
      "22 serialization::archive 18 0 0 3 dnn 2 {} 2 aa 3 0 2 2 2 0 2 2 2 0 0 0 0 0 0 0 1 0 0 0 1 "
      "0 0 4607988863304296790 4600427019358961664 8 1 4604514346779088356 0 2 4581421828931458171 "
      "4589358907414382952 4568625573904413859 4638341365640533490 1 2 0 0 1 0 0  1",
      "old");
  EXPECT_EQ(old.updates, 2U);
  EXPECT_TRUE(old.weight.expansion().empty());  // samples were counted
  ASSERT_EQ(old.epochs.size(), 1U);
  EXPECT_EQ(old.epochs[0].train.samples, 8U);
  EXPECT_EQ(old.epochs[0].sha256, "");
  EXPECT_EQ(old.environment, "");
  EXPECT_FALSE(old.has_average);
}

TEST(Checkpoint, WithoutOptimizerStateAndBestModel) {
  const TemporaryFolder folder;
  Checkpoint given = example();
  given.optimizer_state.clear();
  given.has_average = false;
  given.best_parameters.clear();
  save_checkpoint(folder / "c.ckpt", given);
  const Checkpoint again = load_checkpoint(folder / "c.ckpt");
  EXPECT_EQ(again.parameters, given.parameters);
  EXPECT_TRUE(again.optimizer_state.empty());
  EXPECT_FALSE(again.has_average);
  EXPECT_TRUE(again.best_parameters.empty());
}

TEST(Checkpoint, EveryDamageIsRefused) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "c.ckpt", example());
  const test::MemoryFile file;
  test::for_each_damage(read_file(folder / "c.ckpt"), [&](const std::string& damaged,
                                                          const std::string& what) {
    SCOPED_TRACE(what);
    file.write(damaged);
    expect_error<InputError>([&] { (void)load_checkpoint(file.path()); }, {file.path().c_str()});
  });
}

// As no damage leaves it, since the checksum is right: lengths in the description that nothing in
// it covers do not make memory to hold them.
TEST(Checkpoint, ADescriptionThatPromisesMuchIsRefused) {
  const std::string good = describe_checkpoint(example());
  EXPECT_EQ(describe_checkpoint(parse_checkpoint(good, "c")), good);
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    expect_error<InputError>([&] { (void)parse_checkpoint(text, "c"); }, {"c: ", "description"});
  };
  refused(" 4 test ", " 4000000000000 test ");
  refused(" 64 aaa", " 9223372036854775807 aaa");
  refused(" 2 0 2 2 0 ", " 1000000000000 0 2 2 0 ");
  expect_error<InputError>([&] { (void)parse_checkpoint(good + "1", "c"); }, {"description"});
  for (std::size_t length = 0; length + 1 < good.size(); ++length) {
    expect_error<InputError>([&] { (void)parse_checkpoint(good.substr(0, length), "c"); }, {"c: "});
  }
}

TEST(Checkpoint, AModelIsNone) {
  const TemporaryFolder folder;
  write_container(folder / "m.dnn", Container::model, "text", {});
  expect_error<InputError>([&] { (void)load_checkpoint(folder / "m.dnn"); },
                           {"m.dnn", "not a dnn_train checkpoint"});
  save_checkpoint(folder / "c.ckpt", example());
  expect_error<InputError>([&] { (void)load_model(folder / "c.ckpt"); },
                           {"c.ckpt", "a checkpoint, not a dnn_train model", "--resume"});
}

// Whole containers that no run has written: an error, not a crash.
TEST(Checkpoint, PartsThatContradictEachOtherAreRefused) {
  const TemporaryFolder folder;
  const auto refused = [&](auto&& change, const char* part) {
    Checkpoint c = example();
    change(c);
    write_container(folder / "c.ckpt", Container::checkpoint, describe_checkpoint(c),
                    {c.parameters, c.best_parameters});
    expect_error<InputError>([&] { (void)load_checkpoint(folder / "c.ckpt"); },
                             {"contradicts", part});
  };
  refused([](Checkpoint& c) { c.step = 6; }, "position");
  refused([](Checkpoint& c) { c.updates = 8; }, "position");
  refused([](Checkpoint& c) { c.epoch = 3; }, "position");
  refused([](Checkpoint& c) { c.steps_per_epoch = 0; }, "position");
  refused([](Checkpoint& c) { c.best_epoch = 2; }, "best epoch");
  refused([](Checkpoint& c) { c.widths = {2}; }, "no layers");
  refused([](Checkpoint& c) { c.widths = {2, ~0ULL}; }, "layer widths");
  refused([](Checkpoint& c) { c.widths = {~0ULL, 2}; }, "layer widths");
  refused([](Checkpoint& c) { c.widths = {2, 3}; }, "number of parameters");
  refused([](Checkpoint& c) { c.optimizer_state.resize(17); }, "optimizer buffers");
  refused([](Checkpoint& c) { c.precision = Precision::f64; }, "number of parameters");
  write_container(folder / "f.ckpt", Container::checkpoint, "22 serialization::archive 99", {});
  expect_error<InputError>([&] { (void)load_checkpoint(folder / "f.ckpt"); }, {"description"});
}

TEST(CheckpointFolder, NewestFirstAndNoOtherFiles) {
  const TemporaryFolder folder;
  const CheckpointFolder checkpoints(folder.path());
  EXPECT_TRUE(checkpoints.newest_first().empty());
  for (const std::uint64_t updates : {3ULL, 20ULL, 5ULL, 1'000'000'000'000'000ULL}) {
    folder.write(checkpoints.file_for(updates).substr(folder.path().size() + 1), "");
  }
  folder.write("step-7.ckpt.tmp.123", "");
  folder.write("notes", "");
  EXPECT_EQ(checkpoints.newest_first(),
            (std::vector<std::string>{checkpoints.file_for(1'000'000'000'000'000),
                                      checkpoints.file_for(20), checkpoints.file_for(5),
                                      checkpoints.file_for(3)}));
  checkpoints.remove_after(5);
  EXPECT_EQ(checkpoints.newest_first(),
            (std::vector<std::string>{checkpoints.file_for(5), checkpoints.file_for(3)}));
  checkpoints.clear();
  EXPECT_TRUE(checkpoints.newest_first().empty());
  EXPECT_FALSE(std::filesystem::exists(folder / "step-7.ckpt.tmp.123"));
  EXPECT_TRUE(std::filesystem::exists(folder / "notes"));
  EXPECT_TRUE(CheckpointFolder("/no/such/folder").newest_first().empty());
}

TEST(CheckpointWriter, KeepsTheNewest) {
  const TemporaryFolder folder;
  const CheckpointFolder checkpoints(folder.path());
  CheckpointWriter writer(checkpoints, 2);
  for (std::uint64_t step = 0; step <= 4; ++step) {
    writer.submit(example(step));
  }
  writer.wait();
  EXPECT_EQ(checkpoints.newest_first(),
            (std::vector<std::string>{checkpoints.file_for(9), checkpoints.file_for(8)}));
  EXPECT_EQ(load_checkpoint(checkpoints.file_for(8)).step, 3U);
  const CheckpointWriter::Report report = writer.report();
  EXPECT_EQ(report.written, 5U);
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.last_written, checkpoints.file_for(9));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
}

TEST(CheckpointWriter, AFailedWriteIsToldAndTheLastGoodOneStays) {
  const TemporaryFolder folder;
  const CheckpointFolder checkpoints(folder.path());
  CheckpointWriter writer(checkpoints, 1);
  writer.submit(example(1));
  writer.wait();
  std::filesystem::create_directory(checkpoints.file_for(7));  // no file can get this name
  testing::internal::CaptureStderr();
  writer.submit(example(2));
  writer.wait();
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("Training continues"), std::string::npos) << told;
  EXPECT_NE(told.find(checkpoints.file_for(6)), std::string::npos) << told;
  EXPECT_EQ(writer.report().failed, 1U);
  EXPECT_FALSE(writer.report().last_error.empty());
  EXPECT_EQ(load_checkpoint(checkpoints.file_for(6)).step, 1U);
  writer.submit(example(3));
  writer.wait();
  EXPECT_TRUE(writer.report().last_error.empty());
}

// As of a run that was saved by one rank and is resumed by several.
TEST(CheckpointWriter, AWholeCheckpointStaysWhereItsLikeInPartsCannotBeWritten) {
  const TemporaryFolder folder;
  const CheckpointFolder checkpoints(folder.path());
  (void)save_checkpoint(checkpoints.file_for(7), example(2));
  Checkpoint in_parts = example(2);
  ElementRuns elements;
  elements.add(0, bytes / sizeof(float));
  in_parts.parts.parts.push_back(
      save_part(folder.path(), checkpoints.part_for(7, "now", 0), elements, tensor(1)));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{64, 64};  // bytes
    ::setrlimit(RLIMIT_FSIZE, &limit);
    CheckpointWriter writer(checkpoints, 1);
    writer.submit(in_parts);
    writer.wait();
    ::_exit(writer.report().failed == 1 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(load_checkpoint(checkpoints.file_for(7)).step, 2U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

}  // namespace
}  // namespace dnn
