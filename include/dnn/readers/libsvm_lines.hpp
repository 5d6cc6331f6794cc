#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "dnn/tables/read_table.hpp"

namespace dnn {

/// Walks over the lines of LIBSVM text that hold more than blanks and a comment ('#' to the line's
/// end). Lines end with LF or CR LF or, in a text without LF, with CR. Keeps views of the texts.
class LibsvmLines {
 public:
  /// Of `texts`, one after another; their origins name them in errors.
  explicit LibsvmLines(std::span<const TableText> texts);

  /// Goes to the next line, at first to the first one; false at the end of the last text.
  bool next();

  /// The line, without its comment and blanks at its ends.
  [[nodiscard]] std::string_view line() const { return line_; }
  /// "data.svm: line 7"; empty lines count.
  [[nodiscard]] std::string place() const;

  /// Throws InputError about the line.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  void begin_text();

  std::span<const TableText> texts_;
  std::size_t text_ = 0;
  std::string_view rest_;
  char line_end_ = '\n';
  std::string_view line_;
  std::size_t number_ = 0;
};

/// Cuts the first word off `line`; empty at the line's end.
std::string_view take_word(std::string_view& line);

}  // namespace dnn
