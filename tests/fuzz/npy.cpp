// A byte that chooses how to read, the length of a first file in a byte (times 8, as headers are
// long), the first file: the features, and the rest: the labels, if there are any.

#include "dnn/readers/npy_reader.hpp"

#include <algorithm>

#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"
#include "support/memory_file.hpp"

using namespace dnn;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const test::MemoryFile features;
  static const test::MemoryFile labels;
  if (size < 2) {
    return 0;
  }
  const auto bytes = fuzz::input(data, size);
  const auto files = bytes.subspan(2);
  const std::size_t first = std::min(8 * std::to_integer<std::size_t>(bytes[1]), files.size());
  if (fuzz::is_packed(files.first(first)) || fuzz::is_packed(files.subspan(first))) {
    return 0;
  }
  features.write(files.first(first));
  labels.write(files.subspan(first));
  const std::string labels_path = first < files.size() ? labels.path() : "";
  Dataset dataset;
  if (fuzz::accepts("/proc/self/fd/", [&] {
        const fuzz::AllocationLimit limit(256 * size + 262144);
        dataset = read_npy(features.path(), labels_path, fuzz::read_options(bytes[0]));
      })) {
    fuzz::expect_well_formed(dataset);
  }
  return 0;
}
