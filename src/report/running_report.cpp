#include "dnn/report/running_report.hpp"

#include <utility>

#include "dnn/report/report_page.hpp"

namespace dnn {

RunningReport::RunningReport(std::string folder, double interval)
    : folder_(std::move(folder)), interval_(interval) {}

void RunningReport::update() {
  if (since_last_.seconds() >= interval_) {
    since_last_.lap();
    write_report({folder_}, "");
  }
}

}  // namespace dnn
