// Fits that end before their last epoch, as the host asks.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "dnn/dnn_train.hpp"
#include "library/trainer_example.hpp"
#include "support/mpi_world.hpp"

namespace dnn::test {
namespace {

using dnn_train::Error;
using dnn_train::Trainer;

TEST(TrainerStop, AStoppedFitWithoutValidationKeepsItsLastEpoch) {
  const MadeUp own = mine(0, 300, decompositions()[1]);
  for (const std::string average : {"0.0", "1.0"}) {
    const std::string options =
        std::string(small) +
        "defaults = 'plain'\nlr-schedule = 'constant'\nvalidation = 0.0\naverage-weights = " +
        average;
    Trainer whole(world().handle(), options + "\nepochs = 2");
    (void)whole.fit(own.numbers());
    dnn_train::Host host;
    host.after_epoch = [](const dnn_train::Epoch& epoch) { return epoch.epoch < 2; };
    Trainer stopped(world().handle(), options + "\nepochs = 50", host);
    const dnn_train::Fit fit = stopped.fit(own.numbers());
    EXPECT_TRUE(fit.stopped);
    EXPECT_EQ(fit.epochs, 2U);
    EXPECT_EQ(stopped.hash(), whole.hash()) << average;
    whole.close();
    stopped.close();
  }
}

TEST(TrainerStop, AThreadOrSignalMayAskToStop) {
  const MadeUp own = mine(0, 300, decompositions()[1]);
  dnn_train::Host host;
  Trainer* asked = nullptr;
  host.after_epoch = [&asked](const dnn_train::Epoch& epoch) {
    if (epoch.epoch == 2 && world().is_root()) {
      asked->request_stop();                     // on one rank, as another thread would
      EXPECT_THROW((void)asked->hash(), Error);  // busy
    }
    return true;
  };
  Trainer trainer(world().handle(), std::string(small) + "epochs = 100000", host);
  asked = &trainer;
  const dnn_train::Fit fit = trainer.fit(own.numbers());
  EXPECT_TRUE(fit.stopped);
  EXPECT_GE(fit.epochs, 2U);
  trainer.close();
}

// Whenever the stop comes, and most likely amid an epoch.
TEST(TrainerStop, AFitStoppedAmidAnEpochHasTheLastWholeOne) {
  const MadeUp own = mine(0, 300, decompositions()[1]);
  const std::string options =
      "hidden = [64]\nlr = 0.01\nbatch-size = 1\ndefaults = 'plain'\nlr-schedule = 'constant'\n"
      "validation = 0.0\nepochs = ";
  Trainer* asked = nullptr;
  std::thread other;
  dnn_train::Host host;
  host.after_epoch = [&](const dnn_train::Epoch& epoch) {
    if (epoch.epoch == 2 && world().is_root()) {
      other = std::thread([&asked] {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        asked->request_stop();
      });
    }
    return true;
  };
  Trainer stopped(world().handle(), options + "100000", host);
  asked = &stopped;
  const dnn_train::Fit fit = stopped.fit(own.numbers());
  if (other.joinable()) {
    other.join();
  }
  EXPECT_TRUE(fit.stopped);
  Trainer whole(world().handle(), options + std::to_string(fit.epochs));
  (void)whole.fit(own.numbers());
  EXPECT_EQ(stopped.hash(), whole.hash());
  whole.close();
  stopped.close();
}

}  // namespace
}  // namespace dnn::test
