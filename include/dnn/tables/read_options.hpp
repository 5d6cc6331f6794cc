#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "dnn/core/scratch_memory.hpp"
#include "dnn/core/task.hpp"
#include "dnn/data/dataset.hpp"
#include "dnn/data/reading_team.hpp"

namespace dnn {

enum class HeaderMode { detect, yes, no };

/// Options of a reader, besides the path of the data.
struct ReadOptions {
  /// What is to be learnt; automatic: classes, where the labels leave no doubt, else InputError.
  /// Data that have to match another's: the same task.
  Task task = Task::automatic;
  /// The number of outputs where it is known: target rows have so many columns.
  std::size_t outputs = 0;
  /// The label's column (text tables, NPY): a name from the header, a number counted from 1 (or
  /// from the end: -1 is the last), `first` or `last`. Empty: a column named label, class, target
  /// or y; else the only column of text in a table of numbers; else the last. Tasks with target
  /// rows: one or several, separated by commas.
  std::string label_column;
  /// Text tables, task labels, one column: what stands between the labels of a cell. Empty: ';',
  /// '|' or ',', the first that occurs, where the column is no column of numbers.
  std::string label_separator;
  /// Text tables: the column that says how much each sample counts, named as label_column is.
  /// Empty: the one that `columns` says, or none.
  std::string weight_column;
  HeaderMode header = HeaderMode::detect;  ///< text tables: whether the first line names columns
  /// Text tables: what columns are, see parse_column_kinds.
  std::string columns;
  /// Text tables: words, separated by commas, that stand for a missing value, as an empty cell
  /// does; an empty list: nothing else does. Not given: those of the schema, or
  /// usual_missing_words.
  std::optional<std::string> missing;
  /// Text tables: the most categories of a column that get an input of their own.
  std::size_t max_categories = 10'000;
  /// Text tables: rows without a label are left out rather than refused.
  bool drop_unlabelled = false;
  /// Text tables that have to match: columns whose texts are kept (Dataset::kept_names).
  std::vector<std::string> keep;
  /// Text tables are read in chunks of about this length. What is read does not depend on it, but
  /// for whether a text column of very many values counts as identifiers.
  std::size_t chunk_bytes = std::size_t{1} << 23;
  /// Text tables that have to match: no more text than this is read at a time, in whole chunks; all
  /// of it is checked before the first piece.
  std::size_t piece_bytes = std::numeric_limits<std::size_t>::max();
  /// Where cells, features and sparse rows are stored while text is read. On a disk, they may be
  /// larger than memory.
  ScratchMemory memory;
  /// Training tables and sparse rows of text: where these are stored instead if `memory` is memory
  /// and the text probably takes more than one of its readers may use. Memory: it is refused.
  ScratchMemory spare_memory = {};
  /// The bytes of memory that reading may take; nothing: what the system says.
  std::optional<std::size_t> available = {};
  TablePlace from;         ///< where the piece begins: Dataset::next of the one before
  bool complete = false;   ///< text tables that have to match: no value may be missing
  bool as_double = false;  ///< text tables: values are stored as double, even if less would do
  bool wide = false;       ///< numbers of a text keep the precision of double
  /// The schema of the training table, which the data have to match by name: as test data, or with
  /// a trained model. Null: the data have a schema of their own.
  const TableSchema* schema = nullptr;
  /// The number of features where it is known (a trained model's): data of just as many columns
  /// have no labels, and sparse data have no more. Nothing: labels are expected.
  std::optional<std::size_t> features;
  /// Text tables that have to match a trained model's: its classes or labels. Where a row has
  /// another, a note says so, and the data count as such without labels. Null: not known.
  const std::vector<std::string>* classes = nullptr;
  /// Who reads the data: all members give the same options, see ReadingTeam. What cannot be cut
  /// is read by each of them, and has all samples (Dataset::held says which it is).
  ReadingTeam team;
  /// Sparse: whether the file counts features from 0 or 1, where it is known; else it is found out.
  std::optional<int> index_base;
};

}  // namespace dnn
