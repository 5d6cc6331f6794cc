// Runs a fuzz target over its corpus without a fuzzer: every file of the folder given, cut at every
// length, and with every byte flipped.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/invariants.hpp"

namespace {

std::size_t runs = 0;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char*>(input.data()), input.size());
  ++runs;
}

void run_with_damages(const std::string& input) {
  run(input);
  for (std::size_t i = 0; i < input.size(); ++i) {
    run(input.substr(0, i));
    for (const int mask : {0x01, 0x10, 0x80, 0xff}) {
      std::string flipped = input;
      flipped[i] = static_cast<char>(flipped[i] ^ mask);
      run(flipped);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  if (argc == 2) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::printf("%s\n", entry.path().c_str());
      std::fflush(stdout);  // the last one named is the one at fault
      run_with_damages({std::istreambuf_iterator<char>(file), {}});
      ++files;
    }
  }
  std::printf("%zu files, %zu inputs\n", files, runs);
  return files > 0 ? 0 : 1;
}
