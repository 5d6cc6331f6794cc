// LIBSVM text, after a byte that chooses how to read it.

#include "dnn/readers/libsvm_reader.hpp"

#include "dnn/readers/libsvm_detection.hpp"
#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"
#include "support/dataset_problem.hpp"

using namespace dnn;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto bytes = fuzz::input(data, size);
  const std::string origin = "input.svm";
  Dataset dataset;
  (void)looks_like_libsvm(bytes.subspan(1));
  if (fuzz::accepts(origin, [&] {
        const fuzz::AllocationLimit limit(256 * size + 262144);
        dataset = read_libsvm(bytes.subspan(1), origin, fuzz::read_options(bytes[0]));
      })) {
    fuzz::expect_well_formed(dataset);
    fuzz::expect(test::has_finite_values(dataset), "features are finite");
  }
  return 0;
}
