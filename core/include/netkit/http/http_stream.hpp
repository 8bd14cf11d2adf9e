// Bodies that are written piece by piece.
#pragma once

#include <cstddef>
#include <string_view>

#include <netkit/net/endpoint.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// A piece of a streamed body, encoded once for all who get it. Null if there is none, never empty.
class NETKIT_API HttpChunk {
 public:
  HttpChunk() = default;
  explicit HttpChunk(std::string_view body);
  std::string_view body() const { return std::string_view(*encoded_).substr(begin_, size_); }
  const SharedPayload& encoded() const { return encoded_; }  // as a chunk of HTTP/1.1

 private:
  SharedPayload encoded_;
  std::size_t begin_ = 0;  // of the body in it
  std::size_t size_ = 0;
};

// The rest of an answer that is written piece by piece. A command derives its own class from it,
// with what it keeps per reader; HttpServer owns it. It is destroyed right after on_gone(), or with
// the server. [loop]
class NETKIT_API HttpStream {
 public:
  // What carries it: a connection of HTTP/1.1, or one of many streams of HTTP/2.
  class Carrier {
   public:
    virtual ~Carrier() = default;
    virtual void send(const HttpChunk& chunk) = 0;
    virtual void send(std::string_view body) = 0;
    virtual void end() = 0;
    virtual void cut() = 0;
    virtual bool backed_up() const = 0;
    virtual Endpoint peer() const = 0;
  };

  HttpStream() = default;
  virtual ~HttpStream();
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  // All of these from on_open() on; after end(), cut() and on_gone(), what is written is dropped.
  void write(const HttpChunk& chunk);
  void write(std::string_view body);
  // The body is complete: the peer is told so, once all is sent. A connection of HTTP/1.1 closes
  // where it said so, or more than the request had come.
  void end();
  // The body is not complete, and will not be: the peer sees that after all that was written
  // before, by the end of the connection in HTTP/1.1, by a reset of the stream in HTTP/2.
  void cut();
  bool ended() const { return ended_; }
  // More waits than the server's high_water: nothing more should be written until on_drained().
  bool backed_up() const { return carrier_->backed_up(); }
  Endpoint peer() const { return carrier_->peer(); }

 protected:
  virtual void on_open() {}  // the head is on its way
  virtual void on_backed_up() {}
  virtual void on_drained() {}  // down to low_water
  virtual void on_gone() {}     // the peer, or the server after end()

 private:
  friend class HttpServer;
  Carrier* carrier_ = nullptr;
  std::size_t slot_ = 0;
  bool ended_ = false;
};

}  // namespace netkit
