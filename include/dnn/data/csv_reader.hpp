#pragma once

#include <string>

#include "dnn/data/dataset.hpp"
#include "dnn/data/read_options.hpp"

namespace dnn {

/// Reads delimiter-separated text (RFC 4180; comma, semicolon or tab, found from the first line):
/// numeric features and one label column. `contents` is the whole text; `origin` names it in
/// errors. Throws InputError, with line and column, for a ragged row, a cell that is not a finite
/// number, or an unterminated quote.
[[nodiscard]] Dataset read_csv(std::span<const std::byte> contents, const std::string& origin,
                               const ReadOptions& options);

}  // namespace dnn
