#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dnn {

/// Whole rows of cells, column by column in the smallest form that gives back every number
/// exactly. A missing cell is NaN.
///
/// Note [Cells take little memory]
/// All cells of a table stand in memory before its features are made of them, since only the last
/// cell says in which type. As doubles they would be twice as large as features of float and eight
/// times as large as bytes. Most numbers of a text have few digits: they are whole numbers of 32
/// bits, divided by a power of ten, which a division gives back with the same bits as reading did.
class CellBlock {
 public:
  CellBlock() = default;
  /// Packs the first `rows` cells of each column; `columns` has as many columns as `is_text`, one
  /// after the other. The numbers of texts, in those that it says, keep a form of their own.
  CellBlock(std::span<const double> columns, std::size_t rows, const std::vector<bool>& is_text);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  /// The rows, one after the other, in `room`, whose memory is used again. `wanted`: the columns
  /// whose cells are; others may hold anything. None: all.
  [[nodiscard]] std::span<const double> unpack(std::vector<double>& room,
                                               const std::vector<bool>& wanted = {}) const;

  /// Puts other numbers for the texts of each column, `numbers[column]`; those that are not among
  /// them become TextIndex::unknown.
  void renumber(const std::vector<std::vector<std::uint32_t>>& numbers);

  /// Gives all memory back; there are no rows from then on.
  void clear();

 private:
  enum class Form : std::uint8_t { none, u8, u16, decimal, text, f32, f64 };
  struct Column {
    Form form = Form::none;
    std::uint8_t digits = 0;   ///< decimal: behind the point
    bool has_missing = false;  ///< some cells
  };

  [[nodiscard]] static std::size_t bytes_of(Form form);
  [[nodiscard]] static Column choose(std::span<const double> column);
  void unpack(const Column& as, const std::byte* from, std::span<double> cells) const;
  static void pack(std::span<const double> column, const Column& as, std::byte*& to);

  std::vector<Column> columns_;
  std::vector<std::byte> bytes_;
  std::size_t rows_ = 0;
};

}  // namespace dnn
