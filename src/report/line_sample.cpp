#include "dnn/report/line_sample.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "dnn/core/descriptor.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/output_file.hpp"

namespace dnn {

std::size_t for_each_line(const std::string& path,
                          const std::function<void(std::string_view line)>& visit) {
  const int descriptor = open_regular_file(path, O_RDONLY);
  if (descriptor < 0) {
    if (errno == ENOENT) {
      return 0;
    }
    throw FileError("read", path, errno);
  }
  const Descriptor file(descriptor);
  std::size_t lines = 0;
  std::string begun;  // a line whose end has not been read
  std::array<char, 1 << 16> buffer{};
  ssize_t count = 0;
  while ((count = ::read(descriptor, buffer.data(), buffer.size())) != 0) {
    if (count < 0 && errno != EINTR) {
      throw FileError("read", path, errno);
    }
    std::string_view rest(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos;
         rest.remove_prefix(end + 1)) {
      visit(begun.empty() ? rest.substr(0, end) : begun.append(rest.substr(0, end)));
      begun.clear();
      ++lines;
    }
    begun.append(rest);
  }
  return lines;
}

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
