// The file around models and checkpoints: as it comes, then with the checksum that belongs to it.

#include "dnn/model/container.hpp"

#include <vector>

#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"
#include "fuzz/sealed_file.hpp"
#include "support/memory_file.hpp"

using namespace dnn;

namespace {

/// Reads a file as a container of a kind; says whether it is one.
bool reads(std::span<const std::byte> contents, const Container::Kind& kind) {
  static const test::MemoryFile file;
  file.write(contents);
  Container container;
  const bool is_whole = fuzz::accepts(file.path(), [&] {
    const fuzz::AllocationLimit limit(4 * contents.size() + 65536);
    container = read_container(file.path(), kind);
  });
  if (is_whole) {
    constexpr std::size_t header = 64;
    fuzz::expect(
        container.description.size() + container.parameters.size() + header == contents.size(),
        "the parts of a container are all of it");
    std::vector<std::byte> again = fuzz::sealed_file(
        kind, std::as_bytes(std::span(container.description)), container.parameters);
    fuzz::expect(std::equal(again.begin() + header, again.end(), contents.begin() + header),
                 "the parts of a container are what it holds");
  }
  const bool is_verified =
      fuzz::accepts(file.path(), [&] { (void)verify_container(file.path(), kind); });
  fuzz::expect(is_verified == is_whole, "reading and verifying agree");
  return is_whole;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto bytes = fuzz::input(data, size);
  std::vector<std::byte> sealed(bytes.begin(), bytes.end());
  fuzz::seal(sealed);
  const bool is_model = reads(sealed, Container::model);
  const bool is_checkpoint = reads(sealed, Container::checkpoint);
  fuzz::expect(!is_model || !is_checkpoint, "a container is of one kind");
  const bool is_true = std::equal(sealed.begin(), sealed.end(), bytes.begin());
  const bool is_read = is_true
                           ? is_model || is_checkpoint
                           : reads(bytes, Container::model) || reads(bytes, Container::checkpoint);
  fuzz::expect(is_read == (is_true && (is_model || is_checkpoint)),
               "only the right checksum is accepted");
  return 0;
}
