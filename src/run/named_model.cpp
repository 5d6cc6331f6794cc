#include "dnn/run/named_model.hpp"

#include <filesystem>

#include "dnn/checkpoint/run_folder.hpp"

namespace dnn {

std::string named_model(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error) ? RunFolder(path).best_model() : path;
}

}  // namespace dnn
