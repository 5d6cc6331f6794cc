#include "dnn/comm/mpi_error.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <utility>

namespace dnn {

namespace {

/// What an error means for who runs the job, and what to do; empty where the text says it all.
std::string meaning_of(int error_class) {
  switch (error_class) {
    case MPI_ERR_TRUNCATE:
    case MPI_ERR_COUNT:
    case MPI_ERR_TYPE:
      return "ranks disagree about the size of a message: they may run different builds of this "
             "program, or of the MPI library; install the same on all hosts";
    case MPI_ERR_NO_MEM:
      return "MPI found no memory for its buffers, or no locked memory for the network card; ask "
             "for more memory, or raise the limit (ulimit -l unlimited)";
    case MPI_ERR_NO_SPACE:
    case MPI_ERR_QUOTA:
      return "a disk is full: MPI keeps files in TMPDIR and /dev/shm; make room there";
    case MPI_ERR_WIN:
    case MPI_ERR_RMA_SYNC:
#if MPI_VERSION >= 4 || defined(MPI_ERR_RMA_SHARED)
    case MPI_ERR_RMA_SHARED:
#endif
      return "the ranks of a host cannot share memory; look at the room in /dev/shm, and whether "
             "all ranks of the host are in one container";
    case MPI_ERR_SPAWN:
    case MPI_ERR_SERVICE:
    case MPI_ERR_NAME:
    case MPI_ERR_PORT:
      return "MPI could not start or find a process; look at what mpirun says, and whether this "
             "program is at the same path on all hosts";
    case MPI_ERR_ACCESS:
    case MPI_ERR_READ_ONLY:
      return "MPI may not write one of its files; look at the access rights of TMPDIR";
    case MPI_ERR_IN_STATUS:
    case MPI_ERR_PENDING:
    case MPI_ERR_REQUEST:
      return "a message between ranks was lost: a rank or its host is gone, or the network failed; "
             "repeat the command to resume, without that host if it happens again";
    case MPI_ERR_OTHER:
    case MPI_ERR_INTERN:
    case MPI_ERR_UNKNOWN:
      return "the MPI library or the network failed; look at the lines above, at the room in "
             "/dev/shm and TMPDIR, and whether all hosts have the same MPI library; then repeat "
             "the command to resume";
    default:
      return {};
  }
}

/// "MPI_Bcast failed with code 15: what MPI says. What it means".
std::string describe(const std::string& routine, int code, const std::string& text) {
  int error_class = MPI_ERR_UNKNOWN;
  if (MPI_Error_class(code, &error_class) != MPI_SUCCESS) {
    error_class = MPI_ERR_UNKNOWN;
  }
  const std::string meaning = meaning_of(error_class);
  return fmt::format("{} failed with code {}: {}{}{}", routine, code, text,
                     meaning.empty() ? "" : ". ", meaning);
}

}  // namespace

MpiError::MpiError(std::string routine, int code, const std::string& text)
    : std::runtime_error(describe(routine, code, text)),
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
