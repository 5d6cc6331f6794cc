#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dnn {

/// Reads the text of a steps.jsonl for a report: `count` (its lines), and an array for each of
/// `update`, `epoch`, `loss`, `gradient_norm`, `learning_rate`, `samples_per_second` and `skipped`,
/// and under `seconds` for each phase, with one element a line; null where a line has none. Of more
/// than 2,000 lines every so many-th, and the last one. Null for a text without lines.
///
/// A line at the end that is not complete is left out. Where updates are counted again, since the
/// run has gone back, the later lines count. `origin` names the file in errors. Throws InputError
/// for a line that is no JSON object.
[[nodiscard]] nlohmann::ordered_json step_curves(const std::string& text,
                                                 const std::string& origin);

}  // namespace dnn
