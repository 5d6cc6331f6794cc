#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dnn {

/// Reads the text of a confusion.csv, as write_confusion() writes it, for a report. The result has
/// - `count`, `samples`, `correct_samples`: classes, samples and right ones in all;
/// - `names`, `support`, `predicted`, `correct`: an element a class, in the file's order; of more
///   than 1,000 classes those with the most errors;
/// - `matrix`: `names` and `counts` (rows: true classes) of the 30 classes with the most errors.
///   Where there are more classes, `others` is true, and a last row and column have their sums.
/// The errors of a class are its samples that were taken for another one, and samples of others
/// that were taken for it. `origin` names the file in errors. Throws InputError for another text.
[[nodiscard]] nlohmann::ordered_json class_figures(const std::string& text,
                                                   const std::string& origin);

}  // namespace dnn
