#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dnn {

/// Everything that a report tells of the run in a folder, from the folder's files: `name` (the
/// folder), `summary` (summary.json; null while the run is not finished), `started` (run.json, of a
/// run that is not), `epochs` (metrics.jsonl), `steps` (see step_curves), `folds` (of a run with
/// --folds: number, mean, deviation, and figures of each; else null), `evaluation`
/// (evaluation.json, see make_plots; null while the run is not finished), `classes` (see
/// class_figures; null where there is no confusion.csv), `checkpoints` (name and bytes of each),
/// `nonfinite` (nonfinite.jsonl) and `notes` (what was left out: of long runs, epochs between
/// others; of wide tables, columns).
///
/// A line at the end of a file that is not complete belongs to a run that still writes; it is left
/// out. `summary`, where given, stands for the file. Throws FileError or InputError.
[[nodiscard]] nlohmann::ordered_json run_record(const std::string& folder);
[[nodiscard]] nlohmann::ordered_json run_record(const std::string& folder,
                                                nlohmann::ordered_json summary);

}  // namespace dnn
