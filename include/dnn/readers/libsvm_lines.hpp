#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/tables/read_table.hpp"

namespace dnn {

/// Whole lines of one of the texts of a data set.
struct LibsvmPiece {
  std::string_view lines;
  std::size_t text = 0;  ///< which one of the data set's it is
  std::string origin;    ///< names it in errors
  char line_end = '\n';
  std::size_t lines_before = 0;  ///< of the text, above these
  bool is_mapped = false;        ///< the lines lie in a mapped file

  /// After so many bytes, the memory of what has been read is given back.
  static constexpr std::size_t forgotten = std::size_t{8} << 20;
  /// Does so for a part of the lines, if they are mapped.
  void forget(std::string_view part) const;
};

/// The texts, each as one piece.
[[nodiscard]] std::vector<LibsvmPiece> whole_pieces(std::span<const TableText> texts);

/// The pieces of part `index` of `parts`, which have about equally many bytes; how many lines come
/// before the first is not known. Together all parts have every line once, in order.
[[nodiscard]] std::vector<LibsvmPiece> pieces_of_part(std::span<const TableText> texts,
                                                      std::size_t parts, std::size_t index);

/// Walks over the lines of LIBSVM text that hold more than blanks and a comment ('#' to the line's
/// end). Lines end with LF or CR LF or, in a text without LF, with CR. Keeps views of the texts.
class LibsvmLines {
 public:
  explicit LibsvmLines(std::vector<LibsvmPiece> pieces);
  /// Of `texts`, one after another; their origins name them in errors.
  explicit LibsvmLines(std::span<const TableText> texts) : LibsvmLines(whole_pieces(texts)) {}

  /// Goes to the next line, at first to the first one; false at the end of the last piece.
  bool next();

  /// The line, without its comment and blanks at its ends.
  [[nodiscard]] std::string_view line() const { return line_; }

  /// Where a line is: the piece, and its number there, from 1; empty lines count.
  struct Place {
    std::size_t piece = 0;
    std::size_t number = 0;
  };
  [[nodiscard]] Place place() const { return {piece_, number_}; }
  /// "data.svm: line 7".
  [[nodiscard]] std::string text_of(const Place& place) const;

  /// The lines of each piece, once next() has returned false.
  [[nodiscard]] const std::vector<std::size_t>& counts() const { return counts_; }
  [[nodiscard]] const std::vector<LibsvmPiece>& pieces() const { return pieces_; }
  /// Says how many lines of its text come before the first piece.
  void set_lines_before(std::size_t lines) { pieces_.front().lines_before = lines; }

  /// Throws InputError about the line.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::vector<LibsvmPiece> pieces_;
  std::vector<std::size_t> counts_;
  std::size_t piece_ = 0;
  std::string_view rest_;
  std::string_view kept_;  ///< from the first byte on whose memory has not been given back
  std::string_view line_;
  std::size_t number_ = 0;
};

/// Cuts the first word off `line`; empty at the line's end.
std::string_view take_word(std::string_view& line);

}  // namespace dnn
