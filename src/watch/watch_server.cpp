#include "dnn/watch/watch_server.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <system_error>

#include "dnn/core/error.hpp"
#include "dnn/report/report_page.hpp"
#include "dnn/report/run_record.hpp"
#include "dnn/watch/run_list.hpp"

namespace dnn {

namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* loopback = "127.0.0.1";

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

/// Throws InputError unless `name` has an address.
void check_address(const std::string& name) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(name.c_str(), nullptr, &wanted, &found);
  if (code != 0) {
    throw InputError(fmt::format(
        "cannot listen on {}: no address of that name is known ({}); name an address of this "
        "machine with --listen",
        name, code == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(code)));
  }
  ::freeaddrinfo(found);
}

}  // namespace

struct WatchServer::Implementation {
  explicit Implementation(const std::string& folder) : runs(folder) {}

  RunList runs;
  std::string token = make_token();
  httplib::Server server;
  bool is_local = true;  ///< only this machine can ask

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
      records.push_back(record_for(name));
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
    } else if (is_local && !host.starts_with("127.0.0.1:") && !host.starts_with("localhost:")) {
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
    : implementation_(std::make_unique<Implementation>(folder)) {
  implementation_->is_local = listen == loopback;
  httplib::Server& server = implementation_->server;
  server.set_socket_options([](socket_t socket) {  // httplib's own share the port with others
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  server.set_payload_max_length(0);
  server.set_default_headers({{"Cache-Control", "no-store"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"Referrer-Policy", "no-referrer"},
                              {"X-Frame-Options", "DENY"}});
  check_address(listen);
  errno = 0;
  port_ = port == 0 ? server.bind_to_any_port(listen) : port;
  if (port_ <= 0 || (port != 0 && !server.bind_to_port(listen, port))) {
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
  server.set_pre_routing_handler([this](const Request& request, Response& response) {
    return implementation_->admits(request, response) ? httplib::Server::HandlerResponse::Unhandled
                                                      : httplib::Server::HandlerResponse::Handled;
  });
  implementation_->add_handler("/", &Implementation::send_page);
  implementation_->add_handler("/runs", &Implementation::send_list);
  implementation_->add_handler("/run", &Implementation::send_record);
  address_ = fmt::format("http://{}:{}/?token={}", listen, port_, implementation_->token);
}

WatchServer::~WatchServer() = default;

void WatchServer::serve() {
  implementation_->server.listen_after_bind();
}

void WatchServer::stop() {
  implementation_->server.stop();
}

}  // namespace dnn
