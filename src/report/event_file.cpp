#include "dnn/report/event_file.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <utility>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/crc32c.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/printable.hpp"
#include "dnn/core/protobuf_message.hpp"
#include "dnn/core/text_file.hpp"
#include "dnn/report/session_info.hpp"

namespace dnn {

namespace fs = std::filesystem;

namespace {

// Fields of Event and of what it holds.
constexpr int event_wall_time = 1;
constexpr int event_step = 2;
constexpr int event_file_version = 3;
constexpr int event_summary = 5;
constexpr int summary_value = 1;
constexpr int value_tag = 1;
constexpr int value_number = 2;
constexpr int value_histogram = 5;
constexpr int value_tensor = 8;
constexpr int value_metadata = 9;

/// The beginning of this program's event files. TensorBoard takes every file with "tfevents" in
/// its name.
constexpr std::string_view event_prefix = "events.out.tfevents.";
constexpr std::string_view event_suffix = ".dnn_train";

/// See Note [A session for each start].
constexpr std::uint64_t after_all_updates = std::uint64_t{1} << 62;

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The files in a folder whose names begin as those of event files, sorted: event files, and what
/// writes of them have left.
std::vector<std::string> files_of_events(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(event_prefix)) {
      found.push_back(entry->path().string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// This program's event files in a folder, the oldest first.
std::vector<std::string> event_files(const std::string& folder) {
  std::vector<std::string> found = files_of_events(folder);
  std::erase_if(found, [](const std::string& path) { return !path.ends_with(event_suffix); });
  return found;
}

/// Removes what a write of an event file that was killed has left. TensorBoard would show it.
void remove_leftovers(const std::string& folder) {
  const std::string mark = std::string(event_suffix) + ".tmp.";
  std::error_code error;
  for (const std::string& path : files_of_events(folder)) {
    if (path.find(mark, folder.size()) != std::string::npos) {
      fs::remove(path, error);
    }
  }
}

std::string new_event_file(const std::string& folder) {
  return folder + '/' + std::string(event_prefix) +
         std::to_string(static_cast<std::int64_t>(wall_time())) + std::string(event_suffix);
}

/// The newest event file of a folder that is made where there is none.
std::string event_file_in(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw FileError("create the folder", folder, error.value());
  }
  const std::vector<std::string> found = event_files(folder);
  return found.empty() ? new_event_file(folder) : found.back();
}

ProtobufMessage event_at(std::uint64_t step) {
  ProtobufMessage event;
  event.add(event_wall_time, wall_time()).add(event_step, static_cast<std::int64_t>(step));
  return event;
}

/// The numbers that are known, as scalars of one event.
std::string scalars(std::uint64_t step,
                    const std::vector<std::pair<std::string, double>>& numbers) {
  ProtobufMessage summary;
  for (const auto& [tag, number] : numbers) {
    if (!std::isnan(number)) {
      ProtobufMessage value;
      value.add(value_tag, printable(tag)).add(value_number, static_cast<float>(number));
      summary.add(summary_value, value);
    }
  }
  return framed_record(event_at(step).add(event_summary, summary).bytes());
}

/// The numbers of an evaluation, by names that begin with `prefix`.
void put_evaluation(const std::string& prefix, const Evaluation& evaluation,
                    std::vector<std::pair<std::string, double>>& numbers) {
  numbers.emplace_back(prefix + "loss", evaluation.loss);
  if (evaluation.accuracy >= 0) {
    numbers.emplace_back(prefix + "accuracy", evaluation.accuracy);
  }
  for (const Figure& figure : evaluation.figures) {
    numbers.emplace_back(prefix + figure.name, figure.value);
  }
}

/// A text as TensorBoard's text plugin shows it: Markdown, in which lines that are indented stand
/// as they are.
std::string text_event(const std::string& tag, const std::string& text) {
  constexpr int string_type = 7;  // DT_STRING
  std::string markdown;
  std::size_t begin = 0;
  for (std::size_t end; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    markdown += "    " + printable(text.substr(begin, end - begin)) + '\n';
  }
  ProtobufMessage dimension;
  dimension.add(1, 1);
  ProtobufMessage shape;
  shape.add(2, dimension);
  ProtobufMessage tensor;
  tensor.add(1, string_type).add(2, shape).add(8, markdown);
  ProtobufMessage plugin;
  plugin.add(1, "text");
  ProtobufMessage metadata;
  metadata.add(1, plugin);
  ProtobufMessage value;
  value.add(value_tag, tag).add(value_tensor, tensor).add(value_metadata, metadata);
  ProtobufMessage summary;
  summary.add(summary_value, value);
  return framed_record(event_at(0).add(event_summary, summary).bytes());
}

std::string session_event(const ProtobufMessage& value) {
  ProtobufMessage summary;
  summary.add(summary_value, value);
  return framed_record(event_at(after_all_updates).add(event_summary, summary).bytes());
}

std::string little_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text += static_cast<char>(number >> (8 * i));
  }
  return text;
}

std::uint64_t number_at(std::string_view bytes, std::size_t begin, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[begin + i])} << (8 * i);
  }
  return number;
}

