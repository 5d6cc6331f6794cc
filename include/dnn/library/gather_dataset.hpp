#pragma once

#include <cstdint>

#include "dnn/comm/rank_grid.hpp"
#include "dnn/library/library_settings.hpp"
#include "dnn/library/records.hpp"

namespace dnn {

/// Collective over the grid's world: the data set of the samples of all ranks in the order of their
/// ids, one copy a node, as share_dataset has it; it lives until the node closes. `outputs`: what
/// they are to give (task, names); without names, classes are named by their numbers, up to the
/// largest that occurs. There is one sample at least. Throws AgreedError for a class beyond the
/// names, and for another number of targets than there are names.
[[nodiscard]] Dataset gather_dataset(const RankGrid& grid, const Records& records,
                                     std::int64_t largest_class, const Dataset& outputs);

/// The outputs of samples of this form, as options give them: their task and, where they are
/// known, names. Throws InputError where they contradict each other.
[[nodiscard]] Dataset outputs_of(const RecordForm& form, const LibrarySettings& settings);

}  // namespace dnn
