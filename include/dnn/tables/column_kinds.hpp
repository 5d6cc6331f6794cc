#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dnn/data/table_schema.hpp"
#include "dnn/tables/table_cells.hpp"

namespace dnn {

/// What a user says of columns (--columns).
struct AskedKind {
  ColumnKind kind = ColumnKind::number;
  bool day_first = false;  ///< date: 03/04/2024 is in April

  bool operator==(const AskedKind&) const = default;
};

/// Reads "KIND:NAME,NAME;KIND:NAME": for each column the kind that it is to have, or nothing. KIND
/// is number, category, date, day-first-date, label, weight or ignore; NAME a name from the header
/// or a number from 1 (-1 is the last). Throws InputError for a kind or a column that does not
/// exist; `origin` names the table. `several_labels`: more than one column may be a label.
[[nodiscard]] std::vector<std::optional<AskedKind>> parse_column_kinds(
    const std::string& text, const std::vector<std::string>& names, const std::string& origin,
    bool several_labels = false);

/// How columns are read before anything is known of their cells.
[[nodiscard]] std::vector<ColumnMode> first_modes(std::span<const std::optional<AskedKind>> asked);

/// Changes the modes of columns whose cells do not fit them: a number that is none becomes a date,
/// a date that is none a text. A few words among many numbers (see is_few_words) stay misfits, and
/// infinite numbers are misfits where there are others.
/// Returns whether the table has to be read again. Throws InputError where the user has asked for
/// the mode.
[[nodiscard]] bool widen_modes(const TableCells& cells, const std::vector<std::string>& names,
                               std::span<const std::optional<AskedKind>> asked,
                               std::span<ColumnMode> modes);

/// Whether the misfits of a column of numbers are one or two words in at most a tenth of its cells,
/// which then stand for missing values.
[[nodiscard]] bool is_few_words(const ColumnCells& cells, std::size_t rows);

}  // namespace dnn
