// dnn_train.h: misuse is a status with a message, never a crash; the rest is Trainer's.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "dnn/dnn_train.h"
#include "library/made_up_samples.hpp"
#include "support/mpi_world.hpp"
#include "support/shared_folder.hpp"

namespace dnn::test {
namespace {

constexpr const char* options = "hidden = [8]\nlr = 0.01\nbatch-size = 32";

MadeUp own_samples() {
  return samples_of(0, 100, decompositions()[1], world().rank(), world().size());
}

dnn_train_matrix rows_of(const std::vector<double>& numbers, std::size_t columns) {
  return {numbers.data(),
          DNN_TRAIN_DOUBLE,
          numbers.size() / columns,
          columns,
          static_cast<std::ptrdiff_t>(columns),
          1};
}

dnn_train_status put(dnn_train_t trainer, const MadeUp& made) {
  const dnn_train_matrix features = rows_of(made.x, MadeUp::features);
  const dnn_train_matrix targets = rows_of(made.y, 1);
  return dnn_train_put(trainer, &features, nullptr, &targets, made.ids.data(), nullptr);
}

void expect_refused(dnn_train_status status, dnn_train_t trainer, const std::string& text) {
  EXPECT_EQ(status, DNN_TRAIN_INPUT);
  const std::string message = dnn_train_error(trainer);
  EXPECT_NE(message.find(text), std::string::npos) << message;
}

TEST(CInterface, Trains) {
  const MadeUp own = own_samples();
  dnn_train_t trainer = nullptr;
  ASSERT_EQ(dnn_train_open(world().handle(), options, &trainer), DNN_TRAIN_OK);
  std::size_t features = 9;
  std::size_t outputs = 9;
  EXPECT_EQ(dnn_train_shape(trainer, &features, &outputs), DNN_TRAIN_OK);
  EXPECT_EQ(features + outputs, 0U);
  dnn_train_step_result step{};
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(put(trainer, own), DNN_TRAIN_OK);
    EXPECT_EQ(dnn_train_step(trainer, &step), DNN_TRAIN_OK);
  }
  EXPECT_EQ(step.update, 300U);
  EXPECT_EQ(step.samples, 100U);
  EXPECT_EQ(step.counted, 1);
  double loss = 0;
  EXPECT_EQ(dnn_train_recent_loss(trainer, &loss), DNN_TRAIN_OK);
  EXPECT_LT(loss, 0.5);

  double accuracy = 0;
  double r2 = 0;
  EXPECT_EQ(put(trainer, own), DNN_TRAIN_OK);
  EXPECT_EQ(dnn_train_evaluate(trainer, &loss, &accuracy), DNN_TRAIN_OK);
  EXPECT_TRUE(std::isnan(accuracy));
  EXPECT_EQ(dnn_train_figure(trainer, "r2", &r2), DNN_TRAIN_OK);
  EXPECT_GT(r2, 0.9);
  expect_refused(dnn_train_figure(trainer, "f1", &r2), trainer, "it has r2");

  const dnn_train_matrix rows = rows_of(own.x, MadeUp::features);
  std::vector<float> answers(own.ids.size());
  EXPECT_EQ(dnn_train_predict(trainer, &rows, DNN_TRAIN_FLOAT, answers.data()), DNN_TRAIN_OK);
  EXPECT_NEAR(answers[0], own.y[0], 2);

  const SharedFolder folder;
  const std::string path = folder.path() + "/model.dnn";
  EXPECT_EQ(dnn_train_save(trainer, path.c_str()), DNN_TRAIN_OK);
  std::array<char, 65> hash{};
  std::array<char, 65> other{};
  EXPECT_EQ(dnn_train_hash(trainer, hash.data()), DNN_TRAIN_OK);
  const void* bytes = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(dnn_train_state(trainer, &bytes, &size), DNN_TRAIN_OK);
  EXPECT_EQ(size > 0, world().is_root());
  dnn_train_t second = nullptr;
  EXPECT_EQ(dnn_train_open(world().handle(), options, &second), DNN_TRAIN_OK);
  EXPECT_EQ(dnn_train_restore(second, bytes, size), DNN_TRAIN_OK);
  EXPECT_EQ(dnn_train_hash(second, other.data()), DNN_TRAIN_OK);
  EXPECT_EQ(hash, other);
  EXPECT_EQ(dnn_train_load(second, path.c_str()), DNN_TRAIN_OK);
  EXPECT_EQ(dnn_train_hash(second, other.data()), DNN_TRAIN_OK);
  EXPECT_EQ(hash, other);
  EXPECT_EQ(dnn_train_close(&second), DNN_TRAIN_OK);

