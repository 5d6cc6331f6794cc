#pragma once

// main() of the programs: exit codes, and errors reported once for all ranks.

#include <functional>

#include "dnn/comm/communicator.hpp"

namespace dnn {

/// Exit codes of the programs; exit_try_again (EX_TEMPFAIL of sysexits.h): stopped on request, the
/// same command resumes.
enum ExitCode { exit_ok = 0, exit_failed = 1, exit_bad_input = 2, exit_try_again = 75 };

/// Runs `body` between MPI_Init and MPI_Finalize, on a duplicate of all ranks, and returns the
/// process's exit code. Collective over all ranks that mpirun started.
///
/// An AgreedError is reported once, by rank 0, and ends the job in order. Any other exception is
/// reported by the rank that threw it, with its rank and host, and ends the whole job through
/// MPI_Abort, so that no rank waits for one that is gone.
int run_mpi_program(int argc, char** argv, const char* name,
                    const std::function<int(const Communicator& world)>& body);

}  // namespace dnn
