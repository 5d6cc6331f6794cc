#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace dnn {

/// The report of runs as one HTML file that needs nothing else: what a browser shows and the script
/// that draws it (src/report/page), and the runs' records (see run_record) as JSON inside it. Text
/// from a run cannot end that JSON or become HTML. Several runs are compared with each other.
[[nodiscard]] std::string report_page(std::vector<nlohmann::ordered_json> runs);

/// The same page, served by dnn_watch: it asks /runs and /run for what is new.
[[nodiscard]] std::string live_report_page(std::vector<nlohmann::ordered_json> runs);

/// JSON of ASCII alone, without <, > and &; bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string report_json(const nlohmann::ordered_json& json);

/// Writes the report of the runs in `folders` into `output`, or, where that is empty, of one run
/// into its own folder. Returns where. Throws FileError or InputError.
std::string write_report(const std::vector<std::string>& folders, const std::string& output);

}  // namespace dnn
