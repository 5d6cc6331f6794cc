// What a job sees of the cluster, in one line from rank 0:
//   8 ranks, 4 nodes, 2..2 ranks a node, sum ok, 0.001234 s
// probe [COUNT [SECONDS]]: MPI_Allreduce of COUNT floats again and again for SECONDS; the time is
// that of one of them.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 0;

  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);

  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
  int node_rank = 0, node_ranks = 0;
  MPI_Comm_rank(node, &node_rank);
  MPI_Comm_size(node, &node_ranks);
  int first = node_rank == 0, nodes = 0, fewest = 0, most = 0;
  MPI_Allreduce(&first, &nodes, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  MPI_Allreduce(&node_ranks, &fewest, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  MPI_Allreduce(&node_ranks, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);

  std::vector<float> mine(count, static_cast<float>(rank + 1)), sum(count);
  const float expected = static_cast<float>(ranks) * static_cast<float>(ranks + 1) / 2;
  int good = 1, go_on = 1, times = 0;
  const double begin = MPI_Wtime();
  while (go_on) {
    MPI_Allreduce(mine.data(), sum.data(), count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    ++times;
    for (float value : sum) good = good && value == expected;
    go_on = MPI_Wtime() - begin < seconds;
    MPI_Bcast(&go_on, 1, MPI_INT, 0, MPI_COMM_WORLD);
  }
  const double each = (MPI_Wtime() - begin) / times;
  int all_good = 0;
  MPI_Allreduce(&good, &all_good, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  if (rank == 0)
    std::printf("%d ranks, %d nodes, %d..%d ranks a node, sum %s, %.6f s\n", ranks, nodes, fewest,
                most, all_good ? "ok" : "wrong", each);
  MPI_Comm_free(&node);
  MPI_Finalize();
  return all_good ? 0 : 1;
}
