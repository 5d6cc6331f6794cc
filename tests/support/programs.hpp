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

}  // namespace dnn::test
