#pragma once

#include <string>

#include "dnn/model/environment.hpp"

namespace dnn {

/// Where a model or a checkpoint comes from: what its file records besides the numbers.
struct Provenance {
  std::string configuration;       ///< of the run, as JSON
  std::string configuration_toml;  ///< the same as --config takes it
  Environment environment;
};

}  // namespace dnn
