#include "dnn/report/progress_settings.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

TEST(StepLogInterval, IsWhatIsGiven) {
  const RunSize size{1000, 10, 100};
  EXPECT_EQ(step_log_interval("off", size), 0U);
  EXPECT_EQ(step_log_interval("1", size), 1U);
  EXPECT_EQ(step_log_interval("250", size), 250U);
  for (const char* wrong : {"", "0", "-1", "1.5", "10x", "on"}) {
    test::expect_error<InputError>([&] { (void)parse_step_log(wrong); }, {"auto, off"});
  }
}

TEST(StepLogInterval, FollowsFromWorkSamplesAndNumberOfUpdates) {
  EXPECT_EQ(step_log_interval("auto", {535'818, 128, 10'000}), 32U);  // 4,096 samples
  EXPECT_EQ(step_log_interval("auto", {50'000, 32, 30'000}), 209U);   // 2 GFLOP
  EXPECT_EQ(step_log_interval("auto", {50'000, 32, 3'000}), 150U);    // a short run
  EXPECT_EQ(step_log_interval("auto", {1'000, 32, 26}), 1U);
  EXPECT_EQ(step_log_interval("auto", {100'000'000, 8'192, 5'000}), 1U);  // large updates
  EXPECT_EQ(step_log_interval("auto", {100'000'000, 8'192, 20'001}), 2U);
  for (const std::uint64_t updates : {1'000'000U, 30'000'001U}) {  // a night, and longer
    const std::uint64_t interval = step_log_interval("auto", {100'000, 32, updates});
    EXPECT_LE(updates / interval, 20'000U);
  }
}

TEST(UpdateRange, OneUpdateOrSeveral) {
  EXPECT_EQ(UpdateRange::parse("7").last, 7U);
  const UpdateRange range = UpdateRange::parse("100-120");
  EXPECT_TRUE(range.holds(100));
  EXPECT_TRUE(range.holds(120));
  EXPECT_FALSE(range.holds(99));
  EXPECT_FALSE(range.holds(121));
  for (const char* wrong : {"", "0", "5-4", "a", "1-", "-3", "1-2-3", "1 - 2"}) {
    test::expect_error<InputError>([&] { (void)UpdateRange::parse(wrong); }, {"100-120"});
  }
  test::expect_error<InputError>([] { (void)UpdateRange::parse("1-10001"); }, {"10,000"});
}

}  // namespace
}  // namespace dnn
