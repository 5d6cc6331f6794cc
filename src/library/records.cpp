#include "dnn/library/records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"

namespace dnn {

namespace {

using dnn_train::Matrix;
using dnn_train::Samples;

/// What each rank tells the others of its samples.
struct Offer {
  std::uint64_t rows = 0;
  std::uint64_t features = 0;
  std::uint64_t targets = 0;
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

template <class R>
void check_elements(const Matrix& matrix, const char* name) {
  for (std::size_t i = 0; i < matrix.rows; ++i) {
    for (std::size_t j = 0; j < matrix.columns; ++j) {
      if (!std::isfinite(element<R>(matrix, i, j))) {
        throw InputError(
            fmt::format("{}: row {}, column {} (from 0) is {}; leave such samples out, "
                        "or give them a finite number",
                        name, i, j, element<R>(matrix, i, j)));
      }
    }
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

void pack(const Samples& samples, std::size_t row, const RecordForm& form, std::byte* to) {
  const auto copy_row = [row](const Matrix& matrix, auto element_of, std::byte* at) {
    using R = decltype(element_of);
    if (matrix.column_stride == 1) {
      copy_bytes(at, &element<R>(matrix, row, 0), matrix.columns * sizeof(R));
      return;
    }
    for (std::size_t j = 0; j < matrix.columns; ++j) {
      std::memcpy(at + j * sizeof(R), &element<R>(matrix, row, j), sizeof(R));
    }
  };
  if (form.wide) {
    copy_row(samples.features, double{}, to);
  } else {
    copy_row(samples.features, float{}, to);
  }
  for (std::size_t j = 0; j < form.targets; ++j) {
    const double value = samples.targets.is_double
                             ? element<double>(samples.targets, row, j)
                             : static_cast<double>(element<float>(samples.targets, row, j));
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

/// Numbers of type `R` that lie in each record at an offset, one record after another.
template <class R>
std::vector<R> gather_field(const Records& records, std::size_t offset, std::size_t per_record) {
  std::vector<R> all(records.size() * per_record);
  for (std::size_t i = 0; i < records.size(); ++i) {
    copy_bytes(all.data() + i * per_record, records.record(i).data() + offset,
               per_record * sizeof(R));
  }
  return all;
}

}  // namespace

void Records::add(std::uint64_t id, std::span<const std::byte> record) {
  ids.push_back(id);
  bytes.insert(bytes.end(), record.begin(), record.end());
}

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

Records take_samples(const Communicator& world, const Samples& samples) {
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
  Records records{{common.features, common.wide != 0, common.targets, common.has_class != 0,
                   common.has_weight != 0},
                  std::vector<std::uint64_t>(offer.rows),
                  {}};
  records.bytes.resize(records.form.bytes() * offer.rows);
  std::uint64_t first = 0;
  for (int rank = 0; rank < world.rank(); ++rank) {
    first += offers[static_cast<std::size_t>(rank)].rows;
  }
  for (std::size_t i = 0; i < offer.rows; ++i) {
    records.ids[i] = samples.ids != nullptr ? samples.ids[i] : first + i;
    pack(samples, i, records.form, records.bytes.data() + i * records.form.bytes());
  }
  return records;
}

Dataset dataset_of(const Records& records, const Dataset& outputs) {
  const RecordForm& form = records.form;
  Dataset data;
  data.origin = outputs.origin;
  data.samples = records.size();
  data.features = form.features;
  data.row_elements = form.features;
  data.element = form.wide ? ElementType::f64 : ElementType::f32;
  data.values = form.wide ? Bytes::from(gather_field<double>(records, 0, form.features))
                          : Bytes::from(gather_field<float>(records, 0, form.features));
  data.task = outputs.task;
  data.class_names = outputs.class_names;
  data.feature_names = outputs.feature_names;
  data.target_scale = outputs.target_scale;
  data.label_thresholds = outputs.label_thresholds;
  if (form.has_class) {
    const auto classes = gather_field<std::int64_t>(records, form.class_at(), 1);
    data.labels = Bytes::from(std::vector<std::int32_t>(classes.begin(), classes.end()));
  }
  if (form.targets > 0) {
    data.target_rows = Bytes::from(gather_field<double>(records, form.targets_at(), form.targets));
  }
  if (form.has_weight) {
    data.weights = Bytes::from(gather_field<double>(records, form.weight_at(), 1));
  }
  return data;
}

}  // namespace dnn
