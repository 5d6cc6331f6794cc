// The library's Trainer at any number of ranks, however the samples lie on them.

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "dnn/dnn_train.hpp"
#include "library/trainer_example.hpp"
#include "support/mpi_world.hpp"
#include "support/shared_folder.hpp"

namespace dnn::test {
namespace {

using dnn_train::Code;
using dnn_train::Error;
using dnn_train::Matrix;
using dnn_train::Samples;
using dnn_train::Trainer;

std::string fit_hash(MPI_Comm ranks, const Samples& samples, const std::string& options) {
  Trainer trainer(ranks, options);
  const dnn_train::Fit fit = trainer.fit(samples);
  EXPECT_GT(fit.epochs, 0U);
  EXPECT_FALSE(fit.stopped);
  std::string hash = trainer.hash();
  trainer.close();
  return hash;
}

TEST(Trainer, FitIsTheSameHoweverTheSamplesLie) {
  for (const std::string& options : {std::string(small) + "epochs = 4",
                                     std::string(small) + "epochs = 3\nprecision = 'double'"}) {
    const MadeUp whole = all(0, 300);
    const std::string numbers = fit_hash(self().handle(), whole.numbers(), options);
    const std::string classes = fit_hash(self().handle(), whole.labelled(), options);
    for (const Decomposition& lies : decompositions()) {
      const MadeUp own = mine(0, 300, lies);
      EXPECT_EQ(fit_hash(world().handle(), own.numbers(), options), numbers);
      EXPECT_EQ(fit_hash(world().handle(), own.labelled(), options), classes);
    }
  }
}

/// Two labels of each sample, or how probable each of two classes is, with weights.
TEST(Trainer, LearnsLabelsAndDistributionsOfWeightedSamples) {
  for (const bool labels : {true, false}) {
    const std::string options =
        std::string(small) + "epochs = 3\ntask = '" + (labels ? "labels" : "distribution") + "'";
    const auto hash = [&](const MadeUp& made, MPI_Comm ranks) {
      std::vector<float> targets;
      std::vector<double> weights;
      for (std::size_t i = 0; i < made.ids.size(); ++i) {
        const float first = labels ? static_cast<float>(made.classes[i] > 0)
                                   : 0.25F * static_cast<float>(made.classes[i]);
        targets.insert(targets.end(),
                       {first, labels ? static_cast<float>(made.x[3 * i] > 0) : 1 - first});
        weights.push_back(1 + static_cast<double>(made.ids[i] % 3));
      }
      Samples samples = made.numbers();
      samples.targets = Matrix::row_major(targets.data(), made.ids.size(), 2);
      samples.weights = weights.data();
      Trainer trainer(ranks, options);
      (void)trainer.fit(samples);
      EXPECT_TRUE(trainer.step(samples).counted);
      const dnn_train::Evaluation evaluation = trainer.evaluate(samples);
      EXPECT_TRUE(std::isfinite(evaluation.loss));
      EXPECT_EQ(std::isnan(evaluation.accuracy), labels);
      std::string found = trainer.hash() + " " + std::to_string(evaluation.loss);
      trainer.close();
      return found;
    };
    const std::string one = hash(all(0, 200), self().handle());
    for (const Decomposition& lies : decompositions()) {
      EXPECT_EQ(hash(mine(0, 200, lies), world().handle()), one);
    }
  }
  MadeUp bad = mine(0, 50, decompositions()[1]);
  Trainer trainer(world().handle(), "task = 'labels'");
  expect_error(Code::input, "takes 0 and 1", [&] { (void)trainer.fit(bad.numbers()); });
  trainer.close();
}

TEST(Trainer, FitChoosesItsDefaultsByTheData) {
  const MadeUp own = mine(0, 300, decompositions()[1]);
  Trainer trainer(world().handle(), "hidden = [16]");
  const dnn_train::Fit fit = trainer.fit(own.numbers());
  EXPECT_GT(fit.epochs, 20U);  // small data: many epochs
  EXPECT_LT(fit.loss, 0.1);
  const dnn_train::Evaluation evaluation = trainer.evaluate(own.numbers());
  EXPECT_EQ(evaluation.samples, 300U);
  double r2 = 0;
  for (const auto& [name, value] : evaluation.figures) {
    r2 = name == "r2" ? value : r2;
  }
  EXPECT_GT(r2, 0.9);
  trainer.close();
}

/// Steps on samples 0 to 39, 40 to 79, and so on; the third has none, and the fourth one alone.
std::string step_hash(MPI_Comm ranks, int rank, int size, const Decomposition& lies,
                      const std::string& options) {
  Trainer trainer(ranks, options);
  for (std::uint64_t t = 0; t < 12; ++t) {
    const std::uint64_t last = t == 2 ? 40 * t : t == 3 ? 40 * t + 1 : 40 * t + 40 + 30 * (t % 3);
    const MadeUp own = samples_of(40 * t, last, lies, rank, size);
    const dnn_train::Step step = trainer.step(own.numbers());
    EXPECT_TRUE(step.counted || t == 2);
  }
  EXPECT_LT(trainer.recent_loss(), 3);
  std::string hash = trainer.hash();
  trainer.close();
  return hash;
}

TEST(Trainer, StepsAreTheSameHoweverTheSamplesLie) {
  for (const char* more :
       {"", "dropout = 0.2", "optimizer = 'sgd'\nprecision = 'double'", "store = 100",
        "store = 100\nstore-keeps = 'newest'", "store = 100000"}) {
    const std::string options = std::string(small) + more;
    const std::string one = step_hash(self().handle(), 0, 1, decompositions()[0], options);
    for (const Decomposition& lies : decompositions()) {
      EXPECT_EQ(step_hash(world().handle(), world().rank(), world().size(), lies, options), one)
          << more;
    }
  }
}

/// More rows than a rank had room for, and most of them on one rank.
TEST(Trainer, StepsOfVeryDifferentSizesAreTheSame) {
  const auto hash = [](MPI_Comm ranks, const auto& samples_at) {
    Trainer trainer(ranks, small);
    for (const std::uint64_t count : {40U, 9000U, 40U}) {
      EXPECT_EQ(trainer.step(samples_at(count).numbers()).samples, count);
    }
    std::string found = trainer.hash();
    trainer.close();
    return found;
  };
  const std::string one = hash(self().handle(), [](std::uint64_t count) { return all(0, count); });
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(hash(world().handle(),
                   [i](std::uint64_t count) { return mine(0, count, decompositions()[i]); }),
              one);
  }
}

TEST(Trainer, StepsLearn) {
  Trainer trainer(world().handle(), "hidden = [16]\nlr = 0.01\nstore = 500\nbatch-size = 64");
  const Decomposition lies = decompositions()[1];
  for (std::uint64_t t = 0; t < 300; ++t) {
    (void)trainer.step(mine(20 * t, 20 * t + 20, lies).numbers());
    if (t == 30) {
      EXPECT_GT(trainer.recent_loss(), 0.02);
    }
  }
  EXPECT_TRUE(std::isfinite(trainer.recent_loss()));
  EXPECT_TRUE(std::isnan(trainer.recent_loss()));  // no update since
  const MadeUp fresh = mine(10'000, 10'200, lies);
  EXPECT_LT(trainer.evaluate(fresh.numbers()).loss, 0.02);
  std::vector<double> answers(fresh.ids.size());
  trainer.predict(fresh.numbers().features, answers.data());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_NEAR(answers[i], fresh.y[i], 2.5) << fresh.ids[i];
  }
  trainer.close();
}

