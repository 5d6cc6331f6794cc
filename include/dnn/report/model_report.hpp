#pragma once

#include <string>

namespace dnn {

/// Describes the saved model at `path`, line by line. Throws FileError or InputError.
[[nodiscard]] std::string model_info(const std::string& path);

/// The line of sha256sum's form with the hash of the parameters (see parameters_sha256) of the
/// saved model or the checkpoint at `path`. Throws FileError or InputError.
[[nodiscard]] std::string model_hash(const std::string& path);

/// One line that says the file is whole: its checksum matches, its parts fit each other and every
/// parameter is a finite number. Throws FileError or InputError otherwise.
[[nodiscard]] std::string model_verification(const std::string& path);

}  // namespace dnn
