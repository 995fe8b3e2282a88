// A CUDA driver that the tests load in the place of the real one: its GPU is the host. It knows the functions that the
// engine calls, does everything at once, and complains about what a real one would not forgive.
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

extern "C" int valleys_cuda_host_launch(const char *name, unsigned grid_x, unsigned grid_y, void *const *arguments);

namespace {

constexpr int INVALID_VALUE = 1, INVALID_IMAGE = 200, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700;

// Handles that are no addresses.
void *const CONTEXT = reinterpret_cast<void *>(8), *const POOL = reinterpret_cast<void *>(16),
            *const STREAM = reinterpret_cast<void *>(24), *const MODULE = reinterpret_cast<void *>(32);

thread_local void *current = nullptr;

// Bytes that this thread has sent to the GPU.
thread_local unsigned long long sent = 0;

// How often this thread has started every kernel, and copied or cleared memory of the GPU.
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

// Work belongs into the one stream, and needs the context.
int asked_for(void *stream) { return stream == STREAM && current == CONTEXT ? 0 : INVALID_VALUE; }

int copy(void *to, const void *from, size_t bytes, void *stream) {
  std::memmove(to, from, bytes);
  return asked_for(stream);
}

void *place(unsigned long long address) { return reinterpret_cast<void *>(address); }

}  // namespace

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
int cuStreamCreate(void **stream, unsigned) { return *stream = STREAM, 0; }
int cuStreamDestroy_v2(void *) { return 0; }
int cuStreamSynchronize(void *stream) { return asked_for(stream); }
int cuModuleLoadData(void **module, const void *image) {
  const unsigned char magic[] = {0x50, 0xed, 0x55, 0xba};  // a fat binary
  return *module = MODULE, std::memcmp(image, magic, sizeof magic) == 0 ? 0 : INVALID_IMAGE;
}
int cuModuleUnload(void *) { return 0; }
int cuModuleGetFunction(void **function, void *, const char *name) {
  return *function = strdup(name), *function ? 0 : NOT_FOUND;
}

int cuMemAllocAsync(unsigned long long *address, size_t bytes, void *stream) {
  if (bytes == 0) return INVALID_VALUE;
  char *const start = static_cast<char *>(std::malloc(bytes + 2 * GUARD));
  std::memset(start, UNTOUCHED, bytes + 2 * GUARD);
  std::memcpy(start, &bytes, sizeof bytes);
  *address = reinterpret_cast<unsigned long long>(start + GUARD);
  return asked_for(stream);
}
int cuMemFreeAsync(unsigned long long address, void *stream) {
  char *const start = static_cast<char *>(place(address)) - GUARD;
  size_t bytes;
  std::memcpy(&bytes, start, sizeof bytes);
  const bool whole = untouched(start + sizeof bytes, GUARD - sizeof bytes) && untouched(start + GUARD + bytes, GUARD);
  std::memset(start, UNTOUCHED, bytes + 2 * GUARD);
  std::free(start);
  return whole ? asked_for(stream) : ILLEGAL_ADDRESS;
}
int cuMemGetInfo_v2(size_t *free, size_t *all) { return *free = *all = size_t{1} << 33, 0; }
int cuMemsetD8Async(unsigned long long address, unsigned char byte, size_t bytes, void *stream) {
  ++memory;
  std::memset(place(address), byte, bytes);
  return asked_for(stream);
}
int cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t bytes, void *stream) {
  sent += bytes;
  return copy(place(to), from, bytes, stream);
}
int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, void *stream) {
  return copy(to, place(from), bytes, stream);
}
int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, void *stream) {
  ++memory;
  return copy(place(to), place(from), bytes, stream);
}

int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned threads_x,
                   unsigned threads_y, unsigned threads_z, unsigned shared, void *stream, void **arguments, void **) {
  if (grid_z != 1 || threads_x != 256 || threads_y != 1 || threads_z != 1 || shared != 0) return INVALID_VALUE;
  if (valleys_cuda_host_launch(static_cast<const char *>(function), grid_x, grid_y, arguments) != 0) return NOT_FOUND;
  ++launched[static_cast<const char *>(function)];
  return asked_for(stream);
}

int cuGetErrorString(int error, const char **text) {
  return *text = error == ILLEGAL_ADDRESS ? "something was written outside a buffer" : "the host refuses", 0;
}
int cuGetErrorName(int, const char **text) { return *text = "DOUBLE", 0; }

// For the tests alone.
unsigned long long valleys_double_sent() { return sent; }
unsigned long long valleys_double_launched(const char *kernel) { return launched[kernel]; }
unsigned long long valleys_double_memory() { return memory; }

}  // extern "C"
