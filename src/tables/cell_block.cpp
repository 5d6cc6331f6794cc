#include "dnn/tables/cell_block.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "dnn/data/mapped_access.hpp"
#include "dnn/tables/text_index.hpp"

namespace dnn {

namespace {

constexpr double missing_cell = std::numeric_limits<double>::quiet_NaN();

/// The powers of ten that a decimal is divided by; all are exact.
constexpr std::array powers_of_ten = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/// What stands for a missing cell; no number of the form.
template <class T>
constexpr T missing_mark = std::numeric_limits<T>::max();
template <>
constexpr std::int32_t missing_mark<std::int32_t> = std::numeric_limits<std::int32_t>::min();
template <>
constexpr std::uint32_t missing_mark<std::uint32_t> = TextIndex::unknown - 1;

/// The nearest whole number, of up to 2^51.
double rounded(double value) {
  constexpr double magic = 0x1.8p52;  // doubles of this size have no digits behind the point
  return (value + magic) - magic;
}

/// Whether `value`, times a power of ten, is a whole number of 32 bits that gives it back.
bool is_decimal(double value, double power) {
  constexpr double most = std::numeric_limits<std::int32_t>::max();
  const double whole = rounded(value * power);
  return std::abs(whole) <= most && whole / power == value && (value != 0 || !std::signbit(value));
}

template <class T>
void pack_as(std::span<const double> column, double scale, std::byte*& to) {
  for (const double value : column) {
    T packed{};
    if constexpr (std::is_floating_point_v<T>) {
      packed = static_cast<T>(value);
    } else {
      packed = std::isnan(value) ? missing_mark<T> : static_cast<T>(rounded(value * scale));
    }
    std::memcpy(to, &packed, sizeof(T));
    to += sizeof(T);
  }
}

/// Puts packed cells of a column into every `width`-th one of `cells`.
template <class T>
void unpack_as(const std::byte* from, bool has_missing, double scale, std::span<double> cells,
               std::size_t width) {
  for (std::size_t at = 0; at < cells.size(); at += width) {
    T packed;
    std::memcpy(&packed, from, sizeof(T));
    from += sizeof(T);
    const auto value = static_cast<double>(packed);
    if constexpr (std::is_floating_point_v<T>) {
      cells[at] = value;
    } else {
      cells[at] = has_missing && packed == missing_mark<T> ? missing_cell : value / scale;
    }
  }
}

}  // namespace

CellBlock::CellBlock(std::span<const double> columns, std::size_t rows,
                     const std::vector<bool>& is_text)
    : columns_(is_text.size()), rows_(rows) {
  const std::size_t room = columns.size() / is_text.size();  // of a column
  std::size_t bytes = 0;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    columns_[j] =
        is_text[j] ? Column{Form::text, 0, true} : choose(columns.subspan(j * room, rows));
    bytes += rows * bytes_of(columns_[j].form);
  }
  bytes_.resize(bytes);
  std::byte* to = bytes_.data();
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    pack(columns.subspan(j * room, rows), columns_[j], to);
  }
}

std::size_t CellBlock::bytes_of(Form form) {
  constexpr std::array<std::size_t, 7> bytes = {0, 1, 2, 4, 4, 4, 8};
  return bytes[static_cast<std::size_t>(form)];
}

CellBlock::Column CellBlock::choose(std::span<const double> column) {
  double least = std::numeric_limits<double>::infinity();
  double largest = -least;
  bool has_missing = false;
  bool fits_float = true;
  bool fits_decimal = true;
  std::uint8_t digits = 0;
  std::size_t compared_with_fewer = 0;  // cells at the beginning
  for (std::size_t i = 0; i < column.size(); ++i) {
    const double value = column[i];
    if (std::isnan(value)) {
      has_missing = true;
      continue;
    }
    least = std::min(least, value);
    largest = std::max(largest, value);
    fits_float = fits_float && static_cast<double>(static_cast<float>(value)) == value;
    while (fits_decimal && !is_decimal(value, powers_of_ten[digits])) {
      compared_with_fewer = i;
      fits_decimal = ++digits < powers_of_ten.size();
      digits = fits_decimal ? digits : 0;
    }
  }
  if (least > largest) {
    return {Form::none, 0, true};
  }
  for (std::size_t i = 0; i < compared_with_fewer && fits_decimal; ++i) {
    fits_decimal = std::isnan(column[i]) || is_decimal(column[i], powers_of_ten[digits]);
  }
  if (!fits_decimal) {
    return {fits_float ? Form::f32 : Form::f64, 0, has_missing};
  }
  const double marks = has_missing ? 1 : 0;
  if (digits == 0 && least >= 0 && largest <= 255 - marks) {
    return {Form::u8, 0, has_missing};
  }
  if (digits == 0 && least >= 0 && largest <= 65535 - marks) {
    return {Form::u16, 0, has_missing};
  }
  return {Form::decimal, digits, has_missing};
}

