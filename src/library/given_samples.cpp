#include "dnn/library/given_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/largest_magnitude.hpp"

namespace dnn {

namespace {

using dnn_train::Matrix;
using dnn_train::Samples;

/// What each rank tells the others of its samples.
struct Offer {
  std::uint64_t rows = 0;
  std::uint64_t features = 0;
  std::uint64_t targets = 0;
  std::int64_t largest_class = -1;
  std::uint8_t wide = 0;
  std::uint8_t has_class = 0;
  std::uint8_t has_weight = 0;
  std::uint8_t has_ids = 0;
  std::uint8_t failed = 0;
  std::uint8_t unused[3] = {};
};
static_assert(std::is_trivially_copyable_v<Offer>);

template <class R>
const R& element(const Matrix& matrix, std::size_t row, std::size_t column) {
  return static_cast<const R*>(
      matrix.data)[static_cast<std::ptrdiff_t>(row) * matrix.row_stride +
                   static_cast<std::ptrdiff_t>(column) * matrix.column_stride];
}

/// Whether all numbers of a row are finite, which most are.
template <class R>
bool is_finite_row(const Matrix& matrix, std::size_t row) {
  if (matrix.column_stride == 1) {
    return std::isfinite(largest_magnitude(std::span(&element<R>(matrix, row, 0), matrix.columns)));
  }
  for (std::size_t j = 0; j < matrix.columns; ++j) {
    if (!std::isfinite(element<R>(matrix, row, j))) {
      return false;
    }
  }
  return true;
}

template <class R>
void check_elements(const Matrix& matrix, const char* name) {
  if (matrix.columns == 0) {
    return;
  }
  for (std::size_t i = 0; i < matrix.rows; ++i) {
    if (is_finite_row<R>(matrix, i)) {
      continue;
    }
    std::size_t j = 0;
    while (std::isfinite(element<R>(matrix, i, j))) {
      ++j;
    }
    throw InputError(
        fmt::format("{}: row {}, column {} (from 0) is {}; leave such samples out, or give them a "
                    "finite number",
                    name, i, j, element<R>(matrix, i, j)));
  }
}

void check_matrix(const Matrix& matrix, const char* name) {
  if (matrix.rows > 0 && matrix.columns > 0 && matrix.data == nullptr) {
    throw InputError(fmt::format("{}: {} rows of {} columns at a null pointer", name, matrix.rows,
                                 matrix.columns));
  }
  if (matrix.is_double) {
    check_elements<double>(matrix, name);
  } else {
    check_elements<float>(matrix, name);
  }
}

void check_samples(const Samples& samples) {
  const std::size_t rows = samples.features.rows;
  check_features(samples.features);
  if (samples.targets.data != nullptr || samples.targets.rows > 0) {
    check_matrix(samples.targets, "targets");
    if (samples.targets.rows != rows) {
      throw InputError(fmt::format("targets: {} rows, but there are {} rows of features",
                                   samples.targets.rows, rows));
    }
  }
  for (std::size_t i = 0; i < rows && samples.classes != nullptr; ++i) {
    if (samples.classes[i] < 0) {
      throw InputError(
          fmt::format("classes: sample {} (from 0) has class {}; classes are numbers "
                      "from 0",
                      i, samples.classes[i]));
    }
  }
  for (std::size_t i = 0; i < rows && samples.weights != nullptr; ++i) {
    if (!(samples.weights[i] >= 0) || !std::isfinite(samples.weights[i])) {
      throw InputError(
          fmt::format("weights: sample {} (from 0) has weight {}; a weight is 0 or more", i,
                      samples.weights[i]));
    }
  }
}

Offer offer_of(const Samples& samples) {
  Offer offer;
  offer.rows = samples.features.rows;
  offer.features = samples.features.columns;
  offer.targets = samples.targets.data != nullptr ? samples.targets.columns : 0;
  offer.wide = samples.features.is_double ? 1 : 0;
  offer.has_class = samples.classes != nullptr ? 1 : 0;
  for (std::size_t i = 0; i < offer.rows && offer.has_class != 0; ++i) {
    offer.largest_class = std::max<std::int64_t>(offer.largest_class, samples.classes[i]);
  }
  offer.has_weight = samples.weights != nullptr ? 1 : 0;
  offer.has_ids = samples.ids != nullptr ? 1 : 0;
  return offer;
}

std::string in_words(const Offer& offer) {
  return fmt::format("{} features of type {}{}{}{}{}", offer.features,
                     offer.wide != 0 ? "double" : "float", offer.has_class != 0 ? ", classes" : "",
                     offer.targets > 0 ? fmt::format(", {} targets", offer.targets) : "",
                     offer.has_weight != 0 ? ", weights" : "", offer.has_ids != 0 ? ", ids" : "");
}

bool is_alike(const Offer& a, const Offer& b) {
  return a.features == b.features && a.targets == b.targets && a.wide == b.wide &&
         a.has_class == b.has_class && a.has_weight == b.has_weight && a.has_ids == b.has_ids;
}

/// The form of all ranks that give something; all know all offers, so all throw alike.
Offer common_offer(const std::vector<Offer>& offers) {
  const Offer* first = nullptr;
  for (const Offer& offer : offers) {
    if (offer.rows == 0) {
      continue;
    }
    if (first == nullptr) {
      first = &offer;
    } else if (!is_alike(offer, *first)) {
      throw AgreedError(fmt::format(
          "the ranks give samples of different forms: rank {} has {}; rank {} has {}",
          first - offers.data(), in_words(*first), &offer - offers.data(), in_words(offer)));
    }
  }
  return first != nullptr ? *first : Offer{};
}

template <class R>
void pack_row(const Matrix& matrix, std::size_t row, std::byte* to) {
  if (matrix.column_stride == 1) {
    copy_bytes(to, &element<R>(matrix, row, 0), matrix.columns * sizeof(R));
    return;
  }
  for (std::size_t j = 0; j < matrix.columns; ++j) {
    std::memcpy(to + j * sizeof(R), &element<R>(matrix, row, j), sizeof(R));
  }
}

double target(const Matrix& targets, std::size_t row, std::size_t column) {
  return targets.is_double ? element<double>(targets, row, column)
                           : static_cast<double>(element<float>(targets, row, column));
}

void pack_sample(const Samples& samples, std::size_t row, const RecordForm& form, std::byte* to) {
  if (form.wide) {
    pack_row<double>(samples.features, row, to + RecordForm::features_at());
  } else {
    pack_row<float>(samples.features, row, to + RecordForm::features_at());
  }
  for (std::size_t j = 0; j < form.targets; ++j) {
    const double value = target(samples.targets, row, j);
    std::memcpy(to + form.targets_at() + j * sizeof(double), &value, sizeof(value));
  }
  if (form.has_class) {
    const std::int64_t value = samples.classes[row];
    std::memcpy(to + form.class_at(), &value, sizeof(value));
  }
  if (form.has_weight) {
    std::memcpy(to + form.weight_at(), samples.weights + row, sizeof(double));
  }
}

template <class R>
Bytes view_of(const R* numbers, std::size_t count) {
  Bytes bytes;
  bytes.view = std::as_bytes(std::span(numbers, count));
  return bytes;
}

}  // namespace

void check_features(const Matrix& features) {
  check_matrix(features, "features");
  if (features.rows > 0 && features.columns == 0) {
    throw InputError("features: rows of no columns");
  }
}

template <class R>
void copy_rows(const Matrix& from, Range rows, std::span<R> to) {
  for (std::size_t i = rows.begin; i < rows.end; ++i) {
    for (std::size_t j = 0; j < from.columns; ++j) {
      to[(i - rows.begin) * from.columns + j] = element<R>(from, i, j);
    }
  }
}

template void copy_rows(const Matrix&, Range, std::span<float>);
template void copy_rows(const Matrix&, Range, std::span<double>);

GivenSamples::GivenSamples(const Communicator& world, const Samples& samples) : samples_(samples) {
  Offer offer = offer_of(samples);
  std::string message;
  try {
    check_samples(samples);
  } catch (const InputError& error) {
    message = error.what();
    offer.failed = 1;
  }
  std::vector<Offer> offers(static_cast<std::size_t>(world.size()));
  world.all_gather(std::as_bytes(std::span(&offer, 1)), std::as_writable_bytes(std::span(offers)));
  if (std::any_of(offers.begin(), offers.end(), [](const Offer& o) { return o.failed != 0; })) {
    throw_if_any_failed(world, offer.failed != 0, message);
  }
  const Offer common = common_offer(offers);
  form_ = {common.features, common.wide != 0, common.targets, common.has_class != 0,
           common.has_weight != 0};
  for (std::size_t rank = 0; rank < offers.size(); ++rank) {
    first_id_ += rank < static_cast<std::size_t>(world.rank()) ? offers[rank].rows : 0;
    total_ += offers[rank].rows;
    largest_class_ = std::max(largest_class_, offers[rank].largest_class);
  }
  has_ids_ = common.has_ids != 0;
}

std::vector<std::uint64_t> GivenSamples::ids() const {
  std::vector<std::uint64_t> all(size());
  if (samples_.ids != nullptr) {
    std::copy_n(samples_.ids, size(), all.begin());
  } else {
    std::iota(all.begin(), all.end(), first_id_);
  }
  return all;
}

void GivenSamples::check_targets(const Communicator& world, Task task) const {
  if (form_.targets == 0 || (task != Task::labels && task != Task::distribution)) {
    return;
  }
  agree(world, [&] {
    for (std::size_t i = 0; i < size(); ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < form_.targets; ++j) {
        const double y = target(samples_.targets, i, j);
        sum += y;
        if (task == Task::labels ? y != 0 && y != 1 : y < 0) {
          throw InputError(fmt::format("targets: row {}, column {} (from 0) is {}; {}", i, j, y,
                                       task == Task::labels ? "task labels takes 0 and 1"
                                                            : "task distribution takes 0 or more"));
        }
      }
      if (task == Task::distribution && !(std::abs(sum - 1) < 1e-3)) {
        throw InputError(fmt::format(
            "targets: row {} (from 0) has the sum {}; probabilities add up to 1", i, sum));
      }
    }
  });
}

