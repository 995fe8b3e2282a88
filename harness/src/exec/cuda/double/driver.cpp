// A CUDA driver that the tests load in the place of the real one: its GPU is the host. It knows the functions that the
// engine calls, does nothing before somebody waits for it, and complains about what a real one would not forgive.
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "recording.h"

extern "C" int valleys_cuda_host_launch(const char *name, unsigned grid_x, unsigned grid_y, unsigned shared,
                                        void *const *arguments);
extern "C" unsigned valleys_cuda_host_parameters(const char *name, unsigned *lengths);

namespace {

constexpr int INVALID_VALUE = 1, INVALID_IMAGE = 200, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, INVALIDATED = 901;

// Handles that are no addresses.
void *const CONTEXT = reinterpret_cast<void *>(8), *const POOL = reinterpret_cast<void *>(16),
            *const MODULE = reinterpret_cast<void *>(24);

thread_local void *current = nullptr;

using Work = std::vector<std::function<int()>>;

// A stream is made in every lane's turn: the first of a lane's is its own, the second is for recordings, two more are beside
// these.
enum class Kind { OWN, RECORDER, SIDE };

struct Stream {
  Kind kind;
  unsigned lane;
  // Of a lane's own stream: work that nobody has waited for, in the order of calls. Lanes do not wait for one another.
  std::mutex lock;
  Work waiting;
};

constexpr Kind KINDS[] = {Kind::OWN, Kind::RECORDER, Kind::SIDE, Kind::SIDE};
std::atomic<unsigned> streams{0};

// The first error of what was done; it stays, as a real GPU's does.
std::atomic<int> failure{0};

// Page-locked memory, which the GPU reads when it gets there: starts and lengths.
std::mutex pinned_lock;
std::map<const char *, size_t> pinned;

// What this thread has asked for in streams beside others, and how much of it some stream has waited for. It is done as late
// as that allows: when somebody waits.
thread_local Work beside;
thread_local size_t waited = 0;

// How much this thread has asked for in streams that are not beside others, and of how much of it the stream beside knows.
thread_local size_t asked = 0, known = 0;

// What the streams had been asked for when the event was recorded.
struct Event {
  size_t beside = 0, asked = 0;
  double spent = 0;
};

// The recording that this thread makes, and whether it fails.
thread_local Work *recording = nullptr;
thread_local bool recordings_fail = false;

// Milliseconds that a kernel of this thread takes, more than a convolution of cuDNN's double, if it does not turn a weight
// round; and what kernels have taken so far.
thread_local double own_time = 10, spent = 0;

// Bytes that this thread has sent to the GPU.
thread_local unsigned long long sent = 0;

// How often this thread has asked for every kernel, and for copies and clearings of the GPU's memory; what it records is
// asked for once.
thread_local std::map<std::string, unsigned long long> launched;
thread_local unsigned long long memory = 0;

// Bytes before and after every buffer, which nobody may touch; the first of them hold its length.
constexpr size_t GUARD = 256;
constexpr char UNTOUCHED = 0x7f;

bool untouched(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; ++i)
    if (bytes[i] != UNTOUCHED) return false;
  return true;
}

bool is_pinned(const void *from) {
  const std::lock_guard<std::mutex> held(pinned_lock);
  const auto after = pinned.upper_bound(static_cast<const char *>(from));
  if (after == pinned.begin()) return false;
  const auto &[start, length] = *std::prev(after);
  return static_cast<const char *>(from) < start + length;
}

bool is(const void *stream, Kind kind) { return static_cast<const Stream *>(stream)->kind == kind; }

// Buffers by their starts: where they end, and the lane that they belong to.
std::mutex buffers_lock;
std::map<unsigned long long, std::pair<unsigned long long, unsigned>> buffers;