void CellBlock::pack(std::span<const double> column, const Column& as, std::byte*& to) {
  switch (as.form) {
    case Form::none:
      break;
    case Form::u8:
      pack_as<std::uint8_t>(column, 1, to);
      break;
    case Form::u16:
      pack_as<std::uint16_t>(column, 1, to);
      break;
    case Form::decimal:
      pack_as<std::int32_t>(column, powers_of_ten[as.digits], to);
      break;
    case Form::text:
      pack_as<std::uint32_t>(column, 1, to);
      break;
    case Form::f32:
      pack_as<float>(column, 1, to);
      break;
    case Form::f64:
      pack_as<double>(column, 1, to);
      break;
  }
}

std::span<const double> CellBlock::unpack(std::vector<double>& room,
                                          const std::vector<bool>& wanted) const {
  constexpr std::size_t at_a_time = 64;  // rows, which stay in the cache while they are filled
  const std::size_t width = columns_.size();
  room.resize(rows_ * width);
  for (std::size_t first = 0; first < rows_; first += at_a_time) {
    const std::size_t rows = std::min(at_a_time, rows_ - first);
    const std::span<double> tile = std::span(room).subspan(first * width, rows * width);
    const std::byte* column = bytes_.data();
    for (std::size_t j = 0; j < width; ++j) {
      const std::size_t bytes = bytes_of(columns_[j].form);
      if (wanted.empty() || wanted[j]) {
        unpack(columns_[j], column + first * bytes, tile.subspan(j));
      }
      column += rows_ * bytes;
    }
  }
  return room;
}

void CellBlock::unpack(const Column& as, const std::byte* from, std::span<double> cells) const {
  const std::size_t width = columns_.size();
  switch (as.form) {
    case Form::none:
      for (std::size_t at = 0; at < cells.size(); at += width) {
        cells[at] = missing_cell;
      }
      break;
    case Form::u8:
      unpack_as<std::uint8_t>(from, as.has_missing, 1, cells, width);
      break;
    case Form::u16:
      unpack_as<std::uint16_t>(from, as.has_missing, 1, cells, width);
      break;
    case Form::decimal:
      unpack_as<std::int32_t>(from, as.has_missing, powers_of_ten[as.digits], cells, width);
      break;
    case Form::text:
      unpack_as<std::uint32_t>(from, as.has_missing, 1, cells, width);
      break;
    case Form::f32:
      unpack_as<float>(from, false, 1, cells, width);
      break;
    case Form::f64:
      unpack_as<double>(from, false, 1, cells, width);
      break;
  }
}

void CellBlock::clear() {
  discard(bytes_);  // the library may keep memory that is only freed
  *this = {};
}

void CellBlock::renumber(const std::vector<std::vector<std::uint32_t>>& numbers) {
  std::byte* cell = bytes_.data();
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    if (columns_[j].form != Form::text) {
      cell += rows_ * bytes_of(columns_[j].form);
      continue;
    }
    for (std::size_t i = 0; i < rows_; ++i, cell += sizeof(std::uint32_t)) {
      std::uint32_t number = 0;
      std::memcpy(&number, cell, sizeof(number));
      if (number != missing_mark<std::uint32_t>) {
        number = number < numbers[j].size() ? numbers[j][number] : TextIndex::unknown;
        std::memcpy(cell, &number, sizeof(number));
      }
    }
  }
}

}  // namespace dnn
