#include "dnn/checkpoint/checkpoint_part.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "dnn/checkpoint/checkpoint.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/model/container.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace dnn {
namespace {

using test::expect_error;
using test::TemporaryFolder;

constexpr std::size_t rows = 3;
constexpr std::size_t columns = 4;
constexpr std::size_t W_and_B = (rows + 1) * columns;  ///< of W and B

/// A checkpoint of one layer and no tensors.
Checkpoint parts_example() {
  Checkpoint c;
  c.widths = {rows, columns};
  c.steps_per_epoch = 9;
  c.optimizer_state.resize(1);
  c.parts.tensors = 2;
  return c;
}

/// The number of its element in the whole tensor, and 100 more in the optimizer's.
std::vector<std::byte> bytes_of(const ElementRuns& runs) {
  std::vector<float> numbers;
  for (const float plus : {0.0F, 100.0F}) {
    runs.for_each_run([&](std::size_t first, std::size_t length) {
      for (std::size_t i = first; i < first + length; ++i) {
        numbers.push_back(static_cast<float>(i) + plus);
      }
    });
  }
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

void expect_whole(const Checkpoint& c) {
  const auto expect = [](const std::vector<std::byte>& tensor, float plus) {
    ASSERT_EQ(tensor.size(), W_and_B * sizeof(float));
    for (std::size_t i = 0; i < W_and_B; ++i) {
      float number = 0;
      std::memcpy(&number, tensor.data() + i * sizeof(float), sizeof(float));
      EXPECT_EQ(number, static_cast<float>(i) + plus);
    }
  };
  expect(c.parameters, 0);
  ASSERT_EQ(c.optimizer_state.size(), 1U);
  expect(c.optimizer_state[0], 100);
}

ElementRuns runs_of(std::initializer_list<Range> runs) {
  ElementRuns made;
  for (const Range run : runs) {
    made.add(run.begin, run.size());
  }
  return made;
}

TEST(CheckpointPart, PartsOfColumnsMakeTheWhole) {
  const TemporaryFolder folder;
  Checkpoint c = parts_example();
  // Columns 1 and 2 of W and B, which three ranks share amid rows; then the others.
  for (const ElementRuns& runs :
       {runs_of({{5, 7}, {9, 11}, {13, 15}}), runs_of({{1, 3}}),
        runs_of({{3, 5}, {7, 9}, {11, 13}, {15, 16}}), runs_of({{0, 1}})}) {
    c.parts.parts.push_back(
        save_part(folder.path(), "p" + std::to_string(c.parts.parts.size()), runs, bytes_of(runs)));
  }
  (void)save_checkpoint(folder / "c.ckpt", c);
  EXPECT_EQ(part_files(folder / "c.ckpt"), (std::vector<std::string>{"p0", "p1", "p2", "p3"}));
  expect_whole(load_checkpoint(folder / "c.ckpt"));
}

TEST(CheckpointPart, ListsOfTheFirstVersionAreRead) {
  const TemporaryFolder folder;
  const Checkpoint c = parts_example();
  std::string text = "tensors 2\n";
  for (const Range range : {Range{0, 7}, Range{7, 16}}) {
    const ElementRuns runs = runs_of({range});
    const std::string file = "p" + std::to_string(range.begin);
    const CheckpointPart part = save_part(folder.path(), file, runs, bytes_of(runs));
    text += "part " + file + " " + std::to_string(range.begin) + " " + std::to_string(range.end) +
            " " + std::to_string(part.bytes) + " " + part.checksum + "\n";
  }
  write_container(folder / "c.ckpt", Container::checkpoint, describe_checkpoint(c),
                  {std::as_bytes(std::span(text))}, PartList::first_version);
  expect_whole(load_checkpoint(folder / "c.ckpt"));
}

TEST(CheckpointPart, ListsThatContradictThemselvesAreRefused) {
  const auto refused = [](const std::string& text, std::uint32_t version) {
    SCOPED_TRACE(text);
    expect_error<InputError>([&] { (void)PartList::parse(text, version, W_and_B, "c.ckpt"); },
                             {"c.ckpt", "contradicts itself", "the list of its parts"});
  };
  EXPECT_EQ(PartList::parse("tensors 2\npart p 9 aa 1 0 16 0 1\n", 3, W_and_B, "c").parts.size(),
            1U);
  for (const char* text :
       {"", "tensors", "tensors 2\n", "tensors 2\npart p 9 aa 1 0 15 0 1\n",
        "tensors 2\npart p 9 aa 1 0 17 0 1\n", "tensors 2\npart ../p 9 aa 1 0 16 0 1\n",
        "tensors 2\nport p 9 aa 1 0 16 0 1\n", "tensors 2\npart p 9 aa 0\n",
        "tensors 2\npart p 9 aa 1 0 16 0 1\npart q 9 aa 0\n",
        "tensors 2\npart p 9 aa 1 0 16 0 1\npart q 9 aa 1 3 1 0 1\n",
        "tensors 2\npart p 0 16 9 aa\n"}) {
    refused(text, 3);
  }
  EXPECT_EQ(PartList::parse("tensors 2\npart p 0 16 9 aa\n", 2, W_and_B, "c").parts.size(), 1U);
  for (const char* text :
       {"tensors 2\npart p 0 15 9 aa\n", "tensors 2\npart p 1 17 9 aa\n",
        "tensors 2\npart p 0 17 9 aa\n", "tensors 2\npart p 0 8 9 aa\npart q 9 16 9 aa\n",
        "tensors 2\npart p 0 8 9 aa\npart q 8 8 9 aa\n"}) {
    refused(text, 2);
  }
}

// As many elements as a tensor has, but not each of them.
TEST(CheckpointPart, PartsThatHoldAnElementTwiceAreRefused) {
  const TemporaryFolder folder;
  Checkpoint c = parts_example();
  for (const ElementRuns& runs : {runs_of({{0, 8}}), runs_of({{7, 15}})}) {
    c.parts.parts.push_back(
        save_part(folder.path(), "p" + std::to_string(c.parts.parts.size()), runs, bytes_of(runs)));
  }
  (void)save_checkpoint(folder / "c.ckpt", c);
  expect_error<InputError>([&] { (void)load_checkpoint(folder / "c.ckpt"); },
                           {"c.ckpt", "contradicts itself", "the list of its parts"});
}

}  // namespace
}  // namespace dnn
