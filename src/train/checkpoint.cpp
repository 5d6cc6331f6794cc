#include "dnn/train/checkpoint.hpp"

#include <bit>
#include <boost/archive/text_iarchive.hpp>
#include <boost/archive/text_oarchive.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <filesystem>
#include <sstream>

#include "dnn/core/error.hpp"
#include "dnn/train/container.hpp"

namespace boost::serialization {

/// The bits of a double: text would lose NaNs and infinities.
template <class Archive>
void exactly(Archive& archive, double& value) {
  auto bits = std::bit_cast<std::uint64_t>(value);
  archive& bits;
  value = std::bit_cast<double>(bits);
}

template <class Archive>
void serialize(Archive& archive, dnn::Evaluation& e, unsigned /*version*/) {
  exactly(archive, e.loss);
  exactly(archive, e.accuracy);
  archive& e.samples;
}

template <class Archive>
void serialize(Archive& archive, dnn::EpochMetrics& m, unsigned /*version*/) {
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
}

/// The tensors' bytes are not in the description.
template <class Archive>
void serialize(Archive& archive, dnn::Checkpoint& c, unsigned /*version*/) {
  archive& c.program& c.configuration& c.data_sha256& c.widths& c.precision;
  archive& c.updates& c.steps_per_epoch& c.epoch& c.step& c.correct;
  exactly(archive, c.loss_sum);
  exactly(archive, c.learning_rate);
  exactly(archive, c.epoch_seconds);
  archive& c.epochs& c.best_epoch& c.optimizer_steps& c.residuals;
}

}  // namespace boost::serialization

namespace dnn {

namespace {

constexpr std::size_t most_buffers = 16;  ///< of optimizer state; more is nonsense

void require(bool holds, const std::string& origin, const std::string& what) {
  if (!holds) {
    throw InputError(origin + ": the checkpoint contradicts itself: " + what);
  }
}

/// Bytes of the parameters that the widths make.
std::size_t parameter_bytes(const Checkpoint& c, const std::string& origin) {
  std::size_t bytes = 0;
  const std::size_t element = c.precision == Precision::f64 ? sizeof(double) : sizeof(float);
  for (std::size_t n = 1; n < c.widths.size(); ++n) {
    std::size_t layer = 0;
    require(c.widths[n - 1] > 0 && c.widths[n] > 0 &&
                !__builtin_mul_overflow(c.widths[n - 1] + 1, c.widths[n], &layer) &&
                !__builtin_mul_overflow(layer, element, &layer) &&
                !__builtin_add_overflow(bytes, layer, &bytes),
            origin, "layer widths");
  }
  return bytes;
}

void check_progress(const Checkpoint& c, const std::string& origin) {
  require(c.widths.size() >= 2, origin, "it has no layers");
  require(c.precision == Precision::f32 || c.precision == Precision::f64, origin,
          "unknown precision");
  require(c.steps_per_epoch > 0 && c.step <= c.steps_per_epoch && c.epoch > 0 &&
              c.epoch - 1 == c.epochs.size() &&
              c.updates == (c.epoch - 1) * c.steps_per_epoch + c.step &&
              c.optimizer_steps == c.updates,
          origin, "its position");
  require(c.best_epoch <= c.epochs.size() && (c.best_epoch > 0 || c.epochs.empty()), origin,
          "its best epoch");
}

}  // namespace

std::string describe_checkpoint(const Checkpoint& checkpoint) {
  std::ostringstream stream;
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
    std::istringstream stream(text);
    boost::archive::text_iarchive archive(stream);
    archive >> checkpoint >> buffers;
  } catch (const std::exception& error) {
    throw InputError(origin + ": the checkpoint's description cannot be read (" + error.what() +
                     "); it was written with a newer Boost.Serialization or another program");
  }
  check_progress(checkpoint, origin);
  require(buffers <= most_buffers, origin, "number of optimizer buffers");
  checkpoint.optimizer_state.resize(buffers);
  return checkpoint;
}

std::size_t save_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  std::vector<std::span<const std::byte>> pieces = {checkpoint.parameters};
  pieces.insert(pieces.end(), checkpoint.optimizer_state.begin(), checkpoint.optimizer_state.end());
  pieces.emplace_back(checkpoint.best_parameters);
  const std::string written =
      write_container(path, Container::checkpoint, describe_checkpoint(checkpoint), pieces);
  std::error_code error;
  try {
    // What cannot be read back now is no checkpoint.
    if (verify_container(path, Container::checkpoint) != written) {
      throw InputError(path + ": reads back as something else than what was written");
    }
  } catch (const std::exception&) {
    std::filesystem::remove(path, error);
    throw;
  }
  return std::filesystem::file_size(path, error);
}

Checkpoint load_checkpoint(const std::string& path) {
  const Container container = read_container(path, Container::checkpoint);
  Checkpoint checkpoint = parse_checkpoint(container.description, path);
  const std::size_t bytes = parameter_bytes(checkpoint, path);
  const std::size_t needed = 1 + checkpoint.optimizer_state.size();
  const std::size_t tensors = container.parameters.size() / bytes;
  require(tensors * bytes == container.parameters.size() &&
              (tensors == needed || tensors == needed + 1),
          path, "number of parameters");
  auto next = container.parameters.begin();
  const auto take = [&](std::vector<std::byte>& tensor) {
    const auto end = next + static_cast<std::ptrdiff_t>(bytes);
    tensor.assign(next, end);
    next = end;
  };
  take(checkpoint.parameters);
  for (auto& state : checkpoint.optimizer_state) {
    take(state);
  }
  if (tensors > needed) {
    take(checkpoint.best_parameters);
  }
  return checkpoint;
}

}  // namespace dnn
