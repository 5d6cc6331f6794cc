#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>
#include <vector>

namespace dnn {

/// How CLI11 reads the file that --config names: as TOML (by toml++, since CLI11's own reader knows
/// a part of it only), of `key = value` alone, where a value is a text, a number, true or false, or
/// an array of them.
class ConfigFile : public CLI::ConfigTOML {
 public:
  /// Throws InputError, with the line, for what is no TOML, for sections and dates, and for more
  /// than a MiB.
  [[nodiscard]] std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;
};

/// A key of a configuration, with its value or the elements of its array as the command line has
/// them.
struct ConfigKey {
  std::string name;
  std::vector<std::string> values;
};

/// The keys of TOML text, in its order. Throws as ConfigFile does.
[[nodiscard]] std::vector<ConfigKey> parse_config_text(const std::string& text);

/// `text` as a TOML string that ConfigFile reads as the same bytes.
[[nodiscard]] std::string toml_string(const std::string& text);

}  // namespace dnn
