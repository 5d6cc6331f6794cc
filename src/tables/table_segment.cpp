#include "dnn/tables/table_segment.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "dnn/core/threads.hpp"
#include "dnn/tables/record_begin.hpp"

namespace dnn {

namespace {

class SegmentReader {
 public:
  explicit SegmentReader(const SegmentRequest& request) : request_(request) {
    read_.columns.resize(request.modes.size());
    read_.marks.resize(request.begins_table ? 0 : request.modes.size());
    read_.first = request.start;
    read_.next = request.start;
  }

  TableSegment read() {
    const bool all = request_.most_rows == std::numeric_limits<std::size_t>::max();
    const std::size_t at_a_time =
        all && threads() > 1 ? 4 * static_cast<std::size_t>(threads()) : 1;
    const std::span<const TableCut> cuts = request_.cuts;
    for (std::size_t first = 0; first < cuts.size(); first += at_a_time) {
      const auto some = cuts.subspan(first, std::min(at_a_time, cuts.size() - first));
      std::vector<TableChunk> chunks(some.size());
      parallel_tasks(some.size(),
                     [&](std::size_t i, std::size_t) { chunks[i] = read_chunk(some[i]); });
      for (std::size_t i = 0; i < some.size(); ++i) {
        join(some[i], std::move(chunks[i]));
        if (read_.error || read_.cut_off || read_.rows >= request_.most_rows) {
          return std::move(read_);
        }
      }
    }
    return std::move(read_);
  }

 private:
  [[nodiscard]] TableChunk read_chunk(const TableCut& cut) const {
    ChunkRequest chunk = cut.request;
    chunk.keeps_rows = request_.keeps_rows;
    chunk.most_rows = request_.most_rows - read_.rows;
    if (!cut.is_exact) {
      chunk.begin =
          probable_record_begin(chunk.parts[chunk.part], request_.modes.size(), chunk.begin);
    }
    return chunk.begin < chunk.stop ? TableChunk::read(chunk) : TableChunk();
  }

  /// Adds the rows of a chunk, which may have to be read again, see Note [Chunks].
  void join(const TableCut& cut, TableChunk chunk) {
    ChunkRequest request = cut.request;
    bool is_exact = cut.is_exact;
    if (is_exact) {
      read_.next = {request.part, request.begin, request.lines_before + 1};
    } else if (!read_.next) {
      if (chunk.columns.empty()) {
        return;  // no line begins here
      }
      read_.next = {request.part, chunk.first, chunk.first_line};
      read_.first = read_.next;
    }
    const std::size_t size = request.parts[request.part].rows.size();
    if (!is_exact && read_.next->offset >= std::min(request.stop, size)) {
      return;  // the record before reaches beyond this chunk
    }
    if (chunk.error || chunk.cut_off || chunk.columns.empty() ||
        (!is_exact && chunk.first != read_.next->offset)) {
      request.keeps_rows = request_.keeps_rows;
      request.begin = read_.next->offset;
      request.lines_before = read_.next->line - 1;
      request.has_rows_before = read_.rows > 0 || request_.has_rows_before;
      request.most_rows = request_.most_rows - read_.rows;
      chunk = TableChunk::read(request);
      read_.error = chunk.error;
      is_exact = true;
    }
    if (chunk.cut_off) {
      read_.cut_off = {request.part, *chunk.cut_off, 0};
    }
    if (read_.error || read_.cut_off) {
      return;
    }
    add(chunk, is_exact || chunk.first_line == 0 ? 0 : read_.next->line - chunk.first_line);
    read_.next->offset = chunk.end;
  }

  void add(TableChunk& chunk, std::size_t lines_before) {
    const std::size_t width = request_.modes.size();
    std::vector<std::vector<std::uint32_t>> numbers(width);
    for (std::size_t j = 0; j < width; ++j) {
      add_column(j, chunk.columns[j], lines_before, numbers[j]);
    }
    if (read_.rows > 0) {
      for (CellBlock& block : chunk.blocks) {
        block.renumber(numbers);
      }
    }
    read_.rows += chunk.rows;
    read_.next->line = chunk.end_line + lines_before;
    if (request_.keeps_rows) {
      std::move(chunk.blocks.begin(), chunk.blocks.end(), std::back_inserter(read_.blocks));
    }
  }

  /// `numbers` becomes, for the texts of a column of a chunk, their numbers in the segment.
  void add_column(std::size_t column, ColumnCells& added, std::size_t lines_before,
                  std::vector<std::uint32_t>& numbers) {
    ColumnCells& all = read_.columns[column];
    added.first_missing.line += lines_before;
    added.first_misfit.line += lines_before;
    added.first_infinite.line += lines_before;
    const bool is_first = read_.rows == 0;
    if (is_first) {
      all = std::move(added);
    } else {
      all.add_below(added, numbers);
    }
    if (request_.modes[column].keep_all || request_.modes[column].mode != CellMode::text) {
      return;
    }
    if (!request_.begins_table) {
      all.texts.give_up_on_too_many();
      read_.marks[column].push_back({all.texts.size(), all.texts.total(), is_first});
    } else if (!is_first) {
      all.texts.give_up_on_identifiers();
    }
  }

  const SegmentRequest& request_;
  TableSegment read_;
};

}  // namespace

TableSegment TableSegment::read(const SegmentRequest& request) {
  return SegmentReader(request).read();
}

}  // namespace dnn
