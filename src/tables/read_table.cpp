#include "dnn/tables/read_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/data/number.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/column_kinds.hpp"
#include "dnn/tables/find_schema.hpp"
#include "dnn/tables/label_column.hpp"
#include "dnn/tables/match_columns.hpp"
#include "dnn/tables/table_cells.hpp"
#include "dnn/tables/table_dataset.hpp"
#include "dnn/tables/table_layout.hpp"

namespace dnn {

namespace {

/// Takes an incomplete last record off the rows of its part; false where there is none.
bool leave_out(const std::optional<TableCells::CutOff>& cut_off, std::vector<TableLayout>& parts) {
  if (cut_off) {
    TableLayout& part = parts[cut_off->part];
    part.rows = part.rows.substr(0, cut_off->offset);
    part.notes.push_back(part.origin +
                         ": the last line is incomplete and has no line end; it is left out");
  }
  return cut_off.has_value();
}

/// What the layouts of all parts have to say.
std::vector<std::string> notes_of(const std::vector<TableLayout>& parts) {
  std::vector<std::string> notes;
  for (const TableLayout& part : parts) {
    notes.insert(notes.end(), part.notes.begin(), part.notes.end());
  }
  return notes;
}

std::vector<std::string> missing_words(const ReadOptions& options) {
  if (!options.missing.empty()) {
    return split_words(options.missing);
  }
  return options.schema != nullptr && !options.schema->missing_words.empty()
             ? options.schema->missing_words
             : split_words(usual_missing_words);
}

/// The label's column as far as names and options tell.
std::optional<std::size_t> named_label(const TableLayout& layout, const std::string& origin,
                                       const ReadOptions& options,
                                       const std::vector<std::optional<AskedKind>>& asked) {
  if (!options.label_column.empty()) {
    return find_column("--label-column", options.label_column, layout.names, origin);
  }
  const auto wanted = std::find_if(asked.begin(), asked.end(), [](const auto& kind) {
    return kind && kind->kind == ColumnKind::label;
  });
  if (wanted != asked.end()) {
    return static_cast<std::size_t>(wanted - asked.begin());
  }
  return layout.has_header ? usual_label_column(layout.names) : std::nullopt;
}

/// A training table: one that says itself what its columns are.
class TableReader {
 public:
  TableReader(std::vector<TableLayout>& parts, const std::string& origin,
              const ReadOptions& options)
      : parts_(parts),
        layout_(parts.front()),
        origin_(origin),
        options_(options),
        words_(missing_words(options)),
        missing_(words_),
        asked_(parse_column_kinds(options.columns, layout_.names, origin)),
        modes_(first_modes(asked_)) {}

  Dataset read() {
    std::optional<std::size_t> label = named_label(layout_, origin_, options_, asked_);
    (void)read_rows(sample);
    std::string label_note;
    if (!label) {
      label = only_text_column();
      label_note = label ? "the only column of text" : "the last column";
      label = label.value_or(layout_.columns() - 1);
    }
    asked_[*label] = AskedKind{ColumnKind::label, false};
    modes_[*label] = {CellMode::text, true, true};
    TableCells cells = read_rows(std::numeric_limits<std::size_t>::max());
    if (cells.rows() == 0) {
      throw InputError(origin_ + (layout_.has_header ? ": no rows below the header" : ": no rows"));
    }
    TableSchema schema =
        find_schema({cells, layout_, modes_, asked_, *label, options_.max_categories});
    schema.missing_words = words_;
    check_features(schema);
    note_ambiguous_dates(schema);
    Dataset data =
        make_dataset(std::move(cells), origin_, schema, sources_of(schema, *label), options_);
    add_notes(data, *label, label_note);
    return data;
  }

 private:
  static constexpr std::size_t sample = 200;

  /// Dates like 03/04/2024, of which nothing says whether they are in March or in April.
  void note_ambiguous_dates(TableSchema& schema) const {
    for (std::size_t j = 0; j < modes_.size(); ++j) {
      if (modes_[j].mode != CellMode::month_first_date || asked_[j]) {
        continue;
      }
      std::vector<ColumnMode> other = modes_;
      other[j].mode = CellMode::day_first_date;
      // The order of 2024-04-01 does not matter, as a few rows show.
      const TableCells first_rows(parts_, other, missing_, sample);
      if (first_rows.columns()[j].misfits > 0 ||
          largest(first_rows, j) == largest(TableCells(parts_, modes_, missing_, sample), j)) {
        continue;
      }
      if (TableCells(parts_, other, missing_).columns()[j].misfits == 0) {
        schema.columns[j].remark =
            "01/02 is taken for January 2 (--columns day-first-date:NAME: February 1)";
      }
    }
  }

