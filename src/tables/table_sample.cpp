#include "dnn/tables/table_sample.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "dnn/core/error.hpp"
#include "dnn/tables/cell.hpp"

namespace dnn {

namespace {

/// How well a delimiter cuts the sample: whether records have equally many fields, and fields hold
/// no other delimiter. 0 where it cuts nothing.
double score_of(const std::vector<TableRecord>& records, char delimiter) {
  const CommonestCount most = commonest_count(records, 0);
  if (most.fields < 2) {
    return 0;
  }
  std::size_t cells = 0;
  std::size_t clean = 0;
  for (const TableRecord& record : records) {
    for (const std::string& field : record.fields) {
      ++cells;
      const bool cut_elsewhere = field.find_first_of(";\t|,") != std::string::npos;
      clean += !cut_elsewhere || is_any_number(field) ? 1 : 0;
    }
  }
  const double even = static_cast<double>(most.records) / static_cast<double>(records.size());
  const double score = even + static_cast<double>(clean) / static_cast<double>(cells);
  // Text has blanks in it: they separate columns only where all records agree.
  return delimiter == ' ' && even < 0.95 ? 0 : score;
}

/// Whether a field is words with blanks between them, not all of them numbers.
bool is_words(const std::string& field) {
  std::istringstream text(field);
  std::size_t words = 0;
  bool are_numbers = true;
  for (std::string word; text >> word; ++words) {
    are_numbers = are_numbers && is_any_number(word);
  }
  return words > 1 && !are_numbers;
}

/// Whether all records have the same number of fields, several, and some field is words.
bool cuts_words_evenly(const std::vector<TableRecord>& records) {
  const CommonestCount most = commonest_count(records, 0);
  return most.fields > 1 && most.records == records.size() &&
         std::any_of(records.begin(), records.end(), [](const TableRecord& record) {
           return std::any_of(record.fields.begin(), record.fields.end(), is_words);
         });
}

}  // namespace

std::vector<TableRecord> sample_records(std::string_view text, const Dialect& dialect,
                                        const std::string& origin, std::size_t most) {
  std::vector<TableRecord> records;
  TableScanner scanner(text, dialect, origin);
  while (records.size() < most && scanner.next_record()) {
    TableRecord& record = records.emplace_back();
    record.offset = scanner.offset();
    record.line = scanner.line();
    do {
      record.fields.emplace_back(scanner.field());
    } while (scanner.has_field());
  }
  return records;
}

bool is_any_number(const std::string& text) {
  return parse_cell_number(text, '.').has_value() || parse_cell_number(text, ',').has_value();
}

CommonestCount commonest_count(const std::vector<TableRecord>& records, std::size_t first) {
  std::map<std::size_t, std::size_t> counts;
  for (std::size_t i = first; i < records.size(); ++i) {
    ++counts[records[i].fields.size()];
  }
  CommonestCount most;
  for (const auto& [fields, count] : counts) {
    if (count > most.records) {
      most = {fields, count};
    }
  }
  return most;
}

char find_delimiter(std::string_view text, const std::string& origin) {
  constexpr std::string_view candidates = ";\t|, ";
  constexpr std::size_t enough = 50;
  char best = ',';
  double best_score = 0;
  bool has_tabs = false;  // a cut at blanks cuts at tabs as well, and so at words within a cell
  for (const char delimiter : candidates) {
    Dialect dialect{.delimiter = delimiter, .decimal = '.', .comments = true};
    std::vector<TableRecord> records;
    try {
      records = sample_records(text, dialect, origin, enough);
    } catch (const InputError&) {
      continue;  // a quote that only another delimiter makes one
    }
    if (delimiter == '\t') {
      has_tabs = cuts_words_evenly(records);
    }
    const double score = score_of(records, delimiter);
    if (score > best_score) {
      best = delimiter;
      best_score = score;
    }
  }
  return best == ' ' && has_tabs ? '\t' : best;
}

}  // namespace dnn
