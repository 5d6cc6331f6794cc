#include "dnn/tables/training_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/label_lists.hpp"
#include "dnn/data/number.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/check_label.hpp"
#include "dnn/tables/column_kinds.hpp"
#include "dnn/tables/column_notes.hpp"
#include "dnn/tables/date_orders.hpp"
#include "dnn/tables/find_schema.hpp"
#include "dnn/tables/label_column.hpp"
#include "dnn/tables/table_cells.hpp"
#include "dnn/tables/table_dataset.hpp"
#include "dnn/tables/table_memory.hpp"
#include "dnn/tables/table_reading.hpp"

namespace dnn {

namespace {

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
        has_targets_(has_target_rows(options.task)),
        asked_(parse_column_kinds(options.columns, layout_.names, origin, has_targets_)),
        modes_(first_modes(asked_)),
        first_words_(layout_.columns()) {
    ask_for_weights();
  }

  Dataset read() {
    std::string label_note;
    const std::vector<std::size_t> labels =
        has_targets_ ? find_targets(label_note) : std::vector{find_label(label_note)};
    check_labels_are_as_asked(labels);
    for (const std::size_t label : labels) {
      asked_[label] = AskedKind{ColumnKind::label, false};
      const bool may_be_lists = options_.task == Task::labels && labels.size() == 1;
      modes_[label] = has_targets_ && !may_be_lists ? ColumnMode{CellMode::number, false, false}
                                                    : ColumnMode{CellMode::text, true, true};
    }
    (void)read_rows(sample);
    choose_memory();
    const std::string separator =
        options_.task == Task::labels && labels.size() == 1 ? find_separator(labels.front()) : "";
    TableCells cells = read_rows(std::numeric_limits<std::size_t>::max());
    if (cells.rows() == 0) {
      throw InputError(origin_ + (layout_.has_header ? ": no rows below the header" : ": no rows"));
    }
    TableSchema schema =
        find_schema({cells, layout_, modes_, asked_, labels, options_.max_categories});
    schema.missing_words = words_;
    schema.task = has_targets_ ? options_.task : Task::classes;
    if (!separator.empty()) {
      name_labels(cells.columns()[labels.front()].texts, separator, schema.columns[labels.front()]);
    }
    if (!label_note.empty() && !has_targets_) {
      check_guess({cells, labels.front(), layout_.names[labels.front()], origin_}, label_note,
                  schema, options_);
    }
    if (options_.task == Task::automatic) {
      check_classes({cells, labels.front(), layout_.names[labels.front()], origin_});
    }
    check_features(schema);
    const std::vector<std::string> date_notes = note_ambiguous_dates(schema);
    const std::vector<std::string> notes = column_notes(
        {cells, schema, parts_, first_words_, missing_, origin_, options_.chunk_bytes});
    Dataset data =
        make_dataset(std::move(cells), origin_, schema, sources_of(schema, labels), options_);
    if (!has_targets_) {
      // 1, 1.0 and 01 are one class.
      data.schema.columns[labels.front()].distinct = data.class_names.size();
    }
    data.in_spare_memory = options_.memory.is_on_disk() && options_.memory == options_.spare_memory;
    add_notes(data, labels.front(), label_note);
    data.notes.insert(data.notes.end(), date_notes.begin(), date_notes.end());
    data.notes.insert(data.notes.end(), notes.begin(), notes.end());
    return data;
  }

 private:
  static constexpr std::size_t sample = 200;
  static constexpr std::array usual_separators = {";", "|", ","};

  /// Collective over the team: where one member has too little memory for its share, all members
  /// use the spare one.
  void choose_memory() {
    if (options_.memory.is_on_disk()) {
      return;
    }
    const std::size_t readers = options_.team.size();
    const std::size_t available = options_.available ? *options_.available : available_memory();
    if (!options_.spare_memory.is_on_disk()) {
      require_memory_for_table(parts_, origin_, available, readers);
      return;
    }
    const std::vector<std::uint8_t> fits =
        options_.team.exchange_value<std::uint8_t>(fits_memory(parts_, available, readers) ? 1 : 0);
    if (std::find(fits.begin(), fits.end(), 0) != fits.end()) {
      options_.memory = options_.spare_memory;
    }
  }

