#pragma once

#include <cstddef>
namespace dnn {

/// What is known of the training data before they are split: what settings may be chosen by.
struct DataFacts {
  std::size_t samples = 0;
  std::size_t features = 0;         ///< inputs of the network
  std::size_t classes = 0;          ///< or outputs, where samples are of no class
  bool has_classes = true;          ///< each sample is of one class
  bool has_weights = false;         ///< samples count by a weight of their own
  std::size_t rarest_class = 0;     ///< samples of the class that has fewest, of those that occur
  std::size_t commonest_class = 0;  ///< samples of the class that has most
  bool sparse_rows = false;         ///< samples stay sparse, see keeps_rows_sparse
};

}  // namespace dnn
