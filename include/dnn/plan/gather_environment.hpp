#pragma once

#include <string>

#include "dnn/comm/communicator.hpp"
#include "dnn/model/environment.hpp"

namespace dnn {

/// Collective over `world`: the environment of all ranks. Where ranks differ, a fact's values stand
/// side by side, "A; B". `products`: the arithmetic of matrix products.
[[nodiscard]] Environment gather_environment(const Communicator& world,
                                             const std::string& products);

}  // namespace dnn