  /// Finds the column of weights, by --columns or by --weight-column, which is the stronger one.
  void ask_for_weights() {
    const auto wanted = std::find_if(asked_.begin(), asked_.end(), [](const auto& kind) {
      return kind && kind->kind == ColumnKind::weight;
    });
    if (wanted != asked_.end()) {
      weight_ = static_cast<std::size_t>(wanted - asked_.begin());
    }
    if (options_.weight_column.empty()) {
      return;
    }
    const std::size_t named =
        find_column("--weight-column", options_.weight_column, layout_.names, origin_);
    if ((weight_ && named != *weight_) ||
        (asked_[named] && asked_[named]->kind != ColumnKind::weight)) {
      throw InputError(fmt::format("{}: --weight-column {} and --columns {} contradict each other",
                                   origin_, options_.weight_column, options_.columns));
    }
    weight_ = named;
    asked_[named] = AskedKind{ColumnKind::weight, false};
    modes_[named] = {CellMode::weight, false, false};
  }

  /// Throws InputError where --label-column and --columns contradict each other.
  void check_labels_are_as_asked(const std::vector<std::size_t>& labels) const {
    for (std::size_t j = 0; j < asked_.size() && !options_.label_column.empty(); ++j) {
      const bool is_label = std::find(labels.begin(), labels.end(), j) != labels.end();
      if (asked_[j] && is_label != (asked_[j]->kind == ColumnKind::label)) {
        throw InputError(fmt::format(
            "{}: --label-column {} and --columns {} contradict each other about column {}; name "
            "the column in one of them",
            origin_, options_.label_column, options_.columns, in_quotes(layout_.names[j])));
      }
    }
  }

  [[nodiscard]] std::size_t find_label(std::string& note) {
    std::optional<std::size_t> label = named_label(layout_, origin_, options_, asked_);
    if (label) {
      check_weight_is_none_of({*label});
      return *label;
    }
    (void)read_rows(sample);
    label = only_text_column();
    note = label ? "the only column of text" : "the last column";
    return label ? *label : last_column();
  }

  /// What stands between the labels of a cell of this column, which is read as text;
  /// empty where it holds numbers, of 0 and 1, and is read as such from now on.
  [[nodiscard]] std::string find_separator(std::size_t label) {
    if (!options_.label_separator.empty()) {
      return options_.label_separator;
    }
    const TableCells cells = read_rows(std::numeric_limits<std::size_t>::max());
    const TextIndex& texts = cells.columns()[label].texts;
    bool all_numbers = true;
    std::array<bool, usual_separators.size()> occurs{};
    for (std::size_t t = 0; t < texts.size(); ++t) {
      const std::string& text = texts.text(t);
      all_numbers =
          all_numbers && (missing_.contains(text) || parse_number<double>(text).has_value());
      for (std::size_t k = 0; k < occurs.size(); ++k) {
        occurs[k] = occurs[k] || text.find(usual_separators[k]) != std::string::npos;
      }
    }
    if (all_numbers) {
      modes_[label] = {CellMode::number, false, false};
      return {};
    }
    const auto first = std::find(occurs.begin(), occurs.end(), true);
    return first == occurs.end()
               ? usual_separators.front()
               : usual_separators[static_cast<std::size_t>(first - occurs.begin())];
  }

  /// Throws InputError where no row has a label.
  void name_labels(const TextIndex& texts, const std::string& separator,
                   TableColumn& column) const {
    LabelNames names;
    for (std::size_t t = 0; t < texts.size(); ++t) {
      for (const std::string& label : labels_in(texts.text(t), separator)) {
        (void)names.number_of(label);
      }
    }
    if (names.empty()) {
      throw InputError(
          fmt::format("{}: column {}: no row has a label; name the column of the "
                      "labels with --label-column",
                      origin_, in_quotes(column.name)));
    }
    column.separator = separator;
    column.categories = names.sorted().names;
    column.missing = 0;  // an empty cell is a sample without labels
  }

  [[nodiscard]] std::vector<std::size_t> find_targets(std::string& note) const {
    std::vector<std::size_t> targets = named_targets(layout_, origin_, options_, asked_);
    check_weight_is_none_of(targets);
    if (targets.empty()) {
      targets.push_back(last_column());
      note = "the last column";
    }
    return targets;
  }

  void check_weight_is_none_of(const std::vector<std::size_t>& labels) const {
    if (weight_ && std::find(labels.begin(), labels.end(), *weight_) != labels.end()) {
      throw InputError(fmt::format("{}: column {} cannot be both the label and the weight", origin_,
                                   in_quotes(layout_.names[*weight_])));
    }
  }

