#include "dnn/watch/watch_server.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/report/report_page.hpp"
#include "dnn/report/run_record.hpp"
#include "dnn/watch/listen_address.hpp"
#include "dnn/watch/run_list.hpp"

namespace dnn {

namespace {

using httplib::Request;
using httplib::Response;

/// For the next bytes of a request, and for the next request.
constexpr std::chrono::seconds patience(3);
/// Connections that wait to be taken; of more, the library's 5, the system drops some for a second.
constexpr int most_pending = 128;

/// 128 random bits.
std::string make_token() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

/// Takes as long wherever the first difference is.
bool is_same(const std::string& a, const std::string& b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

void refuse(Response& response, int status, const std::string& reason) {
  response.status = status;
  response.set_content(reason + "\n", "text/plain; charset=utf-8");
}

/// Threads for connections, more of them as more are needed at once: whoever connects and then asks
/// for nothing, or slowly, holds one of them and nobody else.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  /// void in old versions of the library; in newer ones whether the connection is taken.
  using Taken = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));

  Taken enqueue(std::function<void()> serve) override {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(serve));
    if (idle_ < waiting_.size() && threads_.size() < most_threads) {
      try {
        threads_.emplace_back([this] { work(); });
      } catch (const std::system_error&) {  // no more threads for this user
        if (threads_.empty()) {
          waiting_.back()();  // by the thread that takes the connections
          waiting_.pop_back();
        }
      }
    }
    changed_.notify_one();
    return Taken(true);
  }
  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
    for (std::thread& one : threads_) {
      one.join();
    }
  }

 private:
  static constexpr std::size_t most_threads = 256;

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      changed_.wait(lock, [this] { return is_over_ || !waiting_.empty(); });
      --idle_;
      if (waiting_.empty()) {
        return;
      }
      const std::function<void()> serve = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      serve();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool is_over_ = false;
};

}  // namespace

struct WatchServer::Implementation {
  Implementation(const std::string& folder, const std::string& listen)
      : runs(folder), address(listen_address(listen)) {}

  RunList runs;
  ListenAddress address;
  std::string token = make_token();
  httplib::Server server;

  /// The record of the run that a request names, or of the first one.
  nlohmann::ordered_json record_for(const std::string& name) const {
    nlohmann::ordered_json record = run_record(runs.folder_of(name));
    if (name != ".") {
      record["name"] = name;
    }
    return record;
  }
  [[nodiscard]] std::string name_in(const Request& request) const {
    if (request.has_param("run")) {
      return request.get_param_value("run");
    }
    const std::vector<std::string> names = runs.names();
    return names.empty() ? std::string() : names.front();
  }

  void send_page(const Request& request, Response& response) const {
    const std::string name = name_in(request);
    std::vector<nlohmann::ordered_json> records;
    if (!name.empty()) {
      try {
        records.push_back(record_for(name));
      } catch (const InputError&) {
        // The page says so, and has the other runs.
      }
    }
    response.set_content(live_report_page(std::move(records)), "text/html; charset=utf-8");
  }
  void send_list(const Request& /*request*/, Response& response) const {
    response.set_content(report_json(runs.names()), "application/json");
  }
  void send_record(const Request& request, Response& response) const {
    const std::string name = name_in(request);
    const std::string version = '"' + version_of_run(runs.folder_of(name)) + '"';
    response.set_header("ETag", version);
    if (request.get_header_value("If-None-Match") == version) {
      response.status = 304;
      return;
    }
    response.set_content(report_json(record_for(name)), "application/json");
  }

  /// Whether a request may be answered. The port is another one behind an ssh tunnel; the name is
  /// this machine's, so that no other site's name leads here (DNS rebinding); where other machines
  /// may ask, nobody knows what this one is called there.
  bool admits(const Request& request, Response& response) const {
    const std::string host = request.get_header_value("Host");
    if (request.method != "GET") {
      refuse(response, 405, "Only GET is answered.");
    } else if (address.is_local && !host.starts_with(address.url_host + ':') &&
               !host.starts_with("127.0.0.1:") && !host.starts_with("localhost:")) {
      refuse(response, 403, "Open the address that dnn_watch printed.");
    } else if (!is_same(request.get_param_value("token"), token)) {
      refuse(response, 403,
             "The token is missing or wrong. Open the address that dnn_watch printed.");
    } else {
      return true;
    }
    return false;
  }

  void add_handler(const char* path,
                   void (Implementation::*send)(const Request&, Response&) const) {
    server.Get(path, [this, send](const Request& request, Response& response) {
      try {
        (this->*send)(request, response);
      } catch (const InputError& error) {
        refuse(response, 404, error.what());
      }
    });
  }
};

WatchServer::WatchServer(const std::string& folder, int port, const std::string& listen)
    : implementation_(std::make_unique<Implementation>(folder, listen)) {
  const ListenAddress& address = implementation_->address;
  httplib::Server& server = implementation_->server;
  server.new_task_queue = [] { return new ConnectionThreads; };
  server.set_keep_alive_timeout(patience.count());
  server.set_read_timeout(patience);
  socket_t listening = -1;
  server.set_socket_options([&listening](socket_t socket) {  // httplib's own share the port
    listening = socket;
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  server.set_payload_max_length(0);
  server.set_default_headers({{"Cache-Control", "no-store"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"Referrer-Policy", "no-referrer"},
                              {"X-Frame-Options", "DENY"}});
  errno = 0;
  port_ = port == 0 ? server.bind_to_any_port(address.numeric) : port;
  if (port_ <= 0 || (port != 0 && !server.bind_to_port(address.numeric, port))) {
    if (errno == EADDRNOTAVAIL) {
      throw InputError(
          fmt::format("cannot listen on {}: it is not an address of this machine; name one that "
                      "is with --listen, or leave the option out",
                      listen));
    }
    const std::string reason = errno == EADDRINUSE ? "another program uses it"
                               : errno == EACCES
                                   ? "this user may not use it (ports below 1024 are the system's)"
                                   : std::generic_category().message(errno);
    throw InputError(
        fmt::format("cannot listen on port {} of {}: {}; name another one with --port, or none",
                    port, listen, reason));
  }
  (void)::listen(listening, most_pending);
  server.set_pre_routing_handler([this](const Request& request, Response& response) {
    return implementation_->admits(request, response) ? httplib::Server::HandlerResponse::Unhandled
                                                      : httplib::Server::HandlerResponse::Handled;
  });
  implementation_->add_handler("/", &Implementation::send_page);
  implementation_->add_handler("/runs", &Implementation::send_list);
  implementation_->add_handler("/run", &Implementation::send_record);
  address_ = fmt::format("http://{}:{}/?token={}", address.url_host, port_, implementation_->token);
  forwarding_ = address.forwarding(port_);
}

WatchServer::~WatchServer() = default;

void WatchServer::serve() {
  implementation_->server.listen_after_bind();
}

void WatchServer::stop() {
  implementation_->server.stop();
}

}  // namespace dnn
