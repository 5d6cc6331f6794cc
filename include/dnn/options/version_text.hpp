#pragma once

#include <string>

namespace dnn {

/// What --version prints: the program's version in the first line, then what this build and this
/// processor make of it, a fact a line, by the names that run.json records: MPI library, kernel of
/// products, optional parts, oneDNN, compiler, C library. MPI need not be initialized.
[[nodiscard]] std::string version_text(const std::string& program);

}  // namespace dnn