  /// Dates like 03/04/2024, of which nothing says whether they are in March or in April. Returns
  /// notes on them.
  std::vector<std::string> note_ambiguous_dates(TableSchema& schema) const {
    std::vector<std::string> notes;
    for (std::size_t j = 0; j < modes_.size(); ++j) {
      TableColumn& column = schema.columns[j];
      if (column.kind == ColumnKind::date && !column.day_first && !asked_[j] &&
          fit_both_orders(parts_, modes_, j, missing_, options_)) {
        column.remark = "01/02 is taken for January 2 (--columns day-first-date:NAME: February 1)";
        notes.push_back(fmt::format(
            "{}: column {}: 01/02 is taken for January 2, as no row says which is the day "
            "(--columns day-first-date:{}: February 1)",
            origin_, in_quotes(column.name), column.name));
      }
    }
    return notes;
  }

  /// Reads `most` rows, as often as it takes until all columns have a mode that fits.
  TableCells read_rows(std::size_t most) {
    while (true) {
      const bool all = most == std::numeric_limits<std::size_t>::max();
      TableCells cells(parts_, modes_, missing_, options_.chunk_bytes,
                       {.most_rows = most,
                        .team = all ? options_.team : ReadingTeam(),
                        .memory = options_.memory});
      const bool cut_off = leave_out(cells.cut_off(), parts_);
      find_first_words(cells);
      if (!widen_modes(cells, layout_.names, asked_, modes_) && !cut_off) {
        if (all) {  // cells below a sample may show that a column is text
          check_finite(cells, layout_.names);
        }
        return cells;
      }
    }
  }

  void find_first_words(const TableCells& cells) {
    for (std::size_t j = 0; j < modes_.size(); ++j) {
      const ColumnCells& column = cells.columns()[j];
      if (modes_[j].mode == CellMode::number && column.misfits > 0) {
        first_words_[j] = {column.misfit_words.front(), column.first_misfit};
      }
    }
  }

  /// The last column of which --columns says nothing.
  [[nodiscard]] std::size_t last_column() const {
    for (std::size_t j = layout_.columns(); j-- > 0;) {
      if (!asked_[j]) {
        return j;
      }
    }
    throw InputError(
        fmt::format("{}: --columns {}: no column is left for the label; name it with "
                    "label:NAME",
                    origin_, options_.columns));
  }

  [[nodiscard]] std::optional<std::size_t> only_text_column() const {
    std::optional<std::size_t> only;
    for (std::size_t j = 0; j < modes_.size(); ++j) {
      if (modes_[j].mode != CellMode::text || asked_[j]) {
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

  [[nodiscard]] TableSources sources_of(const TableSchema& schema,
                                        const std::vector<std::size_t>& labels) const {
    TableSources sources;
    for (std::size_t j = 0; j < schema.columns.size(); ++j) {
      if (schema.columns[j].is_feature()) {
        sources.columns.push_back(j);
      }
    }
    if (has_targets_) {
      sources.targets = labels;
      std::sort(sources.targets.begin(), sources.targets.end());  // the schema's order
    } else {
      sources.label = labels.front();
    }
    sources.weight = weight_.value_or(Dataset::none);
    return sources;
  }

  void add_notes(Dataset& data, std::size_t label, const std::string& label_note) const {
    const std::vector<std::string> notes = notes_of(parts_);
    data.notes.insert(data.notes.begin(), notes.begin(), notes.end());
    if (weight_) {
      data.notes.push_back(fmt::format("{}: samples count by their weight in column {}", origin_,
                                       in_quotes(layout_.names[*weight_])));
    }
    if (data.in_spare_memory) {
      data.notes.push_back(note_of_spare_memory(origin_));
    }
    if (!label_note.empty()) {
      data.notes.push_back(fmt::format("{}: the label is {}, {} (--label-column names another)",
                                       origin_, in_quotes(layout_.names[label]), label_note));
    }
  }

  std::vector<TableLayout>& parts_;
  const TableLayout& layout_;
  const std::string& origin_;
  ReadOptions options_;
  std::vector<std::string> words_;
  MissingWords missing_;
  bool has_targets_;  ///< labels are target rows
  std::vector<std::optional<AskedKind>> asked_;
  std::vector<ColumnMode> modes_;
  std::vector<FirstWord> first_words_;  ///< of all columns
  std::optional<std::size_t> weight_;
};

}  // namespace

Dataset read_training_table(std::vector<TableLayout> parts, const std::string& origin,
                            const ReadOptions& options) {
  return TableReader(parts, origin, options).read();
}

}  // namespace dnn
