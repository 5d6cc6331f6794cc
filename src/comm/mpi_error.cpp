#include "dnn/comm/mpi_error.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <utility>

namespace dnn {

MpiError::MpiError(std::string routine, int code, const std::string& text)
    : std::runtime_error(fmt::format("{} failed with code {}: {}", routine, code, text)),
      routine_(std::move(routine)),
      code_(code) {}

void check_mpi(int code, const char* routine) {
  if (code == MPI_SUCCESS) {
    return;
  }
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) {
    length = 0;
  }
  throw MpiError(routine, code, std::string(text, static_cast<std::size_t>(length)));
}

}  // namespace dnn
