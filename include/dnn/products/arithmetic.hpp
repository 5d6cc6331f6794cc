#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dnn {

/// Describes what the last bits of results depend on besides the numbers, as this process runs
/// here: each with a short name. The library of bf16 products and the largest instruction set that
/// it uses on this processor ("onednn", "onednn_isa"), the processor ("cpu"), the compiler
/// ("compiler"), and the C library, whose exp and log count ("libc").
[[nodiscard]] std::vector<std::pair<std::string, std::string>> describe_arithmetic();

}  // namespace dnn
