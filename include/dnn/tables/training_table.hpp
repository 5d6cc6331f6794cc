#pragma once

#include <string>
#include <vector>

#include "dnn/data/dataset.hpp"
#include "dnn/tables/read_options.hpp"
#include "dnn/tables/table_layout.hpp"

namespace dnn {

/// Reads a training table: one that says itself what its columns are. `parts`: the layouts of its
/// texts, which have the same columns. See Note [Every column is read once].
[[nodiscard]] Dataset read_training_table(std::vector<TableLayout> parts, const std::string& origin,
                                          const ReadOptions& options);

}  // namespace dnn