// Whether a number is an address of memory of another lane, with which a stream has no business.
bool foreign(unsigned long long number, const void *in) {
  const std::lock_guard<std::mutex> held(buffers_lock);
  const auto after = buffers.upper_bound(number);
  if (after == buffers.begin()) return false;
  const auto [end, lane] = std::prev(after)->second;
  return number < end && lane != static_cast<const Stream *>(in)->lane;
}

void *place(unsigned long long address) { return reinterpret_cast<void *>(address); }

}  // namespace

int valleys_double_do(void *in, std::function<int()> work) {
  if (current != CONTEXT) return INVALID_VALUE;
  // Whoever works beside a stream has waited for all that was asked for there before.
  if (in == nullptr) return INVALID_VALUE;
  if (is(in, Kind::SIDE)) return known == asked ? (beside.push_back(std::move(work)), 0) : INVALID_VALUE;
  ++asked;
  if (is(in, Kind::RECORDER) && recording != nullptr) return recording->push_back(std::move(work)), 0;
  if (!is(in, Kind::OWN)) return INVALID_VALUE;
  Stream *const own = static_cast<Stream *>(in);
  const std::lock_guard<std::mutex> held(own->lock);
  return own->waiting.push_back(std::move(work)), failure.load();
}

extern "C" {

int cuInit(unsigned) { return 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGet(int *device, int) { return *device = 0, 0; }
int cuDevicePrimaryCtxRetain(void **context, int) { return *context = CONTEXT, 0; }
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
// Compute capability 9.0 (75 and 76), and all else there is.
int cuDeviceGetAttribute(int *value, int attribute, int) {
  return *value = attribute == 75 ? 9 : attribute == 76 ? 0 : 1, 0;
}
int cuDeviceGetName(char *name, int length, int) { return std::strncpy(name, "the host", length), 0; }
int cuDeviceGetDefaultMemPool(void **pool, int) { return *pool = POOL, 0; }
// The threshold (4) up to which freed memory is kept: all of it.
int cuMemPoolSetAttribute(void *pool, int attribute, void *value) {
  return pool == POOL && attribute == 4 && *static_cast<unsigned long long *>(value) == ~0ull ? 0 : INVALID_VALUE;
}
int cuCtxGetCurrent(void **context) { return *context = current, 0; }
int cuCtxSetCurrent(void *context) { return current = context, 0; }
int cuStreamCreate(void **made, unsigned) {
  const unsigned number = streams++;
  return *made = new Stream{KINDS[number % 4], number / 4, {}, {}}, 0;
}
int cuEventCreate(Event **made, unsigned) { return *made = new Event(), 0; }
int cuEventRecord(Event *event, void *in) {
  *event = is(in, Kind::SIDE) ? Event{beside.size(), 0, spent} : Event{0, asked, spent};
  return 0;
}
int cuStreamWaitEvent(void *in, const Event *event, unsigned) {
  if (is(in, Kind::SIDE)) return known = event->asked, 0;
  for (; waited < event->beside; ++waited)
    if (const int error = valleys_double_do(in, beside[waited]); error != 0) return error;
  return 0;
}
// Kernels take as long as the tests say.
int cuEventSynchronize(Event *) { return 0; }
int cuEventElapsedTime_v2(float *milliseconds, const Event *from, const Event *to) {
  return *milliseconds = float(to->spent - from->spent), 0;
}
int cuEventElapsedTime(float *milliseconds, const Event *from, const Event *to) {
  return cuEventElapsedTime_v2(milliseconds, from, to);
}
int cuEventDestroy_v2(Event *event) { return delete event, 0; }
int cuStreamDestroy_v2(void *) { return 0; }
int cuStreamSynchronize(void *in) {
  if (!is(in, Kind::OWN) || current != CONTEXT) return INVALID_VALUE;
  Stream *const own = static_cast<Stream *>(in);
  const std::lock_guard<std::mutex> held(own->lock);
  for (const auto &work : own->waiting)
    if (failure == 0)
      if (const int error = work(); error != 0) failure = error;
  return own->waiting.clear(), failure.load();
}
// Relaxed recordings (2) alone.
int cuStreamBeginCapture_v2(void *in, int mode) {
  if (!is(in, Kind::RECORDER) || recording != nullptr || mode != 2) return INVALID_VALUE;
  return recording = new Work(), 0;
}
int cuStreamEndCapture(void *in, Work **made) {
  if (!is(in, Kind::RECORDER) || recording == nullptr) return INVALID_VALUE;
  *made = recording;
  recording = nullptr;
  if (!recordings_fail) return 0;
  delete *made;
  return *made = nullptr, INVALIDATED;
}
int cuGraphInstantiateWithFlags(Work **ready, const Work *made, unsigned long long) {
  return *ready = new Work(*made), 0;
}
int cuGraphLaunch(const Work *ready, void *in) {
  return valleys_double_do(in, [work = *ready] {
    for (const auto &piece : work)
      if (const int error = piece(); error != 0) return error;
    return 0;
  });
}
int cuGraphExecDestroy(Work *ready) { return delete ready, 0; }
int cuGraphDestroy(Work *made) { return delete made, 0; }
int cuModuleLoadData(void **module, const void *image) {
  const unsigned char magic[] = {0x50, 0xed, 0x55, 0xba};  // a fat binary
  return *module = MODULE, std::memcmp(image, magic, sizeof magic) == 0 ? 0 : INVALID_IMAGE;
}
int cuModuleUnload(void *) { return 0; }
int cuModuleGetFunction(void **function, void *, const char *name) {
  return *function = strdup(name), *function ? 0 : NOT_FOUND;
}

// The version of the code (5) that all functions were compiled for.
int cuFuncGetAttribute(int *value, int attribute, void *) {
  return *value = 90, attribute == 5 ? 0 : INVALID_VALUE;
}
// Of all functions alike: the most dynamic shared memory.
int cuFuncSetAttribute(void *, int attribute, int value) {
  constexpr int DYNAMIC_SHARED = 8, MOST = 99 << 10;
  return attribute == DYNAMIC_SHARED && value <= MOST ? 0 : INVALID_VALUE;
}

int cuMemHostAlloc(void **start, size_t bytes, unsigned flags) {
  *start = std::malloc(bytes);
  const std::lock_guard<std::mutex> held(pinned_lock);
  return pinned[static_cast<const char *>(*start)] = bytes, flags == 0 ? 0 : INVALID_VALUE;
}
int cuMemFreeHost(void *start) {
  const std::lock_guard<std::mutex> held(pinned_lock);
  return pinned.erase(static_cast<const char *>(start)), std::free(start), 0;
}
int cuMemAllocAsync(unsigned long long *address, size_t bytes, void *in) {
  if (bytes == 0) return INVALID_VALUE;
  char *const start = static_cast<char *>(std::malloc(bytes + 2 * GUARD));
  std::memset(start, UNTOUCHED, bytes + 2 * GUARD);
  std::memcpy(start, &bytes, sizeof bytes);
  *address = reinterpret_cast<unsigned long long>(start + GUARD);
  const std::lock_guard<std::mutex> held(buffers_lock);
  buffers[*address] = {*address + bytes, static_cast<const Stream *>(in)->lane};
  return is(in, Kind::OWN) && current == CONTEXT ? 0 : INVALID_VALUE;
}
int cuMemFreeAsync(unsigned long long address, void *in) {
  if (!is(in, Kind::OWN) || foreign(address, in)) return INVALID_VALUE;
  {
    const std::lock_guard<std::mutex> held(buffers_lock);
    buffers.erase(address);
  }
  return valleys_double_do(in, [=] {
    char *const start = static_cast<char *>(place(address)) - GUARD;
    size_t bytes;
    std::memcpy(&bytes, start, sizeof bytes);
    const bool whole = untouched(start + sizeof bytes, GUARD - sizeof bytes) && untouched(start + GUARD + bytes, GUARD);
    std::memset(start, UNTOUCHED, bytes + 2 * GUARD);
    std::free(start);
    return whole ? 0 : ILLEGAL_ADDRESS;
  });
}
int cuMemGetInfo_v2(size_t *free, size_t *all) { return *free = *all = size_t{1} << 33, 0; }
int cuMemsetD8Async(unsigned long long address, unsigned char byte, size_t bytes, void *in) {
  ++memory;
  if (foreign(address, in)) return INVALID_VALUE;
  return valleys_double_do(in, [=] { return std::memset(place(address), byte, bytes), 0; });
}
int cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t bytes, void *in) {
  if (!is(in, Kind::OWN) || foreign(to, in)) return INVALID_VALUE;
  sent += bytes;
  if (is_pinned(from)) return valleys_double_do(in, [=] { return std::memcpy(place(to), from, bytes), 0; });
  const std::vector<char> taken(static_cast<const char *>(from), static_cast<const char *>(from) + bytes);
  return valleys_double_do(in, [to, taken] { return std::memcpy(place(to), taken.data(), taken.size()), 0; });
}
int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, void *in) {
  if (!is(in, Kind::OWN) || foreign(from, in)) return INVALID_VALUE;
  return valleys_double_do(in, [=] { return std::memcpy(to, place(from), bytes), 0; });
}
int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, void *in) {
  ++memory;
  if (foreign(to, in) || foreign(from, in)) return INVALID_VALUE;
  return valleys_double_do(in, [=] { return std::memcpy(place(to), place(from), bytes), 0; });
}

