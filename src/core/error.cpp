#include "dnn/core/error.hpp"

#include <system_error>

namespace dnn {

FileError::FileError(const std::string& doing, const std::string& path, int code)
    : InputError("cannot " + doing + ": " + path + ": " + std::generic_category().message(code)) {}

}  // namespace dnn
