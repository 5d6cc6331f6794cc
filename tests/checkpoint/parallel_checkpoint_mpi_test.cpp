#include "dnn/checkpoint/parallel_checkpoint.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <thread>

#include "dnn/checkpoint/checkpoint_control.hpp"
#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_world.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

namespace fs = std::filesystem;
using test::world;

constexpr std::size_t elements_of_each = 5;

/// What rank `rank` saves: as many tensors as `example` says, of one layer of 1 x 1 for each
/// element.
std::vector<std::byte> bytes_of(int rank) {
  return std::vector<std::byte>(2 * elements_of_each * sizeof(float),
                                static_cast<std::byte>(rank + 1));
}

ElementRuns elements_of(int rank) {
  ElementRuns runs;
  runs.add(static_cast<std::size_t>(rank) * elements_of_each, elements_of_each);
  return runs;
}

/// A checkpoint amid the first epoch, without its tensors: W and B, and one optimizer buffer.
Checkpoint example(std::uint64_t step) {
  Checkpoint c;
  c.widths = {elements_of_each - 1, static_cast<std::uint64_t>(world().size())};
  c.steps_per_epoch = 100;
  c.step = step;
  c.updates = step;
  c.optimizer_steps = step;
  c.optimizer_state.resize(1);
  c.parts.tensors = 2;
  return c;
}

struct Parallel : public testing::Test {
  std::optional<test::TemporaryFolder> own;
  std::string path;

  Parallel() {
    if (world().is_root()) {
      own.emplace();
    }
    path = world().broadcast(own ? own->path() : std::string(), 0);
  }
  ~Parallel() override { world().barrier(); }

  [[nodiscard]] CheckpointControl::Settings settings() const {
    return {{CheckpointInterval::Unit::steps, 1}, 2, path, {}, true};
  }
  void submit(CheckpointControl& control, std::uint64_t step) const {
    control.submit_part(example(step), elements_of(world().rank()), bytes_of(world().rank()), 0);
  }
  [[nodiscard]] CheckpointFolder folder() const { return CheckpointFolder(path); }
  /// Collective: files in the folder, as the last of the ranks sees it.
  [[nodiscard]] std::size_t files() const {
    world().barrier();
    const std::int64_t count = std::distance(fs::directory_iterator(path), {});
    return static_cast<std::size_t>(world().all_reduce(count, Reduction::max));
  }
};

TEST_F(Parallel, IsCommittedWhenTheRanksNextAgree) {
  CheckpointControl control(world(), nullptr, settings());
  EXPECT_TRUE(control.writes_parts());
  submit(control, 3);
  // No rank waits for it: the periodic agreement finds that all parts are there.
  for (int round = 0; round < 10'000 && files() <= static_cast<std::size_t>(world().size());
       ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    (void)control.after_update(4);
  }
  control.wait();
  const Checkpoint c = load_checkpoint(folder().file_for(3));
  EXPECT_EQ(c.step, 3U);
  ASSERT_EQ(c.parameters.size(),
            elements_of_each * sizeof(float) * static_cast<std::size_t>(world().size()));
  for (int rank = 0; rank < world().size(); ++rank) {
    const std::size_t first = static_cast<std::size_t>(rank) * elements_of_each * sizeof(float);
    EXPECT_EQ(c.parameters[first], static_cast<std::byte>(rank + 1));
    EXPECT_EQ(c.optimizer_state[0][first], static_cast<std::byte>(rank + 1));
  }
}

TEST_F(Parallel, KeepsTheNewestWithTheirParts) {
  CheckpointControl control(world(), nullptr, settings());
  for (std::uint64_t step = 1; step <= 5; ++step) {
    submit(control, step);
  }
  submit(control, 5);  // once more: its parts take the place of those before
  control.finish();
  EXPECT_EQ(files(), 2 * (1 + static_cast<std::size_t>(world().size())));
  EXPECT_EQ(folder().newest_first(),
            (std::vector<std::string>{folder().file_for(5), folder().file_for(4)}));
  EXPECT_EQ(load_checkpoint(folder().file_for(4)).step, 4U);
  EXPECT_EQ(load_checkpoint(folder().file_for(5)).step, 5U);
  world().barrier();
}

