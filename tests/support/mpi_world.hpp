#pragma once

#include "dnn/comm/communicator.hpp"

namespace dnn::test {

/// All ranks of the test program.
const Communicator& world();

/// This rank alone: what the same code does on one rank.
const Communicator& self();

}  // namespace dnn::test
