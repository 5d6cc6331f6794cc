#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dnn {

/// What the last bits of a network's results depend on besides its numbers, as this process runs
/// here: each with a short name. The libraries that multiply matrices and the kernels that they
/// choose on this processor ("onednn", "onednn_isa", "blas"), the processor ("cpu"), what compiled
/// the rest ("compiler"), and the C library, whose exp and log count ("libc"). Where a library does
/// not tell, its value says so.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> describe_arithmetic();

}  // namespace dnn
