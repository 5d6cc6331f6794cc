#include "dnn/comm/collective_error.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include "dnn/core/error.hpp"
#include "support/mpi_world.hpp"

namespace dnn {
namespace {

using test::world;

std::string agreed_message(const std::function<void()>& work) {
  try {
    agree(world(), work);
  } catch (const AgreedError& error) {
    return error.what();
  }
  return "(nothing)";
}

TEST(Agree, ReturnsEachRanksResult) {
  EXPECT_EQ(agree(world(), [] { return world().rank() * 2; }), world().rank() * 2);
  agree(world(), [] {});
}

TEST(Agree, OneFailureIsEveryRanksErrorWithOneMessage) {
  for (int failing = 0; failing < world().size(); ++failing) {
    const std::string message = agreed_message([failing] {
      if (world().rank() == failing) {
        throw std::runtime_error("no such thing");
      }
    });
    EXPECT_NE(message.find("no such thing"), std::string::npos) << message;
    const bool names_rank = message.find("on rank " + std::to_string(failing)) == 0;
    EXPECT_EQ(names_rank, failing != 0) << message;
    EXPECT_EQ(world().broadcast(message, 0), message);
  }
}

// An error of the last rank among a part of the ranks, which the others hear of from that part.
TEST(Agree, AnErrorOfSomeRanksNamesTheJobsRankOnce) {
  const int last = world().size() - 1;
  const Communicator part = world().split(world().rank() >= world().size() / 2 ? 1 : 0);
  std::optional<AgreedError> own;
  try {
    agree(part, [last] {
      if (world().rank() == last) {
        throw InputError("no such thing");
      }
    });
  } catch (const AgreedError& error) {
    own = error;
  }
  const std::string message = agreed_message([&] { throw_if_any_agreed(world(), own); });
  const std::string named =
      "on rank " + std::to_string(last) + " (host " + host_name() + "): no such thing";
  EXPECT_EQ(message, last > 0 ? named : "no such thing");
}

TEST(Agree, TheLowestRanksMessageIsTold) {
  const std::string message =
      agreed_message([] { throw std::runtime_error(std::to_string(world().rank())); });
  EXPECT_EQ(message, "0");
}

TEST(Agree, LackOfMemoryIsAnErrorToo) {
  const std::string message = agreed_message([] { throw std::bad_alloc(); });
  EXPECT_EQ(
      message.find("not enough memory on host " + host_name() + " while starting: this job may "),
      0U)
      << message;
  EXPECT_NE(message.find("Use fewer ranks per host"), std::string::npos) << message;
}

}  // namespace
}  // namespace dnn
