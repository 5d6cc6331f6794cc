#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dnn/data/dataset.hpp"
#include "dnn/readers/libsvm_lines.hpp"
#include "dnn/tables/read_options.hpp"

namespace dnn {

/// Collects the values of a sparse data set, row after row, from the "index:value" words of LIBSVM
/// text, and stores them as T: float or double.
template <class T>
class LibsvmRows {
 public:
  /// Room for `most_values` in `memory`. `lines` names the line in errors and must outlive the
  /// rows.
  LibsvmRows(const LibsvmLines& lines, std::size_t most_values, const ScratchMemory& memory);

  /// Adds a row: `words` are the words of a line without its label. Throws InputError for a word
  /// that is not index:value, for a value that is not finite, and for an index that appears twice.
  void add(std::string_view words);

  [[nodiscard]] std::size_t size() const { return offsets_.size() - 1; }
  /// Whether T is float and changed a value of 2^24 or more.
  [[nodiscard]] bool needs_double() const { return needs_double_; }
  /// The first line with "qid:N", which is ignored.
  [[nodiscard]] const std::optional<LibsvmLines::Place>& query_line() const { return query_line_; }

  /// Collective over the options' team: moves the rows into `data`, with samples, features and
  /// index base. Throws InputError, naming the data's origin, for index 0 where the options say
  /// that indices count from 1.
  void finish(Dataset& data, const ReadOptions& options);

 private:
  bool add_word(const char*& next, const char* end);
  bool add_unusual(std::string_view word);
  void add_value(std::uint32_t index, T value);
  void sort_row(std::size_t row_begin);
  [[nodiscard]] Bytes offsets_of_all(const ReadingTeam& team, const ReadingTeam::Places& samples);

  static constexpr std::uint32_t no_index = 0xffffffffU;

  const LibsvmLines& lines_;
  bool needs_double_ = false;
  std::optional<LibsvmLines::Place> query_line_;
  std::uint32_t smallest_ = no_index;
  std::uint32_t largest_ = 0;
  ScratchVector<T> values_;
  ScratchVector<std::uint32_t> columns_;  ///< as in the file, from 0 or 1
  std::vector<std::uint64_t> offsets_{0};
};

}  // namespace dnn
