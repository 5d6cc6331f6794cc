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
void renumber(std::span<double> cells, std::size_t width, std::size_t column,
              const std::vector<std::uint32_t>& numbers) {
  for (std::size_t at = column; at < cells.size(); at += width) {
    if (!std::isnan(cells[at])) {
      const auto old = static_cast<std::size_t>(cells[at]);
      cells[at] = old < numbers.size() ? numbers[old] : TextIndex::unknown;
    }
  }
}

}  // namespace

TableCells::TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
                       const MissingWords& missing, std::size_t chunk_bytes)
    : TableCells(parts, modes, missing, chunk_bytes, Extent()) {}

TableCells::TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
                       const MissingWords& missing, std::size_t chunk_bytes, const Extent& extent)
    : parts_(parts),
      modes_(modes),
      missing_(missing),
      most_rows_(extent.most_rows),
      keeps_rows_(extent.keeps_rows),
      begins_within_(extent.from.samples > 0),
      columns_(parts.front().columns()) {
  read_chunks(cut(chunk_bytes, extent));
  if (extent.most_bytes == std::numeric_limits<std::size_t>::max() || cut_off_) {
    return;
  }
  const bool within = next_.offset < parts[part_].rows.size();
  if (within || part_ + 1 < parts.size()) {
    end_ = within ? TablePlace{.part = part_, .offset = next_.offset, .line = next_.line}
                  : TablePlace{.part = part_ + 1, .line = parts[part_ + 1].lines_before + 1};
  }
}

std::vector<TableCells::Cut> TableCells::cut(std::size_t chunk_bytes, const Extent& extent) const {
  std::vector<Cut> cuts;
  std::size_t bytes = 0;
  for (std::size_t part = extent.from.part; part < parts_.size(); ++part) {
    const std::string_view text = parts_[part].rows;
    const bool goes_on = part == extent.from.part && extent.from.line > 0;
    const std::size_t first = goes_on ? extent.from.offset : 0;
    for (std::size_t begin = first; begin == first || begin < text.size(); begin += chunk_bytes) {
      if (bytes >= extent.most_bytes) {
        return cuts;
      }
      bytes += std::min(chunk_bytes, text.size() - begin);
      const bool is_exact = begin == first;
      const std::size_t line = goes_on ? extent.from.line : parts_[part].lines_before + 1;
      cuts.push_back({{.parts = parts_,
                       .modes = modes_,
                       .missing = missing_,
                       .part = part,
                       .begin = is_exact ? begin : next_line(text, begin),
                       .stop = begin + chunk_bytes,
                       .lines_before = is_exact ? line - 1 : 0,
                       .has_rows_before = begin > 0 || part > 0,
                       .most_rows = most_rows_},
                      is_exact});
    }
  }
  return cuts;
}

void TableCells::read_chunks(std::span<const Cut> cuts) {
  const bool all = most_rows_ == std::numeric_limits<std::size_t>::max();
  const std::size_t at_a_time = all && threads() > 1 ? 4 * static_cast<std::size_t>(threads()) : 1;
  for (std::size_t first = 0; first < cuts.size(); first += at_a_time) {
    const auto some = cuts.subspan(first, std::min(at_a_time, cuts.size() - first));
    std::vector<TableChunk> chunks(some.size());
    parallel_tasks(some.size(), [&](std::size_t i, std::size_t) {
      ChunkRequest request = some[i].request;
      request.most_rows = most_rows_ - rows_;
      if (request.begin < request.stop) {  // else no line begins here
        chunks[i] = TableChunk::read(request);
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
void TableCells::join(Cut cut, TableChunk chunk) {
  ChunkRequest& request = cut.request;
  part_ = request.part;
  next_ = cut.is_exact ? Position{request.begin, request.lines_before + 1} : next_;
  const std::size_t size = parts_[part_].rows.size();
  if (!cut.is_exact && next_.offset >= std::min(request.stop, size)) {
    return;  // the record before reaches beyond this chunk
  }
  if (chunk.error || chunk.cut_off || (!cut.is_exact && chunk.first != next_.offset)) {
    request.begin = next_.offset;
    request.lines_before = next_.line - 1;
    request.has_rows_before = rows_ > 0 || begins_within_;
    request.most_rows = most_rows_ - rows_;
    chunk = TableChunk::read(request);
    if (chunk.error) {
      std::rethrow_exception(chunk.error);
    }
    cut.is_exact = true;
  }
  if (chunk.cut_off) {
    cut_off_ = CutOff{request.part, *chunk.cut_off};
    return;
  }
  const std::size_t lines_before =
      cut.is_exact || chunk.first_line == 0 ? 0 : next_.line - chunk.first_line;
  std::vector<std::uint32_t> numbers;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    join_column(j, chunk.columns[j], lines_before, numbers);
    if (modes_[j].mode == CellMode::text && rows_ > 0 && keeps_rows_) {
      for (CellBlock& block : chunk.blocks) {
        renumber(block.cells(), columns_.size(), j, numbers);
      }
    }
  }
  rows_ += chunk.rows;
  next_ = {chunk.end, chunk.end_line + lines_before};
  if (keeps_rows_) {
    std::move(chunk.blocks.begin(), chunk.blocks.end(), std::back_inserter(blocks_));
  }
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
