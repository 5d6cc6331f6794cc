#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace dnn {

/// Walks through the records of delimiter-separated text (RFC 4180): quoted fields may hold
/// delimiters, doubled quotes and line ends; blanks before a quote and empty lines are passed over.
class CsvRecords {
 public:
  /// `text` must outlive the object. The delimiter (comma, semicolon or tab) is the commonest of
  /// them on the first line. Throws InputError for text without line feeds.
  CsvRecords(std::string_view text, std::string origin);

  /// Goes to the next record; false at the end. Throws InputError for an unterminated quote.
  bool next();

  /// The fields of the record; valid until the next one.
  [[nodiscard]] const std::vector<std::string_view>& fields() const { return fields_; }
  /// The line, from 1, on which the record starts.
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  void skip_empty_lines();
  bool at_quote();
  std::string_view plain_field();
  std::string_view quoted_field();

  std::string_view text_;
  std::string origin_;
  char delimiter_;
  std::size_t position_ = 0;
  std::size_t line_ = 0;
  std::size_t next_line_ = 1;
  std::vector<std::string_view> fields_;
  std::deque<std::string> unquoted_;  ///< fields that cannot be shown as a part of the text
};

}  // namespace dnn
