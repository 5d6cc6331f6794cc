#include "dnn/tables/table_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dnn/core/threads.hpp"

namespace dnn {

namespace {

/// Where the first line begins at or behind `offset`, which is not 0.
std::size_t next_line(std::string_view text, std::size_t offset) {
  const std::size_t end = text.find_first_of("\n\r", offset - 1);
  if (end == std::string_view::npos) {
    return text.size();
  }
  return end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
}

/// Puts other numbers for the texts of a column of `width`.
void renumber(std::vector<double>& block, std::size_t width, std::size_t column,
              const std::vector<std::uint32_t>& numbers) {
  for (std::size_t at = column; at < block.size(); at += width) {
    if (!std::isnan(block[at])) {
      const auto old = static_cast<std::size_t>(block[at]);
      block[at] = old < numbers.size() ? numbers[old] : TextIndex::unknown;
    }
  }
}

}  // namespace

TableCells::TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
                       const MissingWords& missing, std::size_t chunk_bytes, std::size_t most_rows)
    : parts_(parts),
      modes_(modes),
      missing_(missing),
      most_rows_(most_rows),
      columns_(parts.front().columns()) {
  std::vector<ChunkRequest> requests;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const std::string_view text = parts[part].rows;
    for (std::size_t begin = 0; begin < std::max<std::size_t>(text.size(), 1);
         begin += chunk_bytes) {
      requests.push_back({.parts = parts,
                          .modes = modes,
                          .missing = missing,
                          .part = part,
                          .begin = begin == 0 ? 0 : next_line(text, begin),
                          .stop = begin + chunk_bytes,
                          .lines_before = begin == 0 ? parts[part].lines_before : 0,
                          .has_rows_before = begin > 0 || part > 0,
                          .most_rows = most_rows});
    }
  }
  read_chunks(requests);
}

void TableCells::read_chunks(std::span<const ChunkRequest> requests) {
  const bool all = most_rows_ == std::numeric_limits<std::size_t>::max();
  const std::size_t at_a_time = all && threads() > 1 ? 4 * static_cast<std::size_t>(threads()) : 1;
  for (std::size_t first = 0; first < requests.size(); first += at_a_time) {
    const auto some = requests.subspan(first, std::min(at_a_time, requests.size() - first));
    std::vector<TableChunk> chunks(some.size());
    parallel_tasks(some.size(), [&](std::size_t i, std::size_t) {
      if (some[i].begin < some[i].stop) {  // else no line begins here
        chunks[i] = TableChunk::read(some[i]);
      }
    });
    for (std::size_t i = 0; i < some.size(); ++i) {
      join(some[i], std::move(chunks[i]));
      if (cut_off_ || rows_ >= most_rows_) {
        return;
      }
    }
  }
}

/// Adds the rows of a chunk, which may have to be read again, see Note [Chunks].
void TableCells::join(ChunkRequest request, TableChunk chunk) {
  const bool starts_part = request.begin == 0;
  next_ = starts_part ? Position{0, parts_[request.part].lines_before + 1} : next_;
  const std::string_view text = parts_[request.part].rows;
  if (next_.offset >= std::min(request.stop, std::max<std::size_t>(text.size(), 1))) {
    return;  // the record before reaches beyond this chunk
  }
  if (chunk.error || chunk.cut_off || (!starts_part && chunk.first != next_.offset)) {
    request.begin = next_.offset;
    request.lines_before = next_.line - 1;
    request.has_rows_before = rows_ > 0;
    request.most_rows = most_rows_ - rows_;
    chunk = TableChunk::read(request);
    if (chunk.error) {
      std::rethrow_exception(chunk.error);
    }
  }
  if (chunk.cut_off) {
    cut_off_ = CutOff{request.part, *chunk.cut_off};
    return;
  }
  const std::size_t lines_before =
      starts_part || chunk.first_line == 0 ? 0 : next_.line - chunk.first_line;
  std::vector<std::uint32_t> numbers;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    join_column(j, chunk.columns[j], lines_before, numbers);
    if (modes_[j].mode == CellMode::text && rows_ > 0) {
      for (std::vector<double>& block : chunk.blocks) {
        renumber(block, columns_.size(), j, numbers);
      }
    }
  }
  rows_ += chunk.rows;
  next_ = {chunk.end, chunk.end_line + lines_before};
  std::move(chunk.blocks.begin(), chunk.blocks.end(), std::back_inserter(blocks_));
}

/// `numbers` becomes, for the texts of a column of a chunk, their numbers in the table.
void TableCells::join_column(std::size_t column, ColumnCells& added, std::size_t lines_before,
                             std::vector<std::uint32_t>& numbers) {
  ColumnCells& all = columns_[column];
  added.first_missing.line += lines_before;
  added.first_misfit.line += lines_before;
  if (rows_ == 0) {
    all = std::move(added);
    return;
  }
  all.first_missing = all.missing > 0 ? all.first_missing : added.first_missing;
  all.first_misfit = all.misfits > 0 ? all.first_misfit : added.first_misfit;
  all.missing += added.missing;
  all.misfits += added.misfits;
  for (const std::string& word : added.misfit_words) {
    all.add_misfit_word(word);
  }
  all.more_misfit_words = all.more_misfit_words || added.more_misfit_words;
  numbers.clear();
  if (added.texts.gave_up()) {
    all.texts.give_up();
  }
  for (std::size_t t = 0; t < added.texts.size(); ++t) {
    numbers.push_back(all.texts.add(added.texts.text(t), added.texts.count(t)));
  }
  if (!modes_[column].keep_all) {
    all.texts.give_up_on_identifiers();
  }
}

std::string TableCells::text_of(const TableLine& line) const {
  return fmt::format("{}: line {}", parts_[line.part].origin, line.line);
}

}  // namespace dnn
