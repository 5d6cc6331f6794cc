#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "dnn/core/task.hpp"
#include "dnn/data/normalizer.hpp"
#include "dnn/readers/open_dataset.hpp"
#include "dnn/store/data_access.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// Where the features of the samples are stored; the model is the same.
enum class Placement {
  automatic,
  node,  ///< every node has all of them in memory
  job,   ///< the nodes share them out
  disk   ///< every node has all of them in a file of its own
};

/// Which samples a run trains on, in which form and in which batches.
struct DataSettings {
  std::string data = builtin_digits_name;
  std::string test_data;  ///< empty: the data's own test part, if they have one
  DataAccess data_access = DataAccess::automatic;
  Task task = Task::automatic;  ///< see ReadOptions
  std::string label_column;     ///< see ReadOptions
  std::string label_separator;  ///< see ReadOptions
  std::string weight_column;    ///< see ReadOptions
  HeaderMode csv_header = HeaderMode::detect;
  std::string columns;                        ///< see parse_column_kinds
  std::string missing = usual_missing_words;  ///< see ReadOptions
  std::size_t max_categories = 10'000;        ///< see ReadOptions
  bool drop_unlabelled = false;               ///< see ReadOptions
  double validation = 0.1;                    ///< fraction of the training data that is held out
  std::size_t folds = 0;                      ///< of a cross-validation; 0: there is none
  Normalization normalize = Normalization::standard;
  double clip_features = 0;     ///< deviations, see Normalizer::clip; 0: none; not sparse rows
  bool choose_scaling = false;  ///< the data decide `normalize` and `clip_features`
  bool split_by_class = false;  ///< each class has its share in the part held out
  std::optional<std::size_t> batch_size;  ///< global; none: default_batch_size, or the data's size
  std::uint64_t seed = 1;                 ///< of the split, the shuffles, the initial W and dropout

  Placement placement = Placement::automatic;
  std::string scratch;  ///< folder of a disk of the node, for Placement::disk
  /// Placement::job: bytes of rows that come to a node at a time, about.
  std::size_t window_bytes = std::size_t{8} << 20;

  static constexpr std::size_t default_batch_size = 128;
};

}  // namespace dnn
