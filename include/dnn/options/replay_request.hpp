#pragma once

#include <cstdint>
#include <string>

namespace dnn {

/// The options of a replay.
struct ReplayRequest {
  std::uint64_t update = 0;  ///< of the whole run, from 1
  std::string from;          ///< a checkpoint of fewer updates, or a folder that holds one
  std::string output;        ///< the folder that the report goes into; empty: none
};

}  // namespace dnn
