#include "dnn/tables/find_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>

#include "dnn/core/threads.hpp"
#include "dnn/data/calendar.hpp"
#include "dnn/tables/cell.hpp"

namespace dnn {

namespace {

/// What the values of a column of numbers or dates have in common.
struct Values {
  double least = std::numeric_limits<double>::infinity();
  double largest = -std::numeric_limits<double>::infinity();
  bool counts_from_0 = true;  ///< the value in row i is i
  bool counts_from_1 = true;
  unsigned weekdays = 0;  ///< dates: a bit for each that occurs
  unsigned months = 0;
  bool has_midnight = false;
  bool has_other_hours = false;

  void add(double value, std::size_t row) {
    least = value < least ? value : least;
    largest = value > largest ? value : largest;
    const auto number = static_cast<double>(row);
    counts_from_0 = counts_from_0 && value == number;
    counts_from_1 = counts_from_1 && value == number + 1;
  }

  void merge(const Values& other) {
    least = std::min(least, other.least);
    largest = std::max(largest, other.largest);
    counts_from_0 = counts_from_0 && other.counts_from_0;
    counts_from_1 = counts_from_1 && other.counts_from_1;
    weekdays |= other.weekdays;
    months |= other.months;
    has_midnight = has_midnight || other.has_midnight;
    has_other_hours = has_other_hours || other.has_other_hours;
  }

