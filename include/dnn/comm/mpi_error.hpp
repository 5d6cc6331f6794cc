#pragma once

#include <stdexcept>
#include <string>

namespace dnn {

/// An MPI call that did not return MPI_SUCCESS. The message says what that means and what to do.
class MpiError : public std::runtime_error {
 public:
  MpiError(std::string routine, int code, const std::string& text);

  [[nodiscard]] const std::string& routine() const { return routine_; }
  /// The code that the routine returned.
  [[nodiscard]] int code() const { return code_; }

 private:
  std::string routine_;
  int code_;
};

/// The one check of every MPI return code: throws MpiError unless `code` is MPI_SUCCESS.
void check_mpi(int code, const char* routine);

}  // namespace dnn
