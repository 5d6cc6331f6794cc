#include "dnn/tables/table_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/label_lists.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/data/target_rows.hpp"
#include "dnn/tables/unknown_values.hpp"
#include "dnn/tables/value_range.hpp"

namespace dnn {

namespace {

/// Builds the data set column by column of its raw rows.
class DatasetBuilder {
 public:
  DatasetBuilder(TableCells cells, const std::string& origin, TableSchema schema,
                 const TableSources& sources, const ReadOptions& options)
      : cells_(std::move(cells)), sources_(sources), options_(options) {
    data_.origin = origin;
    data_.first_sample = options.from.samples;
    data_.schema = std::move(schema);
    separator_ = data_.schema.label_separator();
    for (const TableColumn& column : data_.schema.columns) {
      if (column.is_feature()) {
        columns_.push_back(&column);
      }
    }
    outcomes_.resize(cells_.columns().size());
    for (std::size_t j = 0; j < outcomes_.size(); ++j) {
      outcomes_[j] =
          j == sources.label || j == sources.weight ||
          std::find(sources.targets.begin(), sources.targets.end(), j) != sources.targets.end();
    }
    data_.features = data_.schema.inputs();
    data_.row_elements = columns_.size();
    data_.feature_names =
        data_.schema.has_header ? data_.schema.input_names() : std::vector<std::string>();
  }

  Dataset build() {
    find_codes();
    choose_rows();
    data_.element = choose_type();
    fill_labels();
    fill_weights();
    visit_element(data_.element, [this](auto element) { fill_values(element); });
    return std::move(data_);
  }

 private:
  /// The raw value of a cell of feature column `j`.
  [[nodiscard]] double raw(std::size_t j, double cell) const {
    if (codes_[j].empty() || std::isnan(cell)) {
      return cell;
    }
    return codes_[j][static_cast<std::size_t>(cell)];
  }

  /// Calls `visit(row)` for each row of a block that becomes a sample. `wanted`: see
  /// CellBlock::unpack.
  template <class Visitor>
  void for_each_sample(const CellBlock& block, const std::vector<bool>& wanted,
                       Visitor&& visit) const {
    const std::size_t width = cells_.columns().size();
    std::vector<double> room;
    const std::span<const double> cells = block.unpack(room, wanted);
    for (std::size_t at = 0; at < cells.size(); at += width) {
      if (!drops_ || has_label(&cells[at])) {
        visit(&cells[at]);
      }
    }
  }

  /// Collective over the team: an array with `elements` of type T for each sample of the table,
  /// made of labels, targets or weights. Calls `put(row, element)`, where `element` points to the
  /// sample's first one.
  template <class T, class Put>
  [[nodiscard]] Bytes fill(std::size_t elements, Put&& put) const {
    const std::size_t count = data_.samples * elements;
    const std::shared_ptr<T[]> values = std::make_shared_for_overwrite<T[]>(count);
    const std::span<T> all(values.get(), count);
    T* const first = values.get() + places_.own.begin * elements;
    parallel_tasks(cells_.blocks().size(), [&](std::size_t b, std::size_t) {
      fill_block(b, outcomes_, first, elements, put);
    });
    cells_.team().complete(std::as_writable_bytes(all), places_, elements * sizeof(T));
    return {std::as_bytes(all), values, {}, 0};
  }

  /// Fills what the samples of a block have in the array of this member's samples at `first`.
  template <class T, class Put>
  void fill_block(std::size_t block, const std::vector<bool>& wanted, T* first,
                  std::size_t elements, Put&& put) const {
    T* next = first + first_samples_[block] * elements;
    for_each_sample(cells_.blocks()[block], wanted, [&](const double* row) {
      put(row, next);
      next += elements;
    });
  }

  /// Whether a row of the table has its label, or all of its targets.
  [[nodiscard]] bool has_label(const double* row) const {
    if (!separator_.empty()) {
      return true;  // an empty cell is a sample without labels
    }
    return sources_.label != Dataset::none
               ? !std::isnan(row[sources_.label])
               : std::none_of(sources_.targets.begin(), sources_.targets.end(),
                              [row](std::size_t j) { return std::isnan(row[j]); });
  }

  /// The rows without a label, and the place of the first in one of the columns.
  struct Unlabelled {
    std::uint64_t rows = 0;
    std::string first;
  };
  [[nodiscard]] Unlabelled find_unlabelled() const {
    Unlabelled found;
    if (sources_.label != Dataset::none) {
      const ColumnCells& label = cells_.columns()[sources_.label];
      return {label.missing,
              label.missing > 0 ? cells_.text_of(label.first_missing) : std::string()};
    }
    for (const CellBlock& block : cells_.blocks()) {
      for_each_sample(block, outcomes_,
                      [&](const double* row) { found.rows += has_label(row) ? 0 : 1; });
    }
    found.rows = cells_.team().places_of(found.rows).total;
    for (const std::size_t target : sources_.targets) {
      const ColumnCells& column = cells_.columns()[target];
      if (column.missing > 0 && found.first.empty()) {
        found.first = cells_.text_of(column.first_missing);
      }
    }
    return found;
  }

