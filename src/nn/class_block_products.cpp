#include "dnn/nn/class_block_products.hpp"

#include <algorithm>
#include <utility>

#include "dnn/core/threads.hpp"
#include "dnn/nn/matrix_product.hpp"

namespace dnn {

namespace {

/// Columns of a piece; rows of W at a time where they are summed over.
constexpr std::size_t piece = 256;

/// Calls visit(range) for [whole.begin, whole.end) in steps of a piece.
template <class Visitor>
void for_each_piece(Range whole, Visitor&& visit) {
  for (std::size_t first = whole.begin; first < whole.end; first += piece) {
    visit(Range{first, std::min(first + piece, whole.end)});
  }
}

/// Takes matrices of their own out of one piece of memory.
template <class T>
class Packer {
 public:
  explicit Packer(AlignedBuffer<T>& memory) : next_(memory.data()) {}

  MatrixView<T> take(std::size_t rows, std::size_t cols) {
    const MatrixView<T> matrix{next_, rows, cols};
    next_ += matrix.size();
    return matrix;
  }

  /// A copy of some rows and columns.
  MatrixView<const T> pack(MatrixView<const T> from, Range rows, Range columns) {
    const MatrixView<T> to = take(rows.size(), columns.size());
    for (std::size_t i = 0; i < to.rows; ++i) {
      std::copy_n(from.row(rows.begin + i).data() + columns.begin, to.cols, to.row(i).data());
    }
    return to;
  }

 private:
  T* next_;
};

/// `to`'s columns become `from`.
template <class T>
void unpack(MatrixView<const T> from, MatrixView<T> to, Range columns) {
  for (std::size_t i = 0; i < from.rows; ++i) {
    std::copy_n(from.row(i).data(), from.cols, to.row(i).data() + columns.begin);
  }
}

}  // namespace

template <class T>
ClassBlockProducts<T>::ClassBlockProducts(std::vector<Range> blocks) : blocks_(std::move(blocks)) {
  for (const Range block : blocks_) {
    for_each_piece(block, [this](Range columns) { pieces_.push_back(columns); });
  }
}

template <class T>
void ClassBlockProducts<T>::reserve(std::size_t elements) {
  scratch_.resize(std::max(scratch_.size(), static_cast<std::size_t>(threads())));
  for (AlignedBuffer<T>& memory : scratch_) {
    if (memory.size() < elements) {
      memory = AlignedBuffer<T>(elements);
    }
  }
}

template <class T>
void ClassBlockProducts<T>::forward(MatrixView<const T> X, MatrixView<const T> W, MatrixView<T> A) {
  reserve((W.rows + A.rows) * piece);
  parallel_tasks(pieces_.size(), [&](std::size_t i, std::size_t lane) {
    const Range columns = pieces_[i];
    Packer<T> packer(scratch_[lane]);
    const MatrixView<const T> w = packer.pack(W, {0, W.rows}, columns);
    const MatrixView<T> a = packer.take(A.rows, columns.size());
    multiply<T>(Transpose::no, X, Transpose::no, w, T{0}, a);
    unpack<T>(a, A, columns);
  });
}

template <class T>
void ClassBlockProducts<T>::backward_parameters(MatrixView<const T> X, MatrixView<const T> dA,
                                                MatrixView<T> dW) {
  reserve((dA.rows + dW.rows) * piece);
  parallel_tasks(pieces_.size(), [&](std::size_t i, std::size_t lane) {
    const Range columns = pieces_[i];
    Packer<T> packer(scratch_[lane]);
    const MatrixView<const T> da = packer.pack(dA, {0, dA.rows}, columns);
    const MatrixView<T> dw = packer.take(dW.rows, columns.size());
    multiply<T>(Transpose::yes, X, Transpose::no, da, T{0}, dw);
    unpack<T>(dw, dW, columns);
  });
}

template <class T>
void ClassBlockProducts<T>::backward_input(MatrixView<const T> dA, MatrixView<const T> W,
                                           const std::vector<MatrixView<T>>& dX) {
  reserve((2 * dA.rows + piece) * piece);
  const std::size_t across = (W.rows + piece - 1) / piece;
  parallel_tasks(blocks_.size() * across, [&](std::size_t i, std::size_t lane) {
    const std::size_t block = i / across;
    const Range nodes{i % across * piece, std::min((i % across + 1) * piece, W.rows)};
    Packer<T> packer(scratch_[lane]);
    const MatrixView<T> dx = packer.take(dA.rows, nodes.size());
    T before{0};  // what the pieces of the block that are done count
    for_each_piece(blocks_[block], [&](Range columns) {
      Packer<T> operands = packer;
      const MatrixView<const T> da = operands.pack(dA, {0, dA.rows}, columns);
      const MatrixView<const T> w = operands.pack(W, nodes, columns);
      multiply<T>(Transpose::no, da, Transpose::yes, w, before, dx);
      before = T{1};
    });
    unpack<T>(dx, dX[block], nodes);
  });
}

template class ClassBlockProducts<float>;
template class ClassBlockProducts<double>;

}  // namespace dnn
