#pragma once

// Finds and describes the NaN, infinite or overflowing numbers of an update, and the samples that
// lead to them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dnn/data/batch_loader.hpp"
#include "dnn/nn/dropout.hpp"
#include "dnn/nn/network.hpp"
#include "dnn/nn/parameter_layout.hpp"

namespace dnn {

/// Describes numbers of a rank that are NaN, infinite, or too large to be summed over the ranks.
struct BadNumbers {
  std::string what;                    ///< "layer 2 of 3: the gradients are NaN"
  std::vector<std::uint64_t> samples;  ///< this rank's that lead to it; all of its, where that
                                       ///< cannot be told from their logits
  /// Of the first of these samples, the first class whose logit is not finite.
  std::optional<std::size_t> class_index;
  std::string origin;  ///< the first layer with such values, as "layer 2 of 3"; empty if unknown
};

/// "layer 2 of 3".
[[nodiscard]] std::string name_of_layer(const ParameterLayout& layout, std::size_t layer);

/// Collective over the model group of `network`, whose part `layout` is: runs forward once more on
/// the batch of an update that did not count, and puts into `bad` this rank's samples whose logits
/// are not finite (all of them, if none is such), their first such class, and the layer where it
/// begins. `bad` may be none: this rank found nothing.
template <class T>
void find_suspects(Network<T>& network, const ParameterLayout& layout, const Batch<T>& batch,
                   const DropoutKey& key, std::optional<BadNumbers>& bad);

}  // namespace dnn