  /// For each text of a column, the place of its category.
  void find_codes() {
    codes_.resize(columns_.size());
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      if (columns_[j]->kind != ColumnKind::category) {
        continue;
      }
      const TextIndex& texts = cells_.columns()[sources_.columns[j]].texts;
      const auto& categories = columns_[j]->categories;
      codes_[j].reserve(texts.size() + 1);
      for (std::size_t t = 0; t < texts.size(); ++t) {
        codes_[j].push_back(place_of(texts.text(t), categories).value_or(-1.0));
      }
      codes_[j].push_back(-1);  // never empty
    }
  }

  void choose_rows() {
    decide_on_labels();
    first_samples_ = {0};
    for (const CellBlock& block : cells_.blocks()) {
      std::size_t samples = drops_ ? 0 : block.rows();
      if (drops_) {
        for_each_sample(block, outcomes_, [&samples](const double*) { ++samples; });
      }
      first_samples_.push_back(first_samples_.back() + samples);
    }
    places_ = cells_.team().places_of(first_samples_.back());
  }

  void decide_on_labels() {
    data_.samples = cells_.rows();
    if (sources_.label == Dataset::none && sources_.targets.empty()) {
      return;
    }
    const auto [missing, first_missing] = find_unlabelled();
    has_labels_ = missing == 0;
    if (has_labels_) {
      return;
    }
    drops_ = options_.drop_unlabelled && missing < cells_.rows();
    has_labels_ = drops_;
    if (drops_) {
      data_.samples -= missing;
      data_.notes.push_back(
          fmt::format("{}: rows without a label are left out: {}", data_.origin, missing));
    } else if (missing == cells_.rows()) {
      throw InputError(fmt::format(
          "{}: the label is missing, and so it is in all {} rows: none is left to learn from; fill "
          "it in, or name the column of the label with --label-column",
          first_missing, missing));
    } else {
      throw InputError(fmt::format(
          "{}: the label is missing ({} of {} rows have none); fill it in, or leave such rows out "
          "with --drop-unlabelled",
          first_missing, missing, cells_.rows()));
    }
  }

  /// What the raw values of a block are.
  struct Contents {
    std::vector<ValueRange> ranges;  ///< of each feature column
    bool bytes = true;               ///< whole numbers from 0 to 255
    bool has_missing = false;
  };

  [[nodiscard]] Contents find(const CellBlock& block) const {
    Contents found;
    found.ranges.resize(columns_.size());
    for_each_sample(block, {}, [&](const double* row) {
      for (std::size_t j = 0; j < columns_.size(); ++j) {
        const double value = raw(j, row[sources_.columns[j]]);
        found.bytes = found.bytes && value >= 0 && value <= 255 && value == std::floor(value);
        if (std::isnan(value)) {
          found.has_missing = true;
        } else {
          found.ranges[j].add(value);
        }
      }
    });
    return found;
  }

  /// The smallest type that holds all raw values as well as is needed.
  [[nodiscard]] ElementType choose_type() {
    const std::vector<CellBlock>& blocks = cells_.blocks();
    std::vector<Contents> parts(blocks.size());
    parallel_tasks(blocks.size(), [&](std::size_t b, std::size_t) { parts[b] = find(blocks[b]); });
    struct Flags {
      bool bytes = true;
      bool has_missing = false;
    };
    Flags own;
    for (const Contents& part : parts) {
      own.bytes = own.bytes && part.bytes;
      own.has_missing = own.has_missing || part.has_missing;
    }
    bool bytes = true;
    for (const Flags& member : cells_.team().exchange_value(own)) {
      bytes = bytes && member.bytes;
      data_.has_missing = data_.has_missing || member.has_missing;
    }
    const std::vector<ValueRange> ranges = cells_.team().pass_on(
        std::vector<ValueRange>(columns_.size()), [&parts](std::vector<ValueRange>& all) {
          for (const Contents& part : parts) {
            for (std::size_t j = 0; j < all.size(); ++j) {
              all[j].merge(part.ranges[j]);
            }
          }
        });
    if (options_.as_double) {
      return ElementType::f64;
    }
    if (bytes && data_.samples > 0) {
      return ElementType::u8;
    }
    bool narrow = true;
    for (std::size_t j = 0; j < ranges.size(); ++j) {
      // The cycles of a date follow from its exact time.
      const bool exactly = options_.wide || columns_[j]->kind == ColumnKind::date;
      narrow = narrow && (ranges[j].count == 0 ||
                          (exactly ? ranges[j].exact_in_float : ranges[j].fits_float()));
    }
    return narrow ? ElementType::f32 : ElementType::f64;
  }

