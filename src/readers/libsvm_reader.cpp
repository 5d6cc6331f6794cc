#include "dnn/readers/libsvm_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dnn/core/error.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/readers/libsvm_detection.hpp"
#include "dnn/readers/libsvm_lines.hpp"
#include "dnn/readers/libsvm_rows.hpp"

namespace dnn {

namespace {

constexpr const char* one_label_each =
    "multi-label data is not supported yet. Write one label on each line";

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
    if (labels_.size() == 0 && rows_.size() > 0 && !options_.features) {
      throw InputError(origin_ + ": no line begins with a label; training needs one on each line");
    }
    Dataset data;
    data.origin = origin_;
    rows_.finish(data, options_);
    if (labels_.size() > 0) {
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

  void add_line(std::string_view line) {
    std::string_view rest = line;
    const std::string_view first = take_word(rest);
    const bool labelled = first.find(':') == std::string_view::npos;
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
