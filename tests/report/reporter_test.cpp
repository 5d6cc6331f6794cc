#include "dnn/report/reporter.hpp"

#include <gtest/gtest.h>

namespace dnn {
namespace {

EpochMetrics epoch_metrics() {
  EpochMetrics metrics;
  metrics.epoch = 12;
  metrics.train = {0.1234, 0.97, 54000};
  metrics.validation = Evaluation{0.2345, 0.9, 6000};
  metrics.samples_per_second = 123456;
  return metrics;
}

TEST(EpochLine, HasTheCommonestFigures) {
  EXPECT_EQ(epoch_line(epoch_metrics(), 20),
            "epoch  12/20  train loss 0.1234 97.00 %  validation 0.2345 90.00 %  123,456/s");
}

TEST(EpochLine, FitsEightyColumns) {
  EpochMetrics metrics = epoch_metrics();
  metrics.train.loss = 12345.678;
  metrics.samples_per_second = 123456789;
  EXPECT_LE(epoch_line(metrics, 2000).size(), 80U);
  metrics.samples_per_second = 123456;
  metrics.train = {0.5, -1, 10};
  metrics.validation = Evaluation{0.25, -1, 10, -1, {{"r2", 0.5}, {"rmse", 1.5}}};
  EXPECT_EQ(epoch_line(metrics, 20),
            "epoch  12/20  train loss 0.5000  validation 0.2500 r2 0.5 rmse 1.5  123,456/s");
  metrics.validation->figures[0].name = std::string(60, 'r');
  EXPECT_EQ(epoch_line(metrics, 20),
            "epoch  12/20  train loss 0.5000  validation 0.2500  123,456/s");
  metrics.validation.reset();
  EXPECT_EQ(epoch_line(metrics, 20), "epoch  12/20  train loss 0.5000  123,456/s");
}

}  // namespace
}  // namespace dnn