  /// The features of this member's samples; frees the cells, block by block, as they are read.
  template <class T>
  void fill_values(T) {
    const std::size_t count = places_.own.size() * columns_.size();
    const std::shared_ptr<void> memory(
        options_.memory.allocate(count * sizeof(T)),
        [from = options_.memory, bytes = count * sizeof(T)](void* p) { from.release(p, bytes); });
    T* const values = static_cast<T*>(memory.get());
    const auto put = [this](const double* row, T* sample) {
      for (std::size_t j = 0; j < columns_.size(); ++j) {
        sample[j] = static_cast<T>(raw(j, row[sources_.columns[j]]));
      }
    };
    parallel_tasks(cells_.blocks().size(), [&](std::size_t b, std::size_t) {
      fill_block(b, {}, values, columns_.size(), put);
      cells_.free_block(b);
    });
    data_.values = {std::as_bytes(std::span(values, count)), memory, {}, 0};
    if (!cells_.team().is_alone()) {
      data_.held = places_.own;
    }
  }

  void fill_labels() {
    data_.task = data_.schema.task;
    if (!has_labels_) {
      return;
    }
    if (has_target_rows(data_.task)) {
      fill_targets();
      return;
    }
    const TextIndex& texts = cells_.columns()[sources_.label].texts;
    LabelTable table;
    for (std::size_t t = 0; t < texts.size(); ++t) {
      table.add(texts.text(t));
    }
    Dataset classes;
    classes.origin = data_.origin;
    table.finish(classes);
    const auto class_of = classes.label_view();
    data_.labels = fill<std::int32_t>(1, [&](const double* row, std::int32_t* label) {
      *label = class_of[static_cast<std::size_t>(row[sources_.label])];
    });
    data_.class_names = std::move(classes.class_names);
  }

  /// Labels of cells that are lists: those that the schema knows, and others behind them.
  void fill_label_lists() {
    const std::size_t column = sources_.targets.front();
    const TextIndex& texts = cells_.columns()[column].texts;
    for (const TableColumn& known : data_.schema.columns) {
      if (!known.separator.empty()) {
        data_.class_names = known.categories;
      }
    }
    std::unordered_map<std::string, std::size_t> places;
    for (const std::string& name : data_.class_names) {
      places.emplace(name, places.size());
    }
    std::vector<std::vector<std::size_t>> labels(texts.size());
    for (std::size_t t = 0; t < texts.size(); ++t) {
      for (const std::string& name : labels_in(texts.text(t), separator_)) {
        const auto [place, is_new] = places.emplace(name, places.size());
        if (is_new) {
          data_.class_names.push_back(name);
        }
        labels[t].push_back(place->second);
      }
    }
    const std::size_t count = places.size();
    const Bytes filled = fill<double>(count, [&](const double* row, double* targets) {
      std::fill_n(targets, count, 0.0);
      if (!std::isnan(row[column])) {
        for (const std::size_t label : labels[static_cast<std::size_t>(row[column])]) {
          targets[label] = 1;
        }
      }
    });
    const auto all = filled.as<double>();
    set_targets(data_, {all.begin(), all.end()});
  }

  void fill_targets() {
    if (!separator_.empty()) {
      fill_label_lists();
      return;
    }
    const std::size_t count = sources_.targets.size();
    const Bytes filled = fill<double>(count, [&](const double* row, double* target) {
      for (std::size_t j = 0; j < count; ++j) {
        target[j] = row[sources_.targets[j]];
      }
    });
    const auto all = filled.as<double>();
    std::vector<double> rows(all.begin(), all.end());
    for (const TableColumn& column : data_.schema.columns) {
      if (column.kind == ColumnKind::label) {
        data_.class_names.push_back(column.name);
      }
    }
    set_targets(data_, std::move(rows));
  }

  void fill_weights() {
    if (sources_.weight == Dataset::none) {
      return;
    }
    data_.weights = fill<double>(
        1, [this](const double* row, double* weight) { *weight = row[sources_.weight]; });
    const auto weights = data_.weights.as<double>();
    if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 0; })) {
      throw InputError(fmt::format(
          "{}: column {}: the weight is 0 in all {} rows; give rows that are to count a weight "
          "above 0, or name another column with --weight-column",
          data_.origin, in_quotes(data_.schema.name_of(ColumnKind::weight)), weights.size()));
    }
  }

  TableCells cells_;
  const TableSources& sources_;
  const ReadOptions& options_;
  Dataset data_;
  std::vector<const TableColumn*> columns_;
  std::vector<bool> outcomes_;  ///< of the table's columns: labels, targets and weights
  std::vector<std::vector<double>> codes_;
  std::vector<std::size_t> first_samples_;  ///< of each block of cells, of this member's
  ReadingTeam::Places places_;              ///< of the members' samples among all
  std::string separator_;  ///< between the labels of a cell; empty: no cell is a list
  bool has_labels_ = false;
  bool drops_ = false;
};

}  // namespace

Dataset make_dataset(TableCells cells, const std::string& origin, TableSchema schema,
                     const TableSources& sources, const ReadOptions& options) {
  return DatasetBuilder(std::move(cells), origin, std::move(schema), sources, options).build();
}

}  // namespace dnn
