// A byte that chooses how to read, one that chooses the arrays' names, the length of a first array
// in a byte (times 8), the first array and the second one: as an archive with the checksums that
// belong to them, so that these do not keep the fuzzer out. Then everything as an archive.

#include "dnn/readers/npz_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "fuzz/invariants.hpp"
#include "support/archive_files.hpp"

using namespace dnn;

namespace {

using NamePair = std::pair<const char*, const char*>;
constexpr std::array names = {NamePair{"x", "y"},           NamePair{"X_train", "y_train"},
                              NamePair{"x_test", "y_test"}, NamePair{"a", "b"},
                              NamePair{"x", "X"},           NamePair{"train_data", "test_data"}};

Bytes as_bytes(const std::string& text) {
  return Bytes::from(std::vector<char>(text.begin(), text.end()));
}

void read(const std::string& archive, const std::string& selection, const ReadOptions& options) {
  const std::string origin = "input.npz";
  for (const Part part : {Part::train, Part::test}) {
    Dataset dataset;
    if (fuzz::accepts(origin, [&] {
          const NpzArchive arrays(as_bytes(archive), origin);
          (void)arrays.has_test_part(true);
          dataset = arrays.read(selection, part, options);
        })) {
      fuzz::expect_well_formed(dataset);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 3) {
    return 0;
  }
  const auto bytes = fuzz::input(data, size);
  const ReadOptions options = fuzz::read_options(bytes[0]);
  const std::string text(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t first = std::min<std::size_t>(8 * std::size_t{data[2]}, text.size());
  const auto& [x, y] = names[data[1] % names.size()];
  const std::string selection = data[1] >= 128 ? std::string(x) + "," + y : std::string();
  const std::string one = std::string(x) + ".npy";
  const std::string two = std::string(y) + ".npy";
  const std::string contents = text.substr(0, first);
  read(first < text.size() ? test::stored_zip({{one, contents}, {two, text.substr(first)}})
                           : test::stored_zip({{one, contents}}),
       selection, options);
  read(text, {}, options);
  return 0;
}