/// The CRC of a record: that of CRCs that are data themselves must not be 0.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

/// The step of an event that this program has written: its second field. 0 where there is none.
std::uint64_t step_of(std::string_view event) {
  constexpr std::size_t place = 9;  // after the wall time
  if (event.size() <= place || event[place] != event_step * 8) {
    return 0;
  }
  std::uint64_t step = 0;
  int shift = 0;
  for (std::size_t i = place + 1; i < event.size() && shift < 64; ++i, shift += 7) {
    step |= std::uint64_t{static_cast<unsigned char>(event[i]) & 0x7fU} << shift;
    if ((static_cast<unsigned char>(event[i]) & 0x80U) == 0) {
      break;
    }
  }
  return step;
}

}  // namespace

template <class T>
Histogram Histogram::of(std::span<const T> numbers) {
  Histogram made;
  bool is_first = true;
  for (const T number : numbers) {
    if (std::isfinite(number)) {
      const double value = number;
      made.least = is_first ? value : std::min(made.least, value);
      made.largest = is_first ? value : std::max(made.largest, value);
      is_first = false;
      made.count += 1;
      made.sum += value;
      made.sum_of_squares += value * value;
    }
  }
  const std::size_t parts = made.largest > made.least ? 64 : 1;
  const double width = (made.largest - made.least) / static_cast<double>(parts);
  for (std::size_t i = 1; i <= parts; ++i) {
    made.limits.push_back(i == parts ? made.largest : made.least + static_cast<double>(i) * width);
  }
  made.counts.assign(parts, 0);
  for (const T number : numbers) {
    if (std::isfinite(number)) {
      const double place = width > 0 ? (static_cast<double>(number) - made.least) / width : 0;
      made.counts[std::min(static_cast<std::size_t>(std::max(place, 0.0)), parts - 1)] += 1;
    }
  }
  return made;
}

template Histogram Histogram::of(std::span<const float>);
template Histogram Histogram::of(std::span<const double>);

EventFile::EventFile(const std::string& folder, EventHeader header)
    : header_(std::move(header)), file_(event_file_in(folder)) {
  std::error_code error;
  if (!fs::exists(file_.path(), error)) {
    ProtobufMessage version;
    version.add(event_wall_time, wall_time()).add(event_file_version, "brain.Event:2");
    file_.add(framed_record(version.bytes()));
    file_.add(text_event("configuration", header_.configuration));
  }
  add_session_start();
  file_.flush();
}

void EventFile::add_session_start() {
  file_.add(session_event(session_start(header_.hyperparameters, wall_time())));
}

void EventFile::went_back() {
  file_.begin_again();
  add_session_start();
}

