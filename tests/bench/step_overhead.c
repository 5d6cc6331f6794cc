/* What dnn_train_step costs beside the program's own loop: updates of 784-512-256-10 from 256 samples, as the program
 * makes them from the same numbers.
 *
 *   step_overhead SAMPLES.f32 UPDATES     (a file of 60,000 x 784 floats; their class is their number modulo 10) */

#include <stdio.h>
#include <stdlib.h>

#include "dnn/dnn_train.h"

enum { samples = 60000, features = 784, batch = 256 };

static void check(dnn_train_t trainer, dnn_train_status status) {
  if (status != DNN_TRAIN_OK) {
    fprintf(stderr, "step_overhead: %s\n", dnn_train_error(trainer));
    exit(1);
  }
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank, ranks, i;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  FILE* file = argc == 3 ? fopen(argv[1], "rb") : NULL;
  float* x = malloc((size_t)samples * features * sizeof(float));
  if (file == NULL || fread(x, features * sizeof(float), samples, file) != samples) {
    fprintf(stderr, "step_overhead SAMPLES.f32 UPDATES: 60,000 x 784 floats are needed\n");
    return 1;
  }
  fclose(file);
  int32_t* classes = malloc(samples * sizeof(int32_t));
  uint64_t* ids = malloc(samples * sizeof(uint64_t));
  for (i = 0; i < samples; ++i) {
    classes[i] = i % 10;
    ids[i] = (uint64_t)i;
  }
  dnn_train_t trainer = NULL;
  check(NULL, dnn_train_open(MPI_COMM_WORLD, "hidden = [512, 256]\nclasses = 10\nbatch-size = 256", &trainer));
  double start = 0;
  const int updates = atoi(argv[2]);
  for (i = -20; i < updates; ++i) {
    if (i == 0) {
      start = MPI_Wtime();
    }
    const int first = (i + 20) % (samples / batch) * batch + batch * rank / ranks;
    const int rows = batch * (rank + 1) / ranks - batch * rank / ranks;
    const dnn_train_matrix mine = {x + (size_t)first * features, DNN_TRAIN_FLOAT, (size_t)rows, features, features, 1};
    check(trainer, dnn_train_put(trainer, &mine, classes + first, NULL, ids + first, NULL));
    check(trainer, dnn_train_step(trainer, NULL));
  }
  if (rank == 0) {
    printf("%.0f samples/s\n", updates * (double)batch / (MPI_Wtime() - start));
  }
  check(NULL, dnn_train_close(&trainer));
  MPI_Finalize();
  return 0;
}
