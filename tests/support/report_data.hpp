#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace dnn::test {

/// The data inside a page of write_report().
inline nlohmann::ordered_json report_data(const std::string& page) {
  const std::string mark = "id=\"report-data\">";
  const std::size_t begin = page.find(mark) + mark.size();
  return nlohmann::ordered_json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

}  // namespace dnn::test
