// The number of bytes of the parameters, in two bytes; the description of a model; the parameters.
// They are read as a file whose checksum is right.

#include <algorithm>
#include <vector>

#include "dnn/model/model_file.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/report/model_report.hpp"
#include "fuzz/allocation_limit.hpp"
#include "fuzz/invariants.hpp"
#include "fuzz/sealed_file.hpp"
#include "support/memory_file.hpp"

using namespace dnn;

namespace {

template <class T>
void expect_parameters_fit(const SavedModel& model) {
  const auto& widths = model.description.widths;
  const ParameterLayout layout({widths.begin(), widths.end()});
  fuzz::expect(layout.parameter_count() * sizeof(T) == model.parameters.size(),
               "the parameters are those of the layers");
  std::vector<T> values(layout.size());
  model.copy_to(layout, std::span(values));
  fuzz::expect(packed_parameters<T>(layout, values) == model.parameters,
               "the parameters come back");
}

void expect_well_formed(const SavedModel& model) {
  const ModelDescription& d = model.description;
  fuzz::expect(d.widths.size() >= 2 && d.class_names.size() == d.widths.back() &&
                   (d.feature_names.empty() || d.feature_names.size() == d.widths.front()) &&
                   d.normalizer.center.size() == d.normalizer.scale.size() &&
                   (d.normalizer.is_identity() || d.normalizer.center.size() == d.widths.front()),
               "the description fits the layers");
  d.precision == Precision::f64 ? expect_parameters_fit<double>(model)
                                : expect_parameters_fit<float>(model);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const test::MemoryFile file;
  if (size < 2) {
    return 0;
  }
  const auto body = fuzz::input(data, size).subspan(2);
  const std::size_t parameters =
      std::min<std::size_t>(data[0] | std::size_t{data[1]} << 8, body.size());
  const auto sealed = fuzz::sealed_file(Container::model, body.first(body.size() - parameters),
                                        body.last(parameters));
  file.write(sealed);
  SavedModel model;
  if (fuzz::accepts(file.path(), [&] {
        const fuzz::AllocationLimit limit(128 * sealed.size() + 65536);
        model = load_model(file.path());
      })) {
    expect_well_formed(model);
    (void)fuzz::accepts(file.path(), [&] { (void)model_verification(file.path()); });
    fuzz::expect(!model_info(file.path()).empty(), "a model can be described");
  }
  return 0;
}
