#include "dnn/checkpoint/checkpoint.hpp"

#include <fmt/format.h>

#include <bit>
#include <boost/archive/text_oarchive.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <boost/serialization/version.hpp>
#include <filesystem>

#include "dnn/core/classic_text.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/model/container.hpp"
#include "dnn/model/description_archive.hpp"
#include "dnn/model/model_file.hpp"

namespace boost::serialization {

/// The bits of a double: text would lose NaNs and infinities.
template <class Archive>
void exactly(Archive& archive, double& value) {
  auto bits = std::bit_cast<std::uint64_t>(value);
  archive& bits;
  value = std::bit_cast<double>(bits);
}

/// As doubles that add up to it; before `has_all`, the first one alone.
template <class Archive>
void exactly(Archive& archive, dnn::ExactSum& sum, bool has_all) {
  const std::vector<double> parts = sum.expansion();
  double first = parts.empty() ? 0 : parts.front();
  exactly(archive, first);
  std::vector<std::uint64_t> rest;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    rest.push_back(std::bit_cast<std::uint64_t>(parts[i]));
  }
  if (has_all) {
    archive& rest;
  }
  sum = first;
  for (const std::uint64_t bits : rest) {
    sum += std::bit_cast<double>(bits);
  }
}

template <class Archive>
void serialize(Archive& archive, dnn::Figure& figure, unsigned /*version*/) {
  archive& figure.name;
  exactly(archive, figure.value);
}

template <class Archive>
void serialize(Archive& archive, dnn::Evaluation& e, unsigned version) {
  exactly(archive, e.loss);
  exactly(archive, e.accuracy);
  archive& e.samples;
  if (version > 0) {
    archive& e.figures;
  }
}

template <class Archive>
void serialize(Archive& archive, dnn::EpochMetrics& m, unsigned version) {
  bool has_validation = m.validation.has_value();
  archive& m.epoch& m.train& has_validation;
  if (has_validation) {
    dnn::Evaluation validation = m.validation.value_or(dnn::Evaluation{});
    archive& validation;
    m.validation = validation;
  }
  exactly(archive, m.learning_rate);
  exactly(archive, m.seconds);
  exactly(archive, m.evaluation_seconds);
  exactly(archive, m.samples_per_second);
  if (version > 0) {
    archive& m.sha256;
  }
}

/// What was counted before version 3 as samples, without weights.
template <class Archive>
void serialize_weighted(Archive& archive, dnn::Checkpoint& c, unsigned version) {
  if (version > 2) {
    exactly(archive, c.correct, true);
    exactly(archive, c.weight, true);
    return;
  }
  std::uint64_t correct = 0;
  archive& correct;
  c.correct = static_cast<double>(correct);
  c.knows_weight = false;
}

/// The tensors' bytes are not in the description.
template <class Archive>
void serialize(Archive& archive, dnn::Checkpoint& c, unsigned version) {
  archive& c.program& c.configuration& c.data_sha256& c.widths& c.precision;
  archive& c.updates& c.steps_per_epoch& c.epoch& c.step;
  serialize_weighted(archive, c, version);
  exactly(archive, c.loss_sum, version > 1);
  exactly(archive, c.learning_rate);
  exactly(archive, c.epoch_seconds);
  archive& c.epochs& c.best_epoch& c.optimizer_steps& c.residuals;
  if (version > 0) {
    archive& c.left_out& c.skipped;
  }
  if (version > 1) {
    archive& c.environment;
  }
  if (version > 3) {
    archive& c.has_average;
  }
}

}  // namespace boost::serialization

BOOST_CLASS_VERSION(dnn::Evaluation, 1)
BOOST_CLASS_VERSION(dnn::EpochMetrics, 1)
BOOST_CLASS_VERSION(dnn::Checkpoint, 4)

