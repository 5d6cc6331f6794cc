// The TOML file of --config, with all that the options do with it. Slower by far than config, which
// reads such files alone.

#include <array>
#include <nlohmann/json.hpp>

#include "dnn/options/options.hpp"
#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"
#include "support/memory_file.hpp"

using namespace dnn;

namespace {

Config read_config(const test::MemoryFile& file, std::span<const std::byte> contents) {
  file.write(contents);
  const std::array arguments = {"dnn_train", "--config", file.path().c_str()};
  const fuzz::AllocationLimit limit(256 * contents.size() + (1 << 20));
  return parse_options(static_cast<int>(arguments.size()), arguments.data()).config;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const test::MemoryFile file;
  Config config;
  try {
    config = read_config(file, fuzz::input(data, size));
  } catch (const InputError&) {
    return 0;
  }
  check(config);
  const std::string text = to_toml(config);
  const Config again = read_config(file, std::as_bytes(std::span(text)));
  fuzz::expect(to_json(again) == to_json(config),
               "the configuration that is printed is taken back");
  return 0;
}
