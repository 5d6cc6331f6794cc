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

/// `text` as a TOML string that ConfigFile reads as the same bytes.
[[nodiscard]] std::string toml_string(const std::string& text);

}  // namespace dnn
