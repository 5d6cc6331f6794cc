#include "dnn/tables/table_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dnn/core/error.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/data/target_rows.hpp"

namespace dnn {

namespace {

/// What the smallest type for all raw values depends on.
struct ValueRange {
  double count = 0;
  double shift = 0;  ///< the first value: sums of what is near to it stay exact enough
  double sum = 0;
  double squares = 0;
  double largest = 0;  ///< magnitude
  bool exact_in_float = true;

  void add(double value) {
    shift = count == 0 ? value : shift;
    const double delta = value - shift;
    ++count;
    sum += delta;
    squares += delta * delta;
    largest = std::max(largest, std::abs(value));
    exact_in_float = exact_in_float && static_cast<double>(static_cast<float>(value)) == value;
  }

  /// Whether rounding to float changes a value by less than 2^-17 standard deviations, and so a
  /// scaled input by nothing that counts.
  [[nodiscard]] bool fits_float() const {
    constexpr double most_deviations = 256;
    if (largest > std::numeric_limits<float>::max()) {
      return false;
    }
    const double variance = squares / count - (sum / count) * (sum / count);
    return exact_in_float || largest <= most_deviations * std::sqrt(std::max(variance, 0.0));
  }
};

/// Builds the data set column by column of its raw rows.
class DatasetBuilder {
 public:
  DatasetBuilder(TableCells cells, const std::string& origin, TableSchema schema,
                 const TableSources& sources, const ReadOptions& options)
      : cells_(std::move(cells)), sources_(sources), options_(options) {
    data_.origin = origin;
    data_.schema = std::move(schema);
    for (const TableColumn& column : data_.schema.columns) {
      if (column.is_feature()) {
        columns_.push_back(&column);
      }
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
    visit_element(data_.element, [this](auto element) { fill_values(element); });
    fill_labels();
    fill_weights();
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

  /// Calls `visit(row)` for each row of the table that becomes a sample.
  template <class Visitor>
  void for_each_sample(Visitor&& visit) const {
    const std::size_t width = cells_.columns().size();
    cells_.for_each_block([&](std::size_t, std::span<const double> block) {
      for (std::size_t at = 0; at < block.size(); at += width) {
        if (!drops_ || has_label(&block[at])) {
          visit(&block[at]);
        }
      }
    });
  }

  /// Whether a row of the table has its label, or all of its targets.
  [[nodiscard]] bool has_label(const double* row) const {
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
      return {label.missing, label.first_missing};
    }
    for_each_sample([&](const double* row) { found.rows += has_label(row) ? 0 : 1; });
    for (const std::size_t target : sources_.targets) {
      const std::string& first = cells_.columns()[target].first_missing;
      found.first = found.first.empty() ? first : found.first;
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
      std::uint64_t unknown_rows = 0;
      std::vector<std::string> unknown;
      codes_[j].reserve(texts.size() + 1);
      for (std::size_t t = 0; t < texts.size(); ++t) {
        const auto found = std::lower_bound(categories.begin(), categories.end(), texts.text(t));
        const bool known = found != categories.end() && *found == texts.text(t);
        codes_[j].push_back(known ? static_cast<double>(found - categories.begin()) : -1.0);
        if (!known) {
          unknown_rows += texts.count(t);
          unknown.push_back(texts.text(t));
        }
      }
      codes_[j].push_back(-1);  // never empty
      if (options_.schema != nullptr && !unknown.empty()) {
        note_unknown(*columns_[j], unknown, unknown_rows, texts.total());
      }
    }
  }

  void note_unknown(const TableColumn& column, const std::vector<std::string>& unknown,
                    std::uint64_t rows, std::uint64_t present) {
    const auto is_number = [](const std::string& text) {
      return parse_cell_number(text, '.').has_value();
    };
    if (rows == present && std::all_of(unknown.begin(), unknown.end(), is_number) &&
        std::none_of(column.categories.begin(), column.categories.end(), is_number)) {
      throw InputError(fmt::format(
          "{}: column {} holds numbers, but text in the training data (as {}); is it the same "
          "column?",
          data_.origin, in_quotes(column.name),
          column.categories.empty() ? "nothing" : in_quotes(column.categories.front())));
    }
    data_.notes.push_back(fmt::format(
        "{}: column {} has {} value{} that the training data do not have, in {} row{} (the first "
        "is "
        "{}); {}",
        data_.origin, in_quotes(column.name), unknown.size(), unknown.size() == 1 ? "" : "s", rows,
        rows == 1 ? "" : "s", in_quotes(unknown.front()),
        column.has_other ? "they share the input of rarer values" : "no category stands for them"));
  }

  void choose_rows() {
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
    } else if (!options_.features) {
      throw InputError(fmt::format(
          "{}: the label is missing ({} of {} rows have none); fill it in, or leave such rows out "
          "with --drop-unlabelled",
          first_missing, missing, cells_.rows()));
    } else {
      data_.notes.push_back(
          fmt::format("{}: {} of {} rows have no label, so that the others' are "
                      "not compared with the predictions",
                      data_.origin, missing, cells_.rows()));
    }
  }

