#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>
#include <vector>

namespace dnn {

/// How CLI11 reads the file that --config names: lines of TOML, `key = value`, where a value is a
/// "string" with escapes, a 'string' without, an array of values over any number of lines, or the
/// rest of the line up to a comment (numbers, true, false, a word).
class ConfigFile : public CLI::ConfigTOML {
 public:
  /// Throws InputError, with the line, for anything else: a section, a key that appears twice, a
  /// string or an array that is not closed, control characters, more than a MiB.
  [[nodiscard]] std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;
};

/// `text` as a TOML string that ConfigFile reads as the same bytes.
[[nodiscard]] std::string toml_string(const std::string& text);

}  // namespace dnn
