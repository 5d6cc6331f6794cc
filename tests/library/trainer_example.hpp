#pragma once

// What the tests of the library's Trainer have in common.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "dnn/dnn_train.hpp"
#include "library/made_up_samples.hpp"
#include "support/mpi_world.hpp"

namespace dnn::test {

/// Options of a network that learns them in no time.
inline constexpr const char* small = "hidden = [8]\nseed = 3\nbatch-size = 32\nlr = 0.01\n";

/// This rank's samples, which lie as `lies` says.
inline MadeUp mine(std::uint64_t first, std::uint64_t last, const Decomposition& lies) {
  return samples_of(first, last, lies, world().rank(), world().size());
}

/// What one rank alone comes to.
inline MadeUp all(std::uint64_t first, std::uint64_t last) {
  return samples_of(first, last, decompositions()[0], 0, 1);
}

/// Expects `work` to throw an Error of `code` with `text` in it, and the same message on all ranks.
template <class Work>
void expect_error(dnn_train::Code code, const std::string& text, Work&& work) {
  std::string message = "nothing was thrown";
  try {
    work();
  } catch (const dnn_train::Error& error) {
    message = error.what();
    EXPECT_EQ(error.code(), code) << message;
  }
  EXPECT_NE(message, "nothing was thrown");
  EXPECT_NE(message.find(text), std::string::npos) << message;
  EXPECT_EQ(world().broadcast(message, 0), message);
}

}  // namespace dnn::test
