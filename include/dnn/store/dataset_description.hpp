#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "dnn/data/dataset.hpp"

namespace dnn {

/// The arrays of a data set.
[[nodiscard]] const std::vector<Bytes Dataset::*>& arrays_of_dataset();

/// Everything about a data set but its arrays; as MessagePack it takes names of any bytes.
[[nodiscard]] nlohmann::json describe_dataset(const Dataset& data);

/// A data set without arrays. Throws what JSON throws for a description that is none.
[[nodiscard]] Dataset dataset_of(const nlohmann::json& description);

}  // namespace dnn
