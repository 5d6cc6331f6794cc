#include "dnn/tables/table_team.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/data/message.hpp"

namespace dnn {

namespace {

/// The chunks of one member: of equally many bytes, as far as whole chunks are.
std::span<const TableCut> cuts_of(std::span<const TableCut> cuts, std::size_t members,
                                  std::size_t member) {
  const auto bytes_of = [](const TableCut& cut) {
    const std::size_t size = cut.request.parts[cut.request.part].rows.size();
    return std::min(cut.request.stop, size) - std::min(cut.request.begin, size);
  };
  std::size_t total = 0;
  for (const TableCut& cut : cuts) {
    total += bytes_of(cut);
  }
  std::size_t before = 0;
  std::size_t first = cuts.size();
  std::size_t count = 0;
  for (std::size_t c = 0; c < cuts.size(); ++c) {
    const std::size_t bytes = bytes_of(cuts[c]);
    const double middle = static_cast<double>(before) + 0.5 * static_cast<double>(bytes);
    const double place = middle / static_cast<double>(std::max<std::size_t>(total, 1));
    const auto owner = static_cast<std::size_t>(place * static_cast<double>(members));
    if (std::min(owner, members - 1) == member) {
      first = std::min(first, c);
      ++count;
    }
    before += bytes;
  }
  return cuts.subspan(first, count);
}

/// What members tell each other of their segments.
struct SegmentFacts {
  RecordPlace first;  ///< see TableSegment
  RecordPlace next;
  std::size_t stop = 0;  ///< where its chunks of the text that it begins in end
  std::size_t rows = 0;
  bool is_empty = true;          ///< the member has no chunks
  bool begins_part = false;      ///< its first chunk begins a text
  bool has_first = false;        ///< a line begins in its chunks of that text
  bool has_next = false;         ///< a line or a text begins in it
  bool failed = false;           ///< an error or a record that is cut off
  bool took_rows_before = true;  ///< rows were taken to lie above it
};

/// Where the table goes on behind a segment, below so many rows.
struct Border {
  RecordPlace next;
  std::size_t rows = 0;
};

/// What the borders say of a member's segment.
struct Judgement {
  Border before;
  std::size_t line_shift = 0;  ///< to be added to the lines of the text it begins in
  bool is_right = true;        ///< it began where it should
};

/// Judges the segments of all members, one after the other.
std::vector<Judgement> judge(const std::vector<SegmentFacts>& all) {
  std::vector<Judgement> judgements;
  Border border;
  for (const SegmentFacts& facts : all) {
    Judgement& own = judgements.emplace_back();
    own.before = border;
    if (facts.is_empty) {
      continue;
    }
    if (!facts.begins_part && facts.has_first) {
      own.is_right = facts.first.offset == border.next.offset;
      own.line_shift = border.next.line - facts.first.line;
    } else if (!facts.begins_part) {
      own.is_right = border.next.offset >= facts.stop;
    }
    if (facts.failed) {  // only what was read with all that is known now says what is wrong
      own.is_right =
          own.is_right && own.line_shift == 0 && facts.took_rows_before == (border.rows > 0);
    }
    border.rows += facts.rows;
    if (facts.has_next) {
      const bool shifted =
          !facts.begins_part && facts.has_first && facts.next.part == facts.first.part;
      border.next = facts.next;
      border.next.line += shifted ? own.line_shift : 0;
    }
  }
  return judgements;
}

class TeamReader {
 public:
  TeamReader(std::span<const TableCut> cuts, std::span<const ColumnMode> modes, bool keeps_rows,
             const ReadingTeam& team)
      : cuts_(cuts_of(cuts, team.size(), team.index())),
        modes_(modes),
        keeps_rows_(keeps_rows),
        team_(team) {}

  TeamSegment read() {
    read_segment(std::nullopt, team_.index() > 0);
    find_borders();
    if (!own_.cut_off) {
      shift_lines();
      join_columns();
    }
    return {std::move(own_), first_row_, rows_};
  }

 private:
  void read_segment(std::optional<RecordPlace> start, bool has_rows_before) {
    own_ = {};  // frees its memory first
    own_ = TableSegment::read({.cuts = cuts_,
                               .modes = modes_,
                               .keeps_rows = keeps_rows_,
                               .begins_table = team_.index() == 0,
                               .start = start,
                               .has_rows_before = has_rows_before});
    took_rows_before_ = has_rows_before;
  }

