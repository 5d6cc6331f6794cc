#include "dnn/comm/request.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "dnn/comm/mpi_error.hpp"

namespace dnn {

Request::Request(Request&& other) noexcept
    : handle_(std::exchange(other.handle_, MPI_REQUEST_NULL)) {}

Request& Request::operator=(Request&& other) noexcept {
  if (this != &other) {
    require_done();
    handle_ = std::exchange(other.handle_, MPI_REQUEST_NULL);
  }
  return *this;
}

Request::~Request() {
  require_done();
}

void Request::require_done() const noexcept {
  if (pending() && std::uncaught_exceptions() == 0) {
    std::fputs("dnn::Request: destroyed while its communication was pending\n", stderr);
    std::abort();
  }
}

bool Request::test() {
  int done = 0;
  check_mpi(MPI_Test(&handle_, &done, MPI_STATUS_IGNORE), "MPI_Test");
  return done != 0;
}

void Request::wait() {
  check_mpi(MPI_Wait(&handle_, MPI_STATUS_IGNORE), "MPI_Wait");
}

void wait_for(std::vector<Request>& requests) {
  for (Request& request : requests) {
    request.wait();
  }
  requests.clear();
}

}  // namespace dnn
