#include "dnn/report/class_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

constexpr std::size_t most_in_table = 1000;
constexpr std::size_t most_in_matrix = 30;

/// Reads CSV (RFC 4180) row by row.
class CsvRows {
 public:
  explicit CsvRows(const std::string& text) : text_(text) {}

  /// The next row; false at the end.
  bool next(Row& row) {
    row.clear();
    if (at_ >= text_.size()) {
      return false;
    }
    do {
      row.push_back(field());
      at_ += at_ < text_.size() && text_[at_] == '\r' ? 1 : 0;  // a spreadsheet has written it
    } while (at_ < text_.size() && text_[at_++] == ',');
    return true;
  }

 private:
  /// Leaves at_ at the comma or line end behind the field.
  std::string field() {
    std::string value;
    if (at_ < text_.size() && text_[at_] == '"') {
      for (++at_; at_ < text_.size(); ++at_) {
        if (text_[at_] == '"' && (++at_ >= text_.size() || text_[at_] != '"')) {
          break;
        }
        value += text_[at_];
      }
      return value;
    }
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    value = text_.substr(at_, end - at_);
    at_ = end;
    return value;
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

/// A cell of the matrix that is not 0.
struct Cell {
  std::size_t actual = 0;
  std::size_t predicted = 0;
  std::uint64_t count = 0;
};

/// The whole matrix, and the sums of each class.
struct Counts {
  std::vector<std::string> names;
  std::vector<Cell> cells;
  std::vector<std::uint64_t> support, predicted, correct;

  void add_sums() {
    for (std::vector<std::uint64_t>* sums : {&support, &predicted, &correct}) {
      sums->assign(names.size(), 0);
    }
    for (const Cell& cell : cells) {
      support[cell.actual] += cell.count;
      predicted[cell.predicted] += cell.count;
      correct[cell.actual] += cell.actual == cell.predicted ? cell.count : 0;
    }
  }
  [[nodiscard]] std::uint64_t errors(std::size_t i) const {
    return support[i] + predicted[i] - 2 * correct[i];
  }
  /// The `most` classes with the most errors, in ascending order.
  [[nodiscard]] std::vector<std::size_t> most_confused(std::size_t most) const {
    std::vector<std::size_t> classes(names.size());
    std::iota(classes.begin(), classes.end(), std::size_t{0});
    if (classes.size() > most) {
      std::stable_sort(classes.begin(), classes.end(),
                       [this](std::size_t a, std::size_t b) { return errors(a) > errors(b); });
      classes.resize(most);
      std::sort(classes.begin(), classes.end());
    }
    return classes;
  }
};

std::uint64_t count_from(const std::string& field) {
  std::uint64_t count = 0;
  const char* const end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, count);
  if (error != std::errc() || stop != end) {
    throw InputError(in_quotes(field) + " is no count");
  }
  return count;
}

/// A class's name without the apostrophe that spreadsheet_field() has put in front of it.
std::string name_from(const std::string& field) {
  const bool is_marked = field.size() > 1 && field[0] == '\'' &&
                         std::string_view("=+-@\t\r").find(field[1]) != std::string_view::npos;
  return is_marked ? field.substr(1) : field;
}

/// A row of counts for each class.
void read_matrix(CsvRows& rows, const Row& head, Counts& counts) {
  std::transform(head.begin() + 1, head.end(), std::back_inserter(counts.names), name_from);
  std::size_t actual = 0;
  for (Row row; rows.next(row); ++actual) {
    if (row.size() != head.size() || actual == counts.names.size()) {
      throw InputError(fmt::format("row {} does not fit the header", actual + 2));
    }
    for (std::size_t i = 1; i < row.size(); ++i) {
      if (const std::uint64_t count = count_from(row[i]); count > 0) {
        counts.cells.push_back({actual, i - 1, count});
      }
    }
  }
  if (actual != counts.names.size()) {
    throw InputError(fmt::format("it has {} rows for {} classes", actual, counts.names.size()));
  }
}

/// A row for each pair of classes that occurs.
void read_pairs(CsvRows& rows, Counts& counts) {
  std::unordered_map<std::string, std::size_t> places;
  const auto place_of = [&](const std::string& name) {
    const auto [found, is_new] = places.try_emplace(name, counts.names.size());
    if (is_new) {
      counts.names.push_back(name_from(name));
    }
    return found->second;
  };
  for (Row row; rows.next(row);) {
    if (row.size() != 3) {
      throw InputError(fmt::format("a row has {} fields instead of 3", row.size()));
    }
    const std::size_t actual = place_of(row[0]);
    counts.cells.push_back({actual, place_of(row[1]), count_from(row[2])});
  }
}

Counts read_counts(const std::string& text) {
  CsvRows rows(text);
  Counts counts;
  Row head;
  rows.next(head);
  if (head == Row{"true", "predicted", "count"}) {
    read_pairs(rows, counts);
  } else if (!head.empty() && head[0] == "true\\predicted") {
    read_matrix(rows, head, counts);
  } else {
    throw InputError("it is no confusion matrix");
  }
  counts.add_sums();
  return counts;
}

template <class T>
Json chosen(const std::vector<T>& values, const std::vector<std::size_t>& places) {
  Json result = Json::array();
  for (const std::size_t place : places) {
    result.push_back(values[place]);
  }
  return result;
}

Json matrix_of(const Counts& counts) {
  const std::vector<std::size_t> classes = counts.most_confused(most_in_matrix);
  const bool others = classes.size() < counts.names.size();
  std::vector<std::size_t> places(counts.names.size(), classes.size());  // of others: the last
  for (std::size_t i = 0; i < classes.size(); ++i) {
    places[classes[i]] = i;
  }
  const std::size_t size = classes.size() + (others ? 1 : 0);
  std::vector<std::vector<std::uint64_t>> matrix(size, std::vector<std::uint64_t>(size, 0));
  for (const Cell& cell : counts.cells) {
    matrix[places[cell.actual]][places[cell.predicted]] += cell.count;
  }
  return {{"names", chosen(counts.names, classes)}, {"counts", matrix}, {"others", others}};
}

std::uint64_t sum_of(const std::vector<std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

Json class_figures(const std::string& text, const std::string& origin) {
  try {
    const Counts counts = read_counts(text);
    const std::vector<std::size_t> listed = counts.most_confused(most_in_table);
    return {{"count", counts.names.size()},
            {"samples", sum_of(counts.support)},
            {"correct_samples", sum_of(counts.correct)},
            {"names", chosen(counts.names, listed)},
            {"support", chosen(counts.support, listed)},
            {"predicted", chosen(counts.predicted, listed)},
            {"correct", chosen(counts.correct, listed)},
            {"matrix", matrix_of(counts)}};
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: cannot read the confusion matrix: {}", origin, error.what()));
  }
}

}  // namespace dnn