  dnn_train_fit_result fit{};
  EXPECT_EQ(put(trainer, own), DNN_TRAIN_OK);
  EXPECT_EQ(dnn_train_fit(trainer, &fit), DNN_TRAIN_OK);
  EXPECT_GT(fit.epochs, 0U);
  EXPECT_EQ(fit.stopped, 0);
  EXPECT_EQ(dnn_train_close(&trainer), DNN_TRAIN_OK);
  EXPECT_EQ(trainer, nullptr);
}

TEST(CInterface, FindsMisuse) {
  dnn_train_t trainer = nullptr;
  expect_refused(dnn_train_open(MPI_COMM_NULL, options, &trainer), nullptr, "MPI_COMM_NULL");
  EXPECT_EQ(trainer, nullptr);
  expect_refused(dnn_train_open(world().handle(), "hiden = 3", &trainer), nullptr,
                 "did you mean hidden?");
  expect_refused(dnn_train_open(world().handle(), options, nullptr), nullptr, "a null pointer");
  expect_refused(dnn_train_step(nullptr, nullptr), nullptr, "a null handle");

  ASSERT_EQ(dnn_train_open(world().handle(), nullptr, &trainer), DNN_TRAIN_OK);
  expect_refused(dnn_train_put(trainer, nullptr, nullptr, nullptr, nullptr, nullptr), trainer,
                 "features: a null pointer");
  dnn_train_matrix matrix{nullptr, DNN_TRAIN_DOUBLE, 5, 3, 3, 1};
  EXPECT_EQ(dnn_train_put(trainer, &matrix, nullptr, nullptr, nullptr, nullptr), DNN_TRAIN_OK);
  expect_refused(dnn_train_fit(trainer, nullptr), trainer, "null pointer");
  matrix.type = 7;
  expect_refused(dnn_train_put(trainer, &matrix, nullptr, nullptr, nullptr, nullptr), trainer,
                 "neither float nor double");
  std::array<char, 65> hash{};
  expect_refused(dnn_train_hash(trainer, hash.data()), trainer, "no network yet");
  expect_refused(dnn_train_fit(trainer, nullptr), trainer, "no rank gives any samples");
  EXPECT_EQ(dnn_train_save(trainer, nullptr), DNN_TRAIN_INPUT);
  EXPECT_EQ(dnn_train_load(trainer, nullptr), DNN_TRAIN_FILE);

  const dnn_train_t copy = trainer;
  EXPECT_EQ(dnn_train_close(&trainer), DNN_TRAIN_OK);
  expect_refused(dnn_train_step(copy, nullptr), copy, "closed already");
  expect_refused(dnn_train_close(&trainer), nullptr, "a null handle");
  dnn_train_t twice = copy;
  expect_refused(dnn_train_close(&twice), copy, "closed already");
  EXPECT_EQ(dnn_train_close(nullptr), DNN_TRAIN_INPUT);
}

int stop_at_once(std::uint64_t /*epoch*/, std::uint64_t /*epochs*/, double /*loss*/,
                 double /*validation_loss*/, void* context) {
  ++*static_cast<int*>(context);
  return 1;
}

int fail(std::uint64_t /*epoch*/, std::uint64_t /*epochs*/, double /*loss*/,
         double /*validation_loss*/, void* /*context*/) {
  return world().is_root() ? -3 : 0;
}

TEST(CInterface, CallsBack) {
  const MadeUp own = own_samples();
  int calls = 0;
  dnn_train_t trainer = nullptr;
  ASSERT_EQ(dnn_train_open_with(world().handle(), options, nullptr, stop_at_once, &calls, &trainer),
            DNN_TRAIN_OK);
  EXPECT_EQ(put(trainer, own), DNN_TRAIN_OK);
  dnn_train_fit_result fit{};
  EXPECT_EQ(dnn_train_fit(trainer, &fit), DNN_TRAIN_OK);
  EXPECT_EQ(fit.stopped, 1);
  EXPECT_GE(calls, 1);
  int requested = 0;
  EXPECT_EQ(dnn_train_stop_requested(trainer, &requested), DNN_TRAIN_OK);
  EXPECT_EQ(requested, 1);
  EXPECT_EQ(dnn_train_close(&trainer), DNN_TRAIN_OK);

  ASSERT_EQ(dnn_train_open_with(world().handle(), options, nullptr, fail, nullptr, &trainer),
            DNN_TRAIN_OK);
  EXPECT_EQ(put(trainer, own), DNN_TRAIN_OK);
  EXPECT_EQ(dnn_train_fit(trainer, nullptr), DNN_TRAIN_CALLBACK);
  EXPECT_NE(std::string(dnn_train_error(trainer)).find("it returned -3"), std::string::npos);
  EXPECT_EQ(dnn_train_close(&trainer), DNN_TRAIN_OK);
}

struct SecondThread {
  dnn_train_t trainer = nullptr;
  std::atomic<int> status = -1;
};

int call_from_another_thread(std::uint64_t /*epoch*/, std::uint64_t /*epochs*/, double /*loss*/,
                             double /*validation_loss*/, void* context) {
  auto& second = *static_cast<SecondThread*>(context);
  std::thread([&second] {
    std::array<char, 65> hash{};
    second.status = dnn_train_hash(second.trainer, hash.data());
  }).join();
  return 1;
}

TEST(CInterface, TakesOneThreadAtATime) {
  const MadeUp own = own_samples();
  SecondThread second;
  ASSERT_EQ(dnn_train_open_with(world().handle(), options, nullptr, call_from_another_thread,
                                &second, &second.trainer),
            DNN_TRAIN_OK);
  EXPECT_EQ(put(second.trainer, own), DNN_TRAIN_OK);
  EXPECT_EQ(dnn_train_fit(second.trainer, nullptr), DNN_TRAIN_OK);
  EXPECT_EQ(second.status.load(), DNN_TRAIN_BUSY);
  EXPECT_EQ(dnn_train_close(&second.trainer), DNN_TRAIN_OK);
}

}  // namespace
}  // namespace dnn::test
