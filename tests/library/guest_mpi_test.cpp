// What a host has set for itself neither changes the model nor is changed.

#include <gtest/gtest.h>

#include <cfenv>
#include <locale>
#include <string>

#include "library/trainer_example.hpp"
#include "support/shared_folder.hpp"

namespace dnn::test {
namespace {

using dnn_train::Trainer;

constexpr const char* options =
    "hidden = [8]\nseed = 3\nbatch-size = 32\nlr = 0.01\nepochs = 3\nthreads = 2";

std::string hash_of_classes() {
  Trainer trainer(world().handle(), options);
  const MadeUp own = mine(0, 300, decompositions()[1]);
  (void)trainer.fit(own.labelled());
  (void)trainer.evaluate(own.labelled());
  std::string hash = trainer.hash();
  trainer.close();
  return hash;
}

TEST(Guest, FloatingPointTrapsAndRoundingAreTheHosts) {
  const std::string expected = hash_of_classes();
  std::feclearexcept(FE_ALL_EXCEPT);
  EXPECT_EQ(hash_of_classes(), expected);
  EXPECT_EQ(std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW), 0);

  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  const std::string upward = hash_of_classes();
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(upward, expected);

  constexpr int traps = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW;
  std::feclearexcept(FE_ALL_EXCEPT);
  ASSERT_NE(::feenableexcept(traps), -1);
  const std::string trapping = hash_of_classes();
  EXPECT_EQ(::fegetexcept(), traps);
  ::fedisableexcept(traps);
  EXPECT_EQ(trapping, expected);
}

/// OpenMP's threads, which a host with traps has started, have them as well.
TEST(Guest, TrapsOfTheHostsThreadsStay) {
  const std::string expected = hash_of_classes();
  std::string trapping;
  int kept = 0;
  constexpr int traps = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW;
#pragma omp parallel num_threads(2)
  {
    std::feclearexcept(FE_ALL_EXCEPT);
    ::feenableexcept(traps);
  }
  trapping = hash_of_classes();
#pragma omp parallel num_threads(2) reduction(+ : kept)
  {
    kept += ::fegetexcept() == traps ? 1 : 0;
    ::fedisableexcept(traps);
  }
  EXPECT_EQ(trapping, expected);
  EXPECT_EQ(kept, 2);
}

class DecimalComma : public std::numpunct<char> {
 protected:
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(Guest, SavedModelsAndStatesDoNotFollowTheLocale) {
  const SharedFolder folder;
  const MadeUp own = mine(0, 100, decompositions()[1]);
  Trainer trainer(world().handle(), options);
  (void)trainer.step(own.numbers());
  trainer.save(folder.path() + "/plain.dnn");
  const std::vector<unsigned char> state = trainer.state();

  const std::locale before = std::locale::global(std::locale(std::locale(), new DecimalComma));
  Trainer comma(world().handle(), options);
  comma.load(folder.path() + "/plain.dnn");
  EXPECT_EQ(comma.hash(), trainer.hash());
  comma.restore(state);
  EXPECT_EQ(comma.state(), state);
  comma.save(folder.path() + "/comma.dnn");
  std::locale::global(before);

  trainer.load(folder.path() + "/comma.dnn");
  EXPECT_EQ(trainer.hash(), comma.hash());
  comma.close();
  trainer.close();
}

}  // namespace
}  // namespace dnn::test
