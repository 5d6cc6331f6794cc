#include "dnn/run/finished_run.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/report/reporter.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

/// Whether files that are there now are others than those of before, as far as that is known.
bool are_others(const std::string& before, const std::string& now) {
  return !before.empty() && !now.empty() && before != now;
}

/// Whether a run of an earlier version, which kept no digest of its data, had a table like this
/// one.
bool has_like_table(const Json& record, const DataIdentity& data) {
  const std::optional<TableSchema> before = recorded_table(record);
  return before && first_difference(*before, data.schema).empty();
}

/// How the test data differ; empty: they do not, or nothing is known of those of before.
std::string test_difference(const Json& record, const DataIdentity& data) {
  const Json before = value_at(record, "data", "test_sha256");
  if (before.is_null() || before == data.test_sha256) {
    return {};
  }
  const Json count = value_at(record, "data", "test_samples");
  const std::uint64_t samples = count.is_number_unsigned() ? count.get<std::uint64_t>() : 0;
  return samples == data.test_samples
             ? "test data: other contents"
             : fmt::format("test data: {} samples, were {}", with_commas(data.test_samples),
                           with_commas(samples));
}

/// The options that a longer run must name, since they were chosen along with the epochs.
std::string chosen_with_epochs(const Json& record) {
  std::string text;
  const Json chosen = value_at(record, "configuration", "chosen");
  if (chosen.is_object() && chosen.contains("epochs")) {
    for (const char* option : {"lr-schedule", "early-stop", "average-weights"}) {
      const Json value = value_at(record, "configuration", option);
      text += fmt::format(" --{} {}", option,
                          value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return text.empty() ? text : ", with" + text;
}

}  // namespace

bool must_read_data(const RunFolder& folder, const Config& config, const DataFiles& files) {
  const Json record = read_record(folder.summary());
  return config.dry_run || !other_data_options(record, config).empty() ||
         are_others(text_at(record, "data", "files"), files.train) ||
         are_others(text_at(record, "data", "test_files"), files.test);
}

void check_finished_data(const RunFolder& folder, const Config& config, const DataIdentity& data) {
  const Json record = read_record(folder.summary());
  const std::vector<std::string> options = other_data_options(record, config);
  const std::string before = text_at(record, "data", "sha256");
  const bool is_same =
      before.empty() ? options.empty() || has_like_table(record, data) : before == data.sha256;
  const std::string test = test_difference(record, data);
  if (is_same && test.empty()) {
    return;
  }
  std::string text =
      fmt::format("the run in {} is finished, and was made with other data:", folder.path());
  for (const std::string& option : options) {
    text += "\n  " + option;
  }
  if (!is_same) {
    const std::string difference = data_difference(record, data);
    text += "\n  training data" + (!difference.empty() ? difference
                                   : before.empty()
                                       ? ": what they were is not recorded (by an earlier version)"
                                       : ": other contents");
  }
  if (!test.empty()) {
    text += "\n  " + test;
  }
  throw InputError(text +
                   "\nundo the change, name another folder with --output, or start again with "
                   "--overwrite; dnn_predict evaluates a model on other data");
}

std::string describe_finished(const RunFolder& folder) {
  const Json record = read_record(folder.summary());
  const std::string text = fmt::format("the run in {} is finished", folder.path());
  if (record.is_object() && record.value("stopped_early", Json()) == true) {
    return text +
           ": it ended when the held-out loss no longer got better, and more --epochs change "
           "nothing. To start again, add --overwrite";
  }
  const std::string schedule = text_at(record, "configuration", "lr-schedule");
  if (schedule == "cosine") {
    return text +
           ". Its cosine schedule ended with the last epoch, so it cannot be extended. To start "
           "again, with other --epochs or not, add --overwrite";
  }
  return text + ". To train further, give more --epochs" + chosen_with_epochs(record) +
         "; to start again, add --overwrite";
}

}  // namespace dnn
