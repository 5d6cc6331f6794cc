#pragma once

#include <string>

namespace dnn::test {

/// The programs that the build made.
inline const std::string train = DNN_BIN "/dnn_train";
inline const std::string predict = DNN_BIN "/dnn_predict";
inline const std::string model = DNN_BIN "/dnn_model";

/// What goes before a program to run it on so many ranks.
inline std::string mpirun(int ranks) {
  return DNN_MPIEXEC " -n " + std::to_string(ranks) + " ";
}

/// The same for what ends by itself with an error on all ranks: Open MPI's mpirun then leaves the
/// others a second before it kills them, here none.
inline std::string mpirun_to_refuse(int ranks) {
  return "OMPI_MCA_odls_base_sigkill_timeout=0 " + mpirun(ranks);
}

}  // namespace dnn::test
