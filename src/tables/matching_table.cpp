#include "dnn/tables/matching_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/date_orders.hpp"
#include "dnn/tables/label_column.hpp"
#include "dnn/tables/match_columns.hpp"
#include "dnn/tables/table_cells.hpp"
#include "dnn/tables/table_dataset.hpp"
#include "dnn/tables/table_reading.hpp"
#include "dnn/tables/unknown_values.hpp"

namespace dnn {

namespace {

/// The mode in which a column is read that has a kind already.
CellMode mode_of(const TableColumn& column) {
  switch (column.kind) {
    case ColumnKind::number:
      return CellMode::number;
    case ColumnKind::date:
      return column.day_first ? CellMode::day_first_date : CellMode::month_first_date;
    default:
      return CellMode::text;
  }
}

/// A table whose columns have to be those of a training table.
class MatchingReader {
 public:
  MatchingReader(std::vector<TableLayout>& parts, const std::string& origin,
                 const ReadOptions& options)
      : parts_(parts),
        layout_(parts.front()),
        origin_(origin),
        options_(options),
        missing_(missing_words(options)),
        match_(match_columns(layout_, *options.schema, options, origin)),
        modes_(layout_.columns(), ColumnMode{CellMode::skip, false, true}),
        lists_(!options.schema->label_separator().empty()) {
    for (const TableColumn& column : options.schema->columns) {
      if (column.is_feature()) {
        features_.push_back(&column);
      }
    }
    for (std::size_t f = 0; f < features_.size(); ++f) {
      modes_[match_.sources.columns[f]].mode = mode_of(*features_[f]);
    }
    if (match_.sources.label != Dataset::none) {
      modes_[match_.sources.label] = {CellMode::text, true, true};
    }
    for (const std::size_t target : match_.sources.targets) {
      modes_[target] = lists_ ? ColumnMode{CellMode::text, true, true}
                              : ColumnMode{CellMode::number, false, true};
    }
    if (match_.sources.weight != Dataset::none) {
      modes_[match_.sources.weight].mode = CellMode::weight;
    }
  }

  Dataset read() {
    std::size_t bytes = 0;
    for (const TableLayout& part : parts_) {
      bytes += part.rows.size();
    }
    const bool all_at_once = bytes <= options_.piece_bytes;
    std::vector<std::string> notes;
    TablePlace place = options_.from;
    if (place.line == 0) {
      TableCells cells = read_rows(all_at_once);
      notes = check(cells);
      if (all_at_once) {
        Dataset data = finish(std::move(cells), {}, options_);
        data.notes.insert(data.notes.begin(), notes.begin(), notes.end());
        return data;
      }
      place.has_labels = has_labels();
      for (const ColumnMode& mode : modes_) {
        place.day_first.push_back(mode.mode == CellMode::day_first_date);
      }
    } else {
      go_on_at(place);
    }
    Dataset data = read_piece(place);
    data.notes.insert(data.notes.begin(), notes.begin(), notes.end());
    return data;
  }

 private:
  /// Checks all rows of the table. Returns what the user should know.
  std::vector<std::string> check(const TableCells& cells) {
    check_finite(cells, layout_.names);
    std::vector<std::string> notes = notes_of(parts_);
    notes.insert(notes.end(), match_.notes.begin(), match_.notes.end());
    for (std::size_t f = 0; f < features_.size(); ++f) {
      check_cells(*features_[f], cells, match_.sources.columns[f]);
      check_complete(cells, match_.sources.columns[f]);
    }
    for (const std::size_t target : match_.sources.targets) {
      check_cells({.name = layout_.names[target]}, cells, target);
    }
    note_missing(notes, cells);
    note_dates(notes);
    for (std::size_t f = 0; f < features_.size(); ++f) {
      const TextIndex& texts = cells.columns()[match_.sources.columns[f]].texts;
      if (features_[f]->kind == ColumnKind::category && texts.gave_up()) {
        notes.push_back(
            fmt::format("{}: column {} has too many different values to count those that the "
                        "training data do not have",
                        origin_, in_quotes(features_[f]->name)));
      } else if (features_[f]->kind == ColumnKind::category) {
        notes.push_back(unknown_values(*features_[f], texts, origin_));
      }
    }
    std::erase(notes, "");
    std::uint64_t missing = 0;  // in one of the columns
    for (const std::size_t label : label_columns()) {
      missing = lists_ ? 0 : std::max(missing, cells.columns()[label].missing);
    }
    if (options_.features && missing > 0) {
      notes.push_back(
          fmt::format("{}: {} of {} rows have no label, so that the others' are not compared with "
                      "the predictions",
                      origin_, missing, cells.rows()));
      leave_labels();
    }
    if (options_.classes != nullptr && has_labels()) {
      const std::string unknown =
          unknown_labels(cells.columns()[label_columns().front()].texts,
                         options_.schema->label_separator(), *options_.classes, origin_);
      if (!unknown.empty()) {
        notes.push_back(unknown);
        leave_labels();
      }
    }
    return notes;
  }

