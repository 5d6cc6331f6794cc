#include "dnn/readers/libsvm_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "dnn/core/available_memory.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/label_lists.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/data/number.hpp"
#include "dnn/data/target_rows.hpp"
#include "dnn/readers/libsvm_detection.hpp"
#include "dnn/readers/libsvm_lines.hpp"
#include "dnn/readers/libsvm_rows.hpp"
#include "dnn/tables/cell.hpp"
#include "dnn/tables/table_memory.hpp"

namespace dnn {

namespace {

constexpr const char* one_label_each =
    "write one label on each line, or learn several with --task labels";

/// How the reading of lines ended.
enum class Ending : std::uint8_t {
  complete,
  needs_double,  ///< double would hold a value that float changes
  error
};

/// What the first line of a data set is.
struct FirstLine {
  bool is_there = false;
  bool is_labelled = false;
};

/// Values have one each.
std::size_t count_colons(const std::vector<LibsvmPiece>& pieces) {
  std::size_t colons = 0;
  for (const LibsvmPiece& piece : pieces) {
    for (std::size_t begin = 0; begin < piece.lines.size(); begin += LibsvmPiece::forgotten) {
      const std::string_view some = piece.lines.substr(begin, LibsvmPiece::forgotten);
      colons += static_cast<std::size_t>(std::count(some.begin(), some.end(), ':'));
      piece.forget(some);
    }
  }
  return colons;
}

/// Reads the lines of a data set, or those of a member of a team.
template <class T>
class LibsvmParser {
 public:
  /// `most_values`: as many as the pieces have, or more.
  LibsvmParser(std::vector<LibsvmPiece> pieces, std::size_t most_values, FirstLine first,
               const std::string& origin, const ReadOptions& options)
      : options_(options),
        origin_(origin),
        first_(first),
        lines_(std::move(pieces)),
        rows_(lines_, most_values, options.memory) {}
  LibsvmParser(const LibsvmParser&) = delete;
  LibsvmParser& operator=(const LibsvmParser&) = delete;

  [[nodiscard]] LibsvmLines& lines() { return lines_; }

  /// Reads all lines, up to one with a value that needs double.
  Ending read() {
    while (lines_.next()) {
      add_line(lines_.line());
      if (rows_.needs_double()) {
        return Ending::needs_double;
      }
    }
    return Ending::complete;
  }

  /// Collective over the team.
  Dataset finish() {
    Dataset data;
    data.origin = origin_;
    data.task = options_.task == Task::automatic ? Task::classes : options_.task;
    own_names_ = label_names_.in_order();
    label_names_.join(options_.team);
    const bool has_labels = data.task == Task::labels ? !label_names_.empty() : first_.is_labelled;
    if (!has_labels && first_.is_there && !options_.features) {
      throw InputError(origin_ + ": no line begins with a label; training needs one on each line");
    }
    rows_.finish(data, options_);
    if (data.task == Task::numbers) {
      finish_numbers(data);
    } else if (has_target_rows(data.task)) {
      finish_label_lists(data);
    } else if (first_.is_labelled) {
      labels_.join(options_.team);
      labels_.finish(data);
    }
    add_query_note(data);
    return data;
  }

 private:
  /// The label of a line for a task with target rows: a number, or labels with commas between.
  void add_target(std::string_view first) {
    if (options_.task == Task::numbers) {
      const std::optional<double> number = parse_number<double>(first);
      if (!number || !std::isfinite(*number)) {
        lines_.fail(fmt::format("{} is not a finite number, which --task numbers asks for",
                                in_quotes(first)));
      }
      numbers_.push_back(*number);
      return;
    }
    for (const std::string& word : split_words(first)) {
      sample_labels_.emplace_back(rows_count_, label_names_.number_of(word));
    }
  }

  void finish_numbers(Dataset& data) {
    if (!first_.is_labelled) {
      return;
    }
    const ReadingTeam::Places places = options_.team.places_of(numbers_.size());
    std::vector<double> all(places.total);
    std::copy(numbers_.begin(), numbers_.end(),
              all.begin() + static_cast<std::ptrdiff_t>(places.own.begin));
    options_.team.complete(std::as_writable_bytes(std::span(all)), places, sizeof(double));
    data.class_names = unnamed_targets(1);
    set_targets(data, std::move(all));
  }

