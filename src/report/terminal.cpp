#include "dnn/report/terminal.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace dnn {

bool output_is_terminal() {
  if (::isatty(STDOUT_FILENO) == 0) {
    return false;
  }
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr && std::getenv("PMIX_RANK") == nullptr) {
    return true;
  }
  std::error_code error;
  const std::string output =
      std::filesystem::read_symlink("/proc/" + std::to_string(::getppid()) + "/fd/1", error)
          .string();
  return !error && (output.starts_with("/dev/pts/") || output.starts_with("/dev/tty"));
}

bool terminal_has_colours() {
  const char* const forbidden = std::getenv("NO_COLOR");
  const char* const kind = std::getenv("TERM");
  return (forbidden == nullptr || *forbidden == '\0') && kind != nullptr &&
         std::string(kind) != "dumb";
}

}  // namespace dnn
