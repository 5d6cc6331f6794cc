#include "dnn/report/line_sample.hpp"

#include <algorithm>
#include <string_view>

#include "dnn/core/text_file.hpp"

namespace dnn {

LineSample LineSample::of(const std::string& path, std::size_t most,
                          std::optional<std::size_t> also) {
  LineSample sample;
  sample.count = for_each_line(path, [](std::string_view) {});
  const std::size_t stride = std::max<std::size_t>((sample.count + most - 1) / most, 1);
  std::size_t number = 0;
  for_each_line(path, [&](std::string_view line) {
    ++number;
    const bool is_kept = (number - 1) % stride == 0 || number == sample.count || number == also;
    if (is_kept && number <= sample.count) {  // the run may have written more meanwhile
      sample.lines.push_back({number, std::string(line)});
    }
  });
  return sample;
}

}  // namespace dnn