  void finish_label_lists(Dataset& data) {
    if (label_names_.empty()) {
      return;
    }
    const auto [names, place] = label_names_.sorted();
    const ReadingTeam::Places samples = options_.team.places_of(rows_count_);
    std::vector<double> rows(data.samples * names.size(), 0.0);
    for (const auto& [sample, label] : sample_labels_) {
      const std::size_t column = place[label_names_.number_of(own_names_[label])];
      rows[(samples.own.begin + sample) * names.size() + column] = 1;
    }
    options_.team.complete(std::as_writable_bytes(std::span(rows)), samples,
                           names.size() * sizeof(double));
    data.class_names = names;
    set_targets(data, std::move(rows));
  }

  /// The table's first line with a query, of which only the member knows that has read it.
  void add_query_note(Dataset& data) const {
    const auto& line = rows_.query_line();
    for (const std::string& place :
         options_.team.exchange(line ? lines_.text_of(*line) : std::string())) {
      if (!place.empty()) {
        data.notes.push_back(
            fmt::format("{} is the first one with qid:N, which is ignored", place));
        return;
      }
    }
  }

  void add_line(std::string_view line) {
    std::string_view rest = line;
    const std::string_view first = take_word(rest);
    const bool labelled = first.find(':') == std::string_view::npos;
    if (has_target_rows(options_.task)) {
      if (!labelled && options_.task == Task::numbers && first_.is_labelled) {
        lines_.fail("the line has no number to learn, but those before it do");
      }
      if (labelled && options_.task == Task::numbers && !first_.is_labelled) {
        lines_.fail("the line has a number to learn, and those before it have none");
      }
      if (options_.task == Task::distribution) {
        lines_.fail("--task distribution needs a table or arrays, not a LIBSVM file");
      }
      if (labelled) {
        add_target(first);
      }
    } else {
      add_class(first, labelled);
    }
    rows_.add(labelled ? rest : line);
    ++rows_count_;
  }

  void add_class(std::string_view first, bool labelled) {
    if (labelled != first_.is_labelled) {
      lines_.fail(fmt::format("the line {}; {}, or none on any line to predict",
                              labelled ? "has a label, and those before it have none"
                                       : "starts with " + in_quotes(first) +
                                             " and has no label, but those before it do",
                              one_label_each));
    }
    if (labelled && first.find(',') != std::string_view::npos) {
      lines_.fail(fmt::format("{} names several labels; {}", in_quotes(first), one_label_each));
    }
    if (labelled) {
      labels_.add(first);
    }
  }

  const ReadOptions& options_;
  const std::string& origin_;
  FirstLine first_;
  LibsvmLines lines_;
  LibsvmRows<T> rows_;
  std::size_t rows_count_ = 0;
  LabelTable labels_;
  std::vector<double> numbers_;                                     ///< task numbers: of each line
  LabelNames label_names_;                                          ///< task labels
  std::vector<std::string> own_names_;                              ///< those of this member
  std::vector<std::pair<std::size_t, std::size_t>> sample_labels_;  ///< so too: sample, label
};

/// Reads the lines of a data set with values of type T; see Note [LIBSVM text read by a team].
///
/// Note [LIBSVM text read by a team]
/// No line begins within another, so each member knows where its lines begin. What the line above
/// decides, the data set's first line does: all look at that. Lines get their numbers by a sum over
/// the members before; a member that finds an error reads its lines again, with their numbers, if
/// no member before has found one.
class LibsvmReader {
 public:
  LibsvmReader(std::span<const TableText> texts, const std::string& origin,
               const ReadOptions& options)
      : texts_(texts), origin_(origin), options_(options) {
    LibsvmLines lines(texts);
    if (!lines.next()) {
      return;
    }
    if (counts_samples(lines.line())) {
      lines.fail(
          fmt::format("the line counts samples, features and labels; {}, and remove this line",
                      one_label_each));
    }
    std::string_view rest = lines.line();
    first_ = {true, take_word(rest).find(':') == std::string_view::npos};
  }

