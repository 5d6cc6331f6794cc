#include "dnn/comm/clock_offset.hpp"

#include <gtest/gtest.h>

#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using std::chrono::nanoseconds;
using test::world;

// All ranks are on one host, where all processes have the same steady clock.
TEST(ClockOffset, OfOneHostIsWithinItsError) {
  for (int i = 0; i < 3; ++i) {
    const ClockOffset measured = measure_clock_offset(world());
    EXPECT_LE(std::chrono::abs(measured.offset), measured.error + nanoseconds(1));
    EXPECT_LT(measured.error, std::chrono::seconds(10));
    if (world().is_root()) {
      EXPECT_EQ(measured.offset, nanoseconds(0));
      EXPECT_EQ(measured.error, nanoseconds(0));
    } else {
      EXPECT_GT(measured.error, nanoseconds(0));
    }
  }
}

}  // namespace
}  // namespace dnn
