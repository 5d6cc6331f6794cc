#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "support/temporary_folder.hpp"

namespace dnn::test {

/// What summary.json says about the run in a folder.
inline nlohmann::json summary_of(const std::string& run) {
  return nlohmann::json::parse(read_file(run + "/summary.json"));
}

}  // namespace dnn::test
