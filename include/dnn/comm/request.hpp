#pragma once

#include <mpi.h>

#include <vector>

namespace dnn {

/// A communication that runs in the background. The buffers it works on must live, and not be
/// touched, until it is done. Move-only.
class Request {
 public:
  Request() = default;
  explicit Request(MPI_Request started) : handle_(started) {}
  Request(Request&& other) noexcept;
  Request& operator=(Request&& other) noexcept;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  /// A request that is still pending here could write into freed memory: it prints and aborts,
  /// unless an exception is on its way to MPI_Abort.
  ~Request();

  [[nodiscard]] bool pending() const { return handle_ != MPI_REQUEST_NULL; }

  /// Whether it is done; gives MPI the chance to progress it. Throws MpiError.
  bool test();

  /// Returns when it is done. Throws MpiError.
  void wait();

 private:
  void require_done() const noexcept;

  MPI_Request handle_ = MPI_REQUEST_NULL;
};

/// Waits for all of them, which are gone then. Throws MpiError.
void wait_for(std::vector<Request>& requests);

}  // namespace dnn
