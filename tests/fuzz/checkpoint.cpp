// The number of bytes of the tensors, in two bytes; the description of a checkpoint; the tensors.
// They are read as the description alone, and as a file whose checksum is right.

#include "dnn/checkpoint/checkpoint.hpp"

#include <algorithm>

#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"
#include "fuzz/sealed_file.hpp"
#include "support/memory_file.hpp"

using namespace dnn;

namespace {

void expect_well_formed(const Checkpoint& checkpoint) {
  fuzz::expect(checkpoint.widths.size() >= 2, "a checkpoint has layers");
  fuzz::expect(checkpoint.step <= checkpoint.steps_per_epoch &&
                   checkpoint.epochs.size() + 1 == checkpoint.epoch &&
                   checkpoint.best_epoch <= checkpoint.epochs.size(),
               "a checkpoint has a place in its run");
  const std::string text = describe_checkpoint(checkpoint);
  const std::string again = describe_checkpoint(parse_checkpoint(text, "again"));
  fuzz::expect(again == text, "a checkpoint's description comes back");
}

void expect_well_formed_tensors(const Checkpoint& checkpoint) {
  std::size_t parameters = 0;
  for (std::size_t n = 1; n < checkpoint.widths.size(); ++n) {
    parameters += (checkpoint.widths[n - 1] + 1) * checkpoint.widths[n];
  }
  const std::size_t bytes =
      checkpoint.precision == Precision::f64 ? 8 * parameters : 4 * parameters;
  const auto fits = [bytes](const std::vector<std::byte>& tensor) {
    return tensor.size() == bytes;
  };
  fuzz::expect(
      bytes > 0 && fits(checkpoint.parameters) &&
          std::all_of(checkpoint.optimizer_state.begin(), checkpoint.optimizer_state.end(), fits) &&
          (checkpoint.best_parameters.empty() || fits(checkpoint.best_parameters)),
      "the tensors have the sizes of the layers");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const test::MemoryFile file;
  if (size < 2) {
    return 0;
  }
  const auto body = fuzz::input(data, size).subspan(2);
  const std::size_t tensors =
      std::min<std::size_t>(data[0] | std::size_t{data[1]} << 8, body.size());
  const auto description = body.first(body.size() - tensors);
  const std::string text(reinterpret_cast<const char*>(description.data()), description.size());
  Checkpoint checkpoint;
  if (!fuzz::accepts("input.ckpt", [&] {
        const fuzz::AllocationLimit limit(128 * text.size() + 65536);
        checkpoint = parse_checkpoint(text, "input.ckpt");
      })) {
    return 0;
  }
  expect_well_formed(checkpoint);
  const auto sealed = fuzz::sealed_file(Container::checkpoint, description, body.last(tensors));
  file.write(sealed);
  if (fuzz::accepts(file.path(), [&] {
        const fuzz::AllocationLimit limit(128 * sealed.size() + 65536);
        checkpoint = load_checkpoint(file.path());
      })) {
    expect_well_formed_tensors(checkpoint);
  }
  return 0;
}
