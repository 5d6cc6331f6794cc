#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dnn {

/// Reads a steps.jsonl for a report: `count` (its lines), and an array for each of
/// `update`, `epoch`, `loss`, `gradient_norm`, `learning_rate`, `samples_per_second` and `skipped`,
/// and under `seconds` for each phase, with one element a line; null where a line has none. Of more
/// than 2,000 lines every so many-th, and the last one. Null for a file without lines.
///
/// A line at the end that is not complete is left out. Where updates are counted again, since the
/// run has gone back, the later lines count. Throws InputError for a line that is no JSON object.
[[nodiscard]] nlohmann::ordered_json step_curves(const std::string& path);

}  // namespace dnn