  /// Takes over what was found out before the first piece was read.
  void go_on_at(const TablePlace& place) {
    for (std::size_t j = 0; j < modes_.size(); ++j) {
      if (modes_[j].mode == CellMode::month_first_date ||
          modes_[j].mode == CellMode::day_first_date) {
        modes_[j].mode = place.day_first[j] ? CellMode::day_first_date : CellMode::month_first_date;
      }
    }
    if (!place.has_labels) {
      leave_labels();
    }
  }

  /// The label's column, or those of the targets.
  [[nodiscard]] std::vector<std::size_t> label_columns() const {
    return match_.sources.label != Dataset::none ? std::vector{match_.sources.label}
                                                 : match_.sources.targets;
  }
  [[nodiscard]] bool has_labels() const { return !label_columns().empty(); }

  void leave_labels() {
    for (const std::size_t label : label_columns()) {
      modes_[label].mode = CellMode::skip;
    }
    match_.sources.label = Dataset::none;
    match_.sources.targets.clear();
  }

  Dataset read_piece(TablePlace place) {
    while (true) {
      const TableCells::Extent extent{.most_bytes = options_.piece_bytes, .from = place};
      TableCells cells(parts_, modes_, missing_, options_.chunk_bytes, extent);
      if (leave_out(cells.cut_off(), parts_)) {
        continue;
      }
      std::optional<TablePlace> next = cells.next();
      if (next) {
        next->samples = place.samples + cells.rows();
        next->has_labels = place.has_labels;
        next->day_first = place.day_first;
      }
      if (cells.rows() == 0 && next) {
        place = *next;
        continue;
      }
      // No bit of a row depends on the other rows of its piece: not by their type, not by values
      // that they lack.
      ReadOptions options = options_;
      options.from = place;
      options.as_double = true;
      Dataset data = finish(std::move(cells), extent, options);
      data.has_missing = true;
      data.next = std::move(next);
      return data;
    }
  }

  Dataset finish(TableCells cells, const TableCells::Extent& extent,
                 const ReadOptions& options) const {
    Dataset data =
        make_dataset(std::move(cells), origin_, *options_.schema, match_.sources, options);
    keep_columns(data, extent);
    return data;
  }

  /// Reads the texts of the columns that are passed on.
  void keep_columns(Dataset& data, const TableCells::Extent& extent) const {
    if (options_.keep.empty()) {
      return;
    }
    std::vector<std::size_t> places;
    std::vector<ColumnMode> modes(layout_.columns(), ColumnMode{CellMode::skip, false, true});
    for (const std::string& name : options_.keep) {
      places.push_back(find_column("--keep", name, layout_.names, origin_));
      data.kept_names.push_back(layout_.names[places.back()]);
      modes[places.back()] = {CellMode::text, true, true};
    }
    const TableCells cells(parts_, modes, missing_, options_.chunk_bytes, extent);
    std::string text;
    std::vector<std::uint64_t> offsets = {0};
    cells.for_each_block([&](std::size_t, std::span<const double> block) {
      for (std::size_t row = 0; row < block.size(); row += layout_.columns()) {
        for (const std::size_t place : places) {
          const double cell = block[row + place];
          if (!std::isnan(cell)) {
            text += cells.columns()[place].texts.text(static_cast<std::size_t>(cell));
          }
          offsets.push_back(text.size());
        }
      }
    });
    data.kept_text = Bytes::from(std::vector<char>(text.begin(), text.end()));
    data.kept_offsets = Bytes::from(std::move(offsets));
  }

