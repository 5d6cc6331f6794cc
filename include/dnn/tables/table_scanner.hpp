#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dnn {

/// How the text of a table is cut into records and fields.
struct Dialect {
  char delimiter = ',';   ///< ' ': any run of spaces and tabs
  char decimal = '.';     ///< '.' or ','
  bool comments = false;  ///< lines that begin with '#' are passed over
};

/// Walks through delimiter-separated text (RFC 4180, and what programs write besides): lines end
/// with LF, CRLF or CR; quoted fields may hold delimiters, doubled quotes and line ends; blanks
/// around a field do not belong to it; lines of spaces are passed over.
///
///     TableScanner scanner(text, dialect, "table.csv");
///     while (scanner.next_record()) {
///       do {
///         use(scanner.field());
///       } while (scanner.has_field());
///     }
class TableScanner {
 public:
  /// `text` must outlive the object and what it returns; `origin` names it in errors. It begins
  /// below `lines_before` other lines.
  TableScanner(std::string_view text, const Dialect& dialect, std::string origin,
               std::size_t lines_before = 0);

  /// Goes to the first field of the next record, from wherever it is; false at the end.
  bool next_record();
  /// Whether the record has a field that has not been read.
  [[nodiscard]] bool has_field() const { return has_field_; }

  /// Reads the next field if it is a plain number ("-1.5e3"; a decimal point, no quotes); false,
  /// and the field is still to be read, if it is anything else.
  bool number(double& value);

  /// Reads the next field, without quotes and blanks; valid until the next call. Throws InputError
  /// for a quote that is never closed.
  std::string_view field();

  /// Reads the rest of the record; returns how many fields it had.
  std::size_t skip_fields();

  /// The line, from 1, on which the record begins.
  [[nodiscard]] std::size_t line() const { return record_line_; }
  /// Fields of the record that have been read.
  [[nodiscard]] std::size_t fields_read() const { return fields_read_; }
  /// Where the record begins in the text.
  [[nodiscard]] std::size_t offset() const { return record_begin_; }
  /// Whether the text ended with this record, without a line end. Known when all its fields are
  /// read.
  [[nodiscard]] bool ended_without_newline() const { return open_end_; }

 private:
  [[nodiscard]] bool is_field_end(const char* at) const;
  void skip_blanks();
  void skip_line_end();
  void finish_field();
  std::string_view quoted();

  const char* next_;
  const char* begin_;
  const char* end_;
  Dialect dialect_;
  std::string origin_;
  std::string unquoted_;
  bool has_field_ = false;
  bool open_end_ = false;
  std::size_t fields_read_ = 0;
  std::size_t record_line_ = 0;
  std::size_t record_begin_ = 0;
  std::size_t next_line_;
};

}  // namespace dnn
