#pragma once

// What a run writes of itself into its folder (run.json, summary.json), so that the same command is
// known again.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/data/table_schema.hpp"
#include "dnn/options/config.hpp"
#include "dnn/store/training_data.hpp"

namespace dnn {

/// Which files --data and --test-data name, as digests of their paths, sizes, times and inode
/// numbers; empty where there are none, or they cannot be looked at again.
struct DataFiles {
  std::string train;
  std::string test;

  [[nodiscard]] static DataFiles of(const Config& config);
};

/// By what a run knows its data again.
struct DataIdentity {
  std::string sha256 = {};  ///< data_fingerprint()
  TableSchema schema = {};  ///< empty for data that are no table
  std::size_t samples = 0;
  std::string test_sha256 = {};  ///< test_fingerprint()
  std::size_t test_samples = 0;
  DataFiles files = {};

  [[nodiscard]] static DataIdentity of(const TrainingData& data, DataFiles files);
};

/// All but the schema.
[[nodiscard]] nlohmann::ordered_json to_json(const DataIdentity& data);

/// What a run wrote of itself into this file, with its configuration; null where that cannot be
/// read.
[[nodiscard]] nlohmann::ordered_json read_record(const std::string& path);

/// The value `key` of a record's object `group`; null where there is none.
[[nodiscard]] nlohmann::ordered_json value_at(const nlohmann::ordered_json& record,
                                              const char* group, const char* key);

/// The same where it is text; empty where it is not.
[[nodiscard]] std::string text_at(const nlohmann::ordered_json& record, const char* group,
                                  const char* key);

/// The schema of the table that the run of this record was trained on; none where it was no table,
/// or the record is damaged.
[[nodiscard]] std::optional<TableSchema> recorded_table(const nlohmann::ordered_json& record);

/// The run folder that a path for --resume is of.
[[nodiscard]] std::string run_folder_of(const std::string& path);

/// What is known of how the training data of this record differ from these: ": 310 samples, were
/// 300", ": column 'a' has changed". Empty: nothing is.
[[nodiscard]] std::string data_difference(const nlohmann::ordered_json& record,
                                          const DataIdentity& data);
/// The same by the records of the run that this checkpoint is of.
[[nodiscard]] std::string data_difference(const std::string& checkpoint, const DataIdentity& data);

/// The options that say what the data are and are given otherwise than in this record, a line each
/// with both values.
[[nodiscard]] std::vector<std::string> other_data_options(const nlohmann::ordered_json& record,
                                                          const Config& config);

}  // namespace dnn
