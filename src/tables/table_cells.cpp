#include "dnn/tables/table_cells.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dnn/tables/table_team.hpp"

namespace dnn {

TableCells::TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
                       const MissingWords& missing, std::size_t chunk_bytes)
    : TableCells(parts, modes, missing, chunk_bytes, Extent()) {}

TableCells::TableCells(std::span<const TableLayout> parts, std::span<const ColumnMode> modes,
                       const MissingWords& missing, std::size_t chunk_bytes, const Extent& extent)
    : parts_(parts), modes_(modes), missing_(missing), team_(extent.team) {
  const std::vector<TableCut> cuts = cut(chunk_bytes, extent);
  if (!team_.is_alone()) {
    TeamSegment segment = read_in_team(cuts, modes, extent.keeps_rows, team_);
    read_ = std::move(segment.own);
    rows_ = segment.rows;
    first_row_ = segment.first_row;
    return;
  }
  read_ = TableSegment::read({.cuts = cuts,
                              .modes = modes,
                              .keeps_rows = extent.keeps_rows,
                              .start = {},
                              .has_rows_before = extent.from.samples > 0,
                              .most_rows = extent.most_rows});
  if (read_.error) {
    std::rethrow_exception(read_.error);
  }
  rows_ = read_.rows;
  if (extent.most_bytes == std::numeric_limits<std::size_t>::max() || read_.cut_off) {
    return;
  }
  const auto [part, offset, line] = *read_.next;
  const bool within = offset < parts[part].rows.size();
  if (within || part + 1 < parts.size()) {
    end_ = within ? TablePlace{.part = part, .offset = offset, .line = line}
                  : TablePlace{.part = part + 1, .line = parts[part + 1].lines_before + 1};
  }
}

std::vector<TableCut> TableCells::cut(std::size_t chunk_bytes, const Extent& extent) const {
  std::vector<TableCut> cuts;
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
                       .memory = extent.memory,
                       .part = part,
                       .begin = begin,
                       .stop = begin + chunk_bytes,
                       .lines_before = is_exact ? line - 1 : 0,
                       .has_rows_before = begin > 0 || part > 0},
                      is_exact});
    }
  }
  return cuts;
}

std::string TableCells::text_of(const TableLine& line) const {
  return fmt::format("{}: line {}", parts_[line.part].origin, line.line);
}

}  // namespace dnn