void GivenSamples::pack(Records& to) const {
  to.form = form_;
  to.bytes.resize(form_.bytes() * size());
  for (std::size_t i = 0; i < size(); ++i) {
    std::byte* const record = to.bytes.data() + i * form_.bytes();
    const std::uint64_t id = samples_.ids != nullptr ? samples_.ids[i] : first_id_ + i;
    std::memcpy(record, &id, sizeof(id));
    pack_sample(samples_, i, form_, record);
  }
}

Dataset GivenSamples::dataset(const Dataset& outputs, Records& room) const {
  const Matrix& features = samples_.features;
  if (size() == 0 || features.column_stride != 1 || (features.row_stride < 0 && size() > 1)) {
    pack(room);
    return dataset_of(room, outputs);
  }
  Dataset data = without_samples(form_, outputs);
  data.samples = size();
  data.row_elements = size() > 1 ? static_cast<std::size_t>(features.row_stride) : form_.features;
  const std::size_t count = (size() - 1) * data.row_elements + form_.features;
  data.values = form_.wide ? view_of(static_cast<const double*>(features.data), count)
                           : view_of(static_cast<const float*>(features.data), count);
  if (form_.has_class) {
    data.labels = view_of(samples_.classes, size());
  }
  if (form_.targets > 0) {
    std::vector<double> rows;
    rows.reserve(size() * form_.targets);
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t j = 0; j < form_.targets; ++j) {
        rows.push_back(target(samples_.targets, i, j));
      }
    }
    data.target_rows = Bytes::from(std::move(rows));
  }
  if (form_.has_weight) {
    data.weights = view_of(samples_.weights, size());
  }
  return data;
}

}  // namespace dnn
