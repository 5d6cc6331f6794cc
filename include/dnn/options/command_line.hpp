#pragma once

// Parsing with CLI11, for all programs: errors of ours, and the nearest known option for a misspelt
// one.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace dnn {

/// Parses with CLI11 and turns its errors into InputError; an unknown option, or key of the file
/// given by --config, is one that names the nearest known option. Returns the text to print instead
/// of running, if --help or --version asked for it. May be called again with the same `app`, whose
/// bound variables the caller has then set back.
[[nodiscard]] std::optional<std::string> parse_command_line(CLI::App& app, int argc,
                                                            const char* const* argv);

/// Makes a whole number of an option's text one that CLI11 reads as it is written: it would take
/// 010 for 8, wrap a negative number around and cut one that is too large. Refuses the latter two.
[[nodiscard]] const CLI::Validator& whole_number();

/// The name in `known` that differs from `wanted`, in small letters, in the fewest letters
/// (Levenshtein's distance); empty where none is near.
[[nodiscard]] std::string nearest_name(const std::string& wanted,
                                       const std::vector<std::string>& known);

}  // namespace dnn
