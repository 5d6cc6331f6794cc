#include "dnn/options/choices.hpp"

#include "dnn/nn/ensemble_average.hpp"

namespace dnn {

template <>
const std::map<std::string, HeaderMode>& choices() {
  static const std::map<std::string, HeaderMode> words = {
      {"auto", HeaderMode::detect}, {"yes", HeaderMode::yes}, {"no", HeaderMode::no}};
  return words;
}
template <>
const std::map<std::string, DataAccess>& choices() {
  static const std::map<std::string, DataAccess> words = {{"auto", DataAccess::automatic},
                                                          {"shared", DataAccess::shared},
                                                          {"local", DataAccess::local}};
  return words;
}
template <>
const std::map<std::string, Task>& choices() {
  static const std::map<std::string, Task> words = {
      {word_for(Task::automatic), Task::automatic},
      {word_for(Task::classes), Task::classes},
      {word_for(Task::labels), Task::labels},
      {word_for(Task::numbers), Task::numbers},
      {word_for(Task::distribution), Task::distribution}};
  return words;
}
template <>
const std::map<std::string, Normalization>& choices() {
  static const std::map<std::string, Normalization> words = {{"none", Normalization::none},
                                                             {"minmax", Normalization::minmax},
                                                             {"standard", Normalization::standard},
                                                             {"common", Normalization::common}};
  return words;
}
template <>
const std::map<std::string, Placement>& choices() {
  static const std::map<std::string, Placement> words = {{"auto", Placement::automatic},
                                                         {"node", Placement::node},
                                                         {"job", Placement::job},
                                                         {"disk", Placement::disk}};
  return words;
}
template <>
const std::map<std::string, Precision>& choices() {
  static const std::map<std::string, Precision> words = {
      {word_for(Precision::bf16), Precision::bf16},
      {word_for(Precision::f32), Precision::f32},
      {word_for(Precision::f64), Precision::f64}};
  return words;
}
template <>
const std::map<std::string, Initializer>& choices() {
  static const std::map<std::string, Initializer> words = {
      {"auto", Initializer::automatic}, {"he", Initializer::he}, {"xavier", Initializer::xavier}};
  return words;
}
template <>
const std::map<std::string, OptimizerKind>& choices() {
  static const std::map<std::string, OptimizerKind> words = {{"sgd", OptimizerKind::sgd},
                                                             {"momentum", OptimizerKind::momentum},
                                                             {"nesterov", OptimizerKind::nesterov},
                                                             {"adam", OptimizerKind::adam},
                                                             {"adamw", OptimizerKind::adamw}};
  return words;
}
template <>
const std::map<std::string, ScheduleKind>& choices() {
  static const std::map<std::string, ScheduleKind> words = {{"constant", ScheduleKind::constant},
                                                            {"step", ScheduleKind::step},
                                                            {"cosine", ScheduleKind::cosine}};
  return words;
}
template <>
const std::map<std::string, ClassWeights>& choices() {
  static const std::map<std::string, ClassWeights> words = {{"none", ClassWeights::none},
                                                            {"balanced", ClassWeights::balanced}};
  return words;
}
template <>
const std::map<std::string, ExchangeKind>& choices() {
  static const std::map<std::string, ExchangeKind> words = {{"auto", ExchangeKind::automatic},
                                                            {"allreduce", ExchangeKind::allreduce},
                                                            {"tree", ExchangeKind::tree},
                                                            {"node", ExchangeKind::node},
                                                            {"overlap", ExchangeKind::overlap}};
  return words;
}
template <>
const std::map<std::string, SharingDomain>& choices() {
  static const std::map<std::string, SharingDomain> words = {{"auto", SharingDomain::automatic},
                                                             {"node", SharingDomain::node},
                                                             {"numa", SharingDomain::numa}};
  return words;
}
template <>
const std::map<std::string, Compression>& choices() {
  static const std::map<std::string, Compression> words = {{"none", Compression::none},
                                                           {"bf16", Compression::bf16}};
  return words;
}
template <>
const std::map<std::string, ThresholdRule>& choices() {
  static const std::map<std::string, ThresholdRule> map = {{"auto", ThresholdRule::chosen},
                                                           {"half", ThresholdRule::half}};
  return map;
}

template <>
const std::map<std::string, OnNonfinite>& choices() {
  static const std::map<std::string, OnNonfinite> words = {{"abort", OnNonfinite::abort},
                                                           {"skip", OnNonfinite::skip},
                                                           {"rollback", OnNonfinite::rollback}};
  return words;
}

template <>
const std::map<std::string, ColumnImportance>& choices() {
  static const std::map<std::string, ColumnImportance> words = {
      {"auto", ColumnImportance::automatic}, {"off", ColumnImportance::off}};
  return words;
}

template <>
const std::map<std::string, TensorBoard>& choices() {
  static const std::map<std::string, TensorBoard> words = {{"off", TensorBoard::off},
                                                           {"scalars", TensorBoard::scalars},
                                                           {"histograms", TensorBoard::histograms}};
  return words;
}

template <>
const std::map<std::string, Defaults>& choices() {
  static const std::map<std::string, Defaults> words = {{"auto", Defaults::automatic},
                                                        {"plain", Defaults::plain}};
  return words;
}

template <>
const std::map<std::string, EnsembleAverage>& choices() {
  static const std::map<std::string, EnsembleAverage> words = {
      {"logits", EnsembleAverage::logits}, {"probabilities", EnsembleAverage::probabilities}};
  return words;
}

}  // namespace dnn
