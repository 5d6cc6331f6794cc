// The length of a first file in a byte, the first file: the images, and the rest: the labels, if
// there are any.

#include "dnn/readers/idx_reader.hpp"

#include <algorithm>

#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"
#include "support/memory_file.hpp"

using namespace dnn;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const test::MemoryFile images;
  static const test::MemoryFile labels;
  if (size < 1) {
    return 0;
  }
  const auto bytes = fuzz::input(data, size);
  const auto files = bytes.subspan(1);
  const std::size_t first = std::min(std::to_integer<std::size_t>(bytes[0]), files.size());
  if (fuzz::is_packed(files.first(first)) || fuzz::is_packed(files.subspan(first))) {
    return 0;
  }
  images.write(files.first(first));
  labels.write(files.subspan(first));
  const std::string labels_path = first < files.size() ? labels.path() : "";
  Dataset dataset;
  if (fuzz::accepts("/proc/self/fd/", [&] {
        const fuzz::AllocationLimit limit(256 * size + 262144);
        dataset = read_idx(images.path(), labels_path);
      })) {
    fuzz::expect_well_formed(dataset);
  }
  return 0;
}
