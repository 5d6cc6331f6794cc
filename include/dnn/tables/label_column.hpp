#pragma once

// Finding a column by its name or number, and the one that holds the labels.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace dnn {

/// Whether a column of this name is taken for the label's where no other is asked for: label,
/// class, target or y, in any case.
[[nodiscard]] bool is_usual_label_name(const std::string& name);

/// The first column with a usual name, label before class before target before y.
[[nodiscard]] std::optional<std::size_t> usual_label_column(const std::vector<std::string>& names);

/// The index, from 0, of the column that `wanted` names among columns with `names`: one of these, a
/// number counted from 1 (or from the end: -1 is the last), `first` or `last`. `option` is where
/// `wanted` comes from, `origin` the file. Throws InputError for a column that does not exist.
[[nodiscard]] std::size_t find_column(const std::string& option, const std::string& wanted,
                                      const std::vector<std::string>& names,
                                      const std::string& origin);

/// The same for --label-column and `columns` columns without names.
[[nodiscard]] std::size_t find_label_column(const std::string& wanted, std::size_t columns,
                                            const std::string& origin);

}  // namespace dnn
