#pragma once

// Tables as texts, and what is read from them.

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "dnn/data/gatherer.hpp"
#include "dnn/tables/read_table.hpp"
#include "support/text_lines.hpp"

namespace dnn::test {

using Names = std::vector<std::string>;

inline Dataset read(const std::string& text, const ReadOptions& options = {}) {
  return read_table(std::as_bytes(std::span(text)), "t.csv", options);
}

/// Whether one of the notes has all of `parts`.
inline bool has_note(const Dataset& data, const std::vector<std::string>& parts) {
  return any_has_all(data.notes, parts);
}

/// Rows of "number,label" with labels a and b in turns.
inline std::string column_of(const std::vector<std::string>& cells) {
  std::string text = "x,label\n";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    text += cells[i] + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  return text;
}

inline const TableColumn& column(const Dataset& data, const std::string& name) {
  for (const TableColumn& c : data.schema.columns) {
    if (c.name == name) {
      return c;
    }
  }
  throw std::logic_error("no column " + name);
}

inline std::vector<double> features(const Dataset& data) {
  std::vector<double> x(data.samples * data.features);
  std::vector<std::uint64_t> samples(data.samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = i;
  }
  Gatherer<double>(data, {}).gather(samples, {x.data(), data.samples, data.features});
  return x;
}

inline std::vector<double> targets(const Dataset& data) {
  const auto rows = data.target_rows.as<double>();
  return {rows.begin(), rows.end()};
}

inline std::vector<std::int32_t> labels(const Dataset& data) {
  return {data.label_view().begin(), data.label_view().end()};
}

}  // namespace dnn::test