  /// Dates have the training data's order, unless only the other one fits them all.
  TableCells read_rows(bool keeps_rows) {
    std::vector<bool> turned(modes_.size(), false);
    while (true) {
      std::vector<ColumnMode> modes = modes_;
      for (ColumnMode& mode : modes) {
        // A table that is read in pieces may have more texts than memory holds.
        mode.keep_all = mode.keep_all && (keeps_rows || mode.words_are_values);
      }
      TableCells cells(
          parts_, modes, missing_, options_.chunk_bytes,
          {.keeps_rows = keeps_rows, .team = options_.team, .memory = options_.memory});
      bool changed = leave_out(cells.cut_off(), parts_);
      for (std::size_t j = 0; j < modes_.size(); ++j) {
        CellMode& mode = modes_[j].mode;
        const bool is_date = mode == CellMode::month_first_date || mode == CellMode::day_first_date;
        if (is_date && cells.columns()[j].misfits > 0 && !turned[j]) {
          mode = mode == CellMode::month_first_date ? CellMode::day_first_date
                                                    : CellMode::month_first_date;
          turned[j] = true;
          changed = true;
        }
      }
      if (!changed) {
        return cells;
      }
    }
  }

  /// Missing values where the training data have none.
  void note_missing(std::vector<std::string>& notes, const TableCells& cells) const {
    for (std::size_t f = 0; f < features_.size(); ++f) {
      const std::uint64_t missing = cells.columns()[match_.sources.columns[f]].missing;
      if (missing > 0 && !features_[f]->marks_missing) {
        notes.push_back(fmt::format(
            "{}: column {}: {} value{} missing, none in the training data; {}", origin_,
            in_quotes(features_[f]->name), missing, missing == 1 ? " is" : "s are",
            features_[f]->kind == ColumnKind::category ? "they count as no category"
                                                       : "the training mean takes their place"));
      }
    }
  }

  /// Dates whose order of day and month is not the training data's, or may be the other one.
  void note_dates(std::vector<std::string>& notes) const {
    for (std::size_t f = 0; f < features_.size(); ++f) {
      const TableColumn& column = *features_[f];
      const std::size_t place = match_.sources.columns[f];
      if (column.kind != ColumnKind::date) {
        continue;
      }
      const std::string start = fmt::format("{}: column {}: ", origin_, in_quotes(column.name));
      if (modes_[place].mode != mode_of(column)) {
        notes.push_back(fmt::format(
            "{}the dates have the {} first, as only that fits them all; those of the training data "
            "have the {} first",
            start, column.day_first ? "month" : "day", column.day_first ? "day" : "month"));
      } else if (column.remark.empty() &&
                 fit_both_orders(parts_, modes_, place, missing_, options_)) {
        notes.push_back(fmt::format(
            "{}01/02 is taken for {}, as in the training data; all rows would fit {} as well",
            start, column.day_first ? "February 1" : "January 2",
            column.day_first ? "January 2" : "February 1"));
      }
    }
  }

  /// Throws InputError for a missing value that the training data, an array, cannot have.
  void check_complete(const TableCells& table, std::size_t place) const {
    const ColumnCells& cells = table.columns()[place];
    if (options_.complete && cells.missing > 0) {
      throw InputError(fmt::format(
          "{}, column {}: a value is missing; the training data were an array, which says nothing "
          "of missing values",
          table.text_of(cells.first_missing), in_quotes(layout_.names[place])));
    }
  }

  void check_cells(const TableColumn& column, const TableCells& table, std::size_t place) const {
    const ColumnCells& cells = table.columns()[place];
    for (const std::string& word : cells.misfit_words) {
      const auto& known = column.missing_words;
      if (cells.more_misfit_words || std::find(known.begin(), known.end(), word) == known.end()) {
        throw InputError(fmt::format(
            "{}, column {}: {} is not a {}, as in the training data; --missing takes a word for a "
            "missing value",
            table.text_of(cells.first_misfit), in_quotes(layout_.names[place]), in_quotes(word),
            word_for(column.kind)));
      }
    }
  }

  std::vector<TableLayout>& parts_;
  const TableLayout& layout_;
  const std::string& origin_;
  const ReadOptions& options_;
  MissingWords missing_;
  ColumnMatch match_;
  std::vector<ColumnMode> modes_;
  bool lists_;  ///< the label's cells are lists of labels
  std::vector<const TableColumn*> features_;
};

}  // namespace

Dataset read_matching_table(std::vector<TableLayout> parts, const std::string& origin,
                            const ReadOptions& options) {
  return MatchingReader(parts, origin, options).read();
}

}  // namespace dnn
