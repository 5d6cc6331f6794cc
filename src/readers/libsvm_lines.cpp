#include "dnn/readers/libsvm_lines.hpp"

#include <fmt/format.h>

#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/core/partition.hpp"
#include "dnn/data/mapped_access.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

/// Where the first line begins at or behind `offset`.
std::size_t line_at(const LibsvmPiece& text, std::size_t offset) {
  if (offset == 0 || offset >= text.lines.size()) {
    return std::min(offset, text.lines.size());
  }
  const std::size_t end = text.lines.find(text.line_end, offset - 1);
  return end == std::string_view::npos ? text.lines.size() : end + 1;
}

}  // namespace

std::vector<LibsvmPiece> whole_pieces(std::span<const TableText> texts) {
  std::vector<LibsvmPiece> pieces;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    const auto contents = texts[t].contents;
    const std::string_view text(reinterpret_cast<const char*>(contents.data()), contents.size());
    const char line_end = text.find('\n') == std::string_view::npos ? '\r' : '\n';
    pieces.push_back({text, t, texts[t].origin, line_end, 0, texts[t].is_mapped});
  }
  return pieces;
}

std::vector<LibsvmPiece> pieces_of_part(std::span<const TableText> texts, std::size_t parts,
                                        std::size_t index) {
  std::size_t total = 0;
  for (const TableText& text : texts) {
    total += text.contents.size();
  }
  const Range wanted = part_of(total, parts, index);
  std::vector<LibsvmPiece> pieces;
  std::size_t before = 0;
  for (LibsvmPiece& piece : whole_pieces(texts)) {
    const Range own = intersect(wanted, {before, before + piece.lines.size()});
    const std::size_t begin = line_at(piece, own.begin - std::min(own.begin, before));
    const std::size_t end = line_at(piece, own.end - std::min(own.end, before));
    before += piece.lines.size();
    if (!own.empty() && begin < end) {
      piece.lines = piece.lines.substr(begin, end - begin);
      pieces.push_back(std::move(piece));
    }
  }
  return pieces;
}

void LibsvmPiece::forget(std::string_view part) const {
  if (is_mapped) {
    forget_mapped(part);
  }
}

LibsvmLines::LibsvmLines(std::vector<LibsvmPiece> pieces) : pieces_(std::move(pieces)) {
  rest_ = kept_ = pieces_.empty() ? std::string_view() : pieces_.front().lines;
}

bool LibsvmLines::next() {
  line_ = {};
  while (line_.empty()) {
    if (piece_ == pieces_.size()) {
      return false;
    }
    if (rest_.empty()) {
      counts_.push_back(number_);
      number_ = 0;
      ++piece_;
      rest_ = kept_ = piece_ == pieces_.size() ? std::string_view() : pieces_[piece_].lines;
      continue;
    }
    if (const std::size_t read = kept_.size() - rest_.size(); read >= LibsvmPiece::forgotten) {
      pieces_[piece_].forget(kept_.substr(0, read));
      kept_ = rest_;
    }
    const std::size_t end = rest_.find(pieces_[piece_].line_end);
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    line_ = trim(line.substr(0, line.find('#')));
    ++number_;
  }
  return true;
}

std::string LibsvmLines::text_of(const Place& place) const {
  const LibsvmPiece& piece = pieces_[place.piece];
  return fmt::format("{}: line {}", piece.origin, piece.lines_before + place.number);
}

void LibsvmLines::fail(const std::string& what) const {
  throw InputError(text_of(place()) + ": " + what);
}

std::string_view take_word(std::string_view& line) {
  line = trim(line);
  const std::size_t end = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(word.size());
  return word;
}

}  // namespace dnn