  [[nodiscard]] bool begins_part() const { return !cuts_.empty() && cuts_.front().is_exact; }

  [[nodiscard]] SegmentFacts facts() const {
    SegmentFacts facts;
    facts.is_empty = cuts_.empty();
    if (facts.is_empty) {
      return facts;
    }
    const ChunkRequest& first = cuts_.front().request;
    for (const TableCut& cut : cuts_) {
      if (cut.request.part == first.part) {
        facts.stop = std::min(cut.request.stop, first.parts[first.part].rows.size());
      }
    }
    facts.begins_part = begins_part();
    facts.has_first = own_.first.has_value();
    facts.first = own_.first.value_or(RecordPlace());
    facts.has_next = own_.next.has_value();
    facts.next = own_.next.value_or(RecordPlace());
    facts.rows = own_.rows;
    facts.failed = own_.error != nullptr || own_.cut_off.has_value();
    facts.took_rows_before = took_rows_before_;
    return facts;
  }

  /// Reads until all members have begun where the one before ended, or until the first error in
  /// the table, or the first record that is cut off, is certain; all have it then.
  void find_borders() {
    while (true) {
      const std::vector<SegmentFacts> all = team_.exchange_value(facts());
      const std::vector<Judgement> judgements = judge(all);
      std::size_t failed = team_.size();
      bool is_certain = true;
      rows_ = 0;
      for (std::size_t m = 0; m < team_.size() && failed == team_.size(); ++m) {
        is_certain = is_certain && judgements[m].is_right;
        failed = all[m].failed ? m : failed;
        rows_ += all[m].rows;
      }
      const Judgement& own = judgements[team_.index()];
      if (is_certain && failed < team_.size()) {
        share_failure(failed);
        return;
      }
      if (is_certain) {
        first_row_ = own.before.rows;
        line_shift_ = own.line_shift;
        return;
      }
      if (!own.is_right) {
        read_segment(begins_part() ? std::nullopt : std::optional(own.before.next),
                     own.before.rows > 0);
      }
    }
  }

  /// What ended the reading of a member becomes everybody's.
  void share_failure(std::size_t member) {
    MessageWriter message;
    if (member == team_.index()) {
      message.add(own_.cut_off.value_or(RecordPlace()));  // meant where there is no error
      message.add_text(own_.error ? text_of(own_.error) : std::string());
    }
    const std::vector<std::string> all = team_.exchange(message.take());
    MessageReader reader(all[member]);
    own_ = {};
    own_.columns.resize(modes_.size());
    own_.cut_off = reader.next<RecordPlace>();
    if (const std::string_view error = reader.next_text(); !error.empty()) {
      throw InputError(std::string(error));
    }
  }

  [[nodiscard]] static std::string text_of(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const InputError& input) {
      return input.what();
    }
  }

  /// Gives the lines of the text that the segment begins in their numbers.
  void shift_lines() {
    if (!own_.first) {
      return;
    }
    for (ColumnCells& cells : own_.columns) {
      for (TableLine* line : {&cells.first_missing, &cells.first_misfit, &cells.first_infinite}) {
        line->line += line->line > 0 && line->part == own_.first->part ? line_shift_ : 0;
      }
    }
  }

  /// Makes of what all members know of their columns what is known of the table's.
  void join_columns() {
    give_up_together();
    MessageWriter message;
    message.add(own_.rows);
    for (std::size_t j = 0; j < modes_.size(); ++j) {
      add_column(j, message);
    }
    const std::vector<std::string> all = team_.exchange(message.take());
    own_.columns = std::vector<ColumnCells>(modes_.size());
    std::vector<std::vector<std::uint32_t>> numbers(modes_.size());
    std::vector<std::uint32_t> others;
    std::size_t rows_before = 0;
    for (std::size_t m = 0; m < all.size(); ++m) {
      MessageReader reader(all[m]);
      const auto rows = reader.next<std::size_t>();
      for (std::size_t j = 0; j < modes_.size(); ++j) {
        join_column(reader, rows_before > 0, own_.columns[j],
                    m == team_.index() ? numbers[j] : others);
      }
      rows_before += rows;
    }
    if (keeps_rows_ && team_.index() > 0) {  // the first texts have their numbers already
      parallel_tasks(own_.blocks.size(),
                     [&](std::size_t b, std::size_t) { own_.blocks[b].renumber(numbers); });
    }
  }

