// What the library's Trainer does where one rank has less memory than a call needs.

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "dnn/dnn_train.hpp"
#include "library/trainer_example.hpp"
#include "support/little_memory.hpp"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they take all addresses

namespace dnn::test {
namespace {

using dnn_train::Code;
using dnn_train::Error;
using dnn_train::Trainer;

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr std::uint64_t rows = 9000;  ///< of a rank: three times 35 MiB
constexpr const char* wide = "hidden = [1024]\nthreads = 1\n";

MadeUp many_rows() {
  return mine(0, rows * static_cast<std::uint64_t>(world().size()), decompositions()[1]);
}

/// So many more bytes for the last rank; no limit for the others.
class LittleForTheLast {
 public:
  explicit LittleForTheLast(std::size_t bytes) {
    if (world().rank() == world().size() - 1) {
      little_.emplace(bytes);
    }
  }

 private:
  std::optional<LittleMemory> little_;
};

TEST(TrainerMemory, AStepThatFindsNoneChangesNothing) {
  const MadeUp few = mine(0, 100, decompositions()[1]);
  const MadeUp many = many_rows();
  Trainer trainer(world().handle(), wide);
  (void)trainer.step(few.numbers());
  const std::string hash = trainer.hash();
  {
    const LittleForTheLast little(48 * mib);
    expect_error(Code::input, "samples a rank (give fewer",
                 [&] { (void)trainer.step(many.numbers()); });
  }
  EXPECT_EQ(trainer.hash(), hash);
  for (std::size_t limit = 72; limit <= 120; limit += 8) {  // around what is needed
    std::string said = "done";
    {
      const LittleForTheLast little(limit * mib);
      try {
        (void)trainer.step(many.numbers());
      } catch (const Error& error) {
        said = error.what();
      }
    }
    ASSERT_EQ(world().broadcast(said, 0), said) << limit;  // the same on all ranks
    if (said == "done") {
      break;
    }
    EXPECT_EQ(trainer.hash(), hash) << said;
  }
  EXPECT_TRUE(trainer.step(few.numbers()).counted);
  EXPECT_EQ(trainer.step(many.numbers()).samples, rows * static_cast<unsigned>(world().size()));
  trainer.close();
}

TEST(TrainerMemory, AFitThatFindsNoneChangesNothing) {
  const MadeUp few = mine(0, 100, decompositions()[1]);
  const MadeUp many = many_rows();
  Trainer trainer(
      world().handle(),
      std::string(wide) + "defaults = 'plain'\nvalidation = 0.0\nepochs = 1\n" +
          "batch-size = " + std::to_string(rows * static_cast<unsigned>(world().size())));
  (void)trainer.step(few.numbers());
  const std::string hash = trainer.hash();
  {
    const LittleForTheLast little(48 * mib);
    expect_error(Code::memory, "not enough memory", [&] { (void)trainer.fit(many.numbers()); });
  }
  EXPECT_EQ(trainer.hash(), hash);
  EXPECT_TRUE(trainer.step(few.numbers()).counted);
  trainer.close();
}

}  // namespace
}  // namespace dnn::test

#endif