  /// Nothing: the values need double.
  template <class T>
  std::optional<Dataset> read() {
    const ReadingTeam& team = options_.team;
    const std::size_t values = count_colons(own_pieces());
    ReadOptions options = options_;
    options.memory = memory_for(values, sizeof(T) + sizeof(std::uint32_t));
    std::optional<LibsvmParser<T>> parser;
    parser.emplace(own_pieces(), values, first_, origin_, options);
    Ending own = Ending::complete;
    try {
      own = parser->read();
    } catch (const InputError&) {
      if (team.is_alone()) {
        throw;
      }
      own = Ending::error;
    }
    const std::vector<Ending> endings = team.exchange_value(own);
    const std::size_t lines_before = count_lines_before(parser->lines());
    const auto first = std::find_if(endings.begin(), endings.end(),
                                    [](Ending ending) { return ending != Ending::complete; });
    if (first == endings.end()) {
      if (!parser->lines().pieces().empty()) {
        parser->lines().set_lines_before(lines_before);
      }
      Dataset data = parser->finish();
      data.in_spare_memory = options.memory.is_on_disk() && options.memory == options.spare_memory;
      if (data.in_spare_memory) {
        data.notes.push_back(note_of_spare_memory(origin_));
      }
      return data;
    }
    if (*first == Ending::needs_double) {
      return std::nullopt;
    }
    team.agree([&] {
      if (first - endings.begin() == static_cast<std::ptrdiff_t>(team.index())) {
        parser.emplace(own_pieces(), values, first_, origin_, options);
        parser->lines().set_lines_before(lines_before);
        parser->read();
      }
    });
    throw std::logic_error("read_libsvm: an error that does not come again");
  }

 private:
  /// Collective: where the values of all members are stored.
  [[nodiscard]] ScratchMemory memory_for(std::size_t values, std::size_t value_bytes) const {
    if (options_.memory.is_on_disk()) {
      return options_.memory;
    }
    const std::size_t available = options_.available ? *options_.available : available_memory();
    const bool fits = values * value_bytes <= available;
    if (options_.spare_memory.is_on_disk()) {
      const std::vector<std::uint8_t> all =
          options_.team.exchange_value<std::uint8_t>(fits ? 1 : 0);
      return std::find(all.begin(), all.end(), 0) == all.end() ? options_.memory
                                                               : options_.spare_memory;
    }
    options_.team.agree([&] {
      if (!fits) {
        const bool predicts = options_.piece_bytes != ReadOptions().piece_bytes;
        throw InputError(
            fmt::format("{}: {} values need {} of memory, and this job may use {} more; {}",
                        origin_, values, size_text(values * value_bytes), size_text(available),
                        predicts ? "split the file, or score it where there is more memory"
                                 : "use --placement disk --scratch DIR, or more nodes"));
      }
    });
    return options_.memory;
  }

  [[nodiscard]] std::vector<LibsvmPiece> own_pieces() const {
    return pieces_of_part(texts_, options_.team.size(), options_.team.index());
  }

  /// Collective: the lines of the text that this member's first piece is of which members before
  /// have.
  [[nodiscard]] std::size_t count_lines_before(const LibsvmLines& lines) const {
    struct Count {
      std::size_t text;
      std::size_t lines;
    };
    std::vector<Count> own;
    for (std::size_t k = 0; k < lines.counts().size(); ++k) {
      own.push_back({lines.pieces()[k].text, lines.counts()[k]});
    }
    const std::vector<std::vector<Count>> all = options_.team.exchange_list(own);
    std::size_t before = 0;
    for (std::size_t m = 0; m < options_.team.index() && !lines.pieces().empty(); ++m) {
      for (const Count& count : all[m]) {
        before += count.text == lines.pieces().front().text ? count.lines : 0;
      }
    }
    return before;
  }

  std::span<const TableText> texts_;
  const std::string& origin_;
  const ReadOptions& options_;
  FirstLine first_;
};

}  // namespace

Dataset read_libsvm(std::span<const TableText> texts, const std::string& origin,
                    const ReadOptions& options) {
  LibsvmReader reader(texts, origin, options);
  std::optional<Dataset> data;
  std::string note;
  if (!options.wide) {
    data = reader.read<float>();
    note = origin + ": values are stored as double, since float changes some of 2^24 or more";
  }
  if (!data) {
    data = reader.read<double>();
    if (!note.empty()) {
      data->notes.push_back(note);
    }
  }
  return *std::move(data);
}

Dataset read_libsvm(std::span<const std::byte> contents, const std::string& origin,
                    const ReadOptions& options) {
  const TableText text{contents, origin};
  return read_libsvm(std::span(&text, 1), origin, options);
}

}  // namespace dnn
