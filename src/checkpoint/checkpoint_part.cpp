#include "dnn/checkpoint/checkpoint_part.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "dnn/core/classic_text.hpp"
#include "dnn/core/error.hpp"
#include "dnn/model/container.hpp"

namespace dnn {

namespace {

void require_sound(bool holds, const std::string& origin) {
  if (!holds) {
    throw InputError(origin + ": the checkpoint contradicts itself: the list of its parts");
  }
}

/// What follows "part" in a line of version 2, whose elements begin at `next`.
CheckpointPart parse_range(std::istream& stream, std::size_t next, const std::string& origin) {
  CheckpointPart part;
  std::size_t first = 0;
  std::size_t last = 0;
  stream >> part.file >> first >> last >> part.bytes >> part.checksum;
  require_sound(first == next && last > next, origin);
  part.elements.add(first, last - first);
  return part;
}

CheckpointPart parse_runs(std::istream& stream, std::size_t elements) {
  CheckpointPart part;
  stream >> part.file >> part.bytes >> part.checksum;
  part.elements = ElementRuns::read(stream, elements);
  return part;
}

}  // namespace

std::string PartList::to_text() const {
  ClassicOutput text;
  text << "tensors " << tensors << '\n';
  for (const CheckpointPart& part : parts) {
    text << "part " << part.file << ' ' << part.bytes << ' ' << part.checksum << ' ';
    part.elements.write(text);
    text << '\n';
  }
  return text.str();
}

PartList PartList::parse(const std::string& text, std::uint32_t version, std::size_t elements,
                         const std::string& origin) {
  ClassicInput stream(text);
  PartList list;
  std::string word;
  stream >> word >> list.tensors;
  require_sound(word == "tensors" && !stream.fail(), origin);
  std::size_t held = 0;
  while (stream >> word) {
    CheckpointPart part =
        version == first_version ? parse_range(stream, held, origin) : parse_runs(stream, elements);
    require_sound(word == "part" && !stream.fail() && part.file.find('/') == std::string::npos &&
                      !part.elements.empty() && part.elements.size() <= elements - held,
                  origin);
    held += part.elements.size();
    list.parts.push_back(std::move(part));
  }
  require_sound(held == elements && !list.parts.empty(), origin);
  return list;
}

void PartList::check_cover(std::size_t elements, const std::string& origin) const {
  std::vector<bool> held(elements);
  std::size_t count = 0;
  for (const CheckpointPart& part : parts) {
    part.elements.for_each_run([&](std::size_t first, std::size_t length) {
      const auto begin = held.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = begin + static_cast<std::ptrdiff_t>(length);
      require_sound(std::find(begin, end, true) == end, origin);
      std::fill(begin, end, true);
      count += length;
    });
  }
  require_sound(count == elements, origin);
}

CheckpointPart save_part(const std::string& folder, const std::string& file,
                         const ElementRuns& elements, std::span<const std::byte> bytes) {
  const std::string path = folder + "/" + file;
  ClassicOutput description;
  description << "elements of each tensor: ";
  elements.write(description);
  try {
    const std::string checksum =
        write_container_checked(path, Container::part, description.str(), {bytes});
    return {file, elements, std::filesystem::file_size(path), checksum};
  } catch (const std::exception&) {
    std::error_code error;  // it may be there, where only the folder could not be flushed
    std::filesystem::remove(path, error);
    throw;
  }
}

}  // namespace dnn
