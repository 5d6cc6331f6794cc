#include "dnn/report/trace_events.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace dnn {
namespace {

TEST(TraceEvents, AreJsonWithAProcessARank) {
  const std::vector<TracedRank> ranks = {
      {"a", 0, {{"inner", 5, 2'000'100, 2'000'200}, {"outer", 5, 2'000'100, 2'000'300}}},
      {"<b>\"", 1500, {{"outer", 5, 2'000'050, 2'001'051}}}};
  const auto json = nlohmann::json::parse(trace_events(ranks));
  const auto& events = json["traceEvents"];
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[0]["args"]["name"], "rank 0 on a (clock to 0.000 us)");
  EXPECT_EQ(events[2]["name"], "outer");  // before what lies in it
  EXPECT_EQ(events[2]["ts"], 0.05);
  EXPECT_EQ(events[2]["dur"], 0.2);
  EXPECT_EQ(events[3]["name"], "inner");
  EXPECT_EQ(events[4]["args"]["name"], "rank 1 on <b>\" (clock to 1.500 us)");
  EXPECT_EQ(events[6]["pid"], 1);
  EXPECT_EQ(events[6]["ts"], 0);
  EXPECT_EQ(events[6]["dur"], 1.001);
  EXPECT_EQ(events[6]["args"]["update"], 5);
  EXPECT_EQ(nlohmann::json::parse(trace_events({}))["traceEvents"].size(), 0U);
}

}  // namespace
}  // namespace dnn
