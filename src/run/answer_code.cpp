#include "dnn/run/answer_code.hpp"

#include <string>
#include <system_error>

#include "dnn/comm/program.hpp"
#include "dnn/core/messages.hpp"

namespace dnn {

int answer_code(const char* program, int code) {
  const int failure = output_failure();
  if (failure == 0) {
    return code;
  }
  complain(std::string(program) +
           ": error: cannot write to standard output: " + std::generic_category().message(failure));
  return exit_failed;
}

}  // namespace dnn
