#include "dnn/options/version_text.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/products/arithmetic.hpp"
#include "dnn/products/bf16.hpp"
#include "dnn/products/tile_kernel.hpp"
#include "dnn/readers/hdf5_file.hpp"

namespace dnn {

std::string version_text(const std::string& program) {
  const TileKernel<float>& kernel = tile_kernels<float>().front();
  std::vector<std::pair<std::string, std::string>> facts = {
      {"mpi", mpi_library()},
      {"products",
       std::string(kernel.instructions) + (kernel.fused ? "" : ", multiply-adds not fused")},
      {"bf16", has_bf16_unit() ? "computed by oneDNN" : "no unit for it in this processor"}};
  facts.emplace_back("parts", hdf5_support());
  for (auto& fact : describe_arithmetic()) {
    facts.push_back(std::move(fact));
  }
  std::string text = program + " " DNN_VERSION "\n";
  for (const auto& [name, value] : facts) {
    text += fmt::format("{:<11} {}\n", name, value);
  }
  return text;
}

}  // namespace dnn
