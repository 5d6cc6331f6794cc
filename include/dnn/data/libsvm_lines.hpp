#pragma once

#include <cstddef>
#include <string_view>

namespace dnn {

/// Walks over the lines of LIBSVM text that hold more than blanks and a comment ('#' to the line's
/// end). Lines end with LF or CR LF, or, where the text has no LF, with CR. Keeps a view of the
/// text.
class LibsvmLines {
 public:
  explicit LibsvmLines(std::string_view text);

  /// Goes to the next line, at first to the first one; false at the end of the text.
  bool next();

  /// The line, without its comment and blanks at its ends.
  [[nodiscard]] std::string_view line() const { return line_; }
  /// The number of the line in the file, from 1; empty lines count.
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  char line_end_;
  std::string_view line_;
  std::size_t number_ = 0;
};

/// Cuts the first word off `line`; empty at the line's end.
std::string_view take_word(std::string_view& line);

/// Whether `line` is the first one of an Extreme Classification Repository file: the numbers of
/// samples, features and labels.
[[nodiscard]] bool counts_samples(std::string_view line);

}  // namespace dnn
