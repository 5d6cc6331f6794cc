// A table of text, after a byte that chooses how to read it.

#include "dnn/tables/read_table.hpp"

#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"
#include "support/dataset_problem.hpp"

using namespace dnn;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto bytes = fuzz::input(data, size);
  const std::string origin = "input.csv";
  Dataset dataset;
  if (fuzz::accepts(origin, [&] {
        // A field of one byte becomes a column: its cells, its schema and its name, some hundred
        // bytes each, in vectors that double.
        const fuzz::AllocationLimit limit(2048 * size + 65536);
        dataset = read_table(bytes.subspan(1), origin, fuzz::read_options(bytes[0]));
      })) {
    fuzz::expect_well_formed(dataset);
    fuzz::expect(test::has_finite_inputs(dataset), "inputs are finite");
  }
  return 0;
}
