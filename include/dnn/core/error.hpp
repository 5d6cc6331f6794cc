#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace dnn {

/// `text` from a file as messages show it: in quotes, as by printable_name(), and no more than the
/// beginning of a long one.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// What the user gave (an option, a file, the data in it) cannot be used. The message says what is
/// wrong, where, and what to do about it.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A file or folder cannot be read or written; the message names it and the system's reason, and
/// says what to do where that follows from it.
class FileError : public InputError {
 public:
  /// `doing` completes "cannot ..." ("write the model"); `code` is an errno value.
  FileError(const std::string& doing, const std::string& path, int code);
};

/// The computation left the numbers that mean anything (NaN, +inf).
class NumericalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace dnn
