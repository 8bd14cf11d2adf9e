// Decoding beside a scan for the byte that ends a frame, and CRCs beside zlib's. The stream is 64
// frames of about 1 KiB, as much as one read brings, of two kinds: `text`, a device's readings with
// two bytes a frame that stuffing has to escape, and `random`, bytes of which one in 128 is to be
// escaped.
#include <cstring>
#include <random>
#include <string>
#include <zlib.h>

#include <benchmark/benchmark.h>

#include <netkit/codec/frame_codec.hpp>

namespace {

constexpr std::size_t kBody = 1024;
constexpr int kFrames = 64;

struct Subject {
  const char* name;
  const char* codec;
  char end;             // the byte that ends a frame
  const char* special;  // two bytes that are escaped
};

constexpr Subject kSubjects[] = {{"line", "line", '\n', "  "},
                                 {"slip", "slip", '\xc0', "\xc0\xdb"},
                                 {"cobs", "cobs", '\0', "\0\0"},
                                 {"hdlc", "hdlc", '\x7e', "\x7e\x7d"}};

std::string readings(const Subject& subject, std::mt19937& random) {
  std::string body;
  while (body.size() < kBody) {
    body += "sensor=" + std::to_string(random() % 100) +
            ";value=" + std::to_string(random() % 100000) + ";";
  }
  body.resize(kBody);
  body[random() % kBody] = subject.special[0];
  body[random() % kBody] = subject.special[1];
  return body;
}

std::string noise(const Subject& subject, std::mt19937& random) {
  std::string body(kBody, '\0');
  for (char& byte : body) {
    do byte = static_cast<char>(random());
    while (subject.end == '\n' && (byte == '\n' || byte == '\r'));
  }
  return body;
}

std::string make_stream(const Subject& subject, bool text) {
  std::mt19937 random(1);
  const netkit::FrameEncoder encoder(netkit::CodecSpec::parse(subject.codec));
  std::string stream;
  for (int i = 0; i < kFrames; ++i) {
    encoder.append(stream, text ? readings(subject, random) : noise(subject, random));
  }
  return stream;
}

void scan(benchmark::State& state, const Subject& subject, bool text) {
  const std::string stream = make_stream(subject, text);
  for (auto _ : state) {
    std::size_t ends = 0;
    const char* const end = stream.data() + stream.size();
    for (const char* at = stream.data(); at < end; ++ends) {
      at = static_cast<const char*>(
          std::memchr(at, subject.end, static_cast<std::size_t>(end - at)));
      ++at;
    }
    benchmark::DoNotOptimize(ends);
  }
}

void decode(benchmark::State& state, const Subject& subject, bool text) {
  const std::string stream = make_stream(subject, text);
  netkit::FrameDecoder decoder(netkit::CodecSpec::parse(subject.codec), 1U << 20U);
  std::size_t frames = 0;
  for (auto _ : state) {
    decoder.feed(stream, [&](const netkit::FrameView& frame) {
      benchmark::DoNotOptimize(frame.content.data());
      ++frames;
    });
  }
  if (frames != static_cast<std::size_t>(state.iterations()) * kFrames) {
    state.SkipWithError("frames were lost");
  }
}

std::string bytes_for(benchmark::State& state) {
  std::mt19937 random(1);
  std::string bytes(static_cast<std::size_t>(state.range(0)), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

void zlib_crc(benchmark::State& state) {
  const std::string bytes = bytes_for(state);
  for (auto _ : state) {
    const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
    benchmark::DoNotOptimize(crc32_z(0, from, bytes.size()));
  }
}

void netkit_crc(benchmark::State& state, const char* name) {
  const std::string bytes = bytes_for(state);
  const netkit::Crc crc(netkit::find_crc(name).value());
  for (auto _ : state) benchmark::DoNotOptimize(crc(bytes));
}

void register_all() {
  for (const Subject& subject : kSubjects) {
    for (const bool text : {true, false}) {
      const std::string name = std::string(subject.name) + (text ? "/text" : "/random");
      benchmark::RegisterBenchmark(("scan/" + name).c_str(), scan, subject, text);
      benchmark::RegisterBenchmark(("decode/" + name).c_str(), decode, subject, text);
    }
  }
  for (const int size : {64, 1024, 65536}) {
    benchmark::RegisterBenchmark("crc/zlib", zlib_crc)->Arg(size);
    for (const char* name : {"crc32", "crc16-modbus", "crc16-xmodem"}) {
      const std::string title = std::string("crc/") + name;
      benchmark::RegisterBenchmark(title.c_str(), netkit_crc, name)->Arg(size);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
