/* A heat equation whose ranks train a surrogate of their own solver while it runs: the example of
 * ../cpp in C, by dnn_train.h. It ends with the same parameters.
 *
 *   mpicc heat.c $(pkg-config --cflags --libs dnn_train) -o heat && mpirun -np 4 ./heat */

#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <dnn/dnn_train.h>

enum { cells = 240, steps = 300 };

static void check(dnn_train_t trainer, dnn_train_status status) {
  if (status != DNN_TRAIN_OK) {
    fprintf(stderr, "heat: %s\n", dnn_train_error(trainer));
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

int main(int argc, char** argv) {
  int rank, ranks, step, i;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);

  const int first = cells * rank / ranks;
  const int count = cells * (rank + 1) / ranks - first;
  const int left = (rank + ranks - 1) % ranks, right = (rank + 1) % ranks;
  double* u = malloc((size_t)(count + 2) * sizeof(double)); /* with the neighbours' ends */
  double* rates = malloc((size_t)count * sizeof(double));
  uint64_t* ids = malloc((size_t)count * sizeof(uint64_t));
  for (i = 0; i < count; ++i) {
    u[i + 1] = ((first + i) * 37 % 60) / 60.0 + ((first + i) / 80) * 0.5;
  }

  dnn_train_t trainer = NULL;
  check(NULL, dnn_train_open(MPI_COMM_WORLD,
                             "hidden = [32]\n"
                             "task = 'numbers'\n"
                             "lr = 0.005\n"
                             "batch-size = 256\n"
                             "store = 20000\n",
                             &trainer));
  const dnn_train_matrix features = {u, DNN_TRAIN_DOUBLE, (size_t)count, 3, 1, 1};
  const dnn_train_matrix targets = {rates, DNN_TRAIN_DOUBLE, (size_t)count, 1, 1, 1};

  for (step = 0; step < steps; ++step) {
    MPI_Sendrecv(&u[count], 1, MPI_DOUBLE, right, 0, &u[0], 1, MPI_DOUBLE, left, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    MPI_Sendrecv(&u[1], 1, MPI_DOUBLE, left, 1, &u[count + 1], 1, MPI_DOUBLE, right, 1,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (i = 1; i <= count; ++i) {
      rates[i - 1] = (1 + u[i] * u[i]) * (u[i - 1] - 2 * u[i] + u[i + 1]);
      ids[i - 1] = (uint64_t)step * cells + (uint64_t)(first + i - 1);
    }
    check(trainer, dnn_train_put(trainer, &features, NULL, &targets, ids, NULL));
    check(trainer, dnn_train_step(trainer, NULL));
    if (step + 1 < steps) {
      for (i = 1; i <= count; ++i) {
        u[i] += 0.0005 * rates[i - 1];
      }
    }
  }

  double loss, r2;
  char hash[65];
  check(trainer, dnn_train_put(trainer, &features, NULL, &targets, ids, NULL));
  check(trainer, dnn_train_evaluate(trainer, &loss, NULL));
  check(trainer, dnn_train_figure(trainer, "r2", &r2));
  check(trainer, dnn_train_hash(trainer, hash));
  if (rank == 0) {
    printf("R2 of the surrogate on the last state: %.4f\n%s\n", r2, hash);
  }
  check(NULL, dnn_train_close(&trainer));
  free(u);
  free(rates);
  free(ids);
  MPI_Finalize();
  return 0;
}
