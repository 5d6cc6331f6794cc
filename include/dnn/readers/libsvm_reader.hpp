#pragma once

#include <string>

#include "dnn/data/dataset.hpp"
#include "dnn/tables/read_options.hpp"
#include "dnn/tables/read_table.hpp"

namespace dnn {

/// Reads LIBSVM / SVMlight text, in one or more pieces ("label index:value ...", '#' starts a
/// comment) into a sparse data set. Features are counted from 0 where index 0 appears, else from 1,
/// unless the options know. Where they know the number of features, all lines may lack the label.
/// "qid:N" is ignored, with a note. Values are stored as float; as double if the options want it,
/// or if float changes one of 2^24 or more. Throws InputError, with the line, for anything else:
/// multi-label data (several labels or none on a line) is named as such.
[[nodiscard]] Dataset read_libsvm(std::span<const TableText> texts, const std::string& origin,
                                  const ReadOptions& options);

/// The same for one text.
[[nodiscard]] Dataset read_libsvm(std::span<const std::byte> contents, const std::string& origin,
                                  const ReadOptions& options);

}  // namespace dnn
