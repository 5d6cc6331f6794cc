#include "dnn/run/recorded_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/core/sha256.hpp"
#include "dnn/data/table_schema_json.hpp"
#include "dnn/options/config_changes.hpp"
#include "dnn/options/option_table.hpp"
#include "dnn/readers/data_source.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/store/data_fingerprint.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 5> data_options_of_a_run = {
    "data", "test-data", "label-column", "weight-column", "csv-header"};

/// Of the files that `source` names; empty where they are gone, or a stream is among them.
std::string digest_of_files(const std::string& source) {
  try {
    const std::string text = source.empty() ? source : DataSource::identity_of(source);
    const bool names_files = text.find('\n') != std::string::npos;
    return names_files ? to_hex(sha256(std::as_bytes(std::span(text)))) : std::string();
  } catch (const InputError&) {
    return {};
  }
}

}  // namespace

DataFiles DataFiles::of(const Config& config) {
  return {digest_of_files(config.data), digest_of_files(config.test_data)};
}

DataIdentity DataIdentity::of(const TrainingData& data, DataFiles files) {
  return {.sha256 = data_fingerprint(data),
          .schema = data.train.schema,
          .samples = data.train.samples,
          .test_sha256 = test_fingerprint(data),
          .test_samples = data.test ? data.test->samples : 0,
          .files = std::move(files)};
}

Json to_json(const DataIdentity& data) {
  return {{"samples", data.samples},         {"sha256", data.sha256},
          {"files", data.files.train},       {"test_samples", data.test_samples},
          {"test_sha256", data.test_sha256}, {"test_files", data.files.test}};
}

Json read_record(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return {};  // a pipe would never end
  }
  std::ifstream file(path);
  Json record = Json::parse(file, nullptr, false);
  const bool is_record =
      record.is_object() && record.contains("configuration") && record["configuration"].is_object();
  return is_record ? record : Json();
}

Json value_at(const Json& record, const char* group, const char* key) {
  const bool has_group = record.is_object() && record.contains(group) && record[group].is_object();
  return has_group ? record[group].value(key, Json()) : Json();
}

std::string text_at(const Json& record, const char* group, const char* key) {
  const Json value = value_at(record, group, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<TableSchema> recorded_table(const Json& record) {
  if (!record.is_object() || !record.contains("table")) {
    return std::nullopt;
  }
  try {
    return schema_from_json(record["table"], "the record of the run");
  } catch (const InputError&) {
    return std::nullopt;  // a damaged record tells nothing
  }
}

std::string run_folder_of(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).lexically_normal();
  if (!folder.has_filename()) {
    folder = folder.parent_path();
  }
  if (!std::filesystem::is_directory(folder)) {
    folder = folder.has_parent_path() ? folder.parent_path() : ".";
  }
  if (std::filesystem::absolute(folder).filename() == "checkpoints") {
    folder = folder.has_parent_path() ? folder.parent_path() : "..";
  }
  return folder.string();
}

std::string data_difference(const Json& record, const DataIdentity& data) {
  const Json samples = value_at(record, "data", "samples");
  if (samples.is_number_unsigned() && samples != data.samples) {
    return fmt::format(": {} samples, were {}", with_commas(data.samples),
                       with_commas(samples.get<std::uint64_t>()));
  }
  const std::optional<TableSchema> before = recorded_table(record);
  if (!before) {
    return {};
  }
  const std::string column = first_difference(*before, data.schema);
  return column.empty() ? ": cells have changed"
                        : fmt::format(": column {} has changed", in_quotes(column));
}

std::string data_difference(const std::string& checkpoint, const DataIdentity& data) {
  const RunFolder folder(run_folder_of(checkpoint));
  const Json started = read_record(folder.started());
  return data_difference(started.is_null() ? read_record(folder.summary()) : started, data);
}

std::vector<std::string> other_data_options(const Json& record, const Config& config) {
  if (record.is_null()) {  // another job has removed it
    return {};
  }
  const Json now = to_json(config);
  const Json& before = record.at("configuration");
  std::vector<std::string> lines;
  for (const std::string_view option : data_options_of_a_run) {
    const std::string key(option);
    if (before.contains(key) && before[key] != now[key]) {
      lines.push_back(describe_change(key, before[key], now[key]));
    }
  }
  return lines;
}

}  // namespace dnn
