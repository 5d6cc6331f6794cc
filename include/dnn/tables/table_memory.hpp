#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "dnn/tables/table_layout.hpp"

namespace dnn {

/// The rows of a table of `parts`, judged by the lengths of the first lines of each.
[[nodiscard]] std::size_t estimate_rows(std::span<const TableLayout> parts);

/// Whether one of `readers`, which share a training table, needs no more than `available` bytes
/// while it reads: the cells of its share as double, and its features as float. Whether all
/// features fit is decided when they are placed. Since this is an estimate, a table that lacks less
/// than a fifth is tried.
[[nodiscard]] bool fits_memory(std::span<const TableLayout> parts, std::size_t available,
                               std::size_t readers = 1);

/// Throws InputError unless it fits.
void require_memory_for_table(std::span<const TableLayout> parts, const std::string& origin,
                              std::size_t available, std::size_t readers = 1);

/// What a run says of text that is read into ReadOptions::spare_memory.
[[nodiscard]] std::string note_of_spare_memory(const std::string& origin);

}  // namespace dnn
