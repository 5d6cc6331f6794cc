#pragma once

#include <string>

#include "support/shell.hpp"

namespace dnn::test {

/// The programs that the build made, as words for the shell.
/// What is tested with `train` does not depend on which defaults suit the data.
inline const std::string train_by_data = quoted(DNN_BIN "/dnn_train");
inline const std::string train = train_by_data + " --defaults plain";
inline const std::string predict = quoted(DNN_BIN "/dnn_predict");
inline const std::string model = quoted(DNN_BIN "/dnn_model");
inline const std::string failing_rank = quoted(DNN_TEST_BIN "/failing_rank");
inline const std::string make_many_classes = quoted(DNN_TEST_BIN "/make_many_classes");

/// What goes before a program to run it on so many ranks.
inline std::string mpirun(int ranks) {
  return quoted(DNN_MPIEXEC) + " -n " + std::to_string(ranks) + " ";
}

/// The same for what ends by itself with an error on all ranks: Open MPI's mpirun then leaves the
/// others a second before it kills them, here none.
inline std::string mpirun_to_refuse(int ranks) {
  return "OMPI_MCA_odls_base_sigkill_timeout=0 " + mpirun(ranks);
}

}  // namespace dnn::test