TEST_F(Parallel, ARankThatCannotWriteFailsItForAll) {
  CheckpointControl control(world(), nullptr, settings());
  submit(control, 1);
  control.wait();
  const std::size_t before = files();
  testing::internal::CaptureStderr();
  {
    const bool fails = world().rank() == world().size() - 1;
    // A file is no folder.
    ParallelCheckpoint parallel(world(), CheckpointFolder(fails ? folder().file_for(1) : path),
                                example(2), elements_of(world().rank()), bytes_of(world().rank()));
    const ParallelCheckpoint::Outcome outcome = parallel.collect();
    EXPECT_EQ(outcome.error.find("rank " + std::to_string(world().size() - 1) + ": ") == 0,
              world().is_root())
        << outcome.error;
    EXPECT_EQ(outcome.error.find("create the folder") != std::string::npos, world().is_root());
  }
  (void)testing::internal::GetCapturedStderr();
  EXPECT_EQ(files(), before);  // no part is left
}

TEST_F(Parallel, PartsThatNoCheckpointNamesAreRemovedAtTheNextStart) {
  CheckpointControl control(world(), nullptr, settings());
  submit(control, 1);
  control.wait();
  const std::size_t good = files();
  {
    ParallelCheckpoint crashed(world(), folder(), example(2), elements_of(world().rank()),
                               bytes_of(world().rank()));
    ParallelCheckpoint again(world(), folder(), example(1), elements_of(world().rank()),
                             bytes_of(world().rank()));
  }
  EXPECT_EQ(files(), good + 2 * static_cast<std::size_t>(world().size()));
  if (world().is_root()) {
    folder().remove_temporary_files();
    EXPECT_EQ(load_checkpoint(folder().file_for(1)).step, 1U);
  }
  EXPECT_EQ(files(), good);
  if (world().is_root()) {
    folder().clear();
  }
  world().barrier();
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(Parallel, ADamagedOrMissingPartIsTold) {
  CheckpointControl control(world(), nullptr, settings());
  submit(control, 1);
  control.wait();
  if (world().is_root()) {
    const std::string index = folder().file_for(1);
    for (const std::string& file : part_files(index)) {
      const std::string part = path + "/" + file;
      std::string bytes = test::read_file(part);
      bytes[70] = static_cast<char>(bytes[70] ^ 1);
      const std::string good = own->write("good", test::read_file(part));
      own->write(file, bytes);
      test::expect_error<InputError>([&] { (void)load_checkpoint(index); },
                                     {index.c_str(), part.c_str(), "checksum"});
      fs::resize_file(part, 80);
      test::expect_error<InputError>([&] { (void)load_checkpoint(index); },
                                     {index.c_str(), part.c_str(), "truncated"});
      fs::remove(part);
      test::expect_error<InputError>([&] { (void)load_checkpoint(index); },
                                     {index.c_str(), part.c_str(), "No such file"});
      // A part of another checkpoint, whole as it is, does not fit.
      const CheckpointPart other =
          save_part(path, file, elements_of(0), std::vector<std::byte>(bytes_of(0).size()));
      EXPECT_EQ(other.file, file);
      test::expect_error<InputError>([&] { (void)load_checkpoint(index); },
                                     {part.c_str(), "not the part"});
      fs::rename(good, part);
      EXPECT_EQ(load_checkpoint(index).step, 1U);
    }
  }
  world().barrier();
}

TEST_F(Parallel, AFolderThatTheRanksDoNotShareIsWrittenByRank0) {
  EXPECT_EQ(why_not_shared(world(), path), "");
  const std::string mine = path + "/" + std::to_string(world().rank());
  EXPECT_EQ(why_not_shared(world(), mine).find("not all ranks") == 0, world().size() > 1);
  EXPECT_NE(why_not_shared(world(), "/proc/no/such/folder").find("No such file"),
            std::string::npos);
  CheckpointControl::Settings other = settings();
  other.folder = mine;
  testing::internal::CaptureStderr();
  const CheckpointControl control(world(), nullptr, other);
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(control.writes_parts(), world().size() == 1);
  EXPECT_EQ(told.find("rank 0 writes the checkpoints alone") != std::string::npos,
            world().is_root() && world().size() > 1);
}

}  // namespace
}  // namespace dnn
