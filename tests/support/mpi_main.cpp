#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>

#include "dnn/comm/program.hpp"
#include "support/mpi_world.hpp"

namespace dnn::test {

namespace {
const Communicator* all_ranks = nullptr;
const Communicator* this_rank = nullptr;
}  // namespace

const Communicator& world() {
  return *all_ranks;
}
const Communicator& self() {
  return *this_rank;
}

}  // namespace dnn::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return dnn::run_mpi_program(argc, argv, "test", [](const dnn::Communicator& world) {
    const dnn::Communicator self = dnn::Communicator::duplicate(MPI_COMM_SELF);
    dnn::test::all_ranks = &world;
    dnn::test::this_rank = &self;
    if (!world.is_root()) {
      auto& listeners = testing::UnitTest::GetInstance()->listeners();
      delete listeners.Release(listeners.default_result_printer());
    }
    int failed = RUN_ALL_TESTS();
    if (failed != 0 && !world.is_root()) {
      const auto* unit = testing::UnitTest::GetInstance();
      for (int s = 0; s < unit->total_test_suite_count(); ++s) {
        const auto* suite = unit->GetTestSuite(s);
        for (int t = 0; t < suite->total_test_count(); ++t) {
          const auto* result = suite->GetTestInfo(t)->result();
          for (int p = 0; p < result->total_part_count(); ++p) {
            const auto& part = result->GetTestPartResult(p);
            if (part.failed()) {
              std::printf("rank %d: %s: %s\n", world.rank(), suite->GetTestInfo(t)->name(),
                          part.message());
            }
          }
        }
      }
    }
    failed = static_cast<int>(world.all_reduce<std::int64_t>(failed, dnn::Reduction::max));
    return failed;
  });
}
