// What the library's Trainer refuses: the same error on all ranks.

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "dnn/dnn_train.hpp"
#include "library/trainer_example.hpp"

namespace dnn::test {
namespace {

using dnn_train::Code;
using dnn_train::Samples;
using dnn_train::Trainer;

TEST(TrainerErrors, RefusesWhatItCannotUse) {
  expect_error(Code::input, "MPI_COMM_NULL", [] { const Trainer none(MPI_COMM_NULL); });
  expect_error(Code::input, "did you mean hidden?",
               [] { const Trainer none(world().handle(), "hiden = [3]"); });
  expect_error(Code::input, "programs' alone",
               [] { const Trainer none(world().handle(), "output = 'x'"); });
  expect_error(Code::input, "no TOML", [] { const Trainer none(world().handle(), "hidden ="); });
  expect_error(Code::input, "'sample' or 'newest'",
               [] { const Trainer none(world().handle(), "store-keeps = 'best'"); });
  expect_error(Code::input, "below 2^64",
               [] { const Trainer none(world().handle(), "store = '18446744073709551618'"); });

  Trainer trainer(world().handle(), small);
  const MadeUp good = mine(0, 100, decompositions()[1]);
  expect_error(Code::input, "no network yet", [&] { trainer.save("x"); });
  expect_error(Code::input, "no rank gives any", [&] { (void)trainer.fit(MadeUp().numbers()); });
  (void)trainer.step(good.numbers());
  const std::string hash = trainer.hash();

  MadeUp bad = good;
  const bool is_last = world().rank() == world().size() - 1;
  if (is_last) {
    bad.x[4] = std::numeric_limits<double>::quiet_NaN();
  }
  expect_error(Code::input, "row 1, column 1 (from 0) is nan",
               [&] { (void)trainer.step(bad.numbers()); });
  expect_error(Code::input, "nan", [&] { (void)trainer.fit(bad.numbers()); });

  bad = good;
  bad.ids[0] = 7;
  bad.ids[1] = 7;
  expect_error(Code::input, "two samples have the id 7",
               [&] { (void)trainer.step(bad.numbers()); });

  Samples narrow = good.numbers();
  narrow.features.columns = 2;
  expect_error(Code::input, "2 features, but the network takes 3",
               [&] { (void)trainer.step(narrow); });
  Samples two = is_last ? narrow : good.numbers();
  expect_error(Code::input, world().size() > 1 ? "different forms" : "2 features",
               [&] { (void)trainer.step(two); });
  Samples headless = good.numbers();
  headless.features.data = nullptr;
  expect_error(Code::input, "null pointer", [&] { (void)trainer.step(headless); });
  Samples neither = good.numbers();
  neither.targets = {};
  expect_error(Code::input, "neither classes nor targets", [&] { (void)trainer.fit(neither); });
  expect_error(Code::input, "feature-names: 2 names for 3 features", [&] {
    Trainer named(world().handle(), "feature-names = ['a', 'b']");
    (void)named.fit(good.numbers());
  });
  expect_error(Code::input, "have classes", [&] { (void)trainer.evaluate(good.labelled()); });
  MadeUp negative = good;
  negative.classes[0] = -1;
  expect_error(Code::input, "classes are numbers from 0",
               [&] { (void)trainer.fit(negative.labelled()); });
  expect_error(Code::file, "cannot", [&] { trainer.save("/nowhere/at/all/model.dnn"); });
  expect_error(Code::file, "cannot", [&] { trainer.load("/nowhere/at/all/model.dnn"); });
  expect_error(Code::input, "above 0", [&] { trainer.set_learning_rate(0); });
  EXPECT_EQ(trainer.hash(), hash);  // after all that, as it was
  EXPECT_TRUE(trainer.step(good.numbers()).counted);
  trainer.close();
  expect_error(Code::input, "closed", [&] { (void)trainer.step(good.numbers()); });
}

TEST(TrainerErrors, RefusesWeightsThatAddUpToNothingThatCanBeScaled) {
  const MadeUp good = mine(0, 100, decompositions()[1]);
  Trainer trainer(world().handle(), small);
  (void)trainer.step(good.numbers());
  const std::string hash = trainer.hash();
  for (const double weight : {1e307, 5e-324, 0.0}) {
    const std::vector<double> weights(good.ids.size() + 1, weight);
    Samples samples = good.numbers();
    samples.weights = weights.data();
    const std::string text = weight > 1 ? "more than a double holds" : "weight";
    if (weight > 0) {
      expect_error(Code::input, text, [&] { (void)trainer.step(samples); });
    }
    expect_error(Code::input, text, [&] { (void)trainer.evaluate(samples); });
    expect_error(Code::input, text, [&] { (void)trainer.fit(samples); });
    EXPECT_EQ(trainer.hash(), hash);
  }
  trainer.close();
}

TEST(TrainerErrors, RefusesMoreClassesThanNumbersHold) {
  const MadeUp good = mine(0, 100, decompositions()[1]);
  Trainer trainer(world().handle(), "hidden = [4]\nclasses = 576460752303423488");
  expect_error(Code::input, "at most 2,147,483,647", [&] { (void)trainer.fit(good.labelled()); });
  trainer.close();
}

/// What the first samples did not have comes later.
TEST(TrainerErrors, RefusesClassesThatTheNetworkDoesNotHave) {
  MadeUp good = mine(0, 100, decompositions()[1]);
  Trainer trainer(world().handle(), small);
  (void)trainer.step(good.labelled());
  const std::string hash = trainer.hash();
  MadeUp more = good;
  if (world().rank() == world().size() - 1) {
    more.classes[1] = 3;
  }
  const std::string text = "class 3, but the network has 3 (0 to 2)";
  expect_error(Code::input, text, [&] { (void)trainer.step(more.labelled()); });
  expect_error(Code::input, text, [&] { (void)trainer.evaluate(more.labelled()); });
  more.classes[1] = 2'000'000'000;
  expect_error(Code::input, "are these ids?", [&] { (void)trainer.fit(more.labelled()); });
  EXPECT_EQ(trainer.hash(), hash);
  trainer.close();

  // A first step that fails leaves no network behind.
  Trainer fresh(world().handle(), "class-weights = 'balanced'");
  expect_error(Code::input, "is for fit alone", [&] { (void)fresh.step(good.labelled()); });
  EXPECT_EQ(fresh.outputs(), 0U);
  expect_error(Code::input, "no network yet", [&] { (void)fresh.hash(); });
  fresh.close();

  Trainer averaged(world().handle(), std::string(small) + "epochs = 2\naverage-weights = 1.0");
  (void)averaged.fit(good.labelled());
  expect_error(Code::input, "counted in epochs", [&] { (void)averaged.step(good.labelled()); });
  averaged.close();

  Trainer balanced(world().handle(), std::string(small) + "epochs = 2\nclass-weights = 'balanced'");
  (void)balanced.fit(good.labelled());
  expect_error(Code::input, "is for fit alone", [&] { (void)balanced.step(good.labelled()); });
  balanced.close();

  Trainer with_store(world().handle(), std::string(small) + "store = 10");
  Samples unnumbered = good.numbers();
  unnumbered.ids = nullptr;
  expect_error(Code::input, "needs ids", [&] { (void)with_store.step(unnumbered); });
  with_store.close();
}

}  // namespace
}  // namespace dnn::test
