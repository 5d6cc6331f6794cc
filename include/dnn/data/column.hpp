#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace dnn {

/// Whether a column of this name is taken for the label's where no other is asked for: label,
/// class, target or y, in any case.
[[nodiscard]] bool is_usual_label_name(const std::string& name);

/// The index, from 0, of the label's column that `wanted` names (ReadOptions::label_column) among
/// `columns` columns with `names` (empty without a header). Throws InputError for one that does not
/// exist; `origin` names the file.
[[nodiscard]] std::size_t find_label_column(const std::string& wanted, std::size_t columns,
                                            const std::vector<std::string>& names,
                                            const std::string& origin);

}  // namespace dnn
