#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dnn {

/// Walks over the lines of LIBSVM text that hold more than blanks and a comment ('#' to the line's
/// end). Lines end with LF or CR LF or, in a text without LF, with CR. Keeps a view of the text.
class LibsvmLines {
 public:
  /// `origin` names the file in errors.
  LibsvmLines(std::string_view text, std::string origin);

  /// Goes to the next line, at first to the first one; false at the end of the text.
  bool next();

  /// The line, without its comment and blanks at its ends.
  [[nodiscard]] std::string_view line() const { return line_; }
  /// The number of the line in the file, from 1; empty lines count.
  [[nodiscard]] std::size_t number() const { return number_; }
  [[nodiscard]] const std::string& origin() const { return origin_; }

  /// Throws InputError about the line.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::string_view rest_;
  char line_end_;
  std::string origin_;
  std::string_view line_;
  std::size_t number_ = 0;
};

/// Cuts the first word off `line`; empty at the line's end.
std::string_view take_word(std::string_view& line);

}  // namespace dnn
