// The TOML file of --config, without what its keys mean.

#include <set>
#include <sstream>

#include "dnn/options/config_file.hpp"
#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"

using namespace dnn;

namespace {

std::vector<CLI::ConfigItem> items_of(const std::string& text) {
  std::istringstream stream(text);
  return ConfigFile().from_config(stream);
}

/// TOML that says the same.
std::string written(const std::vector<CLI::ConfigItem>& items) {
  std::string text;
  for (const CLI::ConfigItem& item : items) {
    text += toml_string(item.name) + " = [";
    for (const std::string& value : item.inputs) {
      text += toml_string(value) + ", ";
    }
    text += "] # " + std::to_string(item.inputs.size()) + '\n';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<CLI::ConfigItem> items;
  if (!fuzz::accepts("", [&] {
        const fuzz::AllocationLimit limit(256 * size + 65536);
        items = items_of(text);
      })) {
    return 0;
  }
  std::set<std::string> keys;
  for (const CLI::ConfigItem& item : items) {
    fuzz::expect(!item.name.empty() && item.parents.empty(), "a key is a name");
    fuzz::expect(keys.insert(item.name).second, "a key appears once");
  }
  const auto again = items_of(written(items));
  fuzz::expect(again.size() == items.size(), "as many keys come back");
  for (std::size_t i = 0; i < items.size(); ++i) {
    fuzz::expect(again[i].name == items[i].name && again[i].inputs == items[i].inputs,
                 "keys and values come back");
  }
  return 0;
}