  static double largest(const TableCells& cells, std::size_t column) {
    double most = -std::numeric_limits<double>::infinity();
    cells.for_each_block([&](std::size_t, std::span<const double> block) {
      for (std::size_t at = column; at < block.size(); at += cells.columns().size()) {
        most = std::max(most, std::isnan(block[at]) ? most : block[at]);
      }
    });
    return most;
  }

  /// Reads `most` rows, as often as it takes until all columns have a mode that fits.
  TableCells read_rows(std::size_t most) {
    while (true) {
      TableCells cells(parts_, modes_, missing_, most);
      const bool cut_off = leave_out(cells.cut_off(), parts_);
      if (!widen_modes(cells, layout_.names, asked_, modes_) && !cut_off) {
        return cells;
      }
    }
  }

  [[nodiscard]] std::optional<std::size_t> only_text_column() const {
    std::optional<std::size_t> only;
    for (std::size_t j = 0; j < modes_.size(); ++j) {
      if (modes_[j].mode != CellMode::text) {
        continue;
      }
      if (only) {
        return std::nullopt;
      }
      only = j;
    }
    return only;
  }

  void check_features(const TableSchema& schema) const {
    if (schema.inputs() > 0) {
      return;
    }
    constexpr std::size_t most_named = 5;
    std::string reasons;
    for (std::size_t j = 0; j < std::min(schema.columns.size(), most_named); ++j) {
      const TableColumn& column = schema.columns[j];
      if (column.kind != ColumnKind::label) {
        reasons += fmt::format("\n  {}: {}{}{}", in_quotes(column.name), word_for(column.kind),
                               column.remark.empty() ? "" : ", ", column.remark);
      }
    }
    throw InputError(fmt::format(
        "{}: zero features: no column is left to learn from{}{}", origin_,
        reasons.empty() ? " (a line has one column only; commas, semicolons, tabs, '|' or blanks "
                          "separate columns)"
                        : "; --columns number:NAME or category:NAME uses one all the same",
        reasons));
  }

  static TableSources sources_of(const TableSchema& schema, std::size_t label) {
    TableSources sources;
    for (std::size_t j = 0; j < schema.columns.size(); ++j) {
      if (schema.columns[j].is_feature()) {
        sources.columns.push_back(j);
      }
    }
    sources.label = label;
    return sources;
  }

  void add_notes(Dataset& data, std::size_t label, const std::string& label_note) const {
    const std::vector<std::string> notes = notes_of(parts_);
    data.notes.insert(data.notes.begin(), notes.begin(), notes.end());
    if (!label_note.empty()) {
      data.notes.push_back(fmt::format("{}: the label is {}, {} (--label-column names another)",
                                       origin_, in_quotes(layout_.names[label]), label_note));
    }
  }