  /// A column that looks like one of identifiers to one member is one.
  void give_up_together() {
    std::vector<std::uint8_t> own;
    for (const ColumnCells& cells : own_.columns) {
      own.push_back(cells.texts.gave_up() ? 1 : 0);
    }
    for (const std::vector<std::uint8_t>& gave_up : team_.exchange_list(own)) {
      for (std::size_t j = 0; j < gave_up.size(); ++j) {
        if (gave_up[j] != 0) {
          own_.columns[j].texts.give_up();
        }
      }
    }
  }

  void add_column(std::size_t column, MessageWriter& message) const {
    const ColumnCells& cells = own_.columns[column];
    message.add(cells.missing);
    message.add(cells.first_missing);
    message.add(cells.misfits);
    message.add(cells.first_misfit);
    message.add(cells.more_misfit_words);
    message.add(cells.misfit_words.size());
    for (const std::string& word : cells.misfit_words) {
      message.add_text(word);
    }
    message.add(cells.infinite);
    message.add(cells.first_infinite);
    message.add_text(cells.first_infinite_text);
    message.add(cells.texts.gave_up());
    message.add(cells.texts.size());
    for (std::size_t t = 0; t < cells.texts.size(); ++t) {
      message.add_text(cells.texts.text(t));
      message.add(cells.texts.count(t));
    }
    const std::vector<TextMark> marks =
        own_.marks.empty() || cells.texts.gave_up() ? std::vector<TextMark>() : own_.marks[column];
    message.add(marks.size());
    for (const TextMark& mark : marks) {
      message.add(mark);
    }
  }

  /// Adds what a member knows of its cells to what is known of those before. `numbers` becomes, for
  /// each of its texts, the number in the table.
  static void join_column(MessageReader& reader, bool has_rows_before, ColumnCells& all,
                          std::vector<std::uint32_t>& numbers) {
    ColumnCells below;
    below.missing = reader.next<std::uint64_t>();
    below.first_missing = reader.next<TableLine>();
    below.misfits = reader.next<std::uint64_t>();
    below.first_misfit = reader.next<TableLine>();
    below.more_misfit_words = reader.next<bool>();
    below.misfit_words.resize(reader.next<std::size_t>());
    for (std::string& word : below.misfit_words) {
      word = reader.next_text();
    }
    below.infinite = reader.next<std::uint64_t>();
    below.first_infinite = reader.next<TableLine>();
    below.first_infinite_text = reader.next_text();
    all.add_below(below);
    if (reader.next<bool>()) {
      all.texts.give_up();
    }
    struct Text {
      std::string_view text;
      std::uint64_t count = 0;
    };
    std::vector<Text> texts(reader.next<std::size_t>());
    for (Text& text : texts) {
      text.text = reader.next_text();
      text.count = reader.next<std::uint64_t>();
    }
    const std::uint64_t cells_before = all.texts.total();
    numbers.clear();
    const auto add_until = [&](std::size_t count) {
      while (numbers.size() < count) {
        const Text& text = texts[numbers.size()];
        numbers.push_back(all.texts.add(text.text, text.count));
      }
    };
    const auto marks = reader.next<std::size_t>();
    for (std::size_t k = 0; k < marks; ++k) {
      const auto mark = reader.next<TextMark>();
      add_until(mark.texts);
      if (has_rows_before || !mark.is_first) {
        all.texts.give_up_on_identifiers(cells_before + mark.cells);
      }
    }
    add_until(texts.size());
  }

  std::span<const TableCut> cuts_;
  std::span<const ColumnMode> modes_;
  bool keeps_rows_;
  const ReadingTeam& team_;
  TableSegment own_;
  bool took_rows_before_ = false;
  std::size_t first_row_ = 0;
  std::size_t rows_ = 0;
  std::size_t line_shift_ = 0;
};

}  // namespace

TeamSegment read_in_team(std::span<const TableCut> cuts, std::span<const ColumnMode> modes,
                         bool keeps_rows, const ReadingTeam& team) {
  return TeamReader(cuts, modes, keeps_rows, team).read();
}

}  // namespace dnn