namespace dnn {

namespace {

constexpr std::size_t most_buffers = 16;  ///< of optimizer state; more is nonsense

void require(bool holds, const std::string& origin, const std::string& what) {
  if (!holds) {
    throw InputError(fmt::format("{}: the checkpoint contradicts itself: {}", origin, what));
  }
}

std::size_t element_bytes(const Checkpoint& c) {
  return c.precision == Precision::f64 ? sizeof(double) : sizeof(float);
}

/// Bytes of the parameters that the widths make.
std::size_t parameter_bytes(const Checkpoint& c, const std::string& origin) {
  return packed_bytes(c.widths, c.precision, origin + ": the checkpoint");
}

void check_progress(const Checkpoint& c, const std::string& origin) {
  require(c.widths.size() >= 2, origin, "it has no layers");
  require(c.precision == Precision::f32 || c.precision == Precision::f64, origin,
          "unknown precision");
  require(c.steps_per_epoch > 0 && c.step <= c.steps_per_epoch && c.epoch > 0 &&
              c.epoch - 1 == c.epochs.size() &&
              c.updates == (c.epoch - 1) * c.steps_per_epoch + c.step && c.skipped <= c.updates &&
              c.optimizer_steps == c.updates - c.skipped,
          origin, "its position");
  require(c.best_epoch <= c.epochs.size() && (c.best_epoch > 0 || c.epochs.empty()), origin,
          "its best epoch");
}

/// Whether a checkpoint of so many tensors has the best parameters. Throws InputError for a number
/// that is wrong.
bool has_best(const Checkpoint& checkpoint, std::size_t tensors, const std::string& origin) {
  const std::size_t needed = 1 + checkpoint.optimizer_state.size();
  require(tensors == needed || tensors == needed + 1, origin, "number of parameters");
  return tensors > needed;
}

/// Makes room for all tensors of a checkpoint, `bytes` each.
void size_tensors(Checkpoint& checkpoint, bool with_best, std::size_t bytes) {
  checkpoint.parameters.resize(bytes);
  for (auto& state : checkpoint.optimizer_state) {
    state.resize(bytes);
  }
  checkpoint.best_parameters.resize(with_best ? bytes : 0);
}

/// Calls `visit(tensor)` for each tensor that there is, in the order of the files.
template <class Visitor>
void for_each_tensor(Checkpoint& checkpoint, Visitor&& visit) {
  visit(checkpoint.parameters);
  for (auto& state : checkpoint.optimizer_state) {
    visit(state);
  }
  if (!checkpoint.best_parameters.empty()) {
    visit(checkpoint.best_parameters);
  }
}

/// Calls `visit(part, file, bytes)` for each part that `checkpoint`, which is at `path`, names;
/// `bytes`: of its tensors. What is thrown as InputError then names both files.
template <class Visitor>
void for_each_part(const std::string& path, const Checkpoint& checkpoint, Visitor&& visit) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  for (const CheckpointPart& part : checkpoint.parts.parts) {
    try {
      visit(part, (folder / part.file).string(),
            part.elements.size() * element_bytes(checkpoint) * checkpoint.parts.tensors);
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: a part of the checkpoint is missing or damaged: {}", path,
                                   error.what()));
    }
  }
}

[[noreturn]] void refuse_part(const std::string& file) {
  throw InputError(file + ": not the part that the checkpoint was written with");
}

/// Reads the tensors, of `tensor_bytes` each, from the parts that `checkpoint` names.
void read_parts(const std::string& path, std::size_t tensor_bytes, Checkpoint& checkpoint) {
  const bool with_best = has_best(checkpoint, checkpoint.parts.tensors, path);
  // Files that are not there ask for no memory.
  const std::size_t tensor_element = element_bytes(checkpoint) * checkpoint.parts.tensors;
  for_each_part(path, checkpoint, [&](const CheckpointPart& part, const std::string& file, auto) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error || size / tensor_element < part.elements.size()) {
      (void)verify_container(file, Container::part);  // says what is wrong
      refuse_part(file);
    }
  });
  const std::size_t element = element_bytes(checkpoint);
  checkpoint.parts.check_cover(tensor_bytes / element, path);
  size_tensors(checkpoint, with_best, tensor_bytes);
  for_each_part(path, checkpoint, [&](const auto& part, const std::string& file, auto bytes) {
    const ContainerReader reader(file, Container::part);
    if (reader.checksum() != part.checksum || reader.parameters_length() != bytes) {
      refuse_part(file);
    }
    std::vector<std::byte> read(part.elements.size() * element);  // of one tensor
    std::size_t offset = 0;
    for_each_tensor(checkpoint, [&](std::vector<std::byte>& tensor) {
      reader.read(offset, read);
      offset += read.size();
      const std::byte* next = read.data();
      part.elements.for_each_run([&](std::size_t first, std::size_t length) {
        copy_bytes(tensor.data() + first * element, next, length * element);
        next += length * element;
      });
    });
  });
}

}  // namespace

