#include "dnn/comm/collective_error.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>

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
