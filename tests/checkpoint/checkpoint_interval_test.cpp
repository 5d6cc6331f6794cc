#include "dnn/checkpoint/checkpoint_interval.hpp"

#include <gtest/gtest.h>

#include "dnn/core/error.hpp"
#include "support/expect_error.hpp"

namespace dnn {
namespace {

using test::expect_error;

TEST(CheckpointInterval, Syntax) {
  using Unit = CheckpointInterval::Unit;
  const auto is = [](const std::string& text, Unit unit, std::uint64_t count) {
    const CheckpointInterval interval = CheckpointInterval::parse(text);
    EXPECT_EQ(interval.unit, unit) << text;
    EXPECT_EQ(interval.count, count) << text;
  };
  is("200", Unit::steps, 200);
  is("200steps", Unit::steps, 200);
  is("1epochs", Unit::epochs, 1);
  is("2epoch", Unit::epochs, 2);
  is("500s", Unit::seconds, 500);
  for (const char* text : {"0", "off", "0s", "0epochs"}) {
    is(text, Unit::never, 0);
  }
  for (const char* text : {"", "s", "-1", "1.5epochs", "5 minutes", "99999999999999999999", "1x"}) {
    expect_error<InputError>([&] { (void)CheckpointInterval::parse(text); },
                             {"--checkpoint-every"});
  }
}

TEST(TimeLimit, Syntax) {
  EXPECT_EQ(parse_time_limit("3600"), 3600);
  EXPECT_EQ(parse_time_limit("01:30:05"), 5405);
  EXPECT_EQ(parse_time_limit("100:00:00"), 360000);
  EXPECT_EQ(parse_time_limit("2:30"), 150);
  for (const char* text : {"0", "", "1:60", "1:2:3:4", "x", "-5", "1:", "1:-2"}) {
    expect_error<InputError>([&] { (void)parse_time_limit(text); }, {"--time-limit"});
  }
}

}  // namespace
}  // namespace dnn