std::string describe_checkpoint(const Checkpoint& checkpoint) {
  ClassicOutput stream;
  {
    boost::archive::text_oarchive archive(stream);
    const std::uint64_t buffers = checkpoint.optimizer_state.size();
    archive << checkpoint << buffers;
  }
  return stream.str();
}

Checkpoint parse_checkpoint(const std::string& text, const std::string& origin) {
  Checkpoint checkpoint;
  std::uint64_t buffers = 0;
  try {
    ClassicInput stream(text);
    DescriptionArchive archive(stream);
    archive >> checkpoint >> buffers;
    archive.expect_end();
  } catch (const std::exception& error) {
    throw InputError(
        fmt::format("{}: the checkpoint's description cannot be read ({}); it was written with a "
                    "newer Boost.Serialization or another program",
                    origin, error.what()));
  }
  check_progress(checkpoint, origin);
  require(buffers <= most_buffers && (buffers > 0 || !checkpoint.has_average), origin,
          "number of optimizer buffers");
  checkpoint.optimizer_state.resize(buffers);
  return checkpoint;
}

std::size_t save_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  std::vector<std::span<const std::byte>> pieces;
  std::size_t bytes = 0;
  const std::string parts = checkpoint.parts.to_text();
  const bool whole = checkpoint.parts.parts.empty();
  if (whole) {
    pieces.emplace_back(checkpoint.parameters);
    pieces.insert(pieces.end(), checkpoint.optimizer_state.begin(),
                  checkpoint.optimizer_state.end());
    pieces.emplace_back(checkpoint.best_parameters);
  } else {
    pieces.emplace_back(std::as_bytes(std::span(parts)));
    for (const CheckpointPart& part : checkpoint.parts.parts) {
      bytes += part.bytes;
    }
  }
  (void)write_container_checked(path, Container::checkpoint, describe_checkpoint(checkpoint),
                                pieces, whole ? 1 : PartList::newest_version);
  std::error_code error;
  return bytes + std::filesystem::file_size(path, error);
}

namespace {

/// The checkpoint in a container but for its tensors.
Checkpoint parse_container(const ContainerReader& reader, const std::string& path) {
  Checkpoint checkpoint = parse_checkpoint(reader.description(), path);
  if (reader.version() >= PartList::first_version) {
    std::string text(reader.parameters_length(), ' ');
    reader.read(0, std::as_writable_bytes(std::span(text)));
    checkpoint.parts =
        PartList::parse(text, reader.version(),
                        parameter_bytes(checkpoint, path) / element_bytes(checkpoint), path);
  }
  return checkpoint;
}

}  // namespace

std::vector<std::string> part_files(const std::string& path) {
  const Checkpoint checkpoint = parse_container(ContainerReader(path, Container::checkpoint), path);
  std::vector<std::string> files;
  for (const CheckpointPart& part : checkpoint.parts.parts) {
    files.push_back(part.file);
  }
  return files;
}

Checkpoint load_checkpoint(const std::string& path) {
  const ContainerReader reader(path, Container::checkpoint);
  Checkpoint checkpoint = parse_container(reader, path);
  const std::size_t bytes = parameter_bytes(checkpoint, path);
  if (!checkpoint.parts.parts.empty()) {
    read_parts(path, bytes, checkpoint);
    return checkpoint;
  }
  const std::size_t tensors = reader.parameters_length() / bytes;
  require(tensors * bytes == reader.parameters_length(), path, "number of parameters");
  size_tensors(checkpoint, has_best(checkpoint, tensors, path), bytes);
  std::size_t offset = 0;
  for_each_tensor(checkpoint, [&](std::vector<std::byte>& tensor) {
    reader.read(offset, tensor);
    offset += bytes;
  });
  return checkpoint;
}

}  // namespace dnn
