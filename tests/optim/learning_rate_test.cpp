#include "dnn/optim/learning_rate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace dnn {
namespace {

ScheduleSettings settings(ScheduleKind kind) {
  return {.kind = kind,
          .learning_rate = 0.5,
          .total_steps = 100,
          .warmup_steps = 10,
          .drop_steps = 30,
          .drop_factor = 0.1};
}

TEST(LearningRate, WarmsUpInAStraightLine) {
  const LearningRateSchedule schedule(settings(ScheduleKind::constant));
  EXPECT_DOUBLE_EQ(schedule.at(0), 0.05);
  EXPECT_DOUBLE_EQ(schedule.at(8), 0.45);
  EXPECT_DOUBLE_EQ(schedule.at(9), 0.5);
  EXPECT_DOUBLE_EQ(schedule.at(99), 0.5);
}

TEST(LearningRate, StepDropsByTheFactor) {
  const LearningRateSchedule schedule(settings(ScheduleKind::step));
  EXPECT_DOUBLE_EQ(schedule.at(29), 0.5);
  EXPECT_DOUBLE_EQ(schedule.at(30), 0.05);
  EXPECT_NEAR(schedule.at(60), 0.005, 1e-15);
}

TEST(LearningRate, CosineGoesFromTheRateToNearlyZero) {
  const LearningRateSchedule schedule(settings(ScheduleKind::cosine));
  EXPECT_DOUBLE_EQ(schedule.at(10), 0.5);
  EXPECT_NEAR(schedule.at(55), 0.25, 1e-15);
  EXPECT_GT(schedule.at(99), 0);
  EXPECT_LT(schedule.at(99), 0.001);
}

TEST(LearningRate, RefusesSettingsWithoutMeaning) {
  ScheduleSettings bad = settings(ScheduleKind::constant);
  bad.learning_rate = std::nan("");
  EXPECT_THROW(LearningRateSchedule{bad}, std::invalid_argument);
  bad = settings(ScheduleKind::constant);
  bad.warmup_steps = 100;
  EXPECT_THROW(LearningRateSchedule{bad}, std::invalid_argument);
  bad = settings(ScheduleKind::step);
  bad.drop_steps = 0;
  EXPECT_THROW(LearningRateSchedule{bad}, std::invalid_argument);
}

}  // namespace
}  // namespace dnn
