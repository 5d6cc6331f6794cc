// A heat equation whose ranks train a surrogate of their own solver while it runs.
//
//   mpirun -np 4 ./heat
//
// A ring of cells, cut into one piece a rank, conducts heat the better the hotter it is:
// du/dt = (1 + u²) ∂²u/∂x². The network learns the rate of a cell from its temperature and those of
// its two neighbours. Its parameters do not depend on the number of ranks: the hash that is printed
// is the same for any.

#include <mpi.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <dnn/dnn_train.hpp>

namespace {

constexpr int cells = 240;  // of the ring
constexpr int steps = 300;

/// Temperatures of one rank's cells, with one of each neighbour at the ends.
struct Piece {
  int first, count, left, right;
  std::vector<double> u;

  Piece(int rank, int ranks)
      : first(cells * rank / ranks),
        count(cells * (rank + 1) / ranks - first),
        left((rank + ranks - 1) % ranks),
        right((rank + 1) % ranks),
        u(count + 2) {
    for (int i = 0; i < count; ++i) {
      u[i + 1] = ((first + i) * 37 % 60) / 60.0 + ((first + i) / 80) * 0.5;  // any pattern
    }
  }

  void exchange_ends() {
    MPI_Sendrecv(&u[count], 1, MPI_DOUBLE, right, 0, &u[0], 1, MPI_DOUBLE, left, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    MPI_Sendrecv(&u[1], 1, MPI_DOUBLE, left, 1, &u[count + 1], 1, MPI_DOUBLE, right, 1,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
};

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  try {
    dnn_train::Trainer trainer(MPI_COMM_WORLD,
                               "hidden = [32]\n"
                               "task = 'numbers'\n"
                               "lr = 0.005\n"
                               "batch-size = 256\n"
                               "store = 20000\n");
    Piece piece(rank, ranks);
    std::vector<double> rates(piece.count);
    std::vector<std::uint64_t> ids(piece.count);
    dnn_train::Samples mine;
    for (int step = 0; step < steps; ++step) {
      piece.exchange_ends();
      for (int i = 1; i <= piece.count; ++i) {
        const double u = piece.u[i];
        rates[i - 1] = (1 + u * u) * (piece.u[i - 1] - 2 * u + piece.u[i + 1]);
        ids[i - 1] = static_cast<std::uint64_t>(step) * cells + piece.first + i - 1;
      }
      // Cell i sees u[i - 1], u[i] and u[i + 1]: rows that overlap, taken where they are.
      mine.features = dnn_train::Matrix::strided(piece.u.data(), piece.count, 3, 1, 1);
      mine.targets = dnn_train::Matrix::row_major(rates.data(), piece.count, 1);
      mine.ids = ids.data();
      trainer.step(mine);
      if (step % 100 == 99) {
        const double loss = trainer.recent_loss();
        if (rank == 0) {
          std::printf("step %d: loss %.5f\n", step + 1, loss);
        }
      }
      if (step + 1 < steps) {
        for (int i = 1; i <= piece.count; ++i) {
          piece.u[i] += 0.0005 * rates[i - 1];
        }
      }
    }
    const dnn_train::Evaluation evaluation = trainer.evaluate(mine);
    const std::string hash = trainer.hash();
    if (rank == 0) {
      for (const auto& [name, value] : evaluation.figures) {
        if (name == "r2") {
          std::printf("R2 of the surrogate on the last state: %.4f\n", value);
        }
      }
      std::printf("%s\n", hash.c_str());
    }
    trainer.close();
  } catch (const dnn_train::Error& error) {
    std::fprintf(stderr, "heat: rank %d: %s\n", rank, error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return 0;
}