void EventFile::add(const StepRecord& record) {
  constexpr double flush_interval = 1;  // seconds
  std::vector<std::pair<std::string, double>> numbers = {
      {"update/loss", record.loss},
      {"update/gradient_norm", record.gradient_norm},
      {"update/learning_rate", record.learning_rate},
      {"update/samples_per_second", record.samples_per_second}};
  for (const auto& [phase, seconds] : record.seconds) {
    numbers.emplace_back("seconds/" + phase, seconds);
  }
  file_.add(scalars(record.update, numbers));
  if (since_flush_.seconds() >= flush_interval) {
    flush();
  }
}

void EventFile::add(const EpochMetrics& epoch, std::uint64_t update) {
  std::vector<std::pair<std::string, double>> numbers = {
      {"epoch/train_loss", epoch.train.loss},
      {"epoch/learning_rate", epoch.learning_rate},
      {"epoch/samples_per_second", epoch.samples_per_second}};
  if (epoch.train.accuracy >= 0) {
    numbers.emplace_back("epoch/train_accuracy", epoch.train.accuracy);
  }
  if (epoch.validation) {
    put_evaluation("epoch/validation_", *epoch.validation, numbers);
  }
  file_.add(scalars(update, numbers));
  flush();
}

void EventFile::conclude(const Evaluation& best, std::uint64_t update) {
  std::vector<std::pair<std::string, double>> numbers;
  put_evaluation("best/", best, numbers);
  file_.add(scalars(update, numbers));
  file_.add(session_event(session_end(wall_time())));
  flush();
}

void EventFile::add(const NamedHistogram& tensor, std::uint64_t update) {
  const Histogram& histogram = tensor.histogram;
  ProtobufMessage message;
  message.add(1, histogram.least).add(2, histogram.largest).add(3, histogram.count);
  message.add(4, histogram.sum).add(5, histogram.sum_of_squares);
  message.add(6, std::span<const double>(histogram.limits));
  message.add(7, std::span<const double>(histogram.counts));
  ProtobufMessage value;
  value.add(value_tag, tensor.name).add(value_histogram, message);
  ProtobufMessage summary;
  summary.add(summary_value, value);
  file_.add(framed_record(event_at(update).add(event_summary, summary).bytes()));
}

void EventFile::flush() {
  since_flush_.lap();
  file_.flush();
}

void cut_event_files(const std::string& folder, std::uint64_t update) {
  remove_leftovers(folder);
  for (const std::string& path : event_files(folder)) {
    const std::string bytes = contents_of(path).value_or("");
    std::string kept;
    for (const std::string_view record : records_in(bytes)) {
      if (step_of(record) <= update) {
        kept += framed_record(record);
      }
    }
    if (kept.size() != bytes.size()) {
      write_file_atomically(path, kept);
    }
  }
}

void remove_event_files(const std::string& folder) {
  remove_leftovers(folder);
  std::error_code error;
  for (const std::string& path : event_files(folder)) {
    fs::remove(path, error);
  }
  if (fs::is_directory(fs::symlink_status(folder, error))) {
    fs::remove(folder, error);  // leaves a folder that is not empty
  }
}

std::string framed_record(std::string_view data) {
  const std::string length = little_endian(data.size(), 8);
  return length + little_endian(masked_crc(length), 4) + std::string(data) +
         little_endian(masked_crc(data), 4);
}

std::vector<std::string_view> records_in(std::string_view bytes) {
  constexpr std::size_t head = 12;
  constexpr std::size_t tail = 4;
  std::vector<std::string_view> records;
  while (bytes.size() >= head) {
    const std::uint64_t length = number_at(bytes, 0, 8);
    if (number_at(bytes, 8, 4) != masked_crc(bytes.substr(0, 8)) || bytes.size() - head < tail ||
        length > bytes.size() - head - tail) {
      break;
    }
    const std::string_view data = bytes.substr(head, length);
    if (number_at(bytes, head + length, 4) != masked_crc(data)) {
      break;
    }
    records.push_back(data);
    bytes.remove_prefix(head + length + tail);
  }
  return records;
}

}  // namespace dnn
