#include "dnn/report/step_log.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/text_file.hpp"

namespace dnn {

namespace {

/// Whether a line of the log is whole, and of update `update` or an earlier one.
bool is_at_most(std::string_view line, std::uint64_t update) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  const auto number = json.is_object() ? json.find("update") : json.end();
  return number != json.end() && number->is_number_unsigned() &&
         number->get<std::uint64_t>() <= update;
}

}  // namespace

void StepLog::add(const StepRecord& record) {
  constexpr double flush_interval = 1;  // seconds
  file_.add(record.to_json().dump() + '\n');
  if (since_flush_.seconds() >= flush_interval) {
    flush();
  }
}

void StepLog::add(const EpochMetrics& /*epoch*/, std::uint64_t /*update*/) {
  flush();
}

void StepLog::flush() {
  since_flush_.lap();
  file_.flush();
}

void cut_step_log(const std::string& path, std::uint64_t update) {
  std::size_t kept = 0;  // bytes
  bool is_kept = true;
  for_each_line(path, [&](std::string_view line) {
    is_kept = is_kept && is_at_most(line, update);
    kept += is_kept ? line.size() + 1 : 0;
  });
  std::error_code is_not_there;
  const std::uintmax_t size = std::filesystem::file_size(path, is_not_there);
  if (is_not_there || size == kept) {
    return;
  }
  std::string text = contents_of(path).value_or("");
  text.resize(kept);
  write_file_atomically(path, text);
}

}  // namespace dnn