// As cuda.h has them.
struct Attribute {
  int id;
  char pad[4];
  union {
    char all[64];
    int early;
  };
};
struct Config {
  unsigned grid_x, grid_y, grid_z, threads_x, threads_y, threads_z, shared;
  void *in;
  const Attribute *attributes;
  unsigned count;
};
int cuLaunchKernelEx(const Config *config, void *function, void **arguments, void **) {
  const auto &[grid_x, grid_y, grid_z, threads_x, threads_y, threads_z, shared, in, attributes, count] = *config;
  if (grid_z != 1 || threads_x != 256 || threads_y != 1 || threads_z != 1 || shared > 99 << 10) return INVALID_VALUE;
  constexpr int EARLY = 6;
  if (count > 1 || (count == 1 && (attributes->id != EARLY || attributes->early != 1))) return INVALID_VALUE;
  const char *const name = static_cast<const char *>(function);
  ++launched[name];
  spent += std::strncmp(name, "turn", 4) == 0 ? 0.01 : own_time;
  unsigned lengths[32];
  const unsigned parameters = valleys_cuda_host_parameters(name, lengths);
  if (parameters == 0) return NOT_FOUND;
  // As a real driver, which takes the values over before it returns.
  std::array<unsigned long long, 32> values = {};
  for (unsigned i = 0; i < parameters; ++i) {
    std::memcpy(&values[i], arguments[i], lengths[i]);
    if (lengths[i] == sizeof values[i] && foreign(values[i], in)) return INVALID_VALUE;
  }
  return valleys_double_do(in, [=, x = grid_x, y = grid_y, bytes = shared]() mutable {
    void *places[32];
    for (unsigned i = 0; i < parameters; ++i) places[i] = &values[i];
    return valleys_cuda_host_launch(name, x, y, bytes, places) == 0 ? 0 : NOT_FOUND;
  });
}

int cuGetErrorString(int error, const char **text) {
  return *text = error == ILLEGAL_ADDRESS ? "something was written outside a buffer" : "the host refuses", 0;
}
int cuGetErrorName(int, const char **text) { return *text = "DOUBLE", 0; }

// For the tests alone.
unsigned long long valleys_double_sent() { return sent; }
unsigned long long valleys_double_launched(const char *kernel) { return launched[kernel]; }
unsigned long long valleys_double_memory() { return memory; }
void valleys_double_take(float milliseconds) { own_time = milliseconds; }
void valleys_double_fail_recordings(bool fail) { recordings_fail = fail; }

}  // extern "C"