  /// The smallest type that holds all raw values as well as is needed.
  [[nodiscard]] ElementType choose_type() {
    std::vector<ValueRange> ranges(columns_.size());
    bool bytes = true;
    for_each_sample([&](const double* row) {
      for (std::size_t j = 0; j < columns_.size(); ++j) {
        const double value = raw(j, row[sources_.columns[j]]);
        bytes = bytes && value >= 0 && value <= 255 && value == std::floor(value);
        if (std::isnan(value)) {
          data_.has_missing = true;
        } else {
          ranges[j].add(value);
        }
      }
    });
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

  template <class T>
  void fill_values(T) {
    std::vector<T> values;
    values.reserve(data_.samples * columns_.size());
    for_each_sample([&](const double* row) {
      for (std::size_t j = 0; j < columns_.size(); ++j) {
        values.push_back(static_cast<T>(raw(j, row[sources_.columns[j]])));
      }
    });
    data_.values = Bytes::from(std::move(values));
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
    std::vector<std::int32_t> labels;
    labels.reserve(data_.samples);
    for_each_sample([&](const double* row) {
      labels.push_back(class_of[static_cast<std::size_t>(row[sources_.label])]);
    });
    data_.labels = Bytes::from(std::move(labels));
    data_.class_names = std::move(classes.class_names);
  }

  void fill_targets() {
    std::vector<double> rows;
    rows.reserve(data_.samples * sources_.targets.size());
    for_each_sample([&](const double* row) {
      for (const std::size_t target : sources_.targets) {
        rows.push_back(row[target]);
      }
    });
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
    std::vector<double> weights;
    weights.reserve(data_.samples);
    for_each_sample([&](const double* row) { weights.push_back(row[sources_.weight]); });
    if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 0; })) {
      throw InputError(fmt::format(
          "{}: column {}: the weight is 0 in all {} rows; give rows that are to count a weight "
          "above 0, or name another column with --weight-column",
          data_.origin, in_quotes(data_.schema.name_of(ColumnKind::weight)), weights.size()));
    }
    data_.weights = Bytes::from(std::move(weights));
  }

  TableCells cells_;
  const TableSources& sources_;
  const ReadOptions& options_;
  Dataset data_;
  std::vector<const TableColumn*> columns_;
  std::vector<std::vector<double>> codes_;
  bool has_labels_ = false;
  bool drops_ = false;
};

}  // namespace

Dataset make_dataset(TableCells cells, const std::string& origin, TableSchema schema,
                     const TableSources& sources, const ReadOptions& options) {
  return DatasetBuilder(std::move(cells), origin, std::move(schema), sources, options).build();
}

}  // namespace dnn