TEST(Trainer, TakesColumnsAndStrides) {
  const MadeUp own = mine(0, 100, decompositions()[1]);
  const std::size_t rows = own.ids.size();
  std::vector<double> columns(rows * MadeUp::features);
  std::vector<double> wide(rows * 7, -1);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < MadeUp::features; ++j) {
      columns[j * rows + i] = wide[i * 7 + 2 * j] = own.x[i * MadeUp::features + j];
    }
  }
  const std::string options = std::string(small) + "epochs = 2";
  const std::string hash = fit_hash(world().handle(), own.numbers(), options);
  Samples samples = own.numbers();
  samples.features = Matrix::column_major(columns.data(), rows, MadeUp::features);
  EXPECT_EQ(fit_hash(world().handle(), samples, options), hash);
  samples.features = Matrix::strided(wide.data(), rows, MadeUp::features, 7, 2);
  EXPECT_EQ(fit_hash(world().handle(), samples, options), hash);
}

TEST(Trainer, EvaluatesAndPredictsTheSame) {
  const SharedFolder folder;
  const std::string path = folder.path() + "/model.dnn";
  Trainer trainer(world().handle(), std::string(small) + "epochs = 20");
  const MadeUp own = mine(0, 300, decompositions()[1]);
  (void)trainer.fit(own.labelled());
  EXPECT_EQ(trainer.features(), MadeUp::features);
  EXPECT_EQ(trainer.outputs(), 3U);
  const dnn_train::Evaluation evaluation = trainer.evaluate(own.labelled());
  EXPECT_GT(evaluation.accuracy, 0.8);
  trainer.save(path);

  Trainer alone(self().handle());
  alone.load(path);
  EXPECT_EQ(alone.hash(), trainer.hash());
  const MadeUp whole = all(0, 300);
  const dnn_train::Evaluation same = alone.evaluate(whole.labelled());
  EXPECT_EQ(same.loss, evaluation.loss);
  EXPECT_EQ(same.accuracy, evaluation.accuracy);
  EXPECT_EQ(same.figures, evaluation.figures);

  std::vector<float> of_own(own.ids.size() * 3);
  trainer.predict(own.labelled().features, of_own.data());
  std::vector<float> of_all(whole.ids.size() * 3);
  alone.predict(whole.labelled().features, of_all.data());
  for (std::size_t i = 0; i < own.ids.size(); ++i) {
    const std::size_t there = whole.ids.size() - 1 - own.ids[i];
    float sum = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_EQ(of_own[3 * i + j], of_all[3 * there + j]);
      sum += of_own[3 * i + j];
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  alone.close();
  trainer.close();
}

TEST(Trainer, GoesOnFromItsState) {
  const std::string options = std::string(small) + "store = 100";
  const Decomposition lies = decompositions()[1];
  Trainer first(world().handle(), options);
  for (std::uint64_t t = 0; t < 5; ++t) {
    (void)first.step(mine(40 * t, 40 * t + 40, lies).numbers());
  }
  std::vector<unsigned char> state = first.state();
  EXPECT_EQ(state.empty(), !world().is_root());
  Trainer second(world().handle(), options);
  second.restore(state);
  EXPECT_EQ(second.hash(), first.hash());
  for (std::uint64_t t = 5; t < 9; ++t) {
    (void)first.step(mine(40 * t, 40 * t + 40, lies).numbers());
    // Other ranks give the samples now.
    const auto step = second.step(mine(40 * t, 40 * t + 40, decompositions()[2]).numbers());
    EXPECT_EQ(step.update, t + 1);
  }
  EXPECT_EQ(second.hash(), first.hash());

  if (world().is_root()) {  // at another number of ranks
    Trainer alone(self().handle(), options);
    alone.restore(state);
    for (std::uint64_t t = 5; t < 9; ++t) {
      (void)alone.step(all(40 * t, 40 * t + 40).numbers());
    }
    EXPECT_EQ(alone.hash(), first.hash());
    alone.close();
  }
  const std::string before = second.hash();
  Trainer adamw(world().handle(), options + "\noptimizer = 'adamw'");
  expect_error(Code::input, "another optimizer", [&] { adamw.restore(state); });
  adamw.close();
  if (!state.empty()) {
    state[state.size() / 2] ^= 1U;
  }
  expect_error(Code::input, "damaged", [&] { second.restore(state); });
  expect_error(Code::input, "no state", [&] { second.restore({}); });
  EXPECT_EQ(second.hash(), before);
  first.close();
  second.close();
}

// Set before the first step, it is a part of the state as well.
TEST(Trainer, TheStateHasTheLearningRate) {
  const MadeUp own = mine(0, 100, decompositions()[1]);
  Trainer first(world().handle(), std::string(small) + "epochs = 2");
  (void)first.fit(own.numbers());
  const std::vector<unsigned char> of_option = first.state();
  first.set_learning_rate(1e-4);
  const std::vector<unsigned char> of_call = first.state();
  (void)first.step(own.numbers());

  Trainer second(world().handle(), small);
  second.set_learning_rate(0.5);
  second.restore(of_call);
  (void)second.step(own.numbers());
  EXPECT_EQ(second.hash(), first.hash());

  first.restore(of_option);
  first.set_learning_rate(0.01);  // what the options say
  (void)first.step(own.numbers());
  second.restore(of_option);  // and not the rate of the state before
  (void)second.step(own.numbers());
  EXPECT_EQ(second.hash(), first.hash());
  first.close();
  second.close();
}

TEST(Trainer, OnlyTheProportionOfWeightsCounts) {
  const MadeUp own = mine(0, 100, decompositions()[1]);
  std::vector<std::string> hashes;
  for (const double unit : {1.0, 0x1p-20}) {
    std::vector<double> weights;
    for (const std::uint64_t id : own.ids) {
      weights.push_back(unit * static_cast<double>(1 + id % 3));
    }
    Samples samples = own.numbers();
    samples.weights = weights.data();
    Trainer trainer(world().handle(), "hidden = [8]\noptimizer = 'sgd'");
    (void)trainer.step(samples);
    hashes.push_back(trainer.hash());
    trainer.close();
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

TEST(Trainer, AnUpdateThatDivergesChangesNothing) {
  const MadeUp own = mine(0, 64, decompositions()[1]);
  Trainer trainer(world().handle(), "hidden = [4]\noptimizer = 'sgd'\nlr = 1e30");
  std::string before;
  expect_error(Code::numbers, "layer", [&] {
    for (int i = 0; i < 20; ++i) {
      before = trainer.features() > 0 ? trainer.hash() : "";
      (void)trainer.step(own.numbers());
    }
  });
  EXPECT_EQ(trainer.hash(), before);
  trainer.close();
}

// A fit of the library has no checkpoints to go back to.
TEST(Trainer, AFitThatWouldGoBackLeavesABadUpdateOut) {
  MadeUp own = mine(0, 300, decompositions()[1]);
  for (std::size_t i = 0; i < own.ids.size(); ++i) {
    if (own.ids[i] == 77) {
      own.x[MadeUp::features * i] = 3e38;  // beyond what the first product can hold
    }
  }
  const std::string options =
      std::string(small) +
      "epochs = 3\ndefaults = 'plain'\nnormalize = 'none'\nvalidation = 0.0\non-nonfinite = ";
  const std::string skipped = fit_hash(world().handle(), own.numbers(), options + "'skip'");
  EXPECT_EQ(fit_hash(world().handle(), own.numbers(), options + "'rollback'"), skipped);
  Trainer aborting(world().handle(), options + "'abort'");
  expect_error(Code::numbers, "layer", [&] { (void)aborting.fit(own.numbers()); });
  aborting.close();
}

TEST(Trainer, TheHostMayEndAFit) {
  const MadeUp own = mine(0, 300, decompositions()[1]);
  const bool is_last = world().rank() == world().size() - 1;
  dnn_train::Host host;
  std::vector<std::string> lines;
  host.log = [&lines](const std::string& line) { lines.push_back(line); };
  host.after_epoch = [is_last](const dnn_train::Epoch& epoch) {
    return !(is_last && epoch.epoch == 3);
  };
  Trainer trainer(world().handle(), std::string(small) + "epochs = 50", host);
  const dnn_train::Fit fit = trainer.fit(own.numbers());
  EXPECT_TRUE(fit.stopped);
  EXPECT_TRUE(trainer.stop_requested());
  EXPECT_EQ(fit.epochs, 3U);
  EXPECT_EQ(trainer.outputs(), 1U);
  EXPECT_EQ(lines.empty(), !world().is_root());
  trainer.close();

  host.after_epoch = [is_last](const dnn_train::Epoch&) -> bool {
    if (is_last) {
      throw std::runtime_error("the coffee is cold");
    }
    return true;
  };
  Trainer other(world().handle(), std::string(small) + "epochs = 50", host);
  expect_error(Code::callback, "the coffee is cold", [&] { (void)other.fit(own.numbers()); });
  EXPECT_EQ(other.outputs(), 0U);
  other.close();
}

TEST(Trainer, SeveralStandSideBySide) {
  const int color = world().rank() % 2;
  const Communicator half = world().split(color);
  omp_set_num_threads(5);
  Trainer own(half.handle(), "hidden = [8]\nseed = " + std::to_string(color));
  Trainer common(world().handle(), small);
  const MadeUp of_half = samples_of(0, 200, decompositions()[1], half.rank(), half.size());
  const MadeUp of_all = mine(0, 200, decompositions()[1]);
  for (int i = 0; i < 3; ++i) {
    (void)own.step(of_half.numbers());
    (void)common.step(of_all.numbers());
  }
  EXPECT_EQ(omp_get_max_threads(), 5);  // the host's
  const std::string hash = common.hash();
  EXPECT_EQ(world().broadcast(hash, 0), hash);
  EXPECT_NE(own.hash(), hash);
  Trainer moved = std::move(own);
  moved.close();
  common.close();
}

}  // namespace
}  // namespace dnn::test
