#include "dnn/readers/npz_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "dnn/files/archive.hpp"
#include "dnn/files/contents.hpp"
#include "dnn/readers/npy_array.hpp"
#include "dnn/readers/npy_reader.hpp"

namespace dnn {

namespace {

constexpr std::string_view ending = ".npy";

/// The names of the arrays among the files of an archive.
std::vector<std::string> arrays_in(const Bytes& archive, const std::string& origin) {
  std::vector<std::string> names;
  for (const std::string& member : member_names(archive, origin)) {
    if (member.ends_with(ending)) {
      names.push_back(member.substr(0, member.size() - ending.size()));
    }
  }
  return names;
}

}  // namespace

NpzArchive::NpzArchive(Bytes archive, std::string origin)
    : archive_(std::move(archive)),
      origin_(std::move(origin)),
      names_(arrays_in(archive_, origin_), origin_, {"array", "archive", "file.npz:X,y"}) {}

Dataset NpzArchive::read(const std::string& selection, Part part,
                         const ReadOptions& options) const {
  const ArrayPair names = names_.to_read(selection, part, options.features.has_value());
  const std::vector<std::string>& all = names_.all();
  for (const std::string& name : {names.features, names.labels}) {
    if (!name.empty() && std::find(all.begin(), all.end(), name) == all.end()) {
      names_.refuse(name);
    }
  }
  const auto array = [&](const std::string& name) {
    const std::string member = name + std::string(ending);
    return parse_npy(unpack_file(archive_, origin_, member),
                     fmt::format("{}:{}", origin_, name.substr(0, 100)));
  };
  return dataset_of_arrays(array(names.features),
                           names.labels.empty() ? std::nullopt : std::optional(array(names.labels)),
                           options);
}

}  // namespace dnn
