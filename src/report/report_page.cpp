#include "dnn/report/report_page.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/core/atomic_file.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/program_name.hpp"
#include "dnn/report/run_record.hpp"

// The files of src/report/page, which the build embeds.
#define DNN_PAGE_FILE(name)          \
  extern const unsigned char name[]; \
  extern const std::size_t name##_size;
DNN_PAGE_FILE(report_page_html)
DNN_PAGE_FILE(report_style_css)
DNN_PAGE_FILE(report_dom_js)
DNN_PAGE_FILE(report_tables_js)
DNN_PAGE_FILE(report_frame_js)
DNN_PAGE_FILE(report_line_plot_js)
DNN_PAGE_FILE(report_bars_js)
DNN_PAGE_FILE(report_confusion_js)
DNN_PAGE_FILE(report_predictions_js)
DNN_PAGE_FILE(report_folds_js)
DNN_PAGE_FILE(report_page_js)
DNN_PAGE_FILE(report_live_js)
#undef DNN_PAGE_FILE

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

std::string_view embedded_text(const unsigned char* file, std::size_t size) {
  return {reinterpret_cast<const char*>(file), size};
}
#define DNN_TEXT(name) embedded_text(name, name##_size)

std::string filled_page(std::vector<Json> runs, bool is_live) {
  Json document = {{"program", program_name}};
  document["runs"] = std::move(runs);
  const std::string data = report_json(document);
  std::string script;
  for (const std::string_view part :
       {DNN_TEXT(report_dom_js), DNN_TEXT(report_tables_js), DNN_TEXT(report_frame_js),
        DNN_TEXT(report_line_plot_js), DNN_TEXT(report_bars_js), DNN_TEXT(report_confusion_js),
        DNN_TEXT(report_predictions_js), DNN_TEXT(report_folds_js), DNN_TEXT(report_page_js)}) {
    script += part;
  }
  if (is_live) {
    script += DNN_TEXT(report_live_js);
  }
  // From left to right, so that what is filled in is not searched for marks.
  std::string page;
  std::string_view rest = DNN_TEXT(report_page_html);
  const std::array<std::pair<std::string_view, std::string_view>, 4> marks = {
      {{"@POLICY@", is_live ? "; connect-src 'self'" : ""},
       {"@STYLE@", DNN_TEXT(report_style_css)},
       {"@DATA@", data},
       {"@SCRIPT@", script}}};
  for (const auto& [mark, text] : marks) {
    const std::size_t place = rest.find(mark);
    page.append(rest.substr(0, place)).append(text);
    rest.remove_prefix(place + mark.size());
  }
  return page.append(rest);
}
#undef DNN_TEXT

}  // namespace

std::string report_json(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    switch (c) {
      case '<':
        text += "\\u003c";
        break;
      case '>':
        text += "\\u003e";
        break;
      case '&':
        text += "\\u0026";
        break;
      default:
        text += c;
    }
  }
  return text;
}

std::string report_page(std::vector<Json> runs) {
  return filled_page(std::move(runs), false);
}

std::string live_report_page(std::vector<Json> runs) {
  return filled_page(std::move(runs), true);
}

std::string write_report(const std::vector<std::string>& folders, const std::string& output) {
  if (output.empty() && folders.size() != 1) {
    throw InputError("a report of several runs needs a file: name it with --output FILE");
  }
  std::vector<Json> runs;
  for (const std::string& folder : folders) {
    runs.push_back(run_record(folder));
  }
  std::string path = output.empty() ? RunFolder(folders.front()).report() : output;
  write_file_atomically(path, report_page(std::move(runs)));
  return path;
}

}  // namespace dnn
