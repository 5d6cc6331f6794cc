#include "dnn/library/records.hpp"

#include "dnn/core/copy_bytes.hpp"

namespace dnn {

namespace {

/// Numbers of type `R` that lie in each record at an offset, one record after another.
template <class R>
std::vector<R> gather_field(const Records& records, std::size_t offset, std::size_t per_record) {
  std::vector<R> all(records.size() * per_record);
  for (std::size_t i = 0; i < records.size(); ++i) {
    copy_bytes(all.data() + i * per_record, records.record(i).data() + offset,
               per_record * sizeof(R));
  }
  return all;
}

}  // namespace

std::vector<std::uint64_t> Records::ids() const {
  return gather_field<std::uint64_t>(*this, 0, 1);
}

Dataset without_samples(const RecordForm& form, const Dataset& outputs) {
  Dataset data;
  data.origin = outputs.origin;
  data.features = form.features;
  data.row_elements = form.features;
  data.element = form.wide ? ElementType::f64 : ElementType::f32;
  data.task = outputs.task;
  data.class_names = outputs.class_names;
  data.feature_names = outputs.feature_names;
  data.target_scale = outputs.target_scale;
  data.label_thresholds = outputs.label_thresholds;
  return data;
}

Dataset dataset_of(const Records& records, const Dataset& outputs) {
  const RecordForm& form = records.form;
  Dataset data = without_samples(form, outputs);
  data.samples = records.size();
  if (data.samples > 0) {
    data.values.view = std::span(records.bytes).subspan(RecordForm::features_at());
    data.row_elements = form.bytes() / form.element();
  }
  if (form.has_class) {
    const auto classes = gather_field<std::int64_t>(records, form.class_at(), 1);
    data.labels = Bytes::from(std::vector<std::int32_t>(classes.begin(), classes.end()));
  }
  if (form.targets > 0) {
    data.target_rows = Bytes::from(gather_field<double>(records, form.targets_at(), form.targets));
  }
  if (form.has_weight) {
    data.weights = Bytes::from(gather_field<double>(records, form.weight_at(), 1));
  }
  return data;
}

}  // namespace dnn
