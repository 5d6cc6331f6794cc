#include "dnn/readers/libsvm_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "dnn/core/error.hpp"
#include "dnn/data/label_lists.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/data/number.hpp"
#include "dnn/data/target_rows.hpp"
#include "dnn/readers/libsvm_detection.hpp"
#include "dnn/readers/libsvm_lines.hpp"
#include "dnn/readers/libsvm_rows.hpp"
#include "dnn/tables/cell.hpp"

namespace dnn {

namespace {

constexpr const char* one_label_each =
    "write one label on each line, or learn several with --task labels";

template <class T>
class LibsvmParser {
 public:
  LibsvmParser(std::span<const TableText> texts, const std::string& origin,
               const ReadOptions& options)
      : options_(options), origin_(origin), lines_(texts), rows_(lines_, count_colons(texts)) {}

  /// Reads all lines; false if double would hold a value that T changes. The line is the last one
  /// then.
  bool read() {
    while (lines_.next() && !rows_.needs_double()) {
      if (rows_.size() == 0 && counts_samples(lines_.line())) {
        lines_.fail(
            fmt::format("the line counts samples, features and labels; {}, and remove this line",
                        one_label_each));
      }
      add_line(lines_.line());
    }
    return !rows_.needs_double();
  }

  Dataset finish() {
    if (!has_labels() && rows_.size() > 0 && !options_.features) {
      throw InputError(origin_ + ": no line begins with a label; training needs one on each line");
    }
    Dataset data;
    data.origin = origin_;
    rows_.finish(data, options_);
    data.task = options_.task == Task::automatic ? Task::classes : options_.task;
    if (has_target_rows(data.task)) {
      finish_targets(data);
    } else if (labels_.size() > 0) {
      labels_.finish(data);
    }
    if (!rows_.query_line().empty()) {
      data.notes.push_back(
          fmt::format("{} is the first one with qid:N, which is ignored", rows_.query_line()));
    }
    return data;
  }

 private:
  static std::size_t count_colons(std::span<const TableText> texts) {
    std::size_t colons = 0;
    for (const TableText& text : texts) {
      colons += static_cast<std::size_t>(
          std::count(text.contents.begin(), text.contents.end(), std::byte{':'}));
    }
    return colons;
  }

  [[nodiscard]] bool has_labels() const {
    return labels_.size() > 0 || !numbers_.empty() || !label_names_.empty();
  }

  /// The label of a line for a task with target rows: a number, or labels with commas between.
  void add_target(std::string_view first) {
    if (options_.task == Task::numbers) {
      const std::optional<double> number = parse_number<double>(first);
      if (!number || !std::isfinite(*number)) {
        lines_.fail(fmt::format("{} is not a finite number, which --task numbers asks for",
                                in_quotes(first)));
      }
      numbers_.push_back(*number);
      return;
    }
    for (const std::string& word : split_words(first)) {
      sample_labels_.emplace_back(rows_.size(), label_names_.number_of(word));
    }
  }

  void finish_targets(Dataset& data) {
    if (options_.task == Task::numbers && !numbers_.empty()) {
      data.class_names = unnamed_targets(1);
      set_targets(data, std::move(numbers_));
    }
    if (options_.task == Task::numbers || label_names_.empty()) {
      return;
    }
    const auto [names, place] = label_names_.sorted();
    std::vector<double> rows(data.samples * names.size(), 0.0);
    for (const auto& [sample, label] : sample_labels_) {
      rows[sample * names.size() + place[label]] = 1;
    }
    data.class_names = names;
    set_targets(data, std::move(rows));
  }

  void add_line(std::string_view line) {
    std::string_view rest = line;
    const std::string_view first = take_word(rest);
    const bool labelled = first.find(':') == std::string_view::npos;
    if (has_target_rows(options_.task)) {
      if (!labelled && options_.task == Task::numbers && !numbers_.empty()) {
        lines_.fail("the line has no number to learn, but those before it do");
      }
      if (labelled && options_.task == Task::numbers && numbers_.size() != rows_.size()) {
        lines_.fail("the line has a number to learn, and those before it have none");
      }
      if (options_.task == Task::distribution) {
        lines_.fail("--task distribution needs a table or arrays, not a LIBSVM file");
      }
      if (labelled) {
        add_target(first);
      }
      rows_.add(labelled ? rest : line);
      return;
    }
    if (rows_.size() > 0 && labelled != (labels_.size() > 0)) {
      lines_.fail(fmt::format("the line {}; {}, or none on any line to predict",
                              labelled ? "has a label, and those before it have none"
                                       : "starts with " + in_quotes(first) +
                                             " and has no label, but those before it do",
                              one_label_each));
    }
    if (labelled && first.find(',') != std::string_view::npos) {
      lines_.fail(fmt::format("{} names several labels; {}", in_quotes(first), one_label_each));
    }
    if (labelled) {
      labels_.add(first);
    }
    rows_.add(labelled ? rest : line);
  }

  const ReadOptions& options_;
  const std::string& origin_;
  LibsvmLines lines_;
  LibsvmRows<T> rows_;
  LabelTable labels_;
  std::vector<double> numbers_;                                     ///< task numbers: of each line
  LabelNames label_names_;                                          ///< task labels
  std::vector<std::pair<std::size_t, std::size_t>> sample_labels_;  ///< so too: sample, label
};

}  // namespace

Dataset read_libsvm(std::span<const TableText> texts, const std::string& origin,
                    const ReadOptions& options) {
  std::string note;
  if (!options.wide) {
    LibsvmParser<float> parser(texts, origin, options);
    if (parser.read()) {
      return parser.finish();
    }
    note = origin + ": values are stored as double, since float changes some of 2^24 or more";
  }
  LibsvmParser<double> parser(texts, origin, options);
  parser.read();
  Dataset data = parser.finish();
  if (!note.empty()) {
    data.notes.push_back(note);
  }
  return data;
}

Dataset read_libsvm(std::span<const std::byte> contents, const std::string& origin,
                    const ReadOptions& options) {
  const TableText text{contents, origin};
  return read_libsvm(std::span(&text, 1), origin, options);
}

}  // namespace dnn
