#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dnn/core/appended_file.hpp"
#include "dnn/core/stopwatch.hpp"
#include "dnn/model/evaluation.hpp"
#include "dnn/report/hyperparameter.hpp"
#include "dnn/report/progress_sink.hpp"

namespace dnn {

/// How often numbers fall into each of equally wide parts of their range.
struct Histogram {
  double least = 0;
  double largest = 0;
  double count = 0;  ///< of finite numbers; others are left out
  double sum = 0;
  double sum_of_squares = 0;
  std::vector<double> limits;  ///< the upper end of each part
  std::vector<double> counts;

  /// Of the numbers, in at most 64 parts. Instantiated for float and double.
  template <class T>
  [[nodiscard]] static Histogram of(std::span<const T> numbers);
};

/// Of a tensor by its name, "W1".
struct NamedHistogram {
  std::string name;
  Histogram histogram;
};

/// What an event file tells of its run as a whole.
struct EventHeader {
  std::string configuration;                    ///< TOML, which TensorBoard shows as text
  std::vector<HyperParameter> hyperparameters;  ///< for TensorBoard's HPARAMS
};

/// Events for TensorBoard: a file of records (length, its CRC, data, its CRC), each an Event in
/// Protocol Buffers' format (tensorflow/core/util/event.proto and framework/summary.proto). The
/// steps of all events are updates of the run.
///
/// Note [A session for each start]
/// TensorBoard takes the first hyperparameters that it finds in a file, and a run that resumes may
/// have others (more epochs). So those have a step that is after all updates: cut_event_files
/// removes them with all else that is after the update where a run resumes, and the start that
/// follows writes its own. So it is with the mark that the run has ended.
class EventFile : public ProgressSink {
 public:
  /// Continues the event file in `folder`, or begins one. The folder is made. Throws FileError.
  EventFile(const std::string& folder, EventHeader header);

  [[nodiscard]] std::string name() const override { return "TensorBoard events"; }
  void add(const StepRecord& record) override;
  void add(const EpochMetrics& epoch, std::uint64_t update) override;
  /// Of a tensor after `update`.
  void add(const NamedHistogram& tensor, std::uint64_t update);
  /// The run is finished after `update`: the figures of its best model, as `best/...`.
  void conclude(const Evaluation& best, std::uint64_t update);
  void flush() override;
  void went_back() override;

 private:
  void add_session_start();

  EventHeader header_;
  AppendedFile file_;
  Stopwatch since_flush_;
};

/// Removes from the event files of `folder` what is after `update`, and what a write of them that
/// was killed has left. Throws FileError.
void cut_event_files(const std::string& folder, std::uint64_t update);

/// Removes the event files of `folder`, what a write of them has left, and the folder where nothing
/// else is in it.
void remove_event_files(const std::string& folder);

/// A record as event files have it.
[[nodiscard]] std::string framed_record(std::string_view data);

/// The data of the whole and undamaged records that `bytes` begin with.
[[nodiscard]] std::vector<std::string_view> records_in(std::string_view bytes);

}  // namespace dnn