  std::vector<TableLayout>& parts_;
  const TableLayout& layout_;
  const std::string& origin_;
  const ReadOptions& options_;
  std::vector<std::string> words_;
  MissingWords missing_;
  std::vector<std::optional<AskedKind>> asked_;
  std::vector<ColumnMode> modes_;
};

/// The mode in which a column is read that has a kind already.
CellMode mode_of(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::number:
      return CellMode::number;
    case ColumnKind::date:
      return CellMode::month_first_date;
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
        modes_(layout_.columns(), ColumnMode{CellMode::skip, false, true}) {
    for (const TableColumn& column : options.schema->columns) {
      if (column.is_feature()) {
        features_.push_back(&column);
      }
    }
    for (std::size_t f = 0; f < features_.size(); ++f) {
      modes_[match_.sources.columns[f]].mode = mode_of(features_[f]->kind);
    }
    if (match_.sources.label != Dataset::none) {
      modes_[match_.sources.label] = {CellMode::text, true, true};
    }
  }

  Dataset read() {
    TableCells cells = read_rows();
    for (std::size_t f = 0; f < features_.size(); ++f) {
      check_cells(*features_[f], cells.columns()[match_.sources.columns[f]],
                  match_.sources.columns[f]);
    }
    std::vector<std::string> notes = notes_of(parts_);
    notes.insert(notes.end(), match_.notes.begin(), match_.notes.end());
    note_missing(notes, cells);
    Dataset data =
        make_dataset(std::move(cells), origin_, *options_.schema, match_.sources, options_);
    data.notes.insert(data.notes.begin(), notes.begin(), notes.end());
    keep_columns(data);
    return data;
  }

 private:
  /// Reads the texts of the columns that are passed on.
  void keep_columns(Dataset& data) const {
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
    const TableCells cells(parts_, modes, missing_);
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

  /// Dates may be written in another order than the training data's.
  TableCells read_rows() {
    while (true) {
      TableCells cells(parts_, modes_, missing_);
      bool changed = leave_out(cells.cut_off(), parts_);
      for (std::size_t j = 0; j < modes_.size(); ++j) {
        if (modes_[j].mode == CellMode::month_first_date && cells.columns()[j].misfits > 0) {
          modes_[j].mode = CellMode::day_first_date;
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

  void check_cells(const TableColumn& column, const ColumnCells& cells, std::size_t place) const {
    for (const std::string& word : cells.misfit_words) {
      const auto& known = column.missing_words;
      if (cells.more_misfit_words || std::find(known.begin(), known.end(), word) == known.end()) {
        throw InputError(fmt::format(
            "{}, column {}: {} is not a {}, as in the training data; --missing takes a word for a "
            "missing value",
            cells.first_misfit, in_quotes(layout_.names[place]), in_quotes(word),
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
  std::vector<const TableColumn*> features_;
};

/// The schema of a table whose columns are the features of an array, as they stand, and perhaps a
/// label.
TableSchema plain_schema(const TableLayout& layout, const std::string& origin,
                         const ReadOptions& options) {
  const std::size_t features = *options.features;
  if (layout.columns() != features && layout.columns() != features + 1) {
    throw InputError(fmt::format("{}: the table has {} columns, but a sample has {} features",
                                 origin, layout.columns(), features));
  }
  TableSchema schema;
  for (std::size_t j = 0; j < layout.columns(); ++j) {
    schema.columns.push_back({.name = layout.names[j]});
  }
  if (layout.columns() == features + 1) {
    const std::vector<std::optional<AskedKind>> nothing_asked;
    const auto label = named_label(layout, origin, options, nothing_asked);
    schema.columns[label.value_or(features)].kind = ColumnKind::label;
  }
  return schema;
}

/// Reads a table for a model, or beside training data, that have no schema.
Dataset read_plain(std::vector<TableLayout>& parts, const std::string& origin,
                   ReadOptions options) {
  const TableSchema schema = plain_schema(parts.front(), origin, options);
  options.schema = &schema;
  Dataset data = MatchingReader(parts, origin, options).read();
  if (data.has_missing) {
    throw InputError(origin +
                     ": a value is missing; the training data were an array, which says nothing of "
                     "missing values");
  }
  data.schema = {};
  data.feature_names = {};
  return data;
}

/// The layouts of texts that are one table. Throws InputError where their columns differ.
std::vector<TableLayout> find_layouts(std::span<const TableText> texts,
                                      const ReadOptions& options) {
  std::vector<std::string> expected =
      options.schema != nullptr ? feature_columns(*options.schema) : std::vector<std::string>();
  std::vector<TableLayout> parts;
  for (const TableText& part : texts) {
    const std::string_view text(reinterpret_cast<const char*>(part.contents.data()),
                                part.contents.size());
    parts.push_back(find_layout(text, part.origin, options.header, expected));
    const TableLayout& first = parts.front();
    const TableLayout& last = parts.back();
    if (last.columns() != first.columns()) {
      throw InputError(fmt::format("{}: the table has {} columns, {} has {}", last.origin,
                                   last.columns(), first.origin, first.columns()));
    }
    for (std::size_t j = 0; last.has_header && j < first.columns(); ++j) {
      if (last.names[j] != first.names[j]) {
        throw InputError(fmt::format(
            "{}: column {} is named {}, but {} in {}; files of one table have the same columns",
            last.origin, j + 1, in_quotes(last.names[j]), in_quotes(first.names[j]), first.origin));
      }
    }
    expected = first.has_header ? first.names : expected;
  }
  return parts;
}

}  // namespace

Dataset read_table_parts(std::span<const TableText> texts, const std::string& origin,
                         const ReadOptions& options) {
  std::vector<TableLayout> parts = find_layouts(texts, options);
  if (options.schema == nullptr && options.features) {
    return read_plain(parts, origin, options);
  }
  return options.schema != nullptr ? MatchingReader(parts, origin, options).read()
                                   : TableReader(parts, origin, options).read();
}

Dataset read_table(std::span<const std::byte> contents, const std::string& origin,
                   const ReadOptions& options) {
  const TableText text{contents, origin};
  return read_table_parts(std::span(&text, 1), origin, options);
}

}  // namespace dnn