  void add_date(double value, std::size_t row) {
    add(value, row);
    weekdays |= 1U << weekday_of(value);
    months |= 1U << month_of(value);
    (part_of_day(value) == 0 ? has_midnight : has_other_hours) = true;
  }
};

bool several(unsigned bits) {
  return (bits & (bits - 1)) != 0;
}

void merge(const std::vector<std::vector<Values>>& parts, std::vector<Values>& all) {
  for (const std::vector<Values>& values : parts) {
    for (std::size_t j = 0; j < all.size(); ++j) {
      all[j].merge(values[j]);
    }
  }
}

std::vector<Values> find_values(const SchemaRequest& request) {
  const std::size_t width = request.layout.columns();
  const std::vector<CellBlock>& blocks = request.cells.blocks();
  std::vector<std::size_t> first_rows = {request.cells.first_row()};
  for (const CellBlock& block : blocks) {
    first_rows.push_back(first_rows.back() + block.rows());
  }
  std::vector<std::vector<Values>> found(blocks.size());
  parallel_tasks(blocks.size(), [&](std::size_t b, std::size_t) {
    std::vector<Values> values(width);
    std::vector<double> room;
    const std::span<const double> block = blocks[b].unpack(room);
    for (std::size_t i = 0; i * width < block.size(); ++i) {
      for (std::size_t j = 0; j < width; ++j) {
        const double value = block[i * width + j];
        if (std::isnan(value)) {
          continue;
        }
        const CellMode mode = request.modes[j].mode;
        if (mode == CellMode::number || mode == CellMode::weight) {
          values[j].add(value, first_rows[b] + i);
        } else if (mode != CellMode::text) {
          values[j].add_date(value, first_rows[b] + i);
        }
      }
    }
    found[b] = std::move(values);
  });
  std::vector<Values> own(width);
  merge(found, own);
  std::vector<Values> all(width);
  merge(request.cells.team().exchange_list(own), all);
  return all;
}

/// Whether a column is called what programs call the numbers of rows: pandas' index has no name.
bool is_named_like_an_index(const std::string& name, bool is_first_unnamed) {
  constexpr std::array names = {"id", "index", "rownames", "row", "row name", "unnamed: 0"};
  return is_first_unnamed ||
         std::find(names.begin(), names.end(), in_lower_case(name)) != names.end();
}

bool are_ascending(const std::vector<double>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
}

/// Collective over the team: whether the values of a column are whole numbers, and none occurs
/// twice.
bool are_different_integers(const TableCells& cells, std::size_t column) {
  std::size_t own_rows = 0;
  for (const CellBlock& block : cells.blocks()) {
    own_rows += block.rows();
  }
  std::vector<double> values;
  values.reserve(own_rows);
  cells.for_each_block([&](std::size_t, std::span<const double> block) {
    for (std::size_t at = column; at < block.size(); at += cells.columns().size()) {
      values.push_back(block[at]);
    }
  });
  std::sort(values.begin(), values.end());
  const bool are_different =
      are_ascending(values) && std::all_of(values.begin(), values.end(),
                                           [](double value) { return value == std::floor(value); });
  const ReadingTeam& team = cells.team();
  const std::vector<std::uint8_t> all = team.exchange_value<std::uint8_t>(are_different ? 1 : 0);
  if (team.is_alone() || std::find(all.begin(), all.end(), 0) != all.end()) {
    return are_different && team.is_alone();
  }
  std::vector<double> ends;  // each member's least and largest
  const std::vector<double> own_ends =
      values.empty() ? std::vector<double>() : std::vector<double>{values.front(), values.back()};
  bool ascend = true;
  for (const std::vector<double>& member : team.exchange_list(own_ends)) {
    ascend = ascend && (ends.empty() || member.empty() || ends.back() < member.front());
    ends.insert(ends.end(), member.begin(), member.end());
  }
  if (ascend) {
    return true;  // no member's values meet another's
  }
  std::vector<double> together;
  for (const std::vector<double>& member : team.exchange_list(values)) {
    together.insert(together.end(), member.begin(), member.end());
  }
  std::sort(together.begin(), together.end());
  return are_ascending(together);
}

void decide_number(TableColumn& column, const Values& values, const ColumnCells& cells,
                   std::size_t rows, bool asked) {
  constexpr std::size_t fewest_rows = 10;
  column.least = values.least;
  column.largest = values.largest;
  column.missing_words = cells.misfit_words;
  column.marks_missing = column.missing > 0;
  for (const std::string& word : cells.misfit_words) {
    column.remark +=
        fmt::format("{}{} is a missing value", column.remark.empty() ? "" : ", ", in_quotes(word));
  }
  if (asked) {
    return;
  }
  if (values.least == values.largest && column.missing == 0 && rows > 1) {
    column.kind = ColumnKind::constant;
    constexpr double exact = 9007199254740992;  // 2^53: beyond it, neighbours are one number
    column.remark = fmt::format("always {:g}{}", values.least,
                                std::abs(values.least) < exact
                                    ? ""
                                    : ", as 15 digits tell; with all digits as categories: "
                                      "--columns category:NAME");
  } else if (column.missing == 0 && rows >= fewest_rows &&
             (values.counts_from_0 || values.counts_from_1)) {
    column.kind = ColumnKind::identifier;
    column.remark = "counts the rows";
  }
}

void decide_date(TableColumn& column, const Values& values, std::size_t rows, bool asked) {
  column.least = values.least;
  column.largest = values.largest;
  column.marks_missing = column.missing > 0;
  column.hour = values.has_other_hours && values.least != values.largest;
  column.weekday = several(values.weekdays);
  column.month = several(values.months);
  if (!asked && values.least == values.largest && column.missing == 0 && rows > 1) {
    column.kind = ColumnKind::constant;
    column.remark = fmt::format("always {}", date_text(values.least).text);
  }
}

/// The commonest categories get inputs of their own. In a column of many, nothing can be learned of
/// a value that one row has; such rows teach instead what an unknown value is worth.
void choose_categories(TableColumn& column, const TextIndex& texts, std::size_t most) {
  constexpr std::size_t most_with_single_rows = 256;
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto is_commoner = [&texts](std::size_t a, std::size_t b) {
    return texts.count(a) != texts.count(b) ? texts.count(a) > texts.count(b)
                                            : texts.text(a) < texts.text(b);
  };
  std::sort(order.begin(), order.end(), is_commoner);
  const auto is_single = [&texts](std::size_t number) { return texts.count(number) == 1; };
  std::size_t kept = order.size();
  if (order.size() > most_with_single_rows) {
    kept = static_cast<std::size_t>(std::find_if(order.begin(), order.end(), is_single) -
                                    order.begin());
  }
  kept = std::min(kept > 0 ? kept : order.size(), most);
  if (kept < order.size()) {
    for (std::size_t i = kept; i < order.size(); ++i) {
      column.other_count += texts.count(order[i]);
    }
    column.remark =
        kept == most ? fmt::format("{} rarer values share an input (--max-categories {})",
                                   order.size() - kept, most)
                     : fmt::format("{} values of a single row share an input", order.size() - kept);
    order.resize(kept);
    column.has_other = true;
  }
  const auto is_before = [&texts](std::size_t a, std::size_t b) {
    return texts.text(a) < texts.text(b);
  };
  std::sort(order.begin(), order.end(), is_before);
  for (const std::size_t number : order) {
    column.categories.push_back(texts.text(number));
    column.counts.push_back(texts.count(number));
  }
}

void decide_text(TableColumn& column, const TextIndex& texts, std::size_t rows, bool asked,
                 std::size_t max_categories) {
  constexpr std::size_t few = 20;
  column.distinct = texts.size();
  const std::size_t present = rows - column.missing;
  if (texts.gave_up() || (!asked && texts.size() > few && 10 * texts.size() >= 9 * present)) {
    column.kind = ColumnKind::identifier;
    column.remark = texts.gave_up()
                        ? "too many different values (--columns category:NAME takes the commonest)"
                        : fmt::format("{} different values in {} rows", texts.size(), present);
    return;
  }
  column.kind = ColumnKind::category;
  if (!asked && texts.size() == 1 && column.missing == 0 && rows > 1) {
    column.kind = ColumnKind::constant;
    column.remark = "always " + in_quotes(texts.text(0));
    return;
  }
  column.marks_missing = column.missing > 0;
  choose_categories(column, texts, max_categories);
}

/// Leaves out a column of row numbers in any order.
void decide_index(TableColumn& column, const SchemaRequest& request, std::size_t j) {
  constexpr std::size_t fewest_rows = 10;
  const bool unnamed = j == 0 && request.layout.has_header && column.name == unnamed_column(0);
  if (column.kind == ColumnKind::number && column.missing == 0 && !request.asked[j] &&
      request.cells.rows() >= fewest_rows && is_named_like_an_index(column.name, unnamed) &&
      are_different_integers(request.cells, j)) {
    column.kind = ColumnKind::identifier;
    column.remark = "another whole number in each row";
  }
}

}  // namespace

TableSchema find_schema(const SchemaRequest& request) {
  const std::size_t rows = request.cells.rows();
  const std::vector<Values> values = find_values(request);
  TableSchema schema;
  schema.has_header = request.layout.has_header;
  for (std::size_t j = 0; j < request.layout.columns(); ++j) {
    const ColumnCells& cells = request.cells.columns()[j];
    const bool asked = request.asked[j].has_value();
    TableColumn& column = schema.columns.emplace_back();
    column.name = request.layout.names[j];
    column.missing = cells.missing + cells.misfits;
    if (std::find(request.labels.begin(), request.labels.end(), j) != request.labels.end()) {
      column.kind = ColumnKind::label;
      column.distinct = cells.texts.size();
      if (request.modes[j].mode == CellMode::number && values[j].least <= values[j].largest) {
        column.least = values[j].least;
        column.largest = values[j].largest;
      }
    } else if (request.modes[j].mode == CellMode::weight) {
      column.kind = ColumnKind::weight;
      column.least = values[j].least;
      column.largest = values[j].largest;
    } else if (asked && request.asked[j]->kind == ColumnKind::ignored) {
      column.kind = ColumnKind::ignored;
      column.missing = 0;
      column.remark = "as --columns says";
    } else if (column.missing == rows) {
      column.kind = ColumnKind::ignored;
      column.remark = "no values";
    } else if (request.modes[j].mode == CellMode::number) {
      column.kind = ColumnKind::number;
      decide_number(column, values[j], cells, rows, asked);
      decide_index(column, request, j);
    } else if (request.modes[j].mode == CellMode::text) {
      decide_text(column, cells.texts, rows, asked, request.max_categories);
    } else {
      column.kind = ColumnKind::date;
      column.day_first = request.modes[j].mode == CellMode::day_first_date;
      decide_date(column, values[j], rows, asked);
    }
  }
  return schema;
}

}  // namespace dnn
